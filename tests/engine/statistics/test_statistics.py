"""Figures: they agree with the runs, whatever is counted already, and however often it is begun anew."""

import asyncio
from datetime import timedelta

import pytest
from msgspec import Struct
from msgspec.structs import replace
from tests.engine.chains.test_chains import BAD, work
from tests.engine.conftest import running_engine
from tests.engine.runs.conftest import Floor, payloads

from controlroom.engine.access.model import PERMISSIONS_OF_ROLE, Role
from controlroom.engine.access.scope import Of, Room
from controlroom.engine.events import cursor
from controlroom.engine.runs import held_items
from controlroom.engine.runs.held_items import Failed
from controlroom.engine.statistics import keeping, queues, store
from controlroom.engine.statistics.errors import PeriodWrong, RebuildUnderWay
from controlroom.engine.statistics.folding import KINDS, READER
from controlroom.engine.statistics.model import Key, Noun, Period
from controlroom.engine.work_items import actions as items
from controlroom.engine.work_items.model import ExceptionType, ItemException, ItemState
from controlroom.engine.work_items.operations import Operation
from controlroom.errors import Forbidden
from controlroom.ids import WorkItemId
from controlroom.maintenance import statistician
from controlroom.protocol import ErrorCode


async def counted(engine) -> None:
    """All that has happened is counted, that too which an older transaction hides for a moment."""
    for _ in range(1000):
        await statistician.keep_up(engine)
        async with engine.database.transaction() as tx:
            position = await cursor.hold(tx, READER)
            if position is not None and not await cursor.has_more(tx, position, KINDS):
                return
    raise AssertionError("the reader does not reach the last event")


async def period(floor: Floor, **before) -> Period:
    """From some time ago until an hour from now."""
    now = await floor.engine.database.value("select clock_now()")
    return Period(now - timedelta(**(before or {"days": 1})), now + timedelta(hours=1))


async def figures(floor: Floor, noun: Noun, *by: Key, **which):
    """The figures of the last day, as short rows."""
    rows = await store.figures(floor.engine.database, floor.scope, noun, await period(floor), by, **which)
    return sorted((*(str(getattr(row, _NAMES[key])) for key in by), row.count) for row in rows)


_NAMES = {
    Key.RESULT: "result",
    Key.CAUSE: "cause",
    Key.PROCESS: "process_name",
    Key.WORKER: "worker_name",
    Key.TASK: "task_name",
    Key.STEP: "step_name",
}
COUNTED = [False, True]
VIEWING = PERMISSIONS_OF_ROLE[Role.VIEWER]


async def worked(floor: Floor) -> None:
    """One run that succeeds, one of which an item fails, one step run that fails with its item."""
    process = await floor.process({})
    await work(floor, await floor.start(process, payloads(1, 2)))
    await work(floor, await floor.start(process, payloads(1, 2, 3)), fails=1)
    run = await floor.start(process)
    walt = await floor.worker("last")
    assignment, _ = await walt.take()
    await walt.finish(assignment, ErrorCode.ROBOT_FAILED)
    await floor.run(run)


@pytest.mark.parametrize("is_counted", COUNTED)
async def test_figures_agree_with_the_runs(floor, is_counted):
    """The same numbers, whether the events are read already or not."""
    await worked(floor)
    if is_counted:
        await counted(floor.engine)

    assert await figures(floor, Noun.STEP_RUN, Key.RESULT) == [("failed", 1), ("succeeded", 2)]
    assert await figures(floor, Noun.RUN, Key.RESULT, Key.CAUSE) == [("failed", "user", 2), ("succeeded", "user", 1)]
    assert await figures(floor, Noun.WORK_ITEM, Key.RESULT, Key.CAUSE) == [
        ("done", "", 4),
        ("failed", "application", 1),
        ("failed", "business", 1),
    ]
    by_task = await figures(floor, Noun.STEP_RUN, Key.TASK, Key.STEP, Key.PROCESS)
    assert by_task == [("Do", "step 0", "Invoices", 3)]
    [(_, count)] = [row for row in await figures(floor, Noun.STEP_RUN, Key.WORKER) if row[0] == "last"]
    assert count == 1


