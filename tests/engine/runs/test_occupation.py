"""What workers do: how busy they are, what they have done lately; and those that rest take nothing more."""

import asyncio
from datetime import timedelta

import pytest
from msgspec import Raw

from controlroom.engine.access import history
from controlroom.engine.runs import occupation
from controlroom.engine.runs.model import WithPayloads
from controlroom.engine.workers import actions
from controlroom.engine.workers.errors import WorkerNotFound
from controlroom.engine.workers.model import WorkerState
from controlroom.errors import Forbidden, NotFound
from controlroom.protocol import ErrorCode

PAIR = WithPayloads(Raw(b"[1,2]"), 2)


async def test_a_worker_that_rests_ends_what_it_has_and_takes_nothing_more(floor, ada):
    """It claims nothing until it may go on; then it is the one that works, without coming anew."""
    walt = await floor.worker()
    run = await floor.start(await floor.process({"max_parallel": 2}), PAIR)
    await floor.run(run)
    assignment, robot = await walt.take()
    mine = walt.actor.worker_id

    told = await actions.rest(floor.engine, ada, floor.workspace, mine)
    assert (told.state, told.rests_since is not None) == (WorkerState.BUSY, True)
    assert await walt.claim() == []
    await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment)  # it is not busy from that moment on, and not from its next heartbeat
    assert (await occupation.get_occupied(floor.engine.database, floor.scope, mine)).state is WorkerState.RESTING
    await walt.restart()
    assert await walt.claim() == []

    again = await actions.go_on(floor.engine, ada, floor.workspace, mine)
    assert (again.state, again.rests_since) == (WorkerState.IDLE, None)


async def test_workers_say_how_busy_they_are_and_what_they_did(floor, ada):
    """Slots and groups, what a worker holds and what it has ended; the order is that of the work."""
    walt, idle = await floor.worker("walt"), await floor.worker("wanda")
    group = await actions.create_group(floor.engine, ada, floor.workspace, "linux-fin")
    await actions.add_member(floor.engine, ada, floor.workspace, group.id, walt.actor.worker_id)
    run = await floor.start(await floor.process({"max_parallel": 2}), PAIR)
    await floor.run(run)
    first, _ = await walt.take()
    await walt.begin(first)
    await walt.finish(first, ErrorCode.ROBOT_FAILED)
    second, _ = await walt.take()
    db, scope = floor.engine.database, floor.scope

    told = {each.name: each for each in await occupation.list_occupied(db, scope, limit=100)}
    assert (told["walt"].busy, told["walt"].free, told["walt"].state) == (1, 0, WorkerState.BUSY)
    assert [each.name for each in told["walt"].groups] == ["linux-fin"]
    assert (told["wanda"].busy, told["wanda"].free, told["wanda"].groups) == (0, 1, [])
    of_group = await occupation.list_occupied(db, scope, group=group.id, limit=100)
    assert [each.name for each in of_group] == ["walt"]

    told_together = {
        ("all" if each.of_all else each.group_id, each.state): (each.workers, each.slots, each.busy, each.free)
        for each in await occupation.counted(db, scope)
    }
    assert told_together == {
        ("all", WorkerState.BUSY): (1, 1, 1, 0),
        ("all", WorkerState.IDLE): (1, 1, 0, 1),
        (group.id, WorkerState.BUSY): (1, 1, 1, 0),
        (None, WorkerState.IDLE): (1, 1, 0, 1),
    }
    drawn = await occupation.first_of_groups(db, scope, [group.id], each=1)
    assert [each.name for each in drawn] == ["walt", "wanda"]
    await db.execute("update worker set trouble = 'no sandbox' where id = %(id)s", id=idle.actor.worker_id)
    assert [each.name for each in (await occupation.at_a_glance(db, scope, limit=1)).first] == ["wanda"]

    since = await db.value("select clock_now()") - timedelta(hours=2)
    workers = [walt.actor.worker_id, idle.actor.worker_id]
    lately = await occupation.lately(db, scope, workers, since)
    assert [(each.id, each.result is None) for each in lately[workers[0]]] == [
        (first.step_run_id, False),
        (second.step_run_id, True),
    ]
    assert lately[workers[1]] == []
    assert len((await occupation.lately(db, scope, workers, since, most=1))[workers[0]]) == 1


async def test_what_was_linked_is_told_to_who_waits_for_it(floor):
    """From a moment on, the first first."""
    now = await floor.engine.database.value("select clock_now()")
    await asyncio.gather(*(floor.worker(name) for name in ("one", "two")))

    told = await occupation.linked_since(floor.engine.database, floor.scope, now, limit=10)

    assert {each.name for each in told} == {"one", "two"}


async def test_who_may_not_change_workers_lets_none_rest(floor, ben, cleo):
    """An operator without the right is refused; to an outsider the worker is not there."""
    walt = await floor.worker()
    mine = walt.actor.worker_id
    with pytest.raises(Forbidden):
        await actions.rest(floor.engine, ben, floor.workspace, mine)
    with pytest.raises(NotFound):
        await actions.rest(floor.engine, cleo, floor.workspace, mine)
    outside = type(floor.scope)(cleo.organization_id, tuple(cleo.grants))
    with pytest.raises(WorkerNotFound):
        await occupation.get_occupied(floor.engine.database, outside, mine)
    now = await floor.engine.database.value("select clock_now()")
    assert (await occupation.lately(floor.engine.database, outside, [mine], now))[mine] == []


async def test_who_sees_a_thing_is_told_who_changed_it(floor, ada, cleo):
    """The latest first, with the name of who did it; nothing to a stranger."""
    walt = await floor.worker()
    mine = walt.actor.worker_id
    await actions.rename(floor.engine, ada, floor.workspace, mine, "Walter")
    await actions.rest(floor.engine, ada, floor.workspace, mine)

    told = await history.changes_of(floor.engine.database, floor.scope, mine)

    assert [each.kind for each in told][:2] == ["worker.rested", "worker.renamed"]
    assert told[0].actor_name
    outside = type(floor.scope)(cleo.organization_id, tuple(cleo.grants))
    assert await history.changes_of(floor.engine.database, outside, mine) == []
