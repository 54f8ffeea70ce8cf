"""When a schedule is due, as this grammar writes it (§2.4, §2.20), and the engine's rules; both ways. Pure.

Days are `yyyy-MM-dd`, times `HH:mm`, both by the clock of `timeZone`. What a request leaves out is filled in kindly:
the day by today, the time by midnight, the days of a week or month by those of the first day.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, Literal, assert_never

from msgspec import UNSET, UnsetType

from controlroom.dialects.automation360.answers import Shape
from controlroom.engine.schedules.local_times import local_of, moment_of, zone_named
from controlroom.engine.schedules.model import (
    Again,
    Cron,
    Daily,
    DayOfMonth,
    Interval,
    LastDay,
    Monthly,
    NthWeekday,
    Once,
    RRule,
    Rule,
    Timing,
    Weekday,
    Weekly,
)
from controlroom.errors import Invalid

_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?")
_MINUTES_OF_AN_HOUR: Final = 60
_AT_ONCE: Final = timedelta(seconds=1)
_EARLIEST: Final = date(1900, 1, 2)
_LATEST: Final = date(9899, 12, 30)
"""What the engine counts with, in every zone."""
_DAY_ENDS: Final = time(23, 59, 59, 999_999)


class ScheduleType(StrEnum):
    """How often; NONE is once, INSTANT at once."""

    NONE = "NONE"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    INSTANT = "INSTANT"


Day = Literal["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
Month = Literal["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
Week = Literal["FIRST", "SECOND", "THIRD", "FOURTH", "LAST"]

_DAYS: Final[tuple[Day, ...]] = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
"""As Python counts them."""
_MONTHS: Final[tuple[Month, ...]] = (
    *("JAN", "FEB", "MAR", "APR", "MAY", "JUN"),
    *("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
)
_WEEKS: Final[Mapping[Week, int]] = {"FIRST": 1, "SECOND": 2, "THIRD": 3, "FOURTH": 4, "LAST": -1}


class DailyRecurrence(Shape, frozen=True):
    """Every so many days."""

    interval: int = 1


class WeeklyRecurrence(Shape, frozen=True):
    """Every so many weeks on these days."""

    interval: int = 1
    days_of_week: tuple[Day, ...] = ()


class MonthlyDateRecurrence(Shape, frozen=True):
    """On a day of these months, all of them if none is named."""

    months_of_year: tuple[Month, ...] = ()
    date_of_month: int = 1


class MonthlyWeekDayRecurrence(Shape, frozen=True):
    """On such a weekday of these months."""

    months_of_year: tuple[Month, ...] = ()
    week_of_month: Week = "FIRST"
    day_of_week: Day = "MON"


class RepeatOccurrence(Shape, frozen=True):
    """Again within the day; without an end until midnight."""

    run_every: int
    time_unit: Literal["UNKNOWN", "MINUTES", "HOURS"] = "MINUTES"
    end_time: str = ""


class Times(Shape, frozen=True, kw_only=True):
    """The part of a request that says when."""

    schedule_type: ScheduleType = ScheduleType.NONE
    daily_recurrence: DailyRecurrence | None = None
    weekly_recurrence: WeeklyRecurrence | None = None
    monthly_date_recurrence: MonthlyDateRecurrence | None = None
    monthly_week_day_recurrence: MonthlyWeekDayRecurrence | None = None
    time_zone: str = "UTC"
    start_date: str = ""
    end_date: str = ""
    start_time: str = ""
    repeat_enabled: bool = False
    repeat_occurrence: RepeatOccurrence | None = None


class TimesTold(Shape, frozen=True, kw_only=True):
    """Likewise, of an answer."""

    schedule_type: ScheduleType
    daily_recurrence: DailyRecurrence | UnsetType = UNSET
    weekly_recurrence: WeeklyRecurrence | UnsetType = UNSET
    monthly_date_recurrence: MonthlyDateRecurrence | UnsetType = UNSET
    monthly_week_day_recurrence: MonthlyWeekDayRecurrence | UnsetType = UNSET
    time_zone: str
    start_date: str
    end_date: str | None
    start_time: str
    repeat_enabled: bool
    repeat_occurrence: RepeatOccurrence | UnsetType = UNSET


class TimesWrong(Invalid):
    """A time that cannot be read."""

    code = "SCHEDULE_INVALID"


# ---------------------------------------------------------------------------------------------------- as it is asked
def timing_of(asked: Times, now: datetime) -> Timing:
    """When a schedule is due that is asked for at some moment. Raises Invalid."""
    zone = zone_named(asked.time_zone)
    if asked.schedule_type is ScheduleType.INSTANT:
        at = local_of(now + _AT_ONCE, zone)
        return Timing(rule=Once(at), zone=asked.time_zone, starts_at=now)
    first = _date("startDate", asked.start_date) or local_of(now, zone).date()
    last = _date("endDate", asked.end_date)
    return Timing(
        rule=_rule(asked, first, _time("startTime", asked.start_time) or time()),
        zone=asked.time_zone,
        starts_at=moment_of(datetime.combine(first, time()), zone),
        ends_at=None if last is None else moment_of(datetime.combine(last, _DAY_ENDS), zone),
    )


def _rule(asked: Times, first: date, at: time) -> Rule:
    again, times = _again(asked), (at,)
    match asked.schedule_type:
        case ScheduleType.NONE | ScheduleType.INSTANT:
            return Once(datetime.combine(first, at), again)
        case ScheduleType.DAILY:
            return Daily(times, (asked.daily_recurrence or DailyRecurrence()).interval, again)
        case ScheduleType.WEEKLY:
            weekly = asked.weekly_recurrence or WeeklyRecurrence()
            days = tuple(Weekday(_DAYS.index(day)) for day in weekly.days_of_week) or (Weekday(first.weekday()),)
            return Weekly(days, times, weekly.interval, again)
        case ScheduleType.MONTHLY:
            return _monthly(asked, first, times, again)
        case _:
            assert_never(asked.schedule_type)


def _monthly(asked: Times, first: date, times: tuple[time, ...], again: Again | None) -> Monthly:
    if (weekday := asked.monthly_week_day_recurrence) is not None:
        on = NthWeekday(_WEEKS[weekday.week_of_month], Weekday(_DAYS.index(weekday.day_of_week)))
        return Monthly(on, times, again=again, months=_months(weekday.months_of_year))
    dated = asked.monthly_date_recurrence or MonthlyDateRecurrence((), first.day)
    return Monthly(DayOfMonth(dated.date_of_month), times, again=again, months=_months(dated.months_of_year))


def _months(named: tuple[Month, ...]) -> tuple[int, ...]:
    months = tuple(sorted({_MONTHS.index(month) + 1 for month in named}))
    return () if len(months) == len(_MONTHS) else months


def _again(asked: Times) -> Again | None:
    repeat = asked.repeat_occurrence
    if repeat is None or not asked.repeat_enabled:
        return None
    each = _MINUTES_OF_AN_HOUR if repeat.time_unit == "HOURS" else 1
    return Again(repeat.run_every * each, _time("endTime", repeat.end_time))


def _date(name: str, text: str) -> date | None:
    if not text.strip():
        return None
    try:
        found = date.fromisoformat(text.strip()[:10])
    except ValueError:
        raise TimesWrong(f"`{name}` is a day, as 2026-01-31") from None
    if not _EARLIEST <= found <= _LATEST:
        raise TimesWrong(f"`{name}` lies between {_EARLIEST} and {_LATEST}")
    return found


def _time(name: str, text: str) -> time | None:
    if not text.strip():
        return None
    found = _TIME.fullmatch(text.strip())
    try:
        if found is None:
            return _no_time(name)
        hour, minute, second = (int(part or 0) for part in found.groups())
        return time(hour, minute, second)
    except ValueError:
        return _no_time(name)


def _no_time(name: str) -> time:
    raise TimesWrong(f"`{name}` is a time of the day, as 09:30")


# ---------------------------------------------------------------------------------------------------- as it is told
RULES: Final[Mapping[ScheduleType, tuple[str, ...]]] = {
    ScheduleType.NONE: ("once", "cron", "rrule"),
    ScheduleType.DAILY: ("daily", "interval"),
    ScheduleType.WEEKLY: ("weekly",),
    ScheduleType.MONTHLY: ("monthly",),
    ScheduleType.INSTANT: (),
}
"""Which of the engine's rules are told as which type. What this grammar cannot say (cron, rrule) is told as NONE."""


