"""Locks of runs: who waits for whom, in which order they come, and what ends it."""

import asyncio
import random

import pytest
from tests.engine.conftest import new_user
from tests.engine.runs.conftest import Floor, payloads

from controlroom.engine.access.model import Actor, ActorKind, Permission, Role
from controlroom.engine.access.scope import Room
from controlroom.engine.access.tokens import read_step_run_token
from controlroom.engine.locks import actions, standings
from controlroom.engine.locks.errors import LockInUse, LockNotFound
from controlroom.engine.locks.model import LockName, LockOf, LockState
from controlroom.engine.locks.store import runs_with_room
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import held_items
from controlroom.engine.runs.dispatch import dispatch, runs_to_look_at
from controlroom.engine.runs.locks import wanted_by
from controlroom.engine.runs.model import RunState, StopRequest
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items import actions as work_items
from controlroom.engine.work_items.model import ExceptionType, ItemException
from controlroom.engine.work_items.operations import Operation
from controlroom.errors import Forbidden
from controlroom.ids import WorkspaceId, uuid7
from controlroom.maintenance import dispatcher
from controlroom.protocol import ErrorCode

DB, DISK = LockName("db"), LockName("disk")
SLOTS = LockName("slots", LockOf.ORGANIZATION)
GENTLY = StopRequest(terminate=False, remaining_done=False)


@pytest.fixture
async def second_floor(floor):
    """Another workspace of the organization, of which ada knows nothing."""
    workspace = WorkspaceId(uuid7())
    await floor.engine.database.execute(
        "insert into workspace (id, organization_id, name) values (%(id)s, %(organization)s, 'Second')",
        id=workspace,
        organization=floor.organization,
    )
    ben = await new_user(floor.engine, "ben", floor.organization, workspace, Role.OWNER)
    return Floor(floor.engine, ben, workspace, floor.organization)


@pytest.fixture
def admin(floor):
    """Somebody who may make workspaces."""
    grants = {floor.workspace: frozenset({Permission.READ_RUNS})}
    throughout = frozenset({Permission.WRITE_WORKSPACES})
    organization = floor.organization
    return Actor(
        kind=ActorKind.USER, id=None, name="root", organization_id=organization, grants=grants, throughout=throughout
    )


async def started(floor, process, *locks, inputs=None):
    """A run that lines up for the locks, and was dispatched once."""
    run = await floor.start(process, inputs, locks=locks)
    assert (run.lock_state is LockState.WAITING) == bool(locks)
    return await floor.run(run)


async def state(floor, run):
    """How a run stands with its locks."""
    return (await floor.run(run)).lock_state


async def blockers(floor, run):
    """The runs that a run waits for."""
    seen = actions.seen_by(floor.ada)
    found = await standings.standings(floor.engine.database, floor.scope, [run.id], seen=seen)
    return [each.id for standing in found for each in standing.blocked_by]


async def finish(floor, walt):
    """Let the one step run that waits be worked to its end, and its run be dispatched."""
    assignment, robot = await walt.take()
    await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment)
    return await floor.run(assignment.run_id)


async def test_a_run_waits_until_the_one_before_has_ended(floor):
    """No worker can take a step run of a run without its locks; the end of the holder lets it go on."""
    process = await floor.process({})
    walt = await floor.worker()
    first = await started(floor, process, DB)
    second = await started(floor, process, DB)

    assert (first.lock_state, second.lock_state, second.state) == (LockState.HELD, LockState.WAITING, RunState.NEW)
    assert await blockers(floor, second) == [first.id]
    assignment, robot = await walt.take()
    assert (assignment.run_id, await walt.claim()) == (first.id, [])

    await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment)
    assert (await floor.run(first)).lock_state is LockState.RELEASED
    assert await state(floor, second) is LockState.HELD
    assert (await finish(floor, walt)).state is RunState.COMPLETED
    assert await wanted_by(floor.engine.database, floor.scope, first.id) == [DB]


async def test_the_end_of_the_holder_wakes_the_next_and_no_other(floor):
    """Of a thousand that wait, the one that can have the lock is told of it, in the commit that frees it."""
    process = await floor.process({})
    walt = await floor.worker()
    line = [await started(floor, process, DB) for _ in range(4)]
    woken = []
    floor.engine.wakes.on(Topic.RUN, woken.append)

    await finish(floor, walt)

    assert [run.id for run in line if str(run.id) in woken][1:] == [line[1].id]


async def test_a_lock_that_an_older_run_waits_for_is_kept_for_it(floor):
    """Who wants less does not overtake; who wants something else does not wait."""
    process = await floor.process({})
    holder = await started(floor, process, DB)
    both = await started(floor, process, DB, DISK)
    less = await started(floor, process, DISK)
    other = await started(floor, process, LockName("other"))

    assert (less.lock_state, other.lock_state) == (LockState.WAITING, LockState.HELD)
    assert await blockers(floor, both) == [holder.id]
    assert await blockers(floor, less) == [both.id]