async def test_whole_hours_and_parts_of_hours_agree(floor):
    """What is in the hours' rows equals what the runs' own rows say, for any period."""
    await worked(floor)
    await floor.engine.database.execute(
        """
        update step_run set started_at = started_at - interval '3 hours', ended_at = ended_at - interval '2 hours'
         where workspace_id = %(of)s
        """,
        of=floor.workspace,
    )
    await counted(floor.engine)

    long_ago, lately = await period(floor, hours=5), await period(floor, hours=1)
    db, by = floor.engine.database, (Key.RESULT,)
    [failed, succeeded] = sorted(
        await store.figures(db, floor.scope, Noun.STEP_RUN, long_ago, by), key=lambda row: str(row.result)
    )
    assert (failed.count, succeeded.count) == (1, 2)
    assert 3600_000 <= failed.longest < 3700_000
    assert 7200_000 <= succeeded.milliseconds < 7400_000
    assert await store.figures(db, floor.scope, Noun.STEP_RUN, lately, by) == []
    begun = await db.value("select min(started_at) from step_run where workspace_id = %(of)s", of=floor.workspace)
    parts = [Period(begun - timedelta(hours=1), begun), Period(begun, begun + timedelta(milliseconds=1))]
    assert [
        sum(row.count for row in await store.figures(db, floor.scope, Noun.STEP_RUN, part, by)) for part in parts
    ] == [0, 1]


async def test_the_longest_and_the_latest_are_named(floor):
    """A figure says which step run took longest, and which ended last."""
    await worked(floor)
    await counted(floor.engine)
    [figure] = await store.figures(floor.engine.database, floor.scope, Noun.STEP_RUN, await period(floor), ())
    named = await store.extremes(floor.engine.database, floor.scope, [figure.longest_id, figure.latest_id])
    assert named[figure.latest_id].error_code == "ROBOT_FAILED"
    assert named[figure.longest_id].started_at is not None


@pytest.mark.parametrize("is_counted", COUNTED)
async def test_a_run_that_goes_on_is_counted_once(floor, ada, is_counted):
    """Unresolved, mended and completed: one run, whose result is the last."""
    process = await floor.process({})
    run = await work(floor, await floor.start(process, payloads(1, 2)), fails=1)
    await counted(floor.engine)
    assert await figures(floor, Noun.RUN, Key.RESULT) == [("failed", 1)]
    [failed] = [item for item in await floor.items(run) if item.state is ItemState.FAILED]
    await items.change(floor.engine, ada, floor.workspace, Operation.RETRY, [failed.id])
    await floor.run(run)
    if is_counted:
        await counted(floor.engine)
    assert await figures(floor, Noun.RUN, Key.RESULT) == []

    walt = await floor.worker("wanda")
    assignment, robot = await walt.take()
    await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment)
    await floor.run(run)
    if is_counted:
        await counted(floor.engine)
    assert await figures(floor, Noun.RUN, Key.RESULT) == [("succeeded", 1)]


async def test_servers_count_each_event_once(floor, engine_dsn, tmp_path):
    """Several servers at once, and a batch that ends in the middle, count nothing twice."""
    await worked(floor)
    async with running_engine(engine_dsn, tmp_path, keys=floor.engine.keys) as other:
        for _ in range(30):
            await asyncio.gather(*(keeping.keep_up(each, Room(), limit=3) for each in (floor.engine, other) * 2))
    await counted(floor.engine)
    assert await figures(floor, Noun.STEP_RUN, Key.RESULT) == [("failed", 1), ("succeeded", 2)]


async def test_a_tick_that_is_cut_anywhere_counts_nothing_twice(floor):
    """Whoever ends a batch before its commit, wherever, leaves the events to the next one."""
    await worked(floor)
    for milliseconds in range(40):
        tick = asyncio.create_task(keeping.keep_up(floor.engine, Room(), limit=4))
        await asyncio.wait({tick}, timeout=milliseconds / 1000)
        tick.cancel()
        await asyncio.wait({tick})
    await counted(floor.engine)
    assert await figures(floor, Noun.STEP_RUN, Key.RESULT) == [("failed", 1), ("succeeded", 2)]
    assert await figures(floor, Noun.WORK_ITEM, Key.RESULT) == [("done", 4), ("failed", 2)]