def told(timing: Timing) -> TimesTold:
    """When a schedule is due; of a rule that this grammar cannot say, the first day alone."""
    zone, rule = zone_named(timing.zone), timing.rule
    first = local_of(timing.starts_at, zone)
    again: Again | None = None
    at = first.time().replace(second=0, microsecond=0)
    match rule:
        case Once(moment, again):
            first, at = moment, moment.time()
        case Daily(times, _, again) | Weekly(_, times, _, again) | Monthly(_, times, _, again):
            at = min(times)
        case Interval(seconds) if seconds < timedelta(days=1).total_seconds():
            again = Again(max(1, seconds // 60))
        case Interval() | Cron() | RRule():
            pass
        case _:
            assert_never(rule)
    return TimesTold(
        schedule_type=next(word for word, kinds in RULES.items() if _kind(rule) in kinds),
        **_recurrence(rule),
        time_zone=timing.zone,
        start_date=first.date().isoformat(),
        end_date=None if timing.ends_at is None else local_of(timing.ends_at.astimezone(UTC), zone).date().isoformat(),
        start_time=f"{at:%H:%M}",
        repeat_enabled=again is not None,
        repeat_occurrence=UNSET if again is None else _repeat(again),
    )


def _kind(rule: Rule) -> str:
    tag: Any = rule.__struct_config__.tag
    return str(tag)


def _recurrence(rule: Rule) -> dict[str, Any]:  # noqa: PLR0911 - a case for each kind
    match rule:
        case Daily(_, every):
            return {"daily_recurrence": DailyRecurrence(every)}
        case Interval(seconds):
            return {"daily_recurrence": DailyRecurrence(max(1, seconds // int(timedelta(days=1).total_seconds())))}
        case Weekly(days, _, every):
            return {"weekly_recurrence": WeeklyRecurrence(every, tuple(_DAYS[day] for day in days))}
        case Monthly(NthWeekday(nth, weekday)):
            week: Week = next((word for word, number in _WEEKS.items() if number == nth), "LAST")
            return {
                "monthly_week_day_recurrence": MonthlyWeekDayRecurrence(_named(rule.months), week, _DAYS[weekday]),
            }
        case Monthly(LastDay()):
            return {"monthly_date_recurrence": MonthlyDateRecurrence(_named(rule.months), 31)}
        case Monthly(DayOfMonth(day)):
            return {"monthly_date_recurrence": MonthlyDateRecurrence(_named(rule.months), day)}
        case _:
            return {}


def _named(months: tuple[int, ...]) -> tuple[Month, ...]:
    return tuple(_MONTHS[month - 1] for month in months) or _MONTHS


def _repeat(again: Again) -> RepeatOccurrence:
    end = "" if again.until is None else f"{again.until:%H:%M}"
    if again.minutes % _MINUTES_OF_AN_HOUR == 0:
        return RepeatOccurrence(again.minutes // _MINUTES_OF_AN_HOUR, "HOURS", end)
    return RepeatOccurrence(again.minutes, "MINUTES", end)