async def test_as_many_hold_a_lock_as_it_has_room_for(floor):
    """A capacity of two has two holders; a larger one lets further ones in, a smaller one takes nothing away."""
    process = await floor.process({})
    await actions.declare(floor.engine, floor.ada, floor.workspace, DB, 2)
    line = [await started(floor, process, DB) for _ in range(4)]
    assert [run.lock_state.value for run in line] == ["held", "held", "waiting", "waiting"]
    assert await blockers(floor, line[3]) == [line[0].id, line[1].id]

    lock = await actions.declare(floor.engine, floor.ada, floor.workspace, DB, 3)
    assert (lock.held, lock.waiting, [each.id for each in lock.waiters]) == (2, 2, [line[2].id, line[3].id])
    assert await state(floor, line[2]) is LockState.HELD

    await actions.declare(floor.engine, floor.ada, floor.workspace, DB, 1)
    assert [(await state(floor, run)).value for run in line] == ["held", "held", "held", "waiting"]


async def test_a_waiting_run_is_stopped_at_once(floor):
    """It ends in the commit that answers, and those behind it move up."""
    process = await floor.process({})
    holder = await started(floor, process, DB)
    waiting = await started(floor, process, DB, DISK)
    behind = await started(floor, process, DISK)

    assert await runs.stop(floor.engine, floor.ada, floor.workspace, waiting.id, GENTLY)

    stopped = await floor.run(waiting)
    assert (stopped.state, stopped.lock_state) == (RunState.UNRESOLVED, LockState.RELEASED)
    assert await state(floor, behind) is LockState.HELD
    assert await state(floor, holder) is LockState.HELD


async def test_a_large_waiting_run_gives_up_its_place_before_all_of_it_is_settled(floor):
    """Others do not wait until the items of a stopped run are marked."""
    process = await floor.process({})
    await started(floor, process, DB)
    large = await started(floor, process, DISK, DB, inputs=payloads(*range(1001)))
    behind = await started(floor, process, DISK)

    await runs.stop(floor.engine, floor.ada, floor.workspace, large.id, GENTLY)

    assert await state(floor, behind) is LockState.HELD
    assert (await floor.run(large)).state is RunState.UNRESOLVED


async def test_a_run_that_is_opened_again_lines_up_behind_the_others(floor):
    """An unresolved run holds nothing; an item that is retried waits until the run has its locks again."""
    process = await floor.process({})
    walt = await floor.worker()
    first = await started(floor, process, DB)
    assignment, robot = await walt.take()
    why = ItemException(ExceptionType.APPLICATION, "BROKEN", "it broke")
    await held_items.release(floor.engine, robot, assignment.work_item_id, held_items.Failed(why))
    await walt.finish(assignment, ErrorCode.ROBOT_FAILED)
    assert (await floor.run(first)).state is RunState.UNRESOLVED
    second = await started(floor, process, DB)
    assert second.lock_state is LockState.HELD

    [item] = await floor.items(first)
    await work_items.change(floor.engine, floor.ada, floor.workspace, Operation.RETRY, [item.id])
    again = await floor.run(first)
    assert (again.state, again.lock_state) == (RunState.IN_PROGRESS, LockState.WAITING)

    assert (await finish(floor, walt)).id == second.id
    assert (await floor.run(first)).lock_state is LockState.HELD
    assert (await finish(floor, walt)).state is RunState.COMPLETED


async def test_runs_that_wait_for_locks_do_not_hide_others(floor):
    """They are left alone by the poll, until they can have what they wait for, or have nothing left to do."""
    process = await floor.process({})
    walt = await floor.worker()
    first = await started(floor, process, DB)
    second = await started(floor, process, DB)
    third = await started(floor, process, DB)

    async def looked_at(run):
        found = await runs_to_look_at(floor.engine.database, Room(), limit=10_000)
        return run.id in found + await runs_with_room(floor.engine.database, Room(), limit=10_000)

    assert not await looked_at(second)
    assignment, robot = await walt.take()
    await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment)
    await dispatch(floor.engine, Room(), first.id)  # and the wake-up is lost
    assert (await looked_at(second), await looked_at(third)) == (True, False)

    [item] = await floor.items(third)
    await work_items.change(floor.engine, floor.ada, floor.workspace, Operation.DELETE, [item.id])
    assert await looked_at(third)
    assert (await floor.run(third)).lock_state is LockState.RELEASED
    await dispatcher.poll(floor.engine)
    assert (await floor.run(second)).lock_state is LockState.HELD


