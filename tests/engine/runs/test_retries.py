"""Law 7: failed items are tried again by their step's policy (DESIGN §4)."""

from datetime import timedelta

from tests.engine.runs.conftest import payloads

from controlroom.engine.runs import held_items
from controlroom.engine.runs.held_items import Failed
from controlroom.engine.runs.model import (
    RunState,
)
from controlroom.engine.work_items import store as work_items
from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemState
from controlroom.engine.work_items.rules import RetryPolicy

BUSINESS = Failed(ItemException(ExceptionType.BUSINESS, "BAD", "no such customer"))
APPLICATION = Failed(ItemException(ExceptionType.APPLICATION, "NET", "timeout"))


async def test_application_errors_are_retried_by_policy_and_business_errors_never(floor):
    """The policy's attempts and delay hold; history remembers each attempt."""
    process = await floor.process({"retry": RetryPolicy(max_attempts=2, delay_seconds=60, jitter=0)})
    walt = await floor.worker()
    run = await floor.start(process, payloads("app", "biz"))
    app, biz = [item.id for item in await floor.items(run)]
    assignment, robot = await walt.take()
    await held_items.release(floor.engine, robot, app, APPLICATION)
    assert await held_items.reserve(floor.engine, robot) == biz
    await held_items.release(floor.engine, robot, biz, BUSINESS)
    await walt.finish(assignment)

    retried = await floor.item(app)
    assert retried.state is ItemState.PENDING
    assert timedelta(seconds=55) < retried.due - retried.state_at <= timedelta(seconds=61)
    assert (await floor.item(biz)).exception == BUSINESS.exception
    await floor.engine.database.execute("update work_item set due = clock_now() where id = %(id)s", id=app)
    await floor.run(run)
    again, robot = await walt.take()
    await held_items.release(floor.engine, robot, app, APPLICATION)
    await walt.finish(again)
    assert (await floor.run(run)).state is RunState.UNRESOLVED
    history = await work_items.history(floor.engine.database, floor.scope, app)
    assert [one.outcome.value for one in history] == ["retried", "failed"]
