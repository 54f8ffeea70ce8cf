"""A calendar of what schedules have started, and of what is to come."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from controlroom.engine.access.scope import Of
from controlroom.engine.runs.model import OfProcess
from controlroom.engine.schedules import actions, calendar
from controlroom.engine.schedules.calendar import Time, at_once, overlapping
from controlroom.engine.schedules.definitions import Schedule, ScheduleDefinition, Standing
from controlroom.engine.schedules.model import Cron, Missed, OccurrenceState, Overlap, UsualInput
from controlroom.ids import ProcessId, ScheduleId, WorkspaceId, uuid7

DAY = datetime(2026, 11, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCHEDULE = Schedule(
    id=ScheduleId(uuid7()),
    number=1,
    workspace_id=WorkspaceId(uuid7()),
    process_id=ProcessId(uuid7()),
    process_name="x",
    name="x",
    description="",
    owner_id=None,
    start=None,
    rule=Cron("0 * * * *"),
    zone="UTC",
    starts_at=DAY,
    ends_at=None,
    is_enabled=True,
    is_draft=False,
    standing=Standing.ACTIVE,
    missed=Missed.SKIP,
    grace=timedelta(),
    overlap=Overlap.ALLOW,
    skip_after=None,
    cancel_after=None,
    inputs=UsualInput(),
    priority=0,
    next_due=None,
    asides={},
    created_at=DAY,
    updated_at=DAY,
)


def at(hour: float, takes: float, schedule: Schedule = SCHEDULE) -> Time:
    """A time that is to come, in hours of the day."""
    return Time(schedule=schedule, due=DAY + hour * HOUR, ends=DAY + (hour + takes) * HOUR, past=None)


def test_starts_of_one_process_overlap():
    """Where the one before is likely to run on; those of another process do not matter."""
    other = replace(SCHEDULE, id=ScheduleId(uuid7()), process_id=ProcessId(uuid7()))
    found = overlapping([at(1, 3), at(2, 0.5), at(3.9, 0.5), at(4, 1), at(4.5, 1, other)])
    assert [each.overlaps for each in found] == [False, True, True, True, False]


def test_how_many_run_at_once():
    """At most, in each part; what runs on is counted where it does."""
    times = [at(1, 3), at(2, 0.5), at(2.25, 0.5), at(3, 0)]
    assert at_once(times, DAY, HOUR, 6) == [0, 1, 3, 2, 1, 0]


@given(st.lists(st.tuples(st.floats(-5, 30), st.floats(0, 30)), max_size=30))
def test_nobody_runs_alone_in_a_crowd(spans):
    """A part is never told less than what runs at its beginning, nor more than all."""
    times = sorted((at(*span) for span in spans), key=lambda each: each.due)
    found = at_once(times, DAY, HOUR, 24)
    for n, most in enumerate(found):
        begins = DAY + n * HOUR
        assert sum(each.due < begins < each.ends for each in times) <= most <= len(times)


async def test_what_happened_and_what_comes_stand_together(floor, ada, workspace, team):
    """In order; missed ones with why; a paused schedule has nothing to come; outsiders see none."""
    process, db = await floor.process({}), floor.engine.database
    made = await actions.create(
        floor.engine,
        ada,
        workspace,
        ScheduleDefinition(starts=OfProcess(process), name="hourly", rule=Cron("0 * * * *")),
    )
    now = await db.value("select clock_now()")
    since = now.replace(minute=0, second=0, microsecond=0) - 2 * HOUR
    run = await floor.start(process)
    await db.execute(
        """
        insert into schedule_occurrence (schedule_id, due, state, run_id, reason)
        values (%(id)s, %(first)s, 'started', %(run)s, ''), (%(id)s, %(second)s, 'missed', null, 'the room was down')
        """,
        id=made.id,
        run=run.id,
        first=since,
        second=since + HOUR,
    )

    [shown] = await calendar.planned(db, floor.scope)
    past = await calendar.happened(db, floor.scope, [shown.id], since, now)
    usual = {process: timedelta(minutes=90)}
    found = await calendar.times(floor.engine, [shown], past, usual, now, since + 5 * HOUR, since)

    assert [(each.past and each.past.state, each.due) for each in found[:2]] == [
        (OccurrenceState.STARTED, since),
        (OccurrenceState.MISSED, since + HOUR),
    ]
    assert found[0].past is not None
    assert found[0].past.run_number == run.number
    assert [each.due for each in found[2:]] == [since + 3 * HOUR, since + 4 * HOUR]
    assert found[3].overlaps
    assert (await calendar.latest(db, floor.scope, [shown.id], each=1))[shown.id][0].reason == "the room was down"
    outsider = Of(team.elsewhere, (team.other_workspace,))
    assert await calendar.planned(db, outsider) == []
    assert await calendar.happened(db, outsider, [shown.id], since, now) == []
