"""Law 8: stopping a run (DESIGN §4)."""

import asyncio

import pytest
from tests.engine.runs.conftest import payloads

from controlroom.engine.access.scope import Room
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import held_items, store
from controlroom.engine.runs.dispatch import dispatch
from controlroom.engine.runs.held_items import Done
from controlroom.engine.runs.model import (
    Result,
    RunState,
    StopRequest,
)
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items.model import ExceptionType
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.maintenance import dispatcher
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
    await held_items.release(floor.engine, robot, assignment.work_item_id, Done())
    assert await held_items.reserve(floor.engine, robot) is None
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


@pytest.fixture
def many(floor):
    """A run of 2,500 items, 10 of which were done, with one robot at work."""

    async def start(ada):
        process = await floor.process({})
        walt = await floor.worker()
        run = await floor.start(process, payloads(*range(2500)))
        assignment, robot = await walt.take()
        await held_items.release(floor.engine, robot, assignment.work_item_id, Done())
        for _ in range(9):
            item = await held_items.reserve(floor.engine, robot)
            await held_items.release(floor.engine, robot, item, Done())
        held = await held_items.reserve(floor.engine, robot)
        request = StopRequest(terminate=False, remaining_done=False)
        assert await runs.stop(floor.engine, ada, floor.workspace, run.id, request)
        return run, walt, assignment, robot, held

    return start


async def counts(floor, run) -> dict[str, int]:
    """How many items of a run are in each state."""
    states = await floor.engine.database.all(str, "select state from work_item where run_id = %(run)s", run=run.id)
    return {state: states.count(state) for state in set(states)}


async def state_of(floor, run) -> RunState:
    """The state of a run, which nobody is asked to change."""
    return (await store.get(floor.engine.database, floor.scope, run.id)).state


async def test_a_stop_answers_before_all_is_settled(floor, ada, many):
    """A thousand items are settled with the answer; nothing is begun any more; the rest follows in small pieces."""
    run, walt, assignment, robot, held = await many(ada)

    assert await counts(floor, run) == {"done": 10, "in_progress": 1, "failed": 1000, "pending": 1489}
    await held_items.release(floor.engine, robot, held, Done())
    assert await held_items.reserve(floor.engine, robot) is None
    await walt.finish(assignment)
    assert await walt.claim() == []

    pieces, left = 0, await dispatch(floor.engine, Room(), run.id)
    while left is not None:
        pieces, left = pieces + 1, await dispatch(floor.engine, Room(), run.id, after=left)

    assert pieces == 1
    assert await counts(floor, run) == {"done": 11, "failed": 2489}
    ended = await floor.run(run)
    assert (ended.state, ended.result) == (RunState.UNRESOLVED, Result.STOPPED)


async def test_a_stop_goes_on_when_its_server_died(floor, ada, many):
    """Whoever leads next finds a stopped run that has items left, without a word from the server that began."""
    run, walt, assignment, robot, held = await many(ada)
    await held_items.release(floor.engine, robot, held, Done())
    await walt.finish(assignment)

    passes = 0
    while (await state_of(floor, run)) is RunState.STOPPING:
        assert await dispatcher.poll(floor.engine) >= 1
        passes += 1

    assert passes <= 3
    assert await counts(floor, run) == {"done": 11, "failed": 2489}


async def test_a_server_settles_the_rest_by_itself(floor, ada, many):
    """The dispatcher of the server that answered goes on at once, and the run's end is told once."""
    run, walt, assignment, robot, held = await many(ada)
    await held_items.release(floor.engine, robot, held, Done())
    serving = asyncio.create_task(dispatcher.Dispatcher(floor.engine).serve())
    try:
        with floor.engine.wakes.watch(Topic.EVENTS) as ended:
            await walt.finish(assignment)
            async with asyncio.timeout(30):
                while (await state_of(floor, run)) is RunState.STOPPING:
                    await ended.wait(0.1)
    finally:
        serving.cancel()
        await asyncio.wait({serving})

    assert await counts(floor, run) == {"done": 11, "failed": 2489}
    told = await floor.engine.database.value(
        "select count(*) from event where run_id = %(run)s and kind = 'run.unresolved'", run=run.id
    )
    assert told == 1
