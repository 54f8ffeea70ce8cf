"""What a schedule's rule says, as a sentence that people read: `Every weekday at 07:30`. Pure."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from msgspec import Struct

from controlroom.engine.schedules import words
from controlroom.engine.schedules.model import (
    Again,
    Cron,
    Daily,
    DayOfMonth,
    Interval,
    LastDay,
    Missed,
    Monthly,
    NthWeekday,
    Once,
    Overlap,
    Policies,
    RRule,
    Rule,
    Weekday,
    Weekly,
)

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = words.MONTHS
_WORKING: Final = frozenset(range(5))
_NTHS: Final = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}
_UNITS: Final = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_CRON_DAYS: Final = {"1-5": "weekday", "MON-FRI": "weekday"}
_FREQUENCIES: Final = {
    "SECONDLY": "second",
    "MINUTELY": "minute",
    "HOURLY": "hour",
    "DAILY": "day",
    "WEEKLY": "week",
    "MONTHLY": "month",
    "YEARLY": "year",
}


def sentence(rule: Rule) -> str:  # noqa: PLR0911 - one for each kind
    """When it is due, without the zone. What has no sentence of its own is said as it stands."""
    match rule:
        case Cron(expression):
            return _cron(expression)
        case Interval(seconds):
            return f"Every {_span(seconds)}"
        case Daily(times, every, again):
            return f"Every {_nth('day', every)} {_times(times, again)}"
        case Weekly(days, times, every, again):
            return (
                f"{_week_days(days)}{'' if every == 1 else f' of every {_ordinal(every)} week'} {_times(times, again)}"
            )
        case Monthly(on, times, every, again, months):
            return f"{_month_day(on, every, months)} {_times(times, again)}"
        case Once(at, again):
            return f"Once on {at.day} {_MONTHS[at.month - 1]} {at.year} {_times((at.time(),), again)}"
        case RRule(text, start):
            return _rrule(text, start)
        case _:
            assert_never(rule)


def expression_of(rule: Rule) -> str:
    """The rule as its author has written it, where it was written as one; else empty."""
    match rule:
        case Cron(expression):
            return expression
        case RRule(text):
            return text
        case Interval() | Daily() | Weekly() | Monthly() | Once():
            return ""
        case _:
            assert_never(rule)


def policies_said(policies: Policies) -> list[str]:
    """What happens at an overlap, and to what the room has missed: a sentence each; nothing for what is plain."""
    said = []
    match policies.overlap:
        case Overlap.ALLOW:
            pass
        case Overlap.SKIP:
            said.append("Skipped if a run is under way.")
        case Overlap.QUEUE:
            wait = policies.skip_after
            limit = "" if wait is None else f", for {_counted(int(wait.total_seconds()))} at most"
            said.append(f"If a run is under way, it waits in line{limit}.")
        case _:
            assert_never(policies.overlap)
    match policies.missed:
        case Missed.SKIP:
            pass
        case Missed.RUN_ONCE:
            said.append("If the room was down, one run makes up for it.")
        case _:
            assert_never(policies.missed)
    if policies.cancel_after is not None:
        patience = _counted(int(policies.cancel_after.total_seconds()))
        said.append(f"Stopped if no robot has begun after {patience}.")
    return said


# ---------------------------------------------------------------------------------------------------- clocks
class ClockChange(Struct, frozen=True):
    """A moment at which the clocks of a zone are put forward or back."""

    at: datetime
    by: timedelta


def clock_changes(zone: ZoneInfo, since: datetime, until: datetime) -> list[ClockChange]:
    """Every change of a zone's clocks in a period, to the minute, in order. A year takes some hundred steps."""
    found = []
    moment = since
    while moment < until:
        following = min(until, moment + timedelta(days=7))
        if (by := _offset(zone, following) - _offset(zone, moment)) != timedelta():
            found.append(ClockChange(_first_after(zone, moment, following), by))
        moment = following
    return found


def _first_after(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    while after - before > timedelta(minutes=1):
        middle = before + (after - before) / 2
        if _offset(zone, middle) == _offset(zone, before):
            before = middle
        else:
            after = middle
    return (after + timedelta(seconds=30)).replace(second=0, microsecond=0)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


# ---------------------------------------------------------------------------------------------------- pieces
def _cron(expression: str) -> str:
    fields = expression.upper().split()
    if len(fields) == 5:  # noqa: PLR2004 - the usual ones; six have seconds in front
        minute, hour, day, month, weekday = fields
        if minute.isdigit() and hour.isdigit() and month == "*":
            at = f"at {int(hour):02}:{int(minute):02}"
            match (day, weekday):
                case ("*", "*"):
                    return f"Every day {at}"
                case ("*", within) if within in _CRON_DAYS:
                    return f"Every {_CRON_DAYS[within]} {at}"
                case ("LW", "*"):
                    return f"The last weekday of every month {at}"
                case ("L", "*"):
                    return f"The last day of every month {at}"
        if (day, month, weekday) == ("*", "*", "*") and hour == "*" and minute.isdigit():
            return "Every hour" if minute == "0" else f"Every hour at minute {int(minute)}"
    return words.in_words(expression)


def _rrule(text: str, start: datetime) -> str:
    parts = dict(part.partition("=")[::2] for part in text.upper().removeprefix("RRULE:").split(";"))
    frequency = _FREQUENCIES.get(parts.get("FREQ", ""))
    plain = set(parts) <= {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}
    if frequency is None or not plain or not parts.get("INTERVAL", "1").isdigit():
        return f"By the rule {text}"
    every = int(parts.get("INTERVAL", "1"))
    at = f" at {start:%H:%M}" if frequency in {"day", "week", "month", "year"} else ""
    return f"Every {_nth(frequency, every)}{at}, from {start.day} {_MONTHS[start.month - 1]} {start.year}"


def _span(seconds: int) -> str:
    for size, name in _UNITS:
        if seconds % size == 0:
            return _nth(name, seconds // size)
    return _nth("second", seconds)


def _counted(seconds: int) -> str:
    said = _span(seconds)
    return said if said[0].isdigit() else f"1 {said}"


def _nth(unit: str, every: int) -> str:
    return unit if every == 1 else f"{every:,} {unit}s"


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")  # noqa: PLR2004
    return f"{number}{ending}"


def _week_days(days: Sequence[Weekday]) -> str:
    numbers = {int(day) for day in days}
    if numbers == _WORKING:
        return "Every weekday"
    if len(numbers) == len(_DAYS):
        return "Every day"
    return f"Every {words.joined(_DAYS[number] for number in sorted(numbers))}"


def _month_day(on: DayOfMonth | LastDay | NthWeekday, every: int, months: Sequence[int]) -> str:
    match on:
        case DayOfMonth(day):
            which = f"The {_ordinal(day)}"
        case LastDay():
            which = "The last day"
        case NthWeekday(nth, weekday):
            which = f"The {_NTHS.get(nth, nth)} {_DAYS[weekday]}"
        case _:
            assert_never(on)
    if months:
        return f"{which} of {words.joined(_MONTHS[month - 1] for month in sorted(set(months)))}"
    return f"{which} of every {'month' if every == 1 else f'{_ordinal(every)} month'}"


def _times(times: Sequence[time], again: Again | None) -> str:
    said = f"at {words.joined(f'{at:%H:%M:%S}' if at.second else f'{at:%H:%M}' for at in sorted(times))}"
    if again is None:
        return said
    until = "" if again.until is None else f" until {again.until:%H:%M}"
    return f"{said} and every {_span(60 * again.minutes)} after{until}"