async def everything(floor: Floor) -> list[list[tuple]]:
    groups = await store.failure_groups(floor.engine.database, floor.scope, await period(floor), limit=10)
    return [
        *[await figures(floor, noun, Key.RESULT, Key.CAUSE, Key.WORKER) for noun in Noun],
        sorted((group.fingerprint, group.count, group.recent) for group in groups),
    ]


async def test_figures_are_made_anew(floor, ada):
    """Aside, of what is kept; what happens meanwhile is counted, and those that were wrong are right afterwards."""
    await worked(floor)
    await counted(floor.engine)
    await ensure_summed(floor.engine)
    right = await everything(floor)
    with pytest.raises(Forbidden):
        await keeping.begin_anew(floor.engine, replace(ada, grants={floor.workspace: VIEWING}), floor.workspace)
    await settled(floor.engine)

    await floor.engine.database.execute("update hourly_figure set count = count + 7")
    await floor.engine.database.execute("update failure_group set count = count + 7")
    await floor.engine.database.execute("update failure_hour set count = count + 7")
    assert await everything(floor) != right
    await keeping.begin_anew(floor.engine, ada, floor.workspace)
    with pytest.raises(RebuildUnderWay):
        await keeping.begin_anew(floor.engine, ada, floor.workspace)
    await keeping.make_anew(floor.engine, Room(), limit=2)
    await worked(floor)  # twice the same
    await settled(floor.engine)

    twice = [[(*row[:-1], row[-1] * 2) for row in noun] for noun in right[:3]]
    assert [[row for row in noun if row[2] != "last"] for noun in await everything(floor)][1] != []
    after = await everything(floor)
    assert [sum(row[-1] for row in noun) for noun in after[:3]] == [sum(row[-1] for row in noun) for noun in twice]
    assert sum(row[1] for row in after[3]) == 2 * sum(row[1] for row in right[3])
    assert sum(row[2] for row in after[3]) == 2 * sum(row[2] for row in right[3])
    assert await floor.engine.database.value("select count(*) from event_cursor where reader = 'statistics anew'") == 0
    await ensure_summed(floor.engine)


_SUMMED = "generation, workspace_id, noun, process_id, hour, step_id, result"
_EACH_HOUR = f"""
    select {_SUMMED}, sum(count)::bigint as count, sum(milliseconds)::bigint as milliseconds
      from (select {_SUMMED}, count, milliseconds from hourly_figure where process_id is not null
             union all
            select generation, workspace_id, noun, null, hour, null, result, count, milliseconds
              from hourly_figure) as each
     group by {_SUMMED} having sum(count) <> 0 or sum(milliseconds) <> 0"""
_SUMS = f"select {_SUMMED}, count, milliseconds from hourly_sum where count <> 0 or milliseconds <> 0"


async def ensure_summed(engine) -> None:
    """The sums of hours are those of their figures, of every generation."""
    for one, other in ((_EACH_HOUR, _SUMS), (_SUMS, _EACH_HOUR)):
        assert await engine.database.value(f"select count(*) from ({one} except all {other}) as more") == 0
    assert await engine.database.value("select count(*) from hourly_sum where process_id is null") > 0


async def settled(engine) -> None:
    """Nothing is made anew any more, and everything is counted."""
    for _ in range(1000):
        await counted(engine)
        await statistician.make_anew(engine)
        if not await keeping.is_made_anew(engine.database):
            return
    raise AssertionError("the figures are never made anew")


async def test_hours_of_which_nothing_is_kept_stay(floor, ada):
    """Figures that are older than the oldest event or run are taken over."""
    await worked(floor)
    await settled(floor.engine)
    await floor.engine.database.execute("update hourly_figure set hour = hour - interval '40 days'")
    await floor.engine.database.execute("update failure_hour set hour = hour - interval '40 days'")
    await keeping.begin_anew(floor.engine, ada, floor.workspace)
    await settled(floor.engine)
    db = floor.engine.database
    old = await store.figures(db, floor.scope, Noun.STEP_RUN, await period(floor, days=41), ())
    assert [row.count for row in old] == [3]
    await ensure_summed(floor.engine)


