"""When a schedule is due, and what becomes of an occurrence. Pure: times are given, never asked for."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import islice, takewhile
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from msgspec import Struct

from controlroom.engine.schedules import cron, recurrence
from controlroom.engine.schedules.errors import RuleInvalid
from controlroom.engine.schedules.local_times import calendar, local_of, moment_of, times_of_day, zone_named
from controlroom.engine.schedules.model import (
    Again,
    Cron,
    Daily,
    DayOfMonth,
    Interval,
    Missed,
    Monthly,
    NthWeekday,
    Once,
    Overlap,
    Policies,
    RRule,
    Rule,
    Timing,
    Weekly,
)
from controlroom.errors import Invalid
from controlroom.moments import check_moment

AT_ONCE: Final = 100
"""Occurrences of one schedule that are decided in one transaction."""

LONGEST: Final = timedelta(days=366)
"""Of a grace, of a wait, of a patience."""

_HORIZON: Final = timedelta(days=400 * 366)
"""How far ahead is looked for the next occurrence: the Gregorian calendar repeats itself after 400 years."""
_MARGIN: Final = timedelta(days=2)
"""Local times and moments never differ by more: a zone once skipped a whole day."""
_INSTANT: Final = timedelta(microseconds=1)
_MOST_TIMES: Final = 100
_MOST_FIRST_TIMES: Final = 10
"""Of a day on which each is repeated. Why: all of them are found whenever the next one is asked for."""
_LATEST: Final = datetime(9900, 1, 1, tzinfo=UTC)


# ---------------------------------------------------------------------------------------------------- when it is due
def occurrences(timing: Timing, after: datetime, count: int) -> list[datetime]:
    """The next moments (UTC) after a moment at which the schedule is due, in order, each once; at most `count`.

    Raises RuleInvalid, ZoneInvalid.
    """
    return list(islice(_within(timing, after), count))


def occurrences_until(timing: Timing, after: datetime, until: datetime, most: int) -> list[datetime]:
    """Those of them before another moment; the first so many. Raises RuleInvalid, ZoneInvalid."""
    return list(islice(takewhile(lambda moment: moment < until, _within(timing, after)), most))


def next_due(timing: Timing, after: datetime) -> datetime | None:
    """The first of them."""
    return next(_within(timing, after), None)


def _within(timing: Timing, after: datetime) -> Iterator[datetime]:
    """Moments after `after`, not before the start, not after the end; strictly rising."""
    last = max(after.astimezone(UTC), timing.starts_at.astimezone(UTC) - _INSTANT)
    if last >= _LATEST:
        return
    for moment in _moments(timing, last):
        if timing.ends_at is not None and moment > timing.ends_at:
            return
        if moment > last:
            yield moment
            last = moment


def _moments(timing: Timing, after: datetime) -> Iterator[datetime]:
    """Moments of the rule from about `after` on: some may be earlier, and neighbours may be equal."""
    zone = zone_named(timing.zone)
    match timing.rule:
        case Cron():
            yield from _cron(timing.rule, zone, after)
        case Interval(seconds):
            yield from _interval(timedelta(seconds=seconds), timing.starts_at.astimezone(UTC), after)
        case Daily() | Weekly() | Monthly():
            for local in _calendar(timing.rule, local_of(timing.starts_at, zone), local_of(after, zone) - _MARGIN):
                yield moment_of(local, zone)
        case Once(at, again):
            for each in times_of_day((at.time(),), again):
                yield moment_of(datetime.combine(at.date(), each), zone)
        case RRule():
            for local in recurrence.local_times(timing.rule, timing.zone, local_of(after, zone) - _MARGIN):
                yield moment_of(local, zone)
        case _:
            assert_never(timing.rule)


def _cron(rule: Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """As Debian's cron: expressions with wildcards in minute or hour go by real time through clock changes."""
    expression = cron.read(rule.expression)
    try:
        for local in CronSim(expression, after.astimezone(zone)):
            yield local.astimezone(UTC)
    except CronSimError as wrong:
        if _has_impossible_day(expression, wrong):
            raise RuleInvalid(f"{rule.expression!r} is never due: none of its months has such a day") from wrong
        raise RuleInvalid(f"{rule.expression!r} is no cron expression ({wrong})") from wrong


def _has_impossible_day(expression: str, wrong: CronSimError) -> bool:
    """Whether an expression is refused for a day that other months than its own have: the 31st of February."""
    if "day-of-month" not in str(wrong):
        return False
    words = expression.split()
    words[-2] = "*"
    try:
        CronSim(" ".join(words), _LATEST)
    except CronSimError:
        return False
    return True


def _calendar(rule: Daily | Weekly | Monthly, start: datetime, since: datetime) -> Iterator[datetime]:
    """Local times, until there are none for longer than any rule pauses."""
    begin = since.date()
    while begin.year < _LATEST.year:
        end = begin + min(_HORIZON, _LATEST.date() - begin)
        last = None
        for last in calendar(rule, start.date(), begin, end):
            yield last
        if last is None:
            return
        begin = end + timedelta(days=1)


