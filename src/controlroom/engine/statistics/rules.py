"""Which failures are one: those whose messages differ in nothing but their variable parts. Pure, as all here.

And what becomes of a queue, by what comes and goes.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.statistics.model import HOUR, Noun, Period

LOOKED_AT: Final = 2000
"""Characters of a message that count. What follows is mostly a trace, and differs by chance."""

_PIECE: Final = r"[^\s\\/'\"`\u2018\u2019\u201c\u201d\xab\xbb:;,()<>\[\]{}|=]+"  # a piece of a path
# Cheap by this: one pass; a piece that may be long begins only where its kind of piece has not begun already, or ends
# with its line; so each character is looked at a few times, whatever the message is.
_VARIABLE: Final = re.compile(
    rf"""
    (?P<text> (?<![\w>])'[^'\n]*' | (?<![\w>])"[^"\n]*" | (?<![\w>])`[^`\n]*`
             | \u201c[^\u201d\n]*\u201d | \u2018[^\u2019\n]*\u2019 | \xab[^\xbb\n]*\xbb)
  | (?P<address> (?<![\w.+-])[A-Za-z][A-Za-z0-9+.-]{{1,20}}://[^\s'"<>]+
               | (?<![\w.+-])[\w.+-]+@[\w-][\w.-]*)
  | (?P<path> (?<!\w)[A-Za-z]:[\\/](?:{_PIECE}[\\/]?)*
            | (?<![^\s(=\[])/{_PIECE}(?:/{_PIECE})*/?
            | (?:[\\/]{_PIECE}){{2,}}[\\/]?)
  | (?P<id> (?<![\w-])[0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}(?![\w-]))
  | (?P<number> (?<!\w)[^\W\d]*\d\w*(?:[-:.,+][^\W\d]*\d\w*)*)
    """,
    re.VERBOSE,
)
_SPACES: Final = re.compile(r"\s+")


def pattern_of(message: str) -> str:
    """A message without numbers, ids, paths, addresses, quoted texts and times: of each its kind is left."""
    told = _VARIABLE.sub(lambda found: f"<{found.lastgroup}>", message[:LOOKED_AT])
    return _SPACES.sub(" ", told).strip()


def parts_of(message: str) -> list[str]:
    """The variable parts of a message, in their order: what its pattern leaves out."""
    return [found[0].strip("'\"`\u201c\u201d\u2018\u2019\xab\xbb") for found in _VARIABLE.finditer(message[:LOOKED_AT])]


def fingerprint(noun: Noun, process: UUID | None, kind: str, code: str, pattern: str) -> str:
    """What failures of one group have in common, in 32 characters."""
    told = "\0".join((noun.value, str(process or ""), kind, code, pattern))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def hour_of(at: datetime) -> datetime:
    """The hour in which a moment lies; they are those of UTC."""
    return at - timedelta(minutes=at.minute, seconds=at.second, microseconds=at.microsecond)


def hours_of(period: Period) -> Period:
    """A period from the beginning of its first hour."""
    return Period(hour_of(period.since), period.until)


def whole_hours(period: Period) -> Period:
    """The hours that lie in a period as a whole; if there are none, an empty period at its end."""
    since = hour_of(period.since + HOUR - timedelta(microseconds=1))
    until = hour_of(period.until)
    return Period(since, until) if since < until else Period(period.until, period.until)


# ---------------------------------------------------------------------------------------------------- queues
class Drained(Struct, frozen=True):
    """Nothing waits."""


class Unattended(Struct, frozen=True):
    """Something waits, and nobody is there to begin it."""

    is_paused: bool
    """Somebody is, and rests."""


class Grows(Struct, frozen=True):
    """More comes than goes."""

    by: int
    """In an hour."""


class Empties(Struct, frozen=True):
    """More goes than comes."""

    within: timedelta


class Stands(Struct, frozen=True):
    """What waits stays as much as it is; where nothing moves at all, that is all that is known."""

    moves: bool


Outlook = Drained | Unattended | Grows | Empties | Stands
"""What becomes of a queue if all goes on as in the last hour."""


def rate(by_hour: Mapping[datetime, int], now: datetime) -> int:
    """How many there were within the last hour, from counts by the hour.

    The hour that runs as it stands, and of the one before as much as lies in the last sixty minutes: an hour that has
    just begun says little by itself.
    """
    current = hour_of(now)
    before = by_hour.get(current - HOUR, 0)
    return by_hour.get(current, 0) + round(before * (1 - (now - current) / HOUR))


def outlook(waiting: int, arrived: int, gone: int, *, is_consumed: bool, is_paused: bool) -> Outlook:
    """What becomes of a queue, from what waits now, and what came and went within an hour."""
    if not waiting:
        return Drained()
    if is_paused or not is_consumed:
        return Unattended(is_paused=is_paused)
    if gone > arrived:
        return Empties(waiting / (gone - arrived) * HOUR)
    return Grows(arrived - gone) if arrived > gone else Stands(moves=arrived > 0)
