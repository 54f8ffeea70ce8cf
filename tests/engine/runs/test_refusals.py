"""What does not fit is refused, and nothing is changed."""

import secrets

import pytest
from msgspec import Raw
from tests.engine.runs.conftest import payloads

from controlroom.engine.access.scope import Room
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import held_items, outputs
from controlroom.engine.runs import store as run_store
from controlroom.engine.runs.dispatch import runs_left_behind
from controlroom.engine.runs.errors import RunNotEnded, RunNotFound
from controlroom.engine.runs.held_items import Failed
from controlroom.engine.runs.model import (
    RunState,
    StopRequest,
)
from controlroom.engine.work_items import actions as item_actions
from controlroom.engine.work_items.errors import NotHolding, WorkItemNotFound, WorkItemStateConflict
from controlroom.engine.work_items.model import ExceptionType, ItemException
from controlroom.engine.work_items.operations import Operation
from controlroom.errors import Invalid, NotFound
from controlroom.ids import RunId, StepRunId, WorkItemId, uuid7
from controlroom.maintenance import dispatcher

BUSINESS = Failed(ItemException(ExceptionType.BUSINESS, "BAD", "no such customer"))


async def test_only_ended_runs_are_deleted(floor, ada, cleo):
    """A run in progress is a conflict, another's run is not found; a deleted one leaves no rows."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)
    assignment, _ = await walt.take()
    with pytest.raises(RunNotEnded):
        await runs.delete(floor.engine, ada, floor.workspace, run.id)
    await walt.finish(assignment)
    await floor.run(run)
    with pytest.raises(NotFound):
        await runs.delete(floor.engine, cleo, floor.workspace, run.id)

    await runs.delete(floor.engine, ada, floor.workspace, run.id)

    with pytest.raises(RunNotFound):
        await runs.delete(floor.engine, ada, floor.workspace, run.id)
    assert await floor.items(run) == []


async def test_batches_change_all_or_nothing(floor, ada):
    """One unknown item, or one in another state, and nothing is changed."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2))
    assignment, robot = await walt.take()
    await held_items.release(floor.engine, robot, assignment.work_item_id, BUSINESS)
    failed, waiting = [item.id for item in await floor.items(run)]

    with pytest.raises(WorkItemStateConflict):
        await item_actions.change(floor.engine, ada, floor.workspace, Operation.RETRY, [failed, waiting])
    with pytest.raises(WorkItemNotFound):
        await item_actions.change(
            floor.engine, ada, floor.workspace, Operation.MARK_DONE, [failed, WorkItemId(uuid7())]
        )

    assert await floor.states(run) == ["failed", "pending"]


async def test_a_retry_survives_the_server_that_took_it(floor, ada):
    """The wake-up of an ended run is in the commit of the retry: whoever polls next finds it, once."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)
    assignment, robot = await walt.take()
    await held_items.release(floor.engine, robot, assignment.work_item_id, BUSINESS)
    await walt.finish(assignment)
    assert (await floor.run(run)).state is RunState.UNRESOLVED

    await item_actions.change(floor.engine, ada, floor.workspace, Operation.RETRY, [assignment.work_item_id])
    assert run.id in await runs_left_behind(floor.engine.database, Room(), limit=1000)
    await dispatcher.poll(floor.engine)

    again = await run_store.get(floor.engine.database, floor.scope, run.id)
    assert again.state is RunState.IN_PROGRESS
    assert run.id not in await runs_left_behind(floor.engine.database, Room(), limit=1000)


async def test_a_robot_touches_only_its_own_items(floor, ada):
    """Items of the same run that it has never held are not found for it, to read or to write."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2))
    assignment, robot = await walt.take()
    [other] = [item.id for item in await floor.items(run) if item.id != assignment.work_item_id]

    for verb in (
        held_items.payload(floor.engine, robot, other),
        held_items.set_payload(floor.engine, robot, other, Raw(b"0")),
        held_items.files(floor.engine, robot, other),
        held_items.promise_file(floor.engine, robot, other, "a.txt", 1),
    ):
        with pytest.raises(WorkItemNotFound):
            await verb
    with pytest.raises(NotHolding):
        await outputs.output(floor.engine, robot, other, None)


async def test_payloads_over_the_limit_are_refused(floor, ada):
    """A payload that is too large changes nothing."""
    process = await floor.process({})
    text = Raw(b'"' + secrets.token_hex(floor.engine.limits.payload_bytes // 2 + 1).encode() + b'"')

    with pytest.raises(Invalid):
        await item_actions.create(floor.engine, ada, floor.workspace, process, text)
    with pytest.raises(NotFound):
        await runs.stop(
            floor.engine, ada, floor.workspace, RunId(uuid7()), StopRequest(terminate=True, remaining_done=True)
        )
    with pytest.raises(NotFound):
        await run_store.get_step_run(floor.engine.database, floor.scope, StepRunId(uuid7()))
