"""What no wake-up told of is found by polling, and what has to wait is left alone."""

from tests.engine.runs.conftest import payloads

from controlroom.engine.access.scope import Room
from controlroom.engine.runs import held_items, outputs
from controlroom.engine.runs.dispatch import dispatch, runs_to_look_at
from controlroom.engine.runs.held_items import Done


async def is_looked_at(floor, run):
    return run.id in await runs_to_look_at(floor.engine.database, Room(), limit=10_000)


async def test_runs_that_wait_for_a_worker_are_left_alone(floor):
    """However many runs wait, a poll finds those with something to do."""
    process = await floor.process({"max_parallel": 2})
    waiting = await floor.start(process)
    postponed = await floor.start(process)
    await floor.engine.database.execute(
        """
        update work_item set is_postponed = true, due = clock_now() + interval '1 hour' where run_id = %(run)s
        """,
        run=postponed.id,
    )
    await floor.engine.database.execute("delete from step_run where run_id = %(run)s", run=postponed.id)

    assert not await is_looked_at(floor, waiting)
    assert not await is_looked_at(floor, postponed)

    await floor.engine.database.execute("delete from step_run where run_id = %(run)s", run=waiting.id)
    assert await is_looked_at(floor, waiting)


async def test_a_step_that_waits_for_the_ones_before_is_left_alone(floor):
    """A step with `starts_after_previous` is looked at when those have nothing in hand."""
    process = await floor.process({}, {"starts_after_previous": True})
    walt = await floor.worker()
    run = await floor.start(process, payloads(1, 2))
    first, robot = await walt.take()
    await outputs.output(floor.engine, robot, first.work_item_id, None)
    await held_items.release(floor.engine, robot, first.work_item_id, Done())
    await dispatch(floor.engine, Room(), run.id)
    assert not await is_looked_at(floor, run)

    await floor.drain(robot, await held_items.reserve(floor.engine, robot))
    await walt.finish(first)
    assert await is_looked_at(floor, run)


async def test_the_end_of_a_run_is_found(floor):
    """A run whose last wake-up was lost ends by the next poll."""
    process = await floor.process({})
    walt = await floor.worker()
    run = await floor.start(process)
    assignment, robot = await walt.take()
    assert not await is_looked_at(floor, run)

    await held_items.release(floor.engine, robot, assignment.work_item_id, Done())
    await walt.finish(assignment)

    assert await is_looked_at(floor, run)
