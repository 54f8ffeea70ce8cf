"""Durations as people type them: as pages write them, `12 m 41 s`, and looser, `90`, `1.5 h`, `2 days`. Pure."""

import re
from datetime import timedelta
from typing import Final

from controlroom.ui import words

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_NAMES: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
}
_PIECE: Final = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([a-z]*)", re.IGNORECASE)
LONGEST: Final = 60
"""Characters of what is typed."""


def read(text: str) -> timedelta | None:
    """What it says; None for nothing. A bare number is seconds. Raises ValueError for what is no duration."""
    text = text.strip()
    if not text:
        return None
    at, seconds, most = 0, 0.0, float("inf")
    while at < len(text):
        piece = _PIECE.match(text, at)
        unit = _NAMES.get((piece[2] or "s").lower()) if piece else None
        if piece is None or unit is None or _UNITS[unit] >= most or len(text) > LONGEST:
            raise ValueError("a duration is written as 90 s, 10 m, 1 h 30 m or 2 d")
        seconds, most, at = seconds + float(piece[1]) * _UNITS[unit], _UNITS[unit], piece.end()
    return timedelta(seconds=seconds)


def written(span: timedelta | None) -> str:
    """So that `read` gives it back: as pages write it, or in seconds where that would round; nothing for None."""
    if span is None:
        return ""
    said = words.duration(span)
    return said if read(said) == span else f"{span.total_seconds():.6f}".rstrip("0").rstrip(".") + " s"