async def test_failures_are_grouped(floor):
    """By what they have in common; each says how many, since when, and what was said last."""
    process = await floor.process({})
    run = await floor.start(process, payloads(1, 2, 3))
    walt = await floor.worker()
    assignment, robot = await walt.take()
    item = assignment.work_item_id
    for number in (1, 22, 333):
        broken = ItemException(ExceptionType.BUSINESS, "NO_ORDER", f"Invoice {number} has no order 'PO-{number}'")
        await held_items.release(floor.engine, robot, item, Failed(broken))
        item = await held_items.reserve(floor.engine, robot)
    await walt.finish(assignment)
    await floor.run(run)
    await counted(floor.engine)

    [group] = await store.failure_groups(floor.engine.database, floor.scope, await period(floor), limit=10)
    assert (group.noun, group.type, group.code, group.count, group.recent, group.pattern, group.message) == (
        *(Noun.WORK_ITEM, "business", "NO_ORDER", 3, 3),
        "Invoice <number> has no order <text>",
        "Invoice 333 has no order 'PO-333'",
    )
    hours = await store.failure_hours(floor.engine.database, floor.scope, group.fingerprint, await period(floor))
    assert sum(hour.count for hour in hours) == 3
    [trend] = await store.failure_trends(floor.engine.database, floor.scope, await period(floor, days=30), limit=10)
    assert (trend.fingerprint, trend.recent, len(trend.line), sum(trend.line)) == (group.fingerprint, 3, 30, 3)
    assert trend.line[29] + trend.line[28] == 3
    assert (
        await store.failure_groups(
            floor.engine.database, floor.scope, await period(floor), noun=Noun.STEP_RUN, limit=10
        )
        == []
    )


async def test_queues_are_looked_at(floor):
    """How many wait, came and went: together they agree with the depth, whatever became of the items."""
    process = await floor.process({"max_parallel": 1})
    run = await floor.start(process, payloads(1, 2, 3))
    db, room = floor.engine.database, Room()
    [depth] = await queues.depths(db, floor.scope)
    assert (depth.waiting, depth.process_id) == (3, process)

    await db.execute("update statistics_state set queues_at = clock_now() - interval '1 hour'")
    await db.execute(
        "update work_item set id = uuid_made_at(clock_now() - interval '1 minute') where run_id = %(run)s", run=run.id
    )
    await queues.look(floor.engine, room)
    walt = await floor.worker()
    assignment, robot = await walt.take()
    await held_items.release(floor.engine, robot, assignment.work_item_id, BAD)
    await db.execute("update statistics_state set queues_at = queues_at - interval '1 millisecond'")
    await queues.look(floor.engine, room)

    hours = await queues.hours(db, floor.scope, depth.queue_id, await period(floor))
    assert (hours[-1].depth, max(hour.deepest for hour in hours)) == (2, 3)
    assert (sum(hour.arrived for hour in hours), sum(hour.gone for hour in hours)) == (3, 1)


class _Item(Struct):
    id: WorkItemId


