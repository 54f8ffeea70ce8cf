"""When a mail was sent (RFC 5322 §3.3), as senders really write it. Pure."""

import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import Final

_LONGEST: Final = 200
_OF_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
_WORDS_OF_ZONE: Final = re.compile(r"(?:GMT|UTC)\s*(?=[+-]\d)", re.IGNORECASE)
_COMMENT: Final = re.compile(r"\([^()]{0,100}\)")
_FARTHEST_ZONE: Final = 15 * 3600  # Why: no place is farther than 14 hours from Greenwich


def sent_at(text: str) -> datetime | None:
    """The time that a header names; None where it names none that there is. Without a zone it is UTC.

    Besides the standard's form: what JavaScript, ISO 8601, C's `asctime` write, years of two digits, days of the week
    that are wrong or missing, zones by name.
    """
    plain = _COMMENT.sub(" ", text[:_LONGEST]).strip()
    try:
        return _in_reach(_of_iso(plain) if _OF_ISO.match(plain) else _of_mail(_WORDS_OF_ZONE.sub("", plain)))
    except (ValueError, OverflowError, IndexError, TypeError):  # the standard library's ways to say that it is no date
        return None


def _of_iso(text: str) -> datetime:
    day, time = text[:10], _WORDS_OF_ZONE.sub("", text[11:] + "+00:00" * text.endswith(("UTC", "GMT")))
    moment = datetime.fromisoformat(f"{day}T{''.join(time.split())}")
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _of_mail(text: str) -> datetime | None:
    read = parsedate_tz(text)
    if read is None:
        return None
    offset = read[9] or 0
    zone = timezone(timedelta(seconds=offset)) if offset and abs(offset) <= _FARTHEST_ZONE else UTC
    year, month, day, hour, minute, second = read[:6]
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)


def _in_reach(moment: datetime | None) -> datetime | None:
    """The time, if it is one everywhere: near the ends of the calendar a zone leads out of it."""
    return None if moment is None or not MINYEAR < moment.year < MAXYEAR else moment
