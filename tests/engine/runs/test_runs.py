"""Law 1: what a run is, and when it has ended (DESIGN §4)."""

import pytest
from msgspec import Raw
from tests.engine.runs.conftest import payloads

from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import held_items
from controlroom.engine.runs import store as run_store
from controlroom.engine.runs.errors import ProcessDisabled
from controlroom.engine.runs.held_items import Failed
from controlroom.engine.runs.model import (
    DefaultInput,
    Result,
    RunState,
    WithItems,
    WithWaiting,
)
from controlroom.engine.work_items import actions as item_actions
from controlroom.engine.work_items.errors import WorkItemNotFound, WorkItemStateConflict
from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemState
from controlroom.engine.work_items.operations import Operation
from controlroom.errors import NotFound
from controlroom.ids import WorkItemId, uuid7

BUSINESS = Failed(ItemException(ExceptionType.BUSINESS, "BAD", "no such customer"))
APPLICATION = Failed(ItemException(ExceptionType.APPLICATION, "NET", "timeout"))


async def test_a_run_without_input_has_one_empty_item_and_completes(floor):
    """A start without data makes one empty item and one step run; the run completes when it is done."""
    process = await floor.process({})
    walt = await floor.worker()

    run = await floor.start(process)
    assert (run.state, await floor.states(run)) == (RunState.NEW, ["pending"])

    assignment, robot = await walt.take()
    assert (await floor.run(run)).state is RunState.IN_PROGRESS
    assert await held_items.payload(floor.engine, robot, assignment.work_item_id) is None
    await walt.finish(assignment)

    ended = await floor.run(run)
    assert (ended.state, ended.result, await floor.states(run)) == (RunState.COMPLETED, Result.SUCCEEDED, ["done"])


async def test_a_run_with_failed_items_is_unresolved_until_they_are_resolved(floor, ada):
    """Failed items leave a run unresolved; retried with success or marked done, they complete it."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2))
    assignment, robot = await walt.take()
    await held_items.release(floor.engine, robot, assignment.work_item_id, BUSINESS)
    await floor.drain(robot, await held_items.reserve(floor.engine, robot))
    await walt.finish(assignment)
    unresolved = await floor.run(run)
    assert (unresolved.state, unresolved.result) == (RunState.UNRESOLVED, Result.FAILED)

    [failed] = [item for item in await floor.items(run) if item.state is ItemState.FAILED]
    await item_actions.change(floor.engine, ada, floor.workspace, Operation.RETRY, [failed.id])
    assert (await floor.run(run)).state is RunState.IN_PROGRESS
    again, robot = await walt.take()
    assert again.work_item_id == failed.id
    await held_items.release(floor.engine, robot, failed.id, APPLICATION)
    await walt.finish(again)
    assert (await floor.run(run)).state is RunState.UNRESOLVED

    await item_actions.change(floor.engine, ada, floor.workspace, Operation.MARK_DONE, [failed.id])
    assert (await floor.run(run)).state is RunState.COMPLETED


async def test_a_run_ends_by_hand_when_what_is_held_is_declared_done(floor, ada):
    """A held item keeps its run open, and nobody begins it; declared done, it is done, and the run complete."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2))
    first, second = await floor.items(run)
    await item_actions.change(floor.engine, ada, floor.workspace, Operation.HOLD, [second.id])
    assignment, robot = await walt.take()
    assert await floor.drain(robot, assignment.work_item_id) == [first.id]
    await walt.finish(assignment)
    assert (await floor.run(run)).state is RunState.IN_PROGRESS

    await item_actions.change(floor.engine, ada, floor.workspace, Operation.COMPLETE, [second.id])
    assert (await floor.run(run)).state is RunState.COMPLETED


async def test_a_disabled_or_unknown_process_starts_nothing(floor, ada, cleo):
    """A disabled process is a conflict, an unknown or another's one is not found; nothing is written."""
    process = await floor.process({})
    await floor.engine.database.execute("update process set is_enabled = false where id = %(id)s", id=process)

    with pytest.raises(ProcessDisabled):
        await floor.start(process)
    with pytest.raises(NotFound):
        await runs.start(floor.engine, ada, floor.workspace, uuid7(), DefaultInput())
    with pytest.raises(NotFound):
        await runs.start(floor.engine, cleo, floor.workspace, process, DefaultInput())
    assert await run_store.list_runs(floor.engine.database, floor.scope, limit=10) == []


async def test_waiting_items_are_started_or_nothing_is(floor, ada):
    """With waiting items a run takes them all; without, none is started and no row is left."""
    process = await floor.process({})
    db = floor.engine.database
    assert await runs.start(floor.engine, ada, floor.workspace, process, WithWaiting()) is None
    assert await run_store.list_runs(db, floor.scope, limit=10) == []

    made = [await item_actions.create(floor.engine, ada, floor.workspace, process, Raw(b"1")) for _ in range(3)]
    assert {item.state for item in made} == {ItemState.NEW}
    run = await floor.start(process, WithItems((made[1].id,)))
    assert [item.id for item in await floor.items(run)] == [made[1].id]

    with pytest.raises(WorkItemStateConflict):
        await floor.start(process, WithItems((made[0].id, made[1].id)))
    with pytest.raises(WorkItemNotFound):
        await floor.start(process, WithItems((made[0].id, WorkItemId(uuid7()))))
    rest = await floor.start(process, WithWaiting())
    assert [item.id for item in await floor.items(rest)] == [made[0].id, made[2].id]