async def test_what_went_through_queues_is_made_anew(floor, ada):
    """Of items, their history, and what people did to them: the hours agree with what waits."""
    await settled(floor.engine)
    process, db = await floor.process({"max_parallel": 1}), floor.engine.database
    run = await floor.start(process, payloads(*range(5)))
    walt = await floor.worker()
    assignment, robot = await walt.take()
    await held_items.release(floor.engine, robot, assignment.work_item_id, BAD)
    waiting = [
        row.id
        for row in await db.all(
            _Item, "select id from work_item where run_id = %(run)s and state = 'pending'", run=run.id
        )
    ]
    for operation, item in (
        (Operation.RETRY, assignment.work_item_id),
        (Operation.HOLD, waiting[0]),
        (Operation.HOLD, waiting[1]),
        (Operation.RELEASE_HOLD, waiting[1]),
        (Operation.DELETE, waiting[2]),
    ):
        await items.change(floor.engine, ada, floor.workspace, operation, [item])
    [depth] = await queues.depths(db, floor.scope)
    await db.execute("update statistics_state set queues_at = clock_now()")
    await db.execute(
        """
        insert into queue_hour values (%(workspace)s, %(queue)s, date_trunc('hour', clock_now(), 'UTC'), 99, 99, 99, 99)
        """,
        workspace=floor.workspace,
        queue=depth.queue_id,
    )

    await keeping.begin_anew(floor.engine, ada, floor.workspace)
    await settled(floor.engine)

    hours = await queues.hours(db, floor.scope, depth.queue_id, await period(floor))
    came, went = sum(hour.arrived for hour in hours), sum(hour.gone for hour in hours)
    assert (hours[-1].depth, came - went) == (depth.waiting, depth.waiting)
    assert (depth.waiting, came, went) == (3, 7, 4)
    assert await db.value("select count(*) from item_turn") == 0


async def test_hours_without_a_change_have_the_depth_of_before(floor, ada):
    """An item that waits since three hours has waited in each of them."""
    await settled(floor.engine)
    process, db = await floor.process({"max_parallel": 1}), floor.engine.database
    run = await floor.start(process, payloads(1, 2))
    await db.execute(
        "update work_item set created_at = clock_now() - interval '3 hours' where run_id = %(run)s", run=run.id
    )
    [depth] = await queues.depths(db, floor.scope)
    await db.execute("update statistics_state set queues_at = clock_now()")
    await keeping.begin_anew(floor.engine, ada, floor.workspace)
    await settled(floor.engine)
    hours = await queues.hours(db, floor.scope, depth.queue_id, await period(floor))
    assert [(hour.depth, hour.deepest, hour.arrived, hour.gone) for hour in hours] == [
        (2, 2, 2, 0),
        *[(2, 2, 0, 0)] * 3,
    ]


async def test_what_is_usual(floor):
    """The medians of the last that succeeded, of runs and of step runs."""
    process = await floor.process({})
    for _ in range(3):
        await work(floor, await floor.start(process))
    db = floor.engine.database
    await db.execute(
        "update run set started_at = ended_at - make_interval(secs => run_no) where process_id = %(of)s", of=process
    )
    await db.execute(
        "update step_run set started_at = ended_at - interval '2.5 seconds' where workspace_id = %(of)s",
        of=floor.workspace,
    )

    run, step = await store.usual(db, floor.scope)
    assert (run.count, run.step_id, run.median_milliseconds) == (3, None, 2000)
    assert (step.count, step.median_milliseconds) == (3, 2500)
    assert await store.usual_of_runs(db, floor.scope, [process]) == {process: run}


async def test_outsiders_see_nothing(floor, team):
    """Figures of a workspace are of nobody else's."""
    await worked(floor)
    await counted(floor.engine)
    await queues.look(floor.engine, Room())
    cleo = Of(team.elsewhere, (floor.workspace,))
    db, when = floor.engine.database, await period(floor)
    assert [await store.figures(db, cleo, noun, when, ()) for noun in Noun] == [[], [], []]
    assert await store.failure_groups(db, cleo, when, limit=10) == []
    assert await store.usual(db, cleo) == []
    assert await queues.depths(db, cleo) == []


async def test_a_period_has_an_end(floor):
    """One that ends before it begins, or lasts years, is refused."""
    now = await floor.engine.database.value("select clock_now()")
    for wrong in (Period(now, now - timedelta(seconds=1)), Period(now - timedelta(days=401), now)):
        with pytest.raises(PeriodWrong):
            await store.figures(floor.engine.database, floor.scope, Noun.RUN, wrong, ())


async def test_old_figures_are_forgotten(floor):
    """After 400 days."""
    await worked(floor)
    await counted(floor.engine)
    await floor.engine.database.execute("update hourly_figure set hour = hour - interval '401 days'")
    assert await statistician.forget(floor.engine) > 0
    assert await statistician.forget(floor.engine) == 0
    left = "select count(*) from hourly_sum where hour < clock_now() - interval '401 days'"
    assert await floor.engine.database.value(left) == 0
