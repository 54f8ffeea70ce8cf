"""The schedule of a job (§3.7), to and from the engine's timetable: `{"cron", "date": {…}, "time": {…}}`, of UTC.

Date and time decide, and the expression follows from them; an expression alone is a custom one.
"""

import zlib
from typing import Final, assert_never

from msgspec import UNSET, UnsetType

from controlroom.dialects.dbt_cloud.answers import Shape
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.engine.jobs.model import (
    AtHours,
    CustomCron,
    Days,
    DaysOfWeek,
    EveryDay,
    EveryHours,
    Hours,
    IntervalOfDays,
    Timetable,
)
from controlroom.engine.jobs.timetables import cron_of

_ALL_DAYS: Final = tuple(range(7))
_DATES: Final = "every_day, days_of_week, custom_cron or interval_cron"
_TIMES: Final = "every_hour or at_exact_hours"


class ScheduleDate(Shape, frozen=True, kw_only=True):
    """On which days; from 0 for Sunday."""

    type: str
    days: tuple[int, ...] | UnsetType | None = UNSET
    cron: str | UnsetType | None = UNSET


class ScheduleTime(Shape, frozen=True, kw_only=True):
    """At which hours."""

    type: str
    interval: int | UnsetType | None = UNSET
    hours: tuple[int, ...] | UnsetType | None = UNSET


class Schedule(Shape, frozen=True, kw_only=True):
    """When a job is due, while its trigger `schedule` is on."""

    cron: str
    date: ScheduleDate
    time: ScheduleTime


class FlatSchedule(Shape, frozen=True, kw_only=True):
    """Likewise, in a job that a run tells: what kind of date and time, as words."""

    cron: str
    date: str
    time: str


class ScheduleBody(Shape, frozen=True, kw_only=True):
    """When a job shall be due."""

    cron: str | UnsetType | None = UNSET
    date: ScheduleDate | UnsetType | None = UNSET
    time: ScheduleTime | UnsetType | None = UNSET


# ---------------------------------------------------------------------------------------------------- telling
def schedule_of(timetable: Timetable) -> Schedule:
    """A timetable as it is told."""
    cron = cron_of(timetable)
    return Schedule(cron=cron, date=_date(timetable.days, cron), time=_time(timetable.hours))


def flat(timetable: Timetable) -> FlatSchedule:
    """Likewise, in a run."""
    told = schedule_of(timetable)
    return FlatSchedule(cron=told.cron, date=told.date.type, time=told.time.type)


def _date(days: Days, cron: str) -> ScheduleDate:
    match days:
        case EveryDay():
            return ScheduleDate(type="every_day")
        case DaysOfWeek(named):
            return ScheduleDate(type="days_of_week", days=named)
        case IntervalOfDays(named):
            return ScheduleDate(type="interval_cron", days=named, cron=cron)
        case CustomCron(expression):
            return ScheduleDate(type="custom_cron", cron=expression)
        case _:
            assert_never(days)


def _time(hours: Hours) -> ScheduleTime:
    match hours:
        case EveryHours(interval):
            return ScheduleTime(type="every_hour", interval=interval)
        case AtHours(named):
            return ScheduleTime(type="at_exact_hours", hours=named)
        case _:
            assert_never(hours)


# ---------------------------------------------------------------------------------------------------- reading
def timetable_of(body: ScheduleBody, before: Timetable, *, name: str) -> Timetable:
    """What a body says of when a job shall be due. Raises FieldsWrong.

    The minute of `interval_cron` is the room's choice: by the job's name, so that not all jobs begin at once.
    """
    days = _days(body)
    hours = _hours(body.time) if body.time else EveryHours()
    if not isinstance(days, IntervalOfDays):
        return Timetable(days, hours)
    written = body.cron or (body.date.cron if body.date else "") or ""  # why: some programs say it in `date` alone
    first = written.split(" ")[0]
    if first.isascii() and first.isdigit() and int(first) < 60:  # noqa: PLR2004 - minutes
        minute = int(first)
    else:
        minute = before.minute if isinstance(before.days, IntervalOfDays) else zlib.crc32(name.encode()) % 60
    return Timetable(days, hours, minute)


def _days(body: ScheduleBody) -> Days:
    date = body.date or ScheduleDate(type="custom_cron" if body.cron else "every_day")
    match date.type:
        case "every_day":
            return EveryDay()
        case "days_of_week":
            return DaysOfWeek(date.days or _ALL_DAYS)
        case "interval_cron":
            return IntervalOfDays(date.days or _ALL_DAYS)
        case "custom_cron":
            if not (expression := (date.cron or body.cron or "").strip()):
                raise FieldsWrong({"schedule.date.cron": "a cron expression, as 0 3 * * *"})
            return CustomCron(expression)
        case _:
            raise FieldsWrong({"schedule.date.type": _DATES})


def _hours(time: ScheduleTime) -> Hours:
    match time.type:
        case "every_hour":
            return EveryHours(time.interval or 1)
        case "at_exact_hours":
            return AtHours(time.hours or ())
        case _:
            raise FieldsWrong({"schedule.time.type": _TIMES})
