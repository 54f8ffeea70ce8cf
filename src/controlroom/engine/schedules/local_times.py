"""Local times and the moments at which they come. Pure; right at both clock changes.

A local time that does not exist (the clock jumps over it) comes at the first moment after the jump. One that exists
twice (the clock goes back) comes once, the first time.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from controlroom.engine.schedules.errors import ZoneInvalid
from controlroom.engine.schedules.model import Again, Daily, DayOfMonth, LastDay, Monthly, NthWeekday, Weekly

_SECOND = timedelta(seconds=1)
_MONTHS = 12
_ANY_DAY = date(2001, 1, 1)


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises ZoneInvalid."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:  # OSError: the name of a folder of zones
        raise ZoneInvalid(name) from unknown


def moment_of(local: datetime, zone: ZoneInfo) -> datetime:
    """When a local time comes, in UTC."""
    first = local.replace(tzinfo=zone, fold=0)
    moment = first.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    return _jump(local, zone)


def local_of(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clock of the zone shows at a moment."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _jump(missing: datetime, zone: ZoneInfo) -> datetime:
    """The first moment after the jump over a local time, found by halving: offsets change at whole seconds."""
    # PEP 495: in a gap, fold 0 counts with the offset before the jump, which leads behind it, and fold 1 before it.
    behind = missing.replace(tzinfo=zone, fold=0).astimezone(UTC)
    before = missing.replace(tzinfo=zone, fold=1).astimezone(UTC)
    offset = before.astimezone(zone).utcoffset()
    while behind - before > _SECOND:
        middle = before + (behind - before) // 2
        middle = middle.replace(microsecond=0)
        if middle <= before:
            middle = before + _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            behind = middle
    return behind


def calendar(rule: Daily | Weekly | Monthly, first: date, since: date, until: date) -> Iterator[datetime]:
    """The local times of a rule that counts from `first`, on the days from `since` to `until`, in order."""
    match rule:
        case Daily():
            days = _every(rule.every, first, since, until)
        case Weekly():
            days = _weekly(rule, first, since, until)
        case Monthly():
            days = _monthly(rule, first, since, until)
    times = times_of_day(rule.times, rule.again)
    for day in days:
        for at in times:
            yield datetime.combine(day, at)


def times_of_day(times: Iterable[time], again: Again | None) -> list[time]:
    """All times of a day at which a rule is due, in order, each once."""
    if again is None:
        return sorted(times)
    last = again.until or time.max
    found = set(times)
    for first in times:
        after, step = datetime.combine(_ANY_DAY, first), timedelta(minutes=again.minutes)
        while (after := after + step).date() == _ANY_DAY and after.time() <= last:
            found.add(after.time())
    return sorted(found)


def _every(days: int, first: date, since: date, until: date) -> Iterator[date]:
    passed = max(0, -(-(since - first).days // days))
    day = first + timedelta(days=passed * days)
    while day <= until:
        yield day
        day += timedelta(days=days)


def _weekly(rule: Weekly, first: date, since: date, until: date) -> Iterator[date]:
    monday = first - timedelta(days=first.weekday())
    for week in _every(7 * rule.every, monday, since - timedelta(days=6), until):
        for weekday in sorted(rule.days):
            day = week + timedelta(days=weekday)
            if since <= day <= until:
                yield day


def _monthly(rule: Monthly, first: date, since: date, until: date) -> Iterator[date]:
    start = first.year * _MONTHS + first.month - 1
    passed = max(0, -(-(since.year * _MONTHS + since.month - 1 - start) // rule.every))
    month = start + passed * rule.every
    while (begin := date(month // _MONTHS, month % _MONTHS + 1, 1)) <= until:
        is_one = not rule.months or begin.month in rule.months
        day = _day_in(rule, begin) if is_one else None
        if day is not None and since <= day <= until:
            yield day
        month += rule.every


def _day_in(rule: Monthly, begin: date) -> date | None:
    """The day of the rule in the month that begins then; None if it has none."""
    last = (begin.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    match rule.on:
        case DayOfMonth(number):
            return begin.replace(day=number) if number <= last.day else None
        case LastDay():
            return last
        case NthWeekday(-1, weekday):
            return last - timedelta(days=(last.weekday() - weekday) % 7)
        case NthWeekday(nth, weekday):
            day = begin + timedelta(days=(weekday - begin.weekday()) % 7 + 7 * (nth - 1))
            return day if day.month == begin.month else None
