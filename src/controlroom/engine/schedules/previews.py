"""When a schedule would be due, and what about it its author surely did not mean, in words. Pure."""

from datetime import datetime
from typing import Final, assert_never

from msgspec import Struct

from controlroom.engine.schedules import cron, rules
from controlroom.engine.schedules.model import (
    Cron,
    Daily,
    DayOfMonth,
    Interval,
    LastDay,
    Monthly,
    NthWeekday,
    Once,
    RRule,
    Timing,
    Weekly,
)

_SHORTEST_MONTH: Final = 28
_EVERY_MONTHS_WEEKDAYS: Final = 4
_DAY: Final = 86400


class Preview(Struct, frozen=True):
    """The next times of a timing, and what there is to say about it."""

    occurrences: list[datetime]
    remarks: list[str]


def preview(timing: Timing, after: datetime, count: int) -> Preview:
    """When a schedule would be due next, and in which way that may surprise. Raises RuleInvalid, ZoneInvalid."""
    rules.check(timing)
    found = rules.occurrences(timing, after, count)
    remarks = _surprises(timing)
    if not found:
        remarks.append("It is never due from now on.")
    return Preview(found, remarks)


def _surprises(timing: Timing) -> list[str]:
    match timing.rule:
        case Cron(expression):
            return cron.surprises(expression)
        case Monthly(on):
            return _of_month(on)
        case Interval(seconds) if seconds % _DAY == 0 and timing.zone != "UTC":
            return ["It counts real time: at a clock change its local time moves. The rule `daily` keeps it."]
        case RRule(rule) if _names_rare_day(rule):
            return ["Months without such a day are passed over; BYMONTHDAY=-1 is the last day of each."]
        case Daily() | Weekly() | Once() | Interval() | RRule():
            return []
        case _:
            assert_never(timing.rule)


def _of_month(on: DayOfMonth | LastDay | NthWeekday) -> list[str]:
    match on:
        case DayOfMonth(day) if day > _SHORTEST_MONTH:
            return [f"Months without a day {day} are passed over; `last` is the last day of each."]
        case NthWeekday(nth, _) if nth > _EVERY_MONTHS_WEEKDAYS:
            return ["Months without a fifth such day are passed over; -1 is the last one of each."]
        case _:
            return []


def _names_rare_day(rule: str) -> bool:
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
    days = [day for day in parts.get("BYMONTHDAY", "").split(",") if day.isdigit()]
    return bool(days) and all(int(day) > _SHORTEST_MONTH for day in days)
