"""Recurrence rules of RFC 5545 (§3.3.10), read strictly and walked within bounds. Pure."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from controlroom.engine.schedules.errors import RuleInvalid
from controlroom.engine.schedules.local_times import local_of, zone_named
from controlroom.engine.schedules.model import RRule
from controlroom.moments import check_moment

_FREQUENCIES: Final = {"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}
"""Why none below a day: to find the next one, a rule is walked from its start. BYHOUR, interval and cron need not."""

_PARTS: Final = {
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYHOUR", "BYMINUTE", "BYSECOND"),
    *("BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS"),
}
_LONGEST: Final = 500
_MOST: Final = 10_000
_EARLIEST: Final = 2000
HORIZON: Final = timedelta(days=5 * 366)
"""How far ahead is looked: from one 29 February to the next. Why no farther: a rule by days takes 0.2 ms a day."""

_UNTIL: Final = re.compile(r"\d{8}(T\d{6}Z?)?")


class _Read(NamedTuple):
    """A rule without its count, which is counted here: dateutil would walk an impossible one for thousands of years."""

    rule: rrule
    frequency: str
    interval: int
    times: int | None
    until: datetime | None


def local_times(rule: RRule, zone_name: str, since: datetime) -> Iterator[datetime]:
    """The local times of a rule from about `since` on (local), in order. Raises RuleInvalid."""
    read = _read(rule.rule, rule.start, zone_name)
    end = max(since, rule.start) + HORIZON
    if read.until is not None:
        end = min(end, read.until)
    walked = iter(read.rule.replace(dtstart=_nearer(read, rule, since), until=end))
    for local in walked if read.times is None else islice(walked, read.times):
        if local >= since:
            yield local


def _nearer(read: _Read, rule: RRule, since: datetime) -> datetime:
    """A start by which the same times follow, so that a rule of last year is not walked through all of its days."""
    days = {"DAILY": 1, "WEEKLY": 7}.get(read.frequency, 0) * read.interval
    if read.times is not None or not days or since <= rule.start:
        return rule.start.replace(microsecond=0)
    passed = max(0, (since - rule.start).days // days - 1)
    return rule.start.replace(microsecond=0) + timedelta(days=passed * days)


@lru_cache(maxsize=1024)
def _read(text: str, start: datetime, zone_name: str) -> _Read:
    parts = _parts(text)
    if start.tzinfo is not None or start.year < _EARLIEST:
        raise RuleInvalid(f"it starts at a local time of the year {_EARLIEST} or later")
    check_moment(start)
    until = None if "UNTIL" not in parts else _until(parts["UNTIL"], zone_named(zone_name))
    count = None if "COUNT" not in parts else _number(parts, "COUNT")
    if until is not None and count is not None:
        raise RuleInvalid("it has COUNT or UNTIL, not both")
    interval = 1 if "INTERVAL" not in parts else _number(parts, "INTERVAL")
    rest = ";".join(f"{name}={value}" for name, value in parts.items() if name not in {"COUNT", "UNTIL"})
    try:
        read = rrulestr(rest, dtstart=start.replace(microsecond=0))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as wrong:
        raise RuleInvalid(f"{text!r} is no recurrence rule ({wrong})") from wrong
    if not isinstance(read, rrule):
        raise RuleInvalid("it is one rule, without dates beside it")
    return _Read(read, parts["FREQ"], interval, count, until)


def _parts(text: str) -> dict[str, str]:
    if len(text) > _LONGEST:
        raise RuleInvalid(f"it has at most {_LONGEST} characters")
    parts: dict[str, str] = {}
    for part in text.upper().removeprefix("RRULE:").strip().rstrip(";").split(";"):
        name, _, value = part.partition("=")
        if name not in _PARTS or not value or name in parts:
            raise RuleInvalid(f"{part!r} is no part of a recurrence rule, or is there twice")
        parts[name] = value
    if parts.get("FREQ") not in _FREQUENCIES:
        raise RuleInvalid(f"FREQ is one of {', '.join(sorted(_FREQUENCIES))}")
    return parts


def _number(parts: dict[str, str], name: str) -> int:
    text = parts[name]
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(_MOST)) or not 1 <= int(text) <= _MOST:
        raise RuleInvalid(f"{name} is a number from 1 to {_MOST:,}")
    return int(text)


def _until(text: str, zone: ZoneInfo) -> datetime:
    """The last local time: UNTIL is one, or a moment in UTC, or a day that is meant with all its hours."""
    if not _UNTIL.fullmatch(text):
        raise RuleInvalid("UNTIL is like 20301231, 20301231T120000 or 20301231T120000Z")
    form = "%Y%m%d" + ("T%H%M%S" if "T" in text else "")
    try:
        read = check_moment(datetime.strptime(text.removesuffix("Z"), form))  # noqa: DTZ007 - a local time, mostly
    except ValueError as wrong:
        raise RuleInvalid(f"UNTIL is no time: {wrong}") from wrong
    if text.endswith("Z"):
        return local_of(read.replace(tzinfo=UTC), zone)
    return read if "T" in text else read + timedelta(days=1, microseconds=-1)
