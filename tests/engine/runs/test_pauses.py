"""Pausing a robot at work, and letting it go on (DESIGN §4.8)."""

import asyncio
from functools import partial

import pytest
from tests.engine.runs.conftest import expire_leases, payloads

from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import held_items, pauses, store
from controlroom.engine.runs.errors import StepRunNotFound, StepRunNotPausable
from controlroom.engine.runs.held_items import Done
from controlroom.engine.runs.model import Result, RunState, StepRunState, StopRequest
from controlroom.engine.wakes import Topic
from controlroom.errors import NotFound
from controlroom.ids import uuid7
from controlroom.protocol import ErrorCode, Order

GENTLY = StopRequest(terminate=False, remaining_done=True)
AT_ONCE = StopRequest(terminate=True, remaining_done=False)


@pytest.fixture
def pause(floor, ada):
    return partial(pauses.pause, floor.engine, ada, floor.workspace)


@pytest.fixture
def resume(floor, ada):
    return partial(pauses.resume, floor.engine, ada, floor.workspace)


async def events_of(floor, step_run) -> list[str]:
    found = await store.list_events(floor.engine.database, floor.scope, step_run, limit=100)
    return [event.kind for event in found]


async def test_a_pause_is_told_to_the_worker_and_keeps_lease_and_item(floor, pause, resume):
    """The worker is woken; while its robot is paused it keeps lease and item, and may go on by the next order."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2))
    assignment, robot = await walt.take()
    with floor.engine.wakes.watch(Topic.ORDERS, walt.actor.worker_id) as woken:
        paused = await pause(assignment.step_run_id)
        assert woken.is_set
    assert (paused.state, paused.paused_at is not None) == (StepRunState.IN_PROGRESS, True)
    assert await pause(assignment.step_run_id) == paused

    assert await walt.beat(assignment) == [Order.PAUSE]
    assert await floor.states(run) == ["in_progress", "pending"]
    assert (await floor.run(run)).state is RunState.IN_PROGRESS
    resumed = await resume(assignment.step_run_id)
    assert (resumed.paused_at, await resume(assignment.step_run_id)) == (None, resumed)
    assert await walt.beat(assignment) == [Order.CONTINUE]
    await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment)
    assert (await floor.run(run)).state is RunState.COMPLETED
    told = await events_of(floor, assignment.step_run_id)
    assert [kind for kind in told if kind.endswith(("paused", "resumed"))] == ["step_run.paused", "step_run.resumed"]


async def test_only_a_robot_at_work_is_paused(floor, pause, resume):
    """Not one that waits for a worker, nor one that has ended: both are conflicts, and change nothing."""
    process = await floor.process({})
    run = await floor.start(process)
    [waiting] = await store.list_step_runs(floor.engine.database, floor.scope, run.id, limit=10)
    for turn in (pause, resume):
        with pytest.raises(StepRunNotPausable):
            await turn(waiting.id)
        with pytest.raises(StepRunNotFound):
            await turn(uuid7())

    walt = await floor.worker()
    assignment, robot = await walt.take()
    await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment)
    for turn in (pause, resume):
        with pytest.raises(StepRunNotPausable):
            await turn(assignment.step_run_id)


async def test_a_pause_at_the_last_moment_ends_with_its_robot(floor, pause):
    """A worker whose robot had ended before the order came reports it: the step run is as any that has ended."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)
    assignment, _ = await walt.take()
    await pause(assignment.step_run_id)
    await walt.finish(assignment)
    ended = await store.get_step_run(floor.engine.database, floor.scope, assignment.step_run_id)
    assert (ended.state, ended.paused_at) == (StepRunState.COMPLETED, None)
    assert (await floor.run(run)).state is RunState.COMPLETED


