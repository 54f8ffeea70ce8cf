"""The rules of schedules as this dialect writes them."""

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import Literal, assert_never

from msgspec import UNSET, UnsetType

from controlroom.dialects.robocorp.answers import OwnBody
from controlroom.engine.schedules import model
from controlroom.engine.schedules.local_times import local_of, zone_named
from controlroom.errors import Invalid

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class CronBody(OwnBody, frozen=True, tag="cron"):
    """Five fields of cron; or six, with seconds in front."""

    expression: str


class IntervalBody(OwnBody, frozen=True, tag="interval"):
    """Every so many seconds, from `starts_at`."""

    seconds: int


class AgainBody(OwnBody, frozen=True, omit_defaults=True):
    """After each time again, every so many minutes, until a local time (HH:MM) of the same day, or its end."""

    minutes: int
    until: str | None = None


class DailyBody(OwnBody, frozen=True, tag="daily"):
    """At these local times (HH:MM), every so many days."""

    times: tuple[str, ...]
    every: int = 1
    again: AgainBody | UnsetType | None = UNSET


class WeeklyBody(OwnBody, frozen=True, tag="weekly"):
    """On these days of the week, every so many weeks."""

    days: tuple[Day, ...]
    times: tuple[str, ...]
    every: int = 1
    again: AgainBody | UnsetType | None = UNSET


class MonthlyBody(OwnBody, frozen=True, tag="monthly", omit_defaults=True):
    """On one day of the month: `day` is 1 to 31 or `last`; or `weekday` with `nth`, 1 to 5 or -1 for the last.

    Only in these `months`, 1 to 12, if any are named.
    """

    times: tuple[str, ...]
    day: int | Literal["last"] | None = None
    weekday: Day | None = None
    nth: int | None = None
    every: int = 1
    again: AgainBody | UnsetType | None = UNSET
    months: tuple[int, ...] = ()


class OnceBody(OwnBody, frozen=True, tag="once"):
    """One time: local, or with its offset."""

    at: datetime
    again: AgainBody | UnsetType | None = UNSET


class RRuleBody(OwnBody, frozen=True, tag="rrule"):
    """A recurrence rule of RFC 5545, from a local time."""

    rule: str
    start: datetime


RuleBody = CronBody | IntervalBody | DailyBody | WeeklyBody | MonthlyBody | OnceBody | RRuleBody


def rule_of(body: RuleBody, zone: str) -> model.Rule:  # noqa: PLR0911 - a case for each kind
    """The rule that is asked for. Raises Invalid, ZoneInvalid."""
    match body:
        case CronBody(expression):
            return model.Cron(expression)
        case IntervalBody(every):
            return model.Interval(every)
        case DailyBody(times, every, again):
            return model.Daily(times_of(times), every, _again(again))
        case WeeklyBody(days, times, every, again):
            return model.Weekly(tuple(_weekday(day) for day in days), times_of(times), every, _again(again))
        case MonthlyBody(times, every=every, again=again, months=months):
            return model.Monthly(_day_of_month(body), times_of(times), every, _again(again), months)
        case OnceBody(at, again):
            local = at if at.tzinfo is None else local_of(at.astimezone(UTC), zone_named(zone))
            return model.Once(local, _again(again))
        case RRuleBody(rule, start):
            return model.RRule(rule, start)
        case _:
            assert_never(body)


def _again(body: AgainBody | UnsetType | None) -> model.Again | None:
    if body is None or body is UNSET:
        return None
    return model.Again(body.minutes, None if body.until is None else times_of([body.until])[0])


def _show_again(again: model.Again | None) -> AgainBody | UnsetType:
    return UNSET if again is None else AgainBody(again.minutes, None if again.until is None else show_time(again.until))


def _day_of_month(body: MonthlyBody) -> model.DayOfMonth | model.LastDay | model.NthWeekday:
    match body:
        case MonthlyBody(day="last", weekday=None, nth=None):
            return model.LastDay()
        case MonthlyBody(day=int(day), weekday=None, nth=None):
            return model.DayOfMonth(day)
        case MonthlyBody(day=None, weekday=str(weekday), nth=int(nth)):
            return model.NthWeekday(nth, _weekday(weekday))
        case _:
            raise Invalid("monthly names either a day, or a weekday with nth", code="INVALID_BODY")


def times_of(texts: Iterable[str]) -> tuple[time, ...]:
    """Local times as people write them: `07:30`, also with seconds. Raises Invalid."""
    try:
        return tuple(time.fromisoformat(text) for text in texts)
    except ValueError as wrong:
        raise Invalid("a time is written like 07:30 or 07:30:15", code="INVALID_BODY") from wrong


def show_time(at: time) -> str:
    """Likewise; seconds only where there are some."""
    return at.isoformat("auto" if at.second or at.microsecond else "minutes")


def _show_times(times: Iterable[time]) -> tuple[str, ...]:
    return tuple(show_time(at) for at in times)


def _weekday(day: str) -> model.Weekday:
    return model.Weekday[day.upper()]


def show_rule(rule: model.Rule) -> RuleBody:  # noqa: PLR0911 - likewise
    """A rule as this dialect writes it."""
    match rule:
        case model.Cron(expression):
            return CronBody(expression)
        case model.Interval(every):
            return IntervalBody(every)
        case model.Daily(times, every, again):
            return DailyBody(_show_times(times), every, _show_again(again))
        case model.Weekly(days, times, every, again):
            return WeeklyBody(tuple(_show_day(day) for day in days), _show_times(times), every, _show_again(again))
        case model.Monthly():
            return _show_monthly(rule)
        case model.Once(at, again):
            return OnceBody(at, _show_again(again))
        case model.RRule(text, start):
            return RRuleBody(text, start)
        case _:
            raise AssertionError(rule)


def _show_monthly(rule: model.Monthly) -> MonthlyBody:
    named = {"every": rule.every, "again": _show_again(rule.again), "months": rule.months}
    times = _show_times(rule.times)
    match rule.on:
        case model.LastDay():
            return MonthlyBody(times, day="last", **named)  # type: ignore[arg-type]
        case model.DayOfMonth(day):
            return MonthlyBody(times, day=day, **named)  # type: ignore[arg-type]
        case model.NthWeekday(nth, weekday):
            return MonthlyBody(times, weekday=_show_day(weekday), nth=nth, **named)  # type: ignore[arg-type]
        case _:
            assert_never(rule.on)


DAYS: tuple[Day, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _show_day(day: model.Weekday) -> Day:
    return DAYS[day]
