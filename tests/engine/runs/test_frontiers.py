"""Claims begin where the last one was, and still miss nothing."""

from datetime import UTC, datetime

from controlroom.engine.runs import held_items
from controlroom.engine.runs.held_items import Done
from controlroom.engine.work_items.frontiers import Frontier, Frontiers
from controlroom.engine.work_items.model import ItemState
from controlroom.ids import RunId, StepId, WorkItemId, uuid7

from .conftest import payloads

RUN, STEP = RunId(uuid7()), StepId(uuid7())
PLACE = Frontier(0, datetime(2026, 1, 1, tzinfo=UTC), WorkItemId(uuid7()))


async def test_what_lies_before_the_frontier_is_found_when_nothing_lies_beyond(floor):
    """Items that become more urgent after others were claimed are not forgotten."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process, payloads(*range(6)))
    assignment, robot = await walt.take()
    await held_items.release(floor.engine, robot, assignment.work_item_id, Done())
    second = await held_items.reserve(floor.engine, robot)
    await floor.engine.database.execute(
        "update work_item set priority = 5 where run_id = %(run)s and state = 'pending'", run=run.id
    )

    done = await floor.drain(robot, second)

    assert len(done) == 5
    assert {item.state for item in await floor.items(run)} == {ItemState.DONE}


def test_the_whole_queue_is_looked_at_every_second():
    """A more urgent item is passed over for a second at most."""
    now = 0.0
    frontiers = Frontiers(clock=lambda: now)
    frontiers.reached(RUN, STEP, PLACE, whole_seconds=0.001)
    now = 0.9
    assert frontiers.of(RUN, STEP) == PLACE
    now = 1.0
    assert frontiers.of(RUN, STEP) is None


def test_a_slow_look_at_the_whole_queue_is_repeated_less_often():
    """Such looks take a twentieth of the time, however slow an old snapshot makes them."""
    now = 0.0
    frontiers = Frontiers(clock=lambda: now)
    frontiers.reached(RUN, STEP, PLACE, whole_seconds=0.5)
    now = 9.9
    assert frontiers.of(RUN, STEP) == PLACE
    now = 10.0
    assert frontiers.of(RUN, STEP) is None