async def test_a_gentle_stop_ends_a_pause(floor, ada, pause):
    """What is in hand is finished, which a halted robot could not; in a run that is being stopped nothing is paused."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2))
    assignment, robot = await walt.take()
    await pause(assignment.step_run_id)
    assert await walt.beat(assignment) == [Order.PAUSE]

    with floor.engine.wakes.watch(Topic.ORDERS, walt.actor.worker_id) as woken:
        assert await runs.stop(floor.engine, ada, floor.workspace, run.id, GENTLY)
        assert woken.is_set
    assert await walt.beat(assignment) == [Order.CONTINUE]
    with pytest.raises(StepRunNotPausable):
        await pause(assignment.step_run_id)
    await held_items.release(floor.engine, robot, assignment.work_item_id, Done())
    await walt.finish(assignment)
    assert (await floor.run(run)).result is Result.STOPPED


async def test_a_terminating_stop_ends_a_paused_robot(floor, ada, pause, resume):
    """The order to end comes before the pause; and neither pause nor resume comes after it."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)
    assignment, _ = await walt.take()
    await pause(assignment.step_run_id)

    await runs.stop(floor.engine, ada, floor.workspace, run.id, AT_ONCE)
    assert await walt.beat(assignment) == [Order.TERMINATE]
    with pytest.raises(StepRunNotPausable):
        await pause(assignment.step_run_id)
    await resume(assignment.step_run_id)
    assert await walt.beat(assignment) == [Order.TERMINATE]
    await walt.finish(assignment, ErrorCode.TERMINATED)
    assert (await floor.run(run)).result is Result.STOPPED


async def test_a_paused_robot_whose_worker_is_lost_fails_if_it_had_begun(floor, pause):
    """As any other: the step run is lost and no longer paused, its item goes by the policy."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)
    assignment, _ = await walt.take()
    await walt.begin(assignment)
    await pause(assignment.step_run_id)
    await expire_leases(floor)

    lost = await store.get_step_run(floor.engine.database, floor.scope, assignment.step_run_id)
    assert (lost.state, lost.error_code, lost.paused_at) == (StepRunState.FAILED, ErrorCode.WORKER_LOST, None)
    assert await floor.states(run) == ["failed"]


async def test_a_pause_outlives_the_worker_that_is_lost_before_the_robot_began(floor, pause, resume):
    """The next worker is told with the assignment, and begins when it is resumed, by then or while it waits."""
    process = await floor.process({})
    walt = await floor.worker()
    await floor.start(process)
    assignment, _ = await walt.take()
    assert not assignment.paused
    await pause(assignment.step_run_id)
    await walt.restart()
    [second] = await walt.claim()
    assert (second.attempt, second.paused) == (2, True)
    assert await walt.beat(second) == [Order.PAUSE]

    await walt.restart()
    waiting = await resume(second.step_run_id)
    assert (waiting.state, waiting.paused_at) == (StepRunState.AWAITING_WORKER, None)
    [third] = await walt.claim()
    assert (third.attempt, third.paused) == (3, False)


async def test_a_lost_answer_is_repeated_with_the_pause(floor, pause):
    """A worker that never heard of the assignment hears of it and of the pause at once."""
    process = await floor.process({})
    walt = await floor.worker()
    await floor.start(process)
    [assignment] = await walt.claim()
    await pause(assignment.step_run_id)
    [again] = await walt.claim(knows=False)
    assert (again.step_run_id, again.attempt, again.paused) == (assignment.step_run_id, 1, True)


async def test_a_pause_and_a_stop_at_once_leave_no_robot_halted_for_ever(floor, ada, pause):
    """Whichever comes first: a run that is being stopped gently has no paused robot."""
    process = await floor.process({})
    walt = await floor.worker()
    for _ in range(10):
        run = await floor.start(process)
        assignment, robot = await walt.take()
        stop = runs.stop(floor.engine, ada, floor.workspace, run.id, GENTLY)
        outcomes = await asyncio.gather(pause(assignment.step_run_id), stop, return_exceptions=True)
        assert outcomes[1] is True
        assert await walt.beat(assignment) == [Order.CONTINUE]
        await floor.drain(robot, assignment.work_item_id)
        await walt.finish(assignment)


async def test_outsiders_pause_nothing(floor, cleo, pause, resume):
    """To them there is no such step run, paused or not."""
    process = await floor.process({})
    walt = await floor.worker()
    await floor.start(process)
    assignment, _ = await walt.take()
    [theirs] = cleo.grants
    for verb in (pauses.pause, pauses.resume):
        for where in (floor.workspace, theirs):
            with pytest.raises(NotFound):
                await verb(floor.engine, cleo, where, assignment.step_run_id)
    assert await walt.beat(assignment) == [Order.CONTINUE]
