"""Law 8: stopping a run (DESIGN §4)."""

import pytest
from tests.engine.runs.conftest import payloads

from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import robot_verbs
from controlroom.engine.runs.model import (
    Result,
    RunState,
    StopRequest,
)
from controlroom.engine.runs.robot_verbs import Done
from controlroom.engine.work_items.model import ExceptionType
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.protocol import ErrorCode, Order


@pytest.mark.parametrize(("remaining_done", "left"), [(True, "done"), (False, "failed")])
async def test_a_gentle_stop_lets_the_item_in_hand_finish(floor, ada, remaining_done, left):
    """What waits is settled as asked, the robot finishes what it has and gets no more."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2, 3))
    assignment, robot = await walt.take()

    request = StopRequest(terminate=False, remaining_done=remaining_done, reason="enough")
    assert await runs.stop(floor.engine, ada, floor.workspace, run.id, request)

    assert (await floor.run(run)).state is RunState.STOPPING
    assert await walt.beat(assignment) == [Order.CONTINUE]
    await robot_verbs.release(floor.engine, robot, assignment.work_item_id, Done())
    assert await robot_verbs.reserve(floor.engine, robot) is None
    await walt.finish(assignment)
    ended = await floor.run(run)
    assert ended.result is Result.STOPPED
    assert ended.state is (RunState.COMPLETED if remaining_done else RunState.UNRESOLVED)
    assert await floor.states(run) == ["done", left, left]
    assert not await runs.stop(floor.engine, ada, floor.workspace, run.id, request)


async def test_a_terminating_stop_orders_robots_to_end(floor, ada):
    """The worker is told to terminate; the item in hand fails as the platform's doing, and is not retried."""
    process = await floor.process({"retry": RetryPolicy(max_attempts=5)})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1))
    [assignment] = await walt.claim()

    await runs.stop(floor.engine, ada, floor.workspace, run.id, StopRequest(terminate=True, remaining_done=False))
    assert await walt.beat(assignment) == [Order.TERMINATE]
    await walt.finish(assignment, ErrorCode.TERMINATED)

    ended = await floor.run(run)
    assert (ended.state, ended.result) == (RunState.UNRESOLVED, Result.STOPPED)
    assert (await floor.items(run))[0].exception_type is ExceptionType.ORCHESTRATOR


async def test_stopping_a_run_that_nobody_works_on_ends_it_at_once(floor, ada):
    """Step runs that wait are withdrawn."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)

    await runs.stop(floor.engine, ada, floor.workspace, run.id, StopRequest(terminate=False, remaining_done=True))

    assert (await floor.run(run)).state is RunState.COMPLETED
    assert await walt.claim() == []
