"""Times as this grammar tells them, and durations as numbers and in words.

Every moment is UTC with six digits and `+00:00`; runs, steps and triggers have a blank between date and time (strict
clients take no other form there), everything else a `T` (§0.24 and the corrections).
"""

from datetime import UTC, datetime, timedelta
from typing import Final

_UNITS: Final = (
    ("year", 365 * 86_400),
    ("month", 30 * 86_400),
    ("week", 7 * 86_400),
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
    ("second", 1),
)
NOTHING: Final = "0 minutes"


def with_t(at: datetime) -> str:
    """`2026-01-31T12:00:00.000000+00:00`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def with_blank(at: datetime) -> str:
    """`2026-01-31 12:00:00.000000+00:00`."""
    return at.astimezone(UTC).isoformat(" ", timespec="microseconds")


def clock(took: timedelta) -> str:
    """`00:00:51`; hours may pass 24."""
    seconds = max(0, int(took.total_seconds()))
    return f"{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def humanized(took: timedelta) -> str:
    """The two largest units that stand side by side: `51 seconds`, `2 weeks, 3 days`, `1 day`; nothing is `0 minutes`.

    Months have 30 days, and years 365.
    """
    seconds = max(0, int(took.total_seconds()))
    for place, (unit, size) in enumerate(_UNITS):
        if count := seconds // size:
            words = [_counted(count, unit)]
            if place + 1 < len(_UNITS):
                smaller, part = _UNITS[place + 1]
                if rest := seconds % size // part:
                    words.append(_counted(rest, smaller))
            return ", ".join(words)
    return NOTHING


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago, or how long until: `2 weeks, 3 days ago`; what has not been is `0 minutes from now`."""
    if at is None or at > now:
        return f"{humanized(timedelta() if at is None else at - now)} from now"
    return f"{humanized(now - at)} ago"


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"
