"""What became of the times of schedules in a period, and what is to come in it: as a calendar shows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.engine import Engine
from controlroom.engine.runs.model import Result, RunState
from controlroom.engine.schedules.definitions import Schedule
from controlroom.engine.schedules.listings import COLUMNS, JOINED
from controlroom.engine.schedules.model import OccurrenceState
from controlroom.engine.schedules.upcoming import within
from controlroom.ids import ProcessId, ScheduleId
from controlroom.postgres.database import Statements

MOST_SCHEDULES: Final = 200
MOST_TIMES: Final = 2000
"""Of one schedule in a period: more than one a minute of a day."""


class Happened(Struct, frozen=True, kw_only=True):
    """A time of a schedule, and what became of it."""

    schedule_id: ScheduleId
    due: datetime
    state: OccurrenceState
    reason: str
    run_number: int | None
    run_state: RunState | None
    run_result: Result | None
    started_at: datetime | None
    """Of the run."""
    ended_at: datetime | None
    fired_by: str | None
    """The name of who has brought it about by hand, if it can be told; None: its time had come."""


async def planned(db: Statements, scope: Scope, *, process: ProcessId | None = None) -> list[Schedule]:
    """The schedules that a calendar shows, by the name of what they start: those that are enabled, and paused ones."""
    return await db.all(
        Schedule,
        f"""
        select {COLUMNS}
          from schedule {JOINED}
         where schedule.workspace_id = {SEEN} and schedule.deleted_at is null
           and (%(process)s::uuid is null or schedule.process_id = %(process)s)
         order by schedule.is_enabled desc, process.name, schedule.id
         limit {MOST_SCHEDULES}
        """,
        process=process,
        **scope.params,
    )


_RUN: Final = """happened.schedule_id, happened.due, happened.state, happened.reason, run.number as run_number,
               run.state as run_state, run.result as run_result, run.started_at, run.ended_at,
               case when happened.fired_by is not null
                    then coalesce(nullif(trim(app_user.first_name || ' ' || app_user.last_name), ''),
                                  app_user.username, credential.name, '') end as fired_by"""
_BESIDE: Final = """left join run on run.id = happened.run_id and run.workspace_id = schedule.workspace_id
          left join app_user on app_user.id = happened.fired_by
          left join credential on credential.id = happened.fired_by"""


async def happened(
    db: Statements, scope: Scope, schedules: Sequence[ScheduleId], since: datetime, until: datetime
) -> list[Happened]:
    """What became of the times of some schedules in a period, in their order; of each the last two thousand."""
    return await db.all(
        Happened,
        f"""
        select {_RUN}
          from schedule
         cross join lateral (
               select schedule_id, due, state, reason, run_id, fired_by from schedule_occurrence
                where schedule_occurrence.schedule_id = schedule.id and due >= %(since)s and due < %(until)s
                order by due desc
                limit {MOST_TIMES}) as happened
          {_BESIDE}
         where schedule.id = any(%(schedules)s::uuid[]) and schedule.workspace_id = {SEEN}
         order by happened.due, happened.schedule_id
        """,
        schedules=list(schedules),
        since=since,
        until=until,
        **scope.params,
    )


async def latest(
    db: Statements, scope: Scope, schedules: Sequence[ScheduleId], *, each: int
) -> dict[ScheduleId, list[Happened]]:
    """What became of the last so many times of each of some schedules, the oldest first."""
    rows = await db.all(
        Happened,
        f"""
        select {_RUN}
          from schedule
         cross join lateral (
               select schedule_id, due, state, reason, run_id, fired_by from schedule_occurrence
                where schedule_occurrence.schedule_id = schedule.id
                order by due desc
                limit %(each)s) as happened
          {_BESIDE}
         where schedule.id = any(%(schedules)s::uuid[]) and schedule.workspace_id = {SEEN}
         order by happened.due
        """,
        schedules=list(schedules),
        each=each,
        **scope.params,
    )
    found: dict[ScheduleId, list[Happened]] = {schedule: [] for schedule in schedules}
    for row in rows:
        found[row.schedule_id].append(row)
    return found


# ---------------------------------------------------------------------------------------------------- what is to come
class Time(Struct, frozen=True, kw_only=True):
    """A time on a calendar, with how long what it starts takes, or is likely to."""

    schedule: Schedule
    due: datetime
    ends: datetime
    past: Happened | None
    """None: it is to come."""
    overlaps: bool = False
    """What an earlier time has started is still under way then, or is likely to be."""


async def times(
    engine: Engine,
    schedules: Sequence[Schedule],
    past: Sequence[Happened],
    usual: Mapping[ProcessId, timedelta],
    now: datetime,
    until: datetime,
    since: datetime,
) -> list[Time]:
    """What happened and what is to come in a period, in order; with where the starts of one process overlap."""
    by_id = {schedule.id: schedule for schedule in schedules}
    found = [_happened(by_id[each.schedule_id], each, usual, now) for each in past]
    for schedule in schedules:
        if schedule.is_enabled and until > now:
            begin = max(now, since)
            for due in await within(engine, schedule, begin, until, most=MOST_TIMES):
                ends = due + usual.get(schedule.process_id, timedelta())
                found.append(Time(schedule=schedule, due=due, ends=ends, past=None))
    return overlapping(sorted(found, key=lambda each: (each.due, each.schedule.id)))


def _happened(schedule: Schedule, past: Happened, usual: Mapping[ProcessId, timedelta], now: datetime) -> Time:
    if past.state is not OccurrenceState.STARTED:
        return Time(schedule=schedule, due=past.due, ends=past.due, past=past)
    likely = past.due + usual.get(schedule.process_id, timedelta())
    ends = past.ended_at or (max(now, likely) if past.run_number is not None else likely)
    return Time(schedule=schedule, due=past.due, ends=max(past.due, ends), past=past)


def overlapping(times: Sequence[Time]) -> list[Time]:
    """The same, each told whether what an earlier one has started of the same process is still under way. Pure."""
    ends: dict[ProcessId, datetime] = {}
    found = []
    for each in times:
        process, runs = each.schedule.process_id, each.past is None or each.past.state is OccurrenceState.STARTED
        last = ends.get(process)
        is_over = last is None or last <= each.due
        found.append(each if is_over else _overlapping(each))
        if runs and (last is None or each.ends > last):
            ends[process] = each.ends
    return found


def _overlapping(time: Time) -> Time:
    return Time(schedule=time.schedule, due=time.due, ends=time.ends, past=time.past, overlaps=True)


def at_once(times: Sequence[Time], since: datetime, part: timedelta, parts: int) -> list[int]:
    """How many runs there are at most at the same moment, in each part of a period. Pure."""
    changes: list[tuple[datetime, int]] = []
    for each in times:
        if each.past is None or each.past.state is OccurrenceState.STARTED:
            changes += [(each.due, 1), (max(each.ends, each.due + timedelta(seconds=1)), -1)]
    changes.sort()
    found, running, at = [], 0, 0
    for n in range(parts):
        ends = since + (n + 1) * part
        most = running
        while at < len(changes) and changes[at][0] < ends:
            running += changes[at][1]
            most = max(most, running) if changes[at][0] >= ends - part else running
            at += 1
        found.append(most)
    return found