async def test_a_process_says_what_each_of_its_runs_wants(floor):
    """A start may want more; a change is for those that are started later."""
    process = await floor.process({})
    await floor.engine.database.execute(
        "update process set locks = %(locks)s where id = %(process)s", process=process, locks=[DB]
    )
    run = await started(floor, process, DISK)

    assert await wanted_by(floor.engine.database, floor.scope, run.id) == [DB, DISK]
    waits = await floor.start(process)
    assert (await floor.run(waits)).lock_state is LockState.WAITING


async def test_the_organizations_locks_are_declared_by_its_admins(floor):
    """Whoever names one that is not there is told so, and an owner of a workspace makes none."""
    process = await floor.process({})
    with pytest.raises(LockNotFound):
        await floor.start(process, locks=(SLOTS,))
    with pytest.raises(Forbidden):
        await actions.declare(floor.engine, floor.ada, floor.workspace, SLOTS, 1)


async def test_a_lock_of_the_organization_is_one_for_all_workspaces(floor, admin, second_floor):
    """Runs of another workspace hold it, too; who does not see them is told how many there are."""
    await actions.declare(floor.engine, admin, floor.workspace, SLOTS, 1)
    here, there = await floor.process({}), await second_floor.process({})
    first = await started(second_floor, there, SLOTS, DB)
    second = await started(floor, here, SLOTS, DB)

    assert (first.lock_state, second.lock_state) == (LockState.HELD, LockState.WAITING)
    found = await standings.standings(floor.engine.database, floor.scope, [second.id], seen=actions.seen_by(floor.ada))
    told = {standing.name: (standing.blocked_by, standing.blocked_elsewhere) for standing in found}
    assert told == {"db": ([], 0), "slots": ([], 1)}
    with pytest.raises(LockInUse):
        await actions.forget(floor.engine, admin, floor.workspace, SLOTS)
    assert await state(floor, second) is LockState.WAITING


async def test_locks_are_listed_with_who_holds_them_and_who_waits(floor):
    """By name, in pages; also names that nobody has declared, while runs want them."""
    process = await floor.process({})
    await actions.declare(floor.engine, floor.ada, floor.workspace, DISK, 5)
    line = [await started(floor, process, DB) for _ in range(3)]
    db, scope, seen = floor.engine.database, floor.scope, actions.seen_by(floor.ada)

    [first] = await standings.list_locks(db, scope, seen=seen, limit=1)
    [second] = await standings.list_locks(
        db, scope, seen=seen, after=standings.Position(first.of, first.name), limit=10
    )

    assert (first.name, first.is_declared, first.capacity, first.held, first.waiting) == ("db", False, 1, 1, 2)
    assert [each.id for each in [*first.holders, *first.waiters]] == [run.id for run in line]
    assert (second.name, second.is_declared, second.capacity, second.held) == ("disk", True, 5, 0)
    await actions.forget(floor.engine, floor.ada, floor.workspace, DISK)
    assert [each.name for each in await standings.list_locks(db, scope, seen=seen, limit=10)] == ["db"]


async def test_many_that_contend_come_one_after_the_other(floor):
    """Whoever dispatches, in whatever order, at once: never more holders than there is room for, by age."""
    chance = random.Random(7)
    process = await floor.process({})
    await actions.declare(floor.engine, floor.ada, floor.workspace, DISK, 2)
    wishes = [chance.choice([(DB,), (DISK,), (DB, DISK)]) for _ in range(14)]
    line = [await floor.start(process, locks=locks) for locks in wishes]

    walt = await floor.worker()
    for _ in range(200):
        every = [run.id for run in line] * 2
        chance.shuffle(every)
        await asyncio.gather(*(dispatch(floor.engine, Room(), run) for run in every[:8]))
        holding = await floor.engine.database.all(
            str,
            "select name from run_lock_claim where held_at is not null and workspace_id = %(ws)s",
            ws=floor.workspace,
        )
        assert (holding.count("db") <= 1, holding.count("disk") <= 2) == (True, True)
        for assignment in await walt.claim(free=2):
            await held_items.release(
                floor.engine,
                read_step_run_token(floor.engine.keys, assignment.token),
                assignment.work_item_id,
                held_items.Done(),
            )
            await walt.finish(assignment)
        if all([(await floor.run(run)).state is RunState.COMPLETED for run in line]):
            break

    taken = await floor.engine.database.all(
        str,
        "select run_id::text from event where kind = 'run.locks_taken' and workspace_id = %(ws)s order by id",
        ws=floor.workspace,
    )
    wanting = {str(run.id): locks for run, locks in zip(line, wishes, strict=True)}
    assert sorted(taken) == sorted(wanting)
    of_db = [run for run in taken if DB in wanting[run]]
    assert of_db == [run for run in wanting if DB in wanting[run]]
