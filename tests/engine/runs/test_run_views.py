"""What people see of a run."""

from datetime import UTC, datetime, timedelta

from tests.engine.runs.conftest import payloads

from controlroom.engine.runs import held_items, outputs, run_views
from controlroom.engine.work_items.model import ExceptionType, ItemException
from controlroom.ids import uuid7
from controlroom.protocol import ErrorCode


async def test_the_flow_counts_items_by_step_and_state(floor):
    """Done, failed and waiting ones of each step, and what the last one put out."""
    process = await floor.process({}, {})
    run = await floor.start(process, payloads(1, 2, 3))
    worker = await floor.worker()
    _, robot = await worker.take()
    first = await held_items.reserve(floor.engine, robot)
    await outputs.output(floor.engine, robot, first, None)
    await held_items.release(floor.engine, robot, first, held_items.Done())
    second = await held_items.reserve(floor.engine, robot)
    failure = ItemException(ExceptionType.BUSINESS, "VAT", "wrong")
    await held_items.release(floor.engine, robot, second, held_items.Failed(failure))

    flow = await run_views.flow(floor.engine.database, floor.scope, run)

    told = [(each.done, each.failed, each.pending, each.total) for each in flow.steps]
    assert told == [(1, 1, 1, 3), (0, 0, 1, 1)]
    assert (flow.outputs, flow.sum("failed"), flow.sum("total")) == (0, 1, 4)


async def test_step_runs_are_told_with_what_their_row_shows(floor):
    """The worker, how many items, when some of them failed."""
    process = await floor.process({})
    run = await floor.start(process, payloads(1, 2))
    worker = await floor.worker()
    assignment, robot = await worker.take()
    item = await held_items.reserve(floor.engine, robot)
    failure = ItemException(ExceptionType.BUSINESS, "VAT", "wrong")
    await held_items.release(floor.engine, robot, item, held_items.Failed(failure))
    await worker.finish(assignment, ErrorCode.ROBOT_FAILED)

    [timed] = await run_views.timed(floor.engine.database, floor.scope, run.id, most_of_step=5)

    assert timed.step_run.id == assignment.step_run_id
    assert (timed.worker_name, timed.items, len(timed.failures), timed.of_step) == ("walt", 1, 1, 1)


async def test_many_step_runs_become_a_band_of_how_many_ran_at_a_time(floor):
    """Those that went wrong stay rows of their own; between two changes as many run as before."""
    process = await floor.process({})
    run = await floor.start(process, payloads(1))
    db, began = floor.engine.database, datetime(2026, 11, 30, 12, tzinfo=UTC)
    await db.execute("delete from step_run where run_id = %(run)s", run=run.id)
    ids = [uuid7() for _ in range(5)]
    for place, (start, end) in enumerate(((0, 40), (10, 30), (20, 100), (50, 60), (50, 55))):
        await db.execute(
            """
            insert into step_run (id, workspace_id, run_id, step_id, state, result, created_at, started_at, ended_at,
                                  error_code)
            select %(id)s, %(ws)s, %(run)s, step.id, case %(place)s::int when 3 then 'failed' else 'completed' end,
                   case %(place)s::int when 3 then 'failed' else 'succeeded' end, %(start)s, %(start)s, %(end)s,
                   case %(place)s::int when 3 then 'ROBOT_FAILED' end
              from step where process_id = %(process)s
            """,
            id=ids[place],
            ws=floor.workspace,
            run=run.id,
            process=process,
            place=place,
            start=began + timedelta(seconds=start),
            end=began + timedelta(seconds=end),
        )

    rows = await run_views.timed(db, floor.scope, run.id, most_of_step=3)
    assert [(each.step_run.id, each.of_step) for each in rows] == [(ids[0], 5), (ids[3], 5)]
    until = began + timedelta(seconds=100)
    step = rows[0].step_run.step_id
    [band] = await run_views.bands(db, floor.scope, run.id, [step], began, until, parts=10)
    assert band.count == 5
    assert band.running == [1, 2, 3, 3, 2, 3, 2, 1, 1, 1]
    assert band.ended == until


async def test_events_of_a_run_say_who(floor):
    """In the order in which they happened, without those of its items."""
    process = await floor.process({})
    run = await floor.start(process, payloads(1))
    worker = await floor.worker()
    await worker.finish((await worker.take())[0])
    events = await run_views.events_of_run(floor.engine.database, floor.scope, run.id, limit=99)
    assert events[0].kind.startswith("run.")
    assert not [each for each in events if each.kind.startswith("work_item.")]
    assert any(each.step_name for each in events)
    again = await run_views.events_of_run(floor.engine.database, floor.scope, run.id, after=events[0].id, limit=99)
    assert [each.id for each in again] == [each.id for each in events[1:]]