def _interval(every: timedelta, start: datetime, after: datetime) -> Iterator[datetime]:
    moment = start + every * max(0, (after - start) // every)
    while moment < _LATEST:
        yield moment
        moment += every


# ---------------------------------------------------------------------------------------------------- what may be asked
def check(timing: Timing) -> None:
    """Raise RuleInvalid or ZoneInvalid for a timing that cannot be."""
    zone_named(timing.zone)
    for at in (timing.starts_at, timing.ends_at):
        if at is not None:
            check_moment(at)
    _check_rule(timing.rule)
    if timing.ends_at is not None and timing.ends_at < timing.starts_at:
        raise RuleInvalid("it ends before it starts")
    next_due(timing, timing.starts_at)


def first_due(timing: Timing, after: datetime) -> datetime | None:
    """When it is due for the first time after a moment, if it can be. Raises RuleInvalid, ZoneInvalid."""
    check(timing)
    return next_due(timing, after)


def check_policies(policies: Policies) -> None:
    """Raise Invalid for durations that cannot be, or a wait of something that never waits."""
    for what, duration in (
        ("grace", policies.grace),
        ("skip_after", policies.skip_after),
        ("cancel_after", policies.cancel_after),
    ):
        if duration is not None and not timedelta(0) <= duration <= LONGEST:
            raise Invalid(f"{what} is from 0 to {LONGEST.days} days", code="SCHEDULE_INVALID")
    if policies.skip_after is not None and policies.overlap is not Overlap.QUEUE:
        raise Invalid("skip_after is for the overlap rule `queue`: nothing else waits", code="SCHEDULE_INVALID")


def _check_rule(rule: Rule) -> None:
    match rule:
        case Interval(seconds):
            _between("seconds of an interval", seconds, 1, 366 * 86400)
        case Daily(times, every, again):
            _between("days", every, 1, 1000)
            _check_times(times, again)
        case Weekly(days, times, every, again):
            _between("weeks", every, 1, 520)
            _check_times(times, again)
            if not days:
                raise RuleInvalid("it names no day of the week")
        case Monthly(on, times, every, again, months):
            _between("months", every, 1, 120)
            _check_times(times, again)
            _check_day(on)
            for month in months:
                _between("the month", month, 1, 12)
        case Once(at, again):
            if at.tzinfo is not None:
                raise RuleInvalid("its time is a local one, without an offset")
            check_moment(at)
            _check_times((at.time(),), again)
        case Cron() | RRule():
            pass  # read whenever it is asked for the next occurrence
        case _:
            assert_never(rule)


def _check_day(on: object) -> None:
    match on:
        case DayOfMonth(day):
            _between("the day of the month", day, 1, 31)
        case NthWeekday(nth, _) if nth != -1:
            _between("which weekday of the month", nth, 1, 5)
        case _:
            pass


def _check_times(times: Sequence[time], again: Again | None) -> None:
    _between("how many times a day", len(times), 1, _MOST_TIMES if again is None else _MOST_FIRST_TIMES)
    if any(at.tzinfo is not None for at in (*times, *(() if again is None or again.until is None else (again.until,)))):
        raise RuleInvalid("its times are local ones, without an offset")
    if again is not None:
        _between("minutes from one time to the next", again.minutes, 1, 24 * 60)
        if again.until is not None and any(at > again.until for at in times):
            raise RuleInvalid("it is again until a time of the day that is before its first one")


def _between(what: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise RuleInvalid(f"{what}: from {least} to {most:,}")


# --------------------------------------------------------------------------------------------- what becomes of it
class Start(Struct, frozen=True, tag="start"):
    """This occurrence shall start a run, if the overlap rule lets it."""

    due: datetime


class Miss(Struct, frozen=True, tag="miss"):
    """This occurrence, and those after it up to `until`, were missed."""

    due: datetime
    until: datetime


class Plan(Struct, frozen=True):
    """What to do with all that is due, and when to look again."""

    verdicts: tuple[Start | Miss, ...]
    next_due: datetime | None


class Notice(Struct, frozen=True):
    """How the room has seen what is due: when it noticed the first of it, and since when it has looked without a gap.

    None where nobody has: then what counts is the moment of the decision.
    """

    first_at: datetime | None = None
    since: datetime | None = None


UNSEEN: Final = Notice()


def plan(timing: Timing, policies: Policies, due: datetime, now: datetime, notice: Notice = UNSEEN) -> Plan:
    """What becomes of the occurrences from `due` (the first that is undecided) up to now.

    What the room saw no later than the grace after its time is started, however long the room was busy since. What it
    saw later was missed, as a whole: skipped, or made up for by one run if nothing else is due anyway.
    """
    punctual = (now if notice.since is None else min(now, notice.since)) - policies.grace
    found = takewhile(lambda moment: moment <= now, _within(timing, max(due, punctual) - _INSTANT))
    started = list(islice(found, AT_ONCE))
    verdicts: list[Start | Miss] = [Start(moment) for moment in started]
    if due < punctual and notice.first_at is not None and notice.first_at - due <= policies.grace:
        following = next_due(timing, due)
        if following is not None and following < punctual:
            verdicts.insert(0, Miss(following, punctual))
        verdicts.insert(0, Start(due))
    elif due < punctual:
        catches_up = policies.missed is Missed.RUN_ONCE and not started
        verdicts.insert(0, Start(due) if catches_up else Miss(due, punctual))
    return Plan(tuple(verdicts), next_due(timing, started[-1] if started else now))


class Go(Struct, frozen=True):
    """Start a run now."""


class Wait(Struct, frozen=True):
    """Wait for the end of the run that is under way."""


class Skip(Struct, frozen=True):
    """Start none."""

    reason: str


def at_overlap(overlap: Overlap, *, is_busy: bool) -> Go | Wait | Skip:
    """What an occurrence does while a run of its schedule is under way, or an earlier occurrence waits (`is_busy`)."""
    if not is_busy:
        return Go()
    match overlap:
        case Overlap.ALLOW:
            return Go()
        case Overlap.SKIP:
            return Skip("a run of this schedule was under way")
        case Overlap.QUEUE:
            return Wait()
        case _:
            assert_never(overlap)
