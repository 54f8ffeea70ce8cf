"""The moment after which no package counts: so an old robot that pins little resolves as on its day."""

import datetime as dt
import re

from controlroom.errors import Invalid

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEARS = range(1990, 9000)
"""Why so: no package index is older, and later moments exclude nothing."""


def parse_moment(text: str) -> dt.datetime:
    """A date (`2023-05-01`: until the end of that day, UTC, as uv takes it) or a time with its zone.

    Raises Invalid `EXCLUDE_NEWER_INVALID`.
    """
    text = text.strip()
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise _refused(text) from None
    if moment.year not in _YEARS:
        raise _refused(text)
    if _DATE.fullmatch(text):
        return moment.replace(tzinfo=dt.UTC) + dt.timedelta(days=1)
    if moment.tzinfo is None:
        raise _refused(text)
    return moment.astimezone(dt.UTC)


def written(moment: dt.datetime) -> str:
    """`2023-05-02T00:00:00Z`, the form that builders take."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _refused(text: str) -> Invalid:
    return Invalid(
        f"`{text[:60]}` is no date (2023-05-01) and no time with its zone (2023-05-01T12:00:00Z) of these times",
        code="EXCLUDE_NEWER_INVALID",
    )
