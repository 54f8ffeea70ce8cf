"""Words and bodies of the key figures: time ranges, ids of runs, statuses, and paths of bots."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal, Self

from msgspec import field

from controlroom.border.lenient import moment
from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking
from controlroom.engine.runs.model import Result, StartedBy
from controlroom.engine.statistics import store as statistics
from controlroom.engine.statistics.model import LONGEST_PERIOD, Period
from controlroom.errors import Invalid

RangeType = Literal["CUSTOM", "LAST24HOURS", "LAST7DAYS", "LAST30DAYS", "LAST60DAYS", "LAST90DAYS"]
_LENGTHS: Final[Mapping[str, timedelta]] = {
    "LAST24HOURS": timedelta(hours=24),
    "LAST7DAYS": timedelta(days=7),
    "LAST30DAYS": timedelta(days=30),
    "LAST60DAYS": timedelta(days=60),
    "LAST90DAYS": timedelta(days=90),
}

RESULTS: Final[Mapping[str, str]] = {
    Result.SUCCEEDED: "COMPLETED",
    Result.FAILED: "RUN_FAILED",
    Result.LOST: "RUN_FAILED",
    Result.STOPPED: "RUN_ABORTED",
    Result.TIMED_OUT: "RUN_TIMED_OUT",
}
FAILED: Final = frozenset({Result.FAILED, Result.LOST, Result.TIMED_OUT})
"""Who stops a bot has not made it fail."""
_CAUSES: Final[Mapping[str, str]] = {
    StartedBy.API: "API",
    StartedBy.USER: "RUN_NOW",
    StartedBy.SCHEDULE: "SCHEDULED",
    StartedBy.EMAIL: "TRIGGER",
    StartedBy.CHAIN: "TRIGGER",
    StartedBy.QUEUE: "WLM",
}


def cause_word(cause: str) -> str:
    """What starts bots, in the words of activities."""
    return _CAUSES.get(cause, "API")


class TimeRange(Shape, frozen=True, kw_only=True):
    """A range that ends now, or from a moment to another."""

    type: RangeType = "LAST24HOURS"
    from_: str = field(default="", name="from")
    to: str = ""


class RangeBody(Shape, frozen=True, kw_only=True):
    """In which time."""

    time_range: TimeRange = TimeRange()


class SizedBody(RangeBody, frozen=True, kw_only=True):
    """In which time, and how many at most."""

    size: int | None = None


class ExportBody(RangeBody, frozen=True, kw_only=True):
    """In which time, and what the file is to be called."""

    file_name: str = ""


class GroupBody(RangeBody, frozen=True, kw_only=True):
    """In which time; and a list's filter, sort and page, each of which may be left out."""

    filter: Any = None
    sort: Any = None
    page: Any = None


class GroupExportBody(GroupBody, frozen=True, kw_only=True):
    """Likewise, and what the file is to be called."""

    file_name: str = ""


class FailuresBody(SizedBody, frozen=True, kw_only=True):
    """In which time, of which bot, and how many at most."""

    bot_id: int | None = None


class PageAsked(Shape, frozen=True):
    """From which row on, and how many."""

    offset: int = 0
    length: int = 0


class PageBody(Shape, frozen=True):
    """Which page."""

    page: PageAsked = PageAsked()


class AboutBody(Shape, frozen=True):
    """Which bot; the user is not looked at."""

    id: str
    user_id: str = ""


class Word(StrEnum):
    """A word of a path, in any case."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return next((word for word in cls if word.value.casefold() == str(value).casefold()), None)


class WorkSpaceType(Word):
    """Where bots lie."""

    PUBLIC = "PUBLIC"
    PRIVATE = "PRIVATE"


async def period_of(request: Asking, body: RangeBody | None) -> Period:
    """The time that is meant; one that is longer than figures are kept begins later. Raises Invalid."""
    asked = (body or RangeBody()).time_range
    now = await statistics.now(request.db)
    if asked.type != "CUSTOM":
        return Period(now - _LENGTHS[asked.type], now)
    if not asked.from_:
        raise Invalid("a time range of type CUSTOM has a `from`", code="TIME_RANGE_WRONG")
    since, until = _moment("from", asked.from_), _moment("to", asked.to) if asked.to else now
    if until < since:
        raise Invalid("a time range ends before it begins", code="TIME_RANGE_WRONG")
    return Period(max(since, until - LONGEST_PERIOD), until)


def _moment(name: str, text: str) -> datetime:
    try:
        return moment(text)
    except ValueError:
        raise Invalid(f"`{name}` of a time range is a time, as 2026-01-31T12:00:00Z", code="TIME_RANGE_WRONG") from None


LARGEST_SIZE: Final = 1000


def size_of(body: SizedBody | None, usual: int = LARGEST_SIZE) -> int:
    """How many rows; raises Invalid for none, and for more than a thousand."""
    size = None if body is None else body.size
    if size is None:
        return usual
    if not 1 <= size <= LARGEST_SIZE:
        raise Invalid("`size` is from 1 to 1000", code="SIZE_WRONG")
    return size
