"""How times, durations, counts, sizes and ids are written, everywhere in the console.

Pure functions: what the time is and where the reader is are handed in. Templates have them as filters
(`rendering.py`), so that there is one helper for each and no second way to write the same.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from uuid import UUID

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_WEEK_DAYS: Final = 7
NOTHING: Final = "\N{EN DASH}"
"""In place of what is not there."""
EXACT: Final = 100_000
"""From this count on it is said roughly, with the exact one beside it."""

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


# ---------------------------------------------------------------------------------------------------- times
def since(at: datetime, now: datetime, zone: tzinfo) -> str:
    """When it was, or will be, as lists say it: `3 min ago`, `in 2 h`, `yesterday 18:04`, `Tue 14:20`, `12 Oct`."""
    seconds = (now - at).total_seconds()
    if -1 < seconds < 1:
        return "now"
    if abs(seconds) < _DAY:
        told = _roughly(abs(seconds))
        return f"{told} ago" if seconds > 0 else f"in {told}"
    return _day(at, now, zone, clock="%H:%M")


def clock(at: datetime, now: datetime, zone: tzinfo) -> str:
    """When it was, as details say it: `07:30:02` today, else with the day."""
    here, today = at.astimezone(zone), now.astimezone(zone)
    if here.date() == today.date():
        return here.strftime("%H:%M:%S")
    said = _day(at, now, zone, clock="%H:%M:%S")
    return said if ":" in said else f"{said} {here:%H:%M}"


def at_minute(at: datetime, now: datetime, zone: tzinfo) -> str:
    """When it is, as plans say it: `07:45` today, else with the day and the minute."""
    here, today = at.astimezone(zone), now.astimezone(zone)
    if here.date() == today.date():
        return here.strftime("%H:%M")
    said = _day(at, now, zone, clock="%H:%M")
    return said if ":" in said else f"{said} {here:%H:%M}"


def full(at: datetime, zone: tzinfo, zone_name: str) -> str:
    """The whole moment, for who looks closely: local with its zone, and UTC as ISO 8601."""
    here = at.astimezone(zone)
    offset = here.strftime("%z")
    utc = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{here:%Y-%m-%d %H:%M:%S} {zone_name} (UTC{offset[:3]}:{offset[3:]}) · {utc}"


def iso(at: datetime, zone: tzinfo) -> str:
    """For machines: ISO 8601 with the offset of the zone."""
    return at.astimezone(zone).isoformat(timespec="milliseconds")


def day(here: datetime) -> str:
    """A day of the year, by the clock that it is read on: `12 Oct`."""
    return f"{here.day} {_MONTHS[here.month - 1]}"


def _day(at: datetime, now: datetime, zone: tzinfo, *, clock: str) -> str:
    here, today = at.astimezone(zone), now.astimezone(zone)
    days = (today.date() - here.date()).days
    if days == 1:
        return f"yesterday {here.strftime(clock)}"
    if days == -1:
        return f"tomorrow {here.strftime(clock)}"
    if abs(days) < _WEEK_DAYS:
        return f"{_DAYS[here.weekday()]} {here.strftime(clock)}"
    day = f"{here.day} {_MONTHS[here.month - 1]}"
    return day if here.year == today.year else f"{day} {here.year}"


def _roughly(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{int(seconds)} s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min"
    return f"{int(seconds // _HOUR)} h"


# ---------------------------------------------------------------------------------------------------- durations
def duration(span: timedelta) -> str:
    """How long it took: `0.04 s`, `3.4 s`, `41 s`, `12 m 41 s`, `3 h 12 m`, `2 d 4 h`."""
    seconds = max(0.0, span.total_seconds())
    if seconds < 0.9995:  # noqa: PLR2004 - where three digits become one second
        return f"{max(seconds, 0.0):.2f} s" if seconds < 0.995 else "1.0 s"  # noqa: PLR2004 - likewise of two
    if seconds < 9.95:  # noqa: PLR2004 - likewise of one
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole, _MINUTE, "m", 1, "s")
    if whole < _DAY:
        return _two(whole, _HOUR, "h", _MINUTE, "m")
    return _two(whole, _DAY, "d", _HOUR, "h", pad=False)


def about(span: timedelta) -> str:
    """How long it may take yet, in words that promise no more than is known: `about 6 min`, `about 3 h`."""
    seconds = max(0.0, span.total_seconds())
    if seconds < _MINUTE:
        return "less than 1 min"
    if seconds < 90 * _MINUTE:
        return f"about {round(seconds / _MINUTE)} min"
    if seconds < 2 * _DAY:
        return f"about {round(seconds / _HOUR)} h"
    return f"about {round(seconds / _DAY)} days"


def _two(whole: int, large: int, its: str, small: int, other: str, *, pad: bool = True) -> str:
    rest = whole % large // small
    if not rest:
        return f"{whole // large} {its}"
    return f"{whole // large} {its} {rest:02} {other}" if pad else f"{whole // large} {its} {rest} {other}"


# ---------------------------------------------------------------------------------------------------- numbers
def count(number: int) -> str:
    """How many: `18,402`; from 100,000 on `about 1.2 M`."""
    if abs(number) < EXACT:
        return f"{number:,}"
    for unit, name in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        # Why not at the unit itself: 999,950 is `about 1.0 M`, and not a thousand thousands
        if abs(number) >= unit - unit // 2000:
            value = number / unit
            return f"about {value:.1f} {name}" if abs(value) < 100 else f"about {value:.0f} {name}"  # noqa: PLR2004
    return f"{number:,}"


def size(number: int) -> str:
    """Bytes: `212 B`, `88 KB`, `1.2 MB`; a thousand of one is one of the next."""
    value, units = float(number), ("B", "KB", "MB", "GB", "TB", "PB")
    for unit in units:
        if value < 999.5 or unit == units[-1]:  # noqa: PLR2004 - what rounds to a thousand is one of the next
            return f"{value:.1f} {unit}" if unit not in {"B", "KB"} and value < 99.95 else f"{value:.0f} {unit}"  # noqa: PLR2004
        value /= 1000
    raise AssertionError(number)


def percent(part: float, whole: float) -> str:
    """A share: `97.2 %`; only what is all is 100, and only what is nothing is 0."""
    if not whole:
        return NOTHING
    share = 100 * part / whole
    if share in {0, 100}:
        return f"{share:.0f} %"
    return f"{min(99.9, max(0.1, share)):.1f} %"


def short_id(value: UUID | str) -> str:
    """An id as it is shown; copied it is whole: `019ac2e4…7f31`."""
    text = str(value)
    return f"{text[:8]}…{text[-4:]}" if len(text) > 13 else text  # noqa: PLR2004 - then nothing would be saved


def initials(name: str) -> str:
    """Of a person, for a small round place."""
    words = [word for word in name.replace(".", " ").replace("_", " ").replace("@", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"
