"""Law 6: nothing is lost when something dies (DESIGN §4)."""

import pytest
from tests.engine.runs.conftest import expire_leases, payloads

from controlroom.engine.access.errors import AttemptOver
from controlroom.engine.runs import held_items
from controlroom.engine.runs import store as run_store
from controlroom.engine.runs.errors import Superseded
from controlroom.engine.runs.held_items import Done, Failed
from controlroom.engine.runs.model import (
    Result,
    RunState,
    StepRunState,
)
from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemState
from controlroom.maintenance import rescuer
from controlroom.protocol import ErrorCode, Order

APPLICATION = Failed(ItemException(ExceptionType.APPLICATION, "NET", "timeout"))


@pytest.mark.parametrize(
    ("error", "state", "kind"),
    [
        (None, ItemState.DONE, None),
        (ErrorCode.ROBOT_FAILED, ItemState.FAILED, ExceptionType.APPLICATION),
        (ErrorCode.TIMEOUT, ItemState.FAILED, ExceptionType.APPLICATION),
        (ErrorCode.ENVIRONMENT_FAILED, ItemState.FAILED, ExceptionType.ORCHESTRATOR),
        (ErrorCode.TERMINATED, ItemState.FAILED, ExceptionType.ORCHESTRATOR),
    ],
)
async def test_the_room_releases_what_a_robot_did_not(floor, error, state, kind):
    """At its end a step run's item is done if it succeeded, else failed with whose fault it was."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)
    assignment, _ = await walt.take()

    await walt.finish(assignment, error)
    await walt.finish(assignment, error)  # the answer was lost

    [item] = await floor.items(run)
    assert (item.state, item.exception_type) == (state, kind)


async def test_a_worker_lost_before_the_robot_began_costs_nothing(floor):
    """Such a step run is given to another worker, as the next attempt; the old one's token is dead."""
    process = await floor.process({})
    walt, wanda = await floor.worker("walt"), await floor.worker("wanda")
    run = await floor.start(process)
    assignment, robot = await walt.take()

    await expire_leases(floor)

    again, _ = await wanda.take()
    assert (again.step_run_id, again.attempt) == (assignment.step_run_id, assignment.attempt + 1)
    assert again.work_item_id == assignment.work_item_id
    with pytest.raises(AttemptOver):
        await held_items.release(floor.engine, robot, assignment.work_item_id, Done())
    with pytest.raises(AttemptOver):
        await held_items.reserve(floor.engine, robot)
    with pytest.raises(Superseded):
        await walt.finish(assignment)
    assert await walt.beat(assignment) == [Order.ABANDON]
    await wanda.finish(again)
    assert (await floor.run(run)).state is RunState.COMPLETED


async def test_a_worker_lost_after_the_robot_began_fails_the_step_run(floor):
    """Robot code is never run twice unless its policy says so."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)
    assignment, robot = await walt.take()
    await walt.begin(assignment)

    await expire_leases(floor)

    lost = await run_store.get_step_run(floor.engine.database, floor.scope, assignment.step_run_id)
    assert (lost.state, lost.error_code, lost.result) == (StepRunState.FAILED, ErrorCode.WORKER_LOST, Result.LOST)
    [item] = await floor.items(run)
    assert (item.state, item.exception_type) == (ItemState.FAILED, ExceptionType.ORCHESTRATOR)
    assert (await floor.run(run)).state is RunState.UNRESOLVED
    with pytest.raises(AttemptOver):
        await held_items.payload(floor.engine, robot, item.id)
    with pytest.raises(Superseded):
        await walt.finish(assignment)


async def test_a_restarted_worker_gives_back_at_once_what_it_held(floor):
    """A new session of a worker ends what its killed predecessor had in hand, without waiting for the lease."""
    process = await floor.process({"max_parallel": 2})
    walt = await floor.worker()
    await floor.start(process, payloads(1, 2))
    waiting, begun = await walt.claim(free=2)
    await walt.begin(begun)

    await walt.restart()

    db = floor.engine.database
    assert (await run_store.get_step_run(db, floor.scope, waiting.step_run_id)).state is StepRunState.AWAITING_WORKER
    assert (await run_store.get_step_run(db, floor.scope, begun.step_run_id)).state is StepRunState.FAILED


async def test_a_lost_claim_answer_comes_again(floor):
    """A step run that the worker does not know of is handed over again, as the same attempt."""
    process = await floor.process({})
    walt = await floor.worker()
    await floor.start(process)
    [first] = await walt.claim()

    [again] = await walt.claim(knows=False)

    assert (again.step_run_id, again.attempt) == (first.step_run_id, first.attempt)
    assert await walt.claim() == []


async def test_heartbeats_keep_leases(floor):
    """A step run whose worker is heard is not rescued."""
    process = await floor.process({})
    walt = await floor.worker()
    await floor.start(process)
    [assignment] = await walt.claim()
    await floor.engine.database.execute(
        "update step_run set lease_until = clock_now() - interval '1 second' where lease_until is not null"
    )

    assert await walt.beat(assignment) == [Order.CONTINUE]
    await rescuer.rescue(floor.engine)

    assert await walt.beat(assignment) == [Order.CONTINUE]


async def test_a_late_heartbeat_says_nothing_of_how_busy_a_worker_is(floor):
    """One that was sent before a claim was answered, and one that was held while the robot ended."""

    async def state() -> str:
        rows = "select state from worker where id = %(worker)s"
        return await floor.engine.database.value(rows, worker=walt.actor.worker_id)

    walt = await floor.worker()
    await floor.start(await floor.process({}))
    [assignment] = await walt.claim()
    await walt.beat()
    assert await state() == "busy"

    await walt.finish(assignment)
    await walt.beat(assignment)
    assert await state() == "idle"
