"""A workspace at a glance: what is wrong, what runs, how it compares, what ran last."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.engine.chains.test_chains import work
from tests.engine.runs.conftest import payloads
from tests.engine.statistics.test_statistics import counted

from controlroom.engine.access.scope import Of
from controlroom.engine.runs.model import OfProcess, RunState, StartedBy
from controlroom.engine.schedules import actions as schedules
from controlroom.engine.schedules.definitions import ScheduleDefinition
from controlroom.engine.schedules.model import Interval
from controlroom.engine.statistics.overview import (
    TroubleKind,
    UnderWay,
    figures_of,
    lately_run,
    troubles,
    under_way,
)
from controlroom.ids import ProcessId, RunId, uuid7
from controlroom.protocol import ErrorCode

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


async def over(db, scope, since):
    """What went wrong since then, and needs nobody any more."""
    return [each for each in await troubles(db, scope, limit=9, over_since=since) if each.is_over]


async def test_what_hinders_step_runs_is_told_until_a_run_succeeds(floor, team):
    """An environment that cannot be made, once, with how often; to outsiders nothing."""
    db, process = floor.engine.database, await floor.process({})
    for _ in range(2):
        await floor.start(process)
        walt = await floor.worker(str(uuid7()))
        assignment, _ = await walt.take()
        await walt.finish(assignment, ErrorCode.ENVIRONMENT_FAILED)
    await counted(floor.engine)

    [trouble] = await troubles(db, floor.scope, limit=9)

    assert (trouble.kind, trouble.code, trouble.count) == (TroubleKind.STEP_RUNS, "ENVIRONMENT_FAILED", 2)
    assert await troubles(db, Of(team.elsewhere, (team.other_workspace,)), limit=9) == []
    assert await over(db, floor.scope, trouble.since) == []
    await work(floor, await floor.start(process))
    assert await troubles(db, floor.scope, limit=9) == []
    [well] = await over(db, floor.scope, trouble.since)
    assert (well.kind, well.code, well.count, well.number) == ("step_runs", "ENVIRONMENT_FAILED", 2, trouble.number)
    assert await over(db, floor.scope, well.last_at + timedelta(seconds=1)) == []
    assert await over(db, Of(team.elsewhere, (team.other_workspace,)), trouble.since) == []


async def test_missed_starts_are_told_until_the_next_one(floor, ada):
    """And what was given up of a webhook until something comes through."""
    db, process = floor.engine.database, await floor.process({})
    made = await schedules.create(
        floor.engine,
        ada,
        floor.workspace,
        ScheduleDefinition(starts=OfProcess(process), name="often", rule=Interval(3600)),
    )
    await db.execute(
        """
        insert into schedule_occurrence (schedule_id, due, state, reason)
        select %(id)s, clock_now() - make_interval(hours => n), case n when 5 then 'skipped' else 'missed' end, 'down'
          from generate_series(1, 5) as n
        """,
        id=made.id,
    )

    [trouble] = await troubles(db, floor.scope, limit=9)

    assert (trouble.kind, trouble.number, trouble.count, trouble.detail) == (
        *(TroubleKind.OCCURRENCES, made.number, 4),
        "down",
    )
    await db.execute(
        """
        insert into schedule_occurrence (schedule_id, due, state) values (%(id)s, clock_now(), 'nothing_waited')
        """,
        id=made.id,
    )
    assert await troubles(db, floor.scope, limit=9) == []


async def test_deliveries_that_were_given_up_are_told(floor):
    """By their webhook, until one comes through."""
    db, webhook = floor.engine.database, uuid7()
    await db.execute(
        """
        insert into webhook (id, workspace_id, name, grammar, endpoint, events, sealed)
        values (%(id)s, %(ws)s, 'erp', 'robocorp', 'https://erp.example', '{run.completed}', '')
        """,
        id=webhook,
        ws=floor.workspace,
    )
    for state in ("delivered", "failed", "failed"):
        await _deliver(floor, webhook, state)

    [trouble] = await troubles(db, floor.scope, limit=9)

    assert (trouble.kind, trouble.name, trouble.count, trouble.code) == (TroubleKind.DELIVERIES, "erp", 2, "503")
    assert trouble.last_id == await db.value("select max(id::text)::uuid from delivery where state = 'failed'")
    assert await over(db, floor.scope, trouble.since - timedelta(hours=1)) == []
    await _deliver(floor, webhook, "delivered")
    assert await troubles(db, floor.scope, limit=9) == []
    [well] = await over(db, floor.scope, trouble.since - timedelta(hours=1))
    assert (well.kind, well.name, well.count) == ("deliveries", "erp", 2)


async def _deliver(floor, webhook, state):
    await floor.engine.database.execute(
        """
        insert into delivery (id, workspace_id, kind, subscription_id, event_kind, message_id, grammar, destination,
                              body, state, ended_at, give_up_at, last_status)
        values (%(id)s, %(ws)s, 'webhook', %(webhook)s, 'run.completed', %(id)s, 'robocorp', 'https://erp.example', '',
                %(state)s, clock_now(), clock_now(), 503)
        """,
        id=uuid7(),
        ws=floor.workspace,
        webhook=webhook,
        state=state,
    )


async def test_what_runs_is_told_with_its_items(floor, team):
    """The latest first, how many of them in all, and whether one waits for a worker."""
    db, process = floor.engine.database, await floor.process({})
    await work(floor, await floor.start(process))
    for _ in range(3):
        last = await floor.start(process, payloads(1, 2))

    found = await under_way(db, floor.scope, limit=2)

    assert [each.of_all for each in found] == [3, 3]
    assert (found[0].number, found[0].total, found[0].done, found[0].awaits_worker) == (last.number, 2, 0, True)
    assert found[0].runs == 1
    assert await under_way(db, Of(team.elsewhere, (team.other_workspace,)), limit=9) == []


def running(**given) -> UnderWay:
    """A run that began ten minutes ago."""
    usual = {
        "id": RunId(uuid7()),
        "number": 1,
        "process_id": ProcessId(uuid7()),
        "process_name": "x",
        "state": RunState.IN_PROGRESS,
        "result": None,
        "started_by": StartedBy.API,
        "created_at": NOW,
        "started_at": NOW - timedelta(minutes=10),
        "awaits_worker": False,
        "total": 0,
        "done": 0,
        "failed": 0,
        "median_milliseconds": 20 * 60_000,
        "runs": 5,
        "of_all": 1,
    }
    return UnderWay(**(usual | given))


@pytest.mark.parametrize(
    ("given", "minutes"),
    [
        ({}, 10),
        ({"runs": 4}, None),
        ({"median_milliseconds": 60_000}, None),
        ({"started_at": None}, None),
        ({"total": 100, "done": 40, "failed": 10, "runs": 0}, 10),
        ({"total": 150, "done": 50, "failed": 0}, 15),
        ({"total": 150, "done": 50, "median_milliseconds": 60_000}, 20),
        ({"total": 10, "done": 5, "runs": 0}, None),
    ],
)
def test_time_left_is_said_only_where_something_is_known(given, minutes):
    """By what is usual, from five runs up, and by the pace of its own items, from twenty up."""
    assert running(**given).left(NOW) == (None if minutes is None else timedelta(minutes=minutes))


async def test_a_period_stands_beside_the_one_before(floor):
    """Runs and items by part, as they are counted, and how long step runs waited."""
    process = await floor.process({})
    await work(floor, await floor.start(process, payloads(1, 2, 3)), fails=1)
    await counted(floor.engine)
    now = await floor.engine.database.value("select date_trunc('hour', clock_now(), 'UTC')")
    hour = timedelta(hours=1)

    async def told(since):
        return await figures_of(floor.engine.database, floor.scope, since, hour, 24)

    found = await told(now - 23 * hour)
    [last] = [each for each in found if each.runs]
    assert (last.part, last.runs, last.completed, last.done, last.failed) == (23, 1, 0, 2, 1)
    assert [each.waits for each in found if each.part == 0] == [1]
    [before] = [each for each in await told(now + hour) if each.runs]
    assert (before.part, before.done) == (-1, 2)


async def test_the_processes_that_ran_last_come_first(floor, team):
    """With their strips; those that never ran behind; how many there are."""
    db = floor.engine.database
    idle, first, second = [await floor.process({}) for _ in range(3)]
    for process in (second, first):
        run = await floor.start(process)
    [one, two, three] = await lately_run(db, floor.scope, limit=3, each=5)

    assert [one.id, two.id, three.id] == [first, second, idle]
    assert ([past.number for past in one.pasts], one.of_all, one.median) == ([run.number], 3, None)
    assert (three.strip.last, len(await lately_run(db, floor.scope, limit=1, each=5))) == (None, 1)
    assert await lately_run(db, Of(team.elsewhere, (team.other_workspace,)), limit=9, each=5) == []
