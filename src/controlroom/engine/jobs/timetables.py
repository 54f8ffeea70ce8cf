"""When a job is due, as a cron expression of UTC; and back. Pure."""

from collections.abc import Sequence
from typing import Final, assert_never

from controlroom.engine.jobs.errors import JobInvalid
from controlroom.engine.jobs.model import (
    AtHours,
    CustomCron,
    DaysOfWeek,
    EveryDay,
    EveryHours,
    Hours,
    IntervalOfDays,
    Timetable,
)

_FIELDS: Final = 5
_HOURS: Final = 24
_MINUTES: Final = 60
_DAYS: Final = 7


def cron_of(timetable: Timetable) -> str:
    """The expression by which a timetable is due."""
    match timetable.days:
        case CustomCron(expression):
            return expression
        case EveryDay():
            return f"{timetable.minute} {_hours(timetable.hours)} * * *"
        case DaysOfWeek(days) | IntervalOfDays(days):
            return f"{timetable.minute} {_hours(timetable.hours)} * * {_listed(days)}"
        case _:
            assert_never(timetable.days)


def timetable_of(expression: str, known: Timetable) -> Timetable:
    """What a schedule's expression is as a timetable: the known one while it says the same."""
    return known if cron_of(known) == expression else Timetable(CustomCron(expression))


def check(timetable: Timetable) -> None:
    """Raise JobInvalid for one that cannot be; whether an expression can be read, a schedule says."""
    match timetable.days:
        case CustomCron(expression) if len(expression.split()) != _FIELDS and not expression.startswith("@"):
            raise JobInvalid("schedule", f"{expression!r} is no cron expression of five fields")
        case DaysOfWeek(days) | IntervalOfDays(days):
            _among("schedule: days of the week", days, _DAYS)
        case _:
            pass
    match timetable.hours:
        case EveryHours(interval):
            if not 1 <= interval < _HOURS:
                raise JobInvalid("schedule", f"an interval is of 1 to {_HOURS - 1} hours")
        case AtHours(hours):
            _among("schedule: hours", hours, _HOURS)
        case _:
            assert_never(timetable.hours)
    if not 0 <= timetable.minute < _MINUTES:
        raise JobInvalid("schedule", f"a minute is 0 to {_MINUTES - 1}")


def _among(what: str, numbers: Sequence[int], end: int) -> None:
    if not numbers or not all(0 <= number < end for number in numbers):
        raise JobInvalid(what, f"one or several from 0 to {end - 1}")


def _hours(hours: Hours) -> str:
    match hours:
        case EveryHours(1):
            return "*"
        case EveryHours(interval):
            return f"*/{interval}"
        case AtHours(named):
            return _listed(named)
        case _:
            assert_never(hours)


def _listed(numbers: Sequence[int]) -> str:
    return ",".join(str(number) for number in sorted(set(numbers)))
