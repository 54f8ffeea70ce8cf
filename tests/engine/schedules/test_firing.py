"""Schedules start their runs: each occurrence once, and by their policies."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import Raw
from msgspec.structs import replace
from tests.engine.conftest import running_engine
from tests.engine.runs.conftest import Floor

from controlroom.aside.pool import TooCostly
from controlroom.engine.access.model import Permission
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.engine.runs import store as run_store
from controlroom.engine.runs.model import OfProcess, Run, RunState, StartedBy
from controlroom.engine.schedules import actions, planning, store
from controlroom.engine.schedules.definitions import Schedule, ScheduleChange, ScheduleDefinition
from controlroom.engine.schedules.errors import RuleInvalid, ScheduleNotFound
from controlroom.engine.schedules.model import (
    GivenPayload,
    Interval,
    Missed,
    Occurrence,
    Once,
    Overlap,
    Policies,
    RRule,
    WaitingItems,
)
from controlroom.engine.work_items import actions as items
from controlroom.errors import Forbidden, NotFound
from controlroom.ids import ProcessId, uuid7
from controlroom.maintenance.scheduler import fire_due, notice

HOUR = Interval(3600)


async def schedule(floor: Floor, process: ProcessId, rule=HOUR, **policies) -> Schedule:
    """A schedule from now on."""
    definition = ScheduleDefinition(starts=OfProcess(process), name="Hourly", rule=rule, policies=Policies(**policies))
    return await actions.create(floor.engine, floor.ada, floor.workspace, definition)


async def runs_of(floor: Floor, process: ProcessId) -> list[Run]:
    """The runs of a process, oldest first."""
    return (await run_store.list_runs(floor.engine.database, floor.scope, process=process, limit=100))[::-1]


async def became(floor: Floor, made: Schedule) -> list[str]:
    """What became of the occurrences of a schedule, in order."""
    found: list[Occurrence] = await store.list_occurrences(floor.engine.database, floor.scope, made.id, limit=100)
    return [occurrence.state.value for occurrence in found[::-1]]


async def finish(floor: Floor, process: ProcessId) -> None:
    """A worker works on what waits."""
    walt = await floor.worker(f"walt {uuid7()}")
    for assignment in await walt.claim(free=10):
        await walt.finish(assignment)
    for run in await runs_of(floor, process):
        await floor.run(run)


async def test_a_run_is_started_when_it_is_due(floor, later):
    """Not before; then one run, caused by the schedule, and the schedule moves on."""
    process = await floor.process({})
    made = await schedule(floor, process, priority=7)
    await later(minutes=59)
    await fire_due(floor.engine)
    assert await runs_of(floor, process) == []

    await later(minutes=2)
    await fire_due(floor.engine)
    await fire_due(floor.engine)

    [run] = await runs_of(floor, process)
    assert (run.started_by, run.started_by_id, run.priority) == (StartedBy.SCHEDULE, made.id, 7)
    assert await floor.states(run) == ["pending"]
    after = await store.get(floor.engine.database, floor.scope, made.id)
    assert after.next_due == made.next_due + timedelta(hours=1)
    [occurrence] = await store.list_occurrences(floor.engine.database, floor.scope, made.id, limit=10)
    assert (occurrence.due, occurrence.run_id) == (made.next_due, run.id)


async def test_an_occurrence_is_started_once_by_any_number_of_servers(floor, later, engine_dsn, tmp_path):
    """Several servers that all believe to be the leader start one run for each of many schedules."""
    process = await floor.process({})
    for _ in range(10):
        await schedule(floor, process)
    await later(minutes=61)

    async with (
        running_engine(engine_dsn, tmp_path, keys=floor.engine.keys) as second,
        running_engine(engine_dsn, tmp_path, keys=floor.engine.keys) as third,
    ):
        await asyncio.gather(*(fire_due(server) for server in (floor.engine, second, third) * 2))

    assert len(await runs_of(floor, process)) == 10


async def daily(floor: Floor, **since) -> Schedule:
    """A schedule by a recurrence rule that is counted, so that it is walked from its start."""
    now = await store.now(floor.engine.database)
    rule = RRule("FREQ=DAILY;COUNT=9900", (now - timedelta(**since)).replace(tzinfo=None))
    return await schedule(floor, await floor.process({}), rule)


async def test_a_recurrence_rule_is_walked_aside(floor, later):
    """It starts its run like any other, and moves on."""
    made = await daily(floor, hours=23)
    await later(hours=1, minutes=1)

    await fire_due(floor.engine)

    [run] = await runs_of(floor, made.process_id)
    assert (run.started_by_id, await became(floor, made)) == (made.id, ["started"])
    after = await store.get(floor.engine.database, floor.scope, made.id)
    assert after.next_due == made.next_due + timedelta(days=1)


async def test_a_rule_that_takes_too_long_is_refused_or_fails_visibly(floor, later, monkeypatch):
    """Where it is asked for; and a schedule that has become so is due no more, and says why."""
    made = await daily(floor, days=9000, hours=23)
    await later(hours=1, minutes=1)
    monkeypatch.setattr(planning, "_SECONDS", 0.0001)

    with pytest.raises(TooCostly):
        await actions.preview(floor.engine, floor.workspace, made.timing, count=10)
    with pytest.raises(TooCostly):
        await daily(floor, days=9000)
    await fire_due(floor.engine)

    assert await became(floor, made) == ["failed"]
    [occurrence] = await store.list_occurrences(floor.engine.database, floor.scope, made.id, limit=10)
    assert "takes more than" in occurrence.reason
    assert (await store.get(floor.engine.database, floor.scope, made.id)).next_due is None


@pytest.mark.parametrize(
    ("missed", "runs", "states"), [(Missed.SKIP, 0, ["missed"]), (Missed.RUN_ONCE, 1, ["started"])]
)
async def test_missed_occurrences(floor, later, missed, runs, states):
    """After a long absence the room starts nothing, or one run, for all that was missed; then it goes on as usual."""
    process = await floor.process({})
    made = await schedule(floor, process, missed=missed)
    await later(hours=5, minutes=30)

    await fire_due(floor.engine)

    assert (len(await runs_of(floor, process)), await became(floor, made)) == (runs, states)
    await later(minutes=31)
    await fire_due(floor.engine)
    assert await became(floor, made) == [*states, "started"]


async def test_overlap_skip(floor, later):
    """While the last run goes on, an occurrence is skipped, with the reason."""
    process = await floor.process({})
    made = await schedule(floor, process, overlap=Overlap.SKIP)
    for _ in range(2):
        await later(minutes=61)
        await fire_due(floor.engine)
    assert await became(floor, made) == ["started", "skipped"]

    await finish(floor, process)
    await later(minutes=60)
    await fire_due(floor.engine)
    assert await became(floor, made) == ["started", "skipped", "started"]


async def test_overlap_queue(floor, later):
    """Occurrences wait for the run before them, and start one by one."""
    process = await floor.process({})
    made = await schedule(floor, process, overlap=Overlap.QUEUE)
    for _ in range(3):
        await later(minutes=60, seconds=5)
        await fire_due(floor.engine)
    assert await became(floor, made) == ["started", "waiting", "waiting"]

    await finish(floor, process)
    await fire_due(floor.engine)
    await fire_due(floor.engine)
    assert await became(floor, made) == ["started", "started", "waiting"]

    await finish(floor, process)
    await fire_due(floor.engine)
    assert await became(floor, made) == ["started", "started", "started"]
    assert len(await runs_of(floor, process)) == 3


async def test_an_occurrence_that_waits_for_too_long_is_given_up(floor, later):
    """`skip_after` bounds the wait for the end of a run."""
    process = await floor.process({})
    made = await schedule(floor, process, overlap=Overlap.QUEUE, skip_after=timedelta(minutes=20))
    for _ in range(2):
        await later(minutes=60, seconds=5)
        await fire_due(floor.engine)
    await later(minutes=21)
    await fire_due(floor.engine)

    assert await became(floor, made) == ["started", "skipped"]
    [occurrence, _] = await store.list_occurrences(floor.engine.database, floor.scope, made.id, limit=10)
    assert "too long" in occurrence.reason


async def test_a_run_that_comes_too_late_is_cancelled(floor, later):
    """`cancel_after` stops a run that no robot has begun by then, and leaves one that has."""
    process = await floor.process({})
    await schedule(floor, process, cancel_after=timedelta(minutes=10))
    await later(minutes=60, seconds=5)
    await fire_due(floor.engine)
    await later(minutes=11)
    await fire_due(floor.engine)
    [late] = await runs_of(floor, process)
    assert (late.state, late.stop is not None) == (RunState.UNRESOLVED, True)

    await later(minutes=50)
    await fire_due(floor.engine)
    walt = await floor.worker("wendy")
    await walt.take()
    await later(minutes=11)
    await fire_due(floor.engine)
    assert (await runs_of(floor, process))[1].state is RunState.IN_PROGRESS


async def test_inputs(floor, ada, later):
    """A schedule brings its payload, or takes what waits; with nothing waiting it starts nothing, and says so."""
    process = await floor.process({})
    given = await schedule(floor, process, inputs=GivenPayload(Raw(b'{"a": 1}')))
    await later(minutes=60, seconds=5)
    await fire_due(floor.engine)
    [run] = await runs_of(floor, process)
    [item] = await floor.items(run)
    assert bytes((await floor.item(item.id)).payload) == b'{"a": 1}'
    await actions.delete(floor.engine, ada, floor.workspace, given.id)

    waiting = await schedule(floor, process, inputs=WaitingItems())
    await later(minutes=60, seconds=5)
    await fire_due(floor.engine)
    assert await became(floor, waiting) == ["nothing_waited"]
    for _ in range(2):
        await items.create(floor.engine, ada, floor.workspace, process, Raw(b"1"))
    await later(minutes=60)
    await fire_due(floor.engine)
    assert len(await floor.items((await runs_of(floor, process))[-1])) == 2


async def test_a_process_that_cannot_be_started_is_told_of_and_does_not_stop_the_others(floor, later):
    """A disabled process fails its occurrence with the reason; the schedule goes on."""
    disabled, healthy = await floor.process({}), await floor.process({})
    await floor.engine.database.execute("update process set is_enabled = false where id = %(id)s", id=disabled)
    made = await schedule(floor, disabled)
    await schedule(floor, healthy)
    await later(minutes=60, seconds=5)

    await fire_due(floor.engine)

    assert (await became(floor, made), len(await runs_of(floor, healthy))) == (["failed"], 1)
    [occurrence] = await store.list_occurrences(floor.engine.database, floor.scope, made.id, limit=10)
    assert "disabled" in occurrence.reason
    await floor.engine.database.execute("update process set is_enabled = true where id = %(id)s", id=disabled)
    await later(minutes=60)
    await fire_due(floor.engine)
    assert await became(floor, made) == ["failed", "started"]


async def test_disabling_misses_nothing_and_deleting_ends(floor, ada, later):
    """What would have been due while it was disabled is no missed occurrence; a deleted schedule is gone."""
    process = await floor.process({})
    made = await schedule(floor, process, missed=Missed.RUN_ONCE)

    async def change(**of) -> Schedule:
        return await actions.update(floor.engine, ada, floor.workspace, made.id, ScheduleChange(**of))

    assert (await change(is_enabled=False)).next_due is None
    await later(hours=10, minutes=30)
    await fire_due(floor.engine)
    assert (await change(is_enabled=True)).next_due is not None
    await fire_due(floor.engine)
    assert await became(floor, made) == []

    await actions.delete(floor.engine, ada, floor.workspace, made.id)
    await later(hours=2)
    await fire_due(floor.engine)
    assert await runs_of(floor, process) == []
    with pytest.raises(ScheduleNotFound):
        await store.get(floor.engine.database, floor.scope, made.id)


async def test_once_is_once(floor, later):
    """A schedule for one time is never due again."""
    process = await floor.process({})
    at = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + timedelta(hours=1)
    made = await schedule(floor, process, rule=Once(at))
    await later(minutes=61)
    await fire_due(floor.engine)

    assert await became(floor, made) == ["started"]
    assert (await store.get(floor.engine.database, floor.scope, made.id)).next_due is None


async def test_who_may(floor, ben, cleo):
    """Operators write schedules; outsiders see nothing; a process elsewhere cannot be scheduled, nor the past."""
    process = await floor.process({})
    definition = ScheduleDefinition(starts=OfProcess(process), name="Hourly", rule=HOUR)
    made = await actions.create(floor.engine, ben, floor.workspace, definition)

    with pytest.raises(NotFound):
        await actions.create(floor.engine, cleo, floor.workspace, definition)
    [theirs] = cleo.grants
    with pytest.raises(ProcessNotFound):
        await actions.create(floor.engine, cleo, theirs, definition)
    with pytest.raises(ScheduleNotFound):
        await actions.delete(floor.engine, cleo, theirs, made.id)
    with pytest.raises(RuleInvalid):
        await schedule(floor, process, rule=Once(datetime(2020, 1, 1)))  # noqa: DTZ001
    reader = replace(ben, grants={floor.workspace: frozenset({Permission.WRITE_SCHEDULES})})
    with pytest.raises(Forbidden):  # for it may start no runs
        await actions.create(floor.engine, reader, floor.workspace, definition)


async def test_a_busy_room_has_missed_nothing(floor, later):
    """What a leader saw in time is started, however late it comes to it; the next one is judged anew."""
    process = await floor.process({})
    made = await schedule(floor, process)
    await notice(floor.engine)
    await later(hours=1)
    assert await notice(floor.engine) >= 1
    assert await notice(floor.engine) == 0
    await later(minutes=40)

    await fire_due(floor.engine)

    assert await became(floor, made) == ["started"]
    await later(minutes=30)
    await fire_due(floor.engine)
    assert await became(floor, made) == ["started", "missed"]


async def test_a_room_that_was_away_has_missed_it(floor, later):
    """To look again does not mend that nobody looked; then it is there, and misses nothing more."""
    process = await floor.process({})
    made = await schedule(floor, process)
    await notice(floor.engine)
    await later(hours=1, minutes=30)
    await notice(floor.engine)
    await fire_due(floor.engine)
    assert await became(floor, made) == ["missed"]

    await later(minutes=30)
    await notice(floor.engine)
    await fire_due(floor.engine)
    assert await became(floor, made) == ["missed", "started"]


async def test_many_at_once_are_all_started(floor, later, engine_dsn, tmp_path):
    """A thousand of one moment start a run each, by two servers at once, and none is missed or doubled."""
    process = await floor.process({})
    first = await schedule(floor, process)
    await floor.engine.database.execute(
        """
        insert into schedule (id, workspace_id, process_id, name, rule, zone, starts_at, missed, grace, overlap, inputs,
                              next_due)
        select gen_random_uuid(), workspace_id, process_id, name, rule, zone, starts_at, missed, grace, overlap, inputs,
               next_due
          from schedule, generate_series(2, 1000) where id = %(first)s
        """,
        first=first.id,
    )
    await later(hours=1)
    async with running_engine(engine_dsn, tmp_path, keys=floor.engine.keys) as second:
        assert await notice(second) >= 1000
        await asyncio.gather(fire_due(floor.engine), fire_due(second))

    states = await floor.engine.database.all(
        str,
        """
        select state from schedule_occurrence join schedule on schedule.id = schedule_id where process_id = %(process)s
        """,
        process=process,
    )
    assert states == ["started"] * 1000
    assert await floor.engine.database.value("select count(*) from run where process_id = %(p)s", p=process) == 1000


async def test_a_schedule_that_breaks_does_not_stop_the_others(floor, later):
    """What the room itself does not understand is left as it is; all others have their runs."""
    process = await floor.process({})
    broken, sound = await schedule(floor, process), await schedule(floor, process)
    await floor.engine.database.execute(
        'update schedule set rule = \'{"type": "by_moon"}\' where id = %(id)s', id=broken.id
    )
    await later(hours=1)

    await fire_due(floor.engine)

    assert await became(floor, sound) == ["started"]
    assert await became(floor, broken) == []
