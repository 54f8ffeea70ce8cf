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
_END: Final = datetime(9900, 1, 1)  # noqa: DTZ001 - a local time
_ALL_DAYS: Final = _END.toordinal()
"""More than there can be ahead. Why: by the longest interval of years, a stretch would be longer than any timedelta."""
_LAST_YEAR: Final = 9998
_CYCLE: Final = 400
"""Years after which the calendar repeats itself, days of the week and all. A rule is walked as far ahead as there is
room before dateutil's last year: it looks at its end when it finds something, for an impossible rule never."""
_STEPS: Final = {"YEARLY": 400, "MONTHLY": 300, "WEEKLY": 600, "DAILY": 3000}
"""How many years, months, weeks, days are looked at for the next time. Why: a leap day can be eight years ahead, with
an interval of years far more; a step takes about 0.2 ms."""
_DAYS: Final = {"YEARLY": 366, "MONTHLY": 31, "WEEKLY": 7, "DAILY": 1}
_MOST_A_DAY: Final = 1440
_EVERY_MONTH: Final = ",".join(str(month) for month in range(1, 13))
_EVERY_DAY: Final = ",".join(str(day) for day in range(1, 32))
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

_UNTIL: Final = re.compile(r"\d{8}(T\d{6}Z?)?")


class _Read(NamedTuple):
    """A rule without its count, which is counted here: dateutil would walk an impossible one for thousands of years."""

    rule: rrule
    frequency: str
    interval: int
    times: int | None
    until: datetime | None
    is_by_calendar: bool
    """Whether nothing is counted from the start but its time of day."""

    @property
    def stretch(self) -> timedelta:
        """How far ahead is looked for the next time."""
        frequency, interval = ("YEARLY", 1) if self.is_by_calendar else (self.frequency, self.interval)
        return timedelta(days=min(_STEPS[frequency] * _DAYS[frequency] * interval, _ALL_DAYS))


def local_times(rule: RRule, zone_name: str, since: datetime) -> Iterator[datetime]:
    """The local times of a rule from about `since` on (local), in order. Raises RuleInvalid."""
    read = _read(rule.rule, rule.start, zone_name)
    walked = _walked(read, rule, since if read.times is None else rule.start)
    for local in walked if read.times is None else islice(walked, read.times):
        if local >= since:
            yield local


def _walked(read: _Read, rule: RRule, since: datetime) -> Iterator[datetime]:
    """The times from about `since` on, one stretch after the other, until one has none."""
    begin = max(since, rule.start)
    last = datetime.min  # noqa: DTZ901 - a local time
    while begin < _END:
        end = begin + min(read.stretch, _END - begin)
        is_last = read.until is not None and read.until <= end
        found = False
        years = (_LAST_YEAR - end.year) // _CYCLE * _CYCLE
        start, until = _nearer(read, rule, begin), read.until if is_last and read.until else end
        for ahead in read.rule.replace(dtstart=_moved(start, years), until=_moved(until, years)):
            local = _moved(ahead, -years)
            if local > last:
                last, found = local, True
                yield local
        if is_last or not found:
            return
        begin = end


def _moved(local: datetime, years: int) -> datetime:
    return local.replace(year=local.year + years)


def _nearer(read: _Read, rule: RRule, since: datetime) -> datetime:
    """A start by which the same times follow, so that a rule of last year is not walked through all of its days."""
    start = rule.start.replace(microsecond=0)
    if read.is_by_calendar:
        return max(start, start.replace(year=since.year, month=1, day=1))
    days = {"DAILY": 1, "WEEKLY": 7}.get(read.frequency, 0) * read.interval
    if read.times is not None or not days or since <= rule.start:
        return start
    passed = max(0, (since - rule.start).days // days - 1)
    return start + timedelta(days=passed * days)


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
    frequency = parts["FREQ"]
    _check_times_a_day(parts)
    by_calendar = _by_calendar(parts, start, interval)
    rest = ";".join(f"{name}={value}" for name, value in by_calendar.items() if name not in {"COUNT", "UNTIL"})
    try:
        read = rrulestr(rest, dtstart=start.replace(microsecond=0))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as wrong:
        raise RuleInvalid(f"{text!r} is no recurrence rule ({wrong})") from wrong
    if not isinstance(read, rrule):
        raise RuleInvalid("it is one rule, without dates beside it")
    return _Read(read, frequency, interval, count, until, is_by_calendar=by_calendar is not parts)


def _by_calendar(parts: dict[str, str], start: datetime, interval: int) -> dict[str, str]:
    """A rule by each day, week or month as one by years that has the same times: those are walked far faster."""
    if interval != 1 or "BYSETPOS" in parts or "BYWEEKNO" in parts or parts["FREQ"] == "YEARLY":
        return parts
    months: dict[str, str] = {}
    if any(character.isdigit() for character in parts.get("BYDAY", "")):
        if parts["FREQ"] != "MONTHLY":
            return parts  # dateutil passes the number over
        months = {"BYMONTH": parts.get("BYMONTH", _EVERY_MONTH)}  # so that it counts in each month
    days = {name: value for name, value in parts.items() if name in {"BYMONTHDAY", "BYYEARDAY", "BYDAY"}}
    if not days:
        days = {
            "DAILY": {"BYMONTHDAY": _EVERY_DAY},
            "WEEKLY": {"BYDAY": _WEEKDAYS[start.weekday()]},
            "MONTHLY": {"BYMONTHDAY": str(start.day)},
        }[parts["FREQ"]]
    return {**parts, **months, **days, "FREQ": "YEARLY"}


def _check_times_a_day(parts: dict[str, str]) -> None:
    product = 1
    for name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        product *= parts.get(name, "").count(",") + 1
    if product > _MOST_A_DAY:
        raise RuleInvalid(f"it is due at most {_MOST_A_DAY:,} times a day; `interval` and `cron` may be more often")


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
