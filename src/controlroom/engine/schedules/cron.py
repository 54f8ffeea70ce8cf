"""Expressions of cron as Debian's cron takes them (crontab(5)), brought into the form that cronsim reads. Pure.

Also taken, as by other crons: seconds in front, `L`, `LW`, `MON#2`, `5/15`. A range that goes backwards goes over the
end of its field: `fri-sun` is Friday to Sunday, `22-2` five hours.
"""

import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from controlroom.engine.schedules.errors import RuleInvalid

_LONGEST: Final = 500
_NICKNAMES: Final = MappingProxyType(
    {
        "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
        "@monthly": "0 0 1 * *",
        "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *",
        "@hourly": "0 * * * *",
    }
)
_MONTHS: Final = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS: Final = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_RANGE: Final = re.compile(r"([A-Z0-9]{1,3})-([A-Z0-9]{1,3})(?:/(\d{1,3}))?")
_STEP: Final = re.compile(r"(\*|\d{1,2}|\d{1,2}-\d{1,2})/(\d{1,9})")
_FEWEST, _MOST = 5, 6


class Field(Struct, frozen=True):
    """A field: what it is of, and the numbers that it may have."""

    name: str
    whole: str
    """What its numbers are parts of, in words."""
    low: int
    high: int
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many there are."""
        return self.high - self.low + 1

    def number(self, text: str) -> int | None:
        """The number that a text is or names; None for another text."""
        if text.isascii() and text.isdigit():
            return int(text)
        return self.low + self.names.index(text) if text in self.names else None


_SECOND: Final = Field("second", "minute", 0, 59)
_MINUTE: Final = Field("minute", "hour", 0, 59)
_HOUR: Final = Field("hour", "day", 0, 23)
_DAY: Final = Field("day", "month", 1, 31)
_MONTH: Final = Field("month", "year", 1, 12, tuple(_MONTHS))
_WEEKDAY: Final = Field("day of the week", "week", 0, 6, tuple(_DAYS))
_FIELDS: Final = (_SECOND, _MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)


def read(expression: str) -> str:
    """The expression as cronsim takes it: five fields, or six with seconds. Raises RuleInvalid with what is wrong.

    What else cannot be, cronsim says.
    """
    if len(expression) > _LONGEST:
        raise RuleInvalid(f"a cron expression has at most {_LONGEST} characters")
    words = expression.split()
    if words and words[0].startswith("@"):
        return _nickname(" ".join(words))
    if not _FEWEST <= len(words) <= _MOST:
        raise RuleInvalid(
            f"{expression!r} is no cron expression: it has five fields (minute, hour, day of the month, month, day of "
            "the week), or six with seconds in front"
        )
    return " ".join(
        ",".join(_term(term, field) for term in word.upper().split(","))
        for field, word in zip(_FIELDS[-len(words) :], words, strict=True)
    )


def _nickname(text: str) -> str:
    known = _NICKNAMES.get(text.lower())
    if known is not None:
        return known
    if text.lower() == "@reboot":
        raise RuleInvalid(
            "@reboot is when a machine starts, and a schedule has no machine: start the process by a call of the API, "
            "or by a time"
        )
    raise RuleInvalid(f"{text!r} is no cron expression: by name there are {', '.join(_NICKNAMES)}")


def _term(term: str, field: Field) -> str:
    if "~" in term:
        raise RuleInvalid(f"{term!r}: a time by chance is not taken, name one")
    found = _RANGE.fullmatch(term)
    if found is None:
        return term
    begin, end, step = field.number(found[1]), field.number(found[2]), int(found[3] or 1)
    if begin is None or end is None or step == 0 or not _goes_backwards(field, begin, end):
        return term
    passed = range(begin, end + field.size + 1, step)
    return ",".join(str(field.low + (number - field.low) % field.size) for number in passed)


def _goes_backwards(field: Field, begin: int, end: int) -> bool:
    most = field.high + (field is _WEEKDAY)  # Sunday is 0 and 7
    return field.low <= end < begin <= most


# ---------------------------------------------------------------------------------------------------- surprises
def surprises(expression: str) -> list[str]:
    """What an expression does that its author surely did not mean, or may not, in words; for one that can be read."""
    text = _NICKNAMES.get(expression.strip().lower(), expression)
    words = text.upper().split()
    fields = _FIELDS[-len(words) :]
    told = [each for field, word in zip(fields, words, strict=True) for each in _of_field(field, word)]
    return [*told, *_of_whole(words[-_FEWEST:], has_seconds=len(words) == _MOST)]


def _of_field(field: Field, word: str) -> Iterator[str]:
    for term in word.split(","):
        if (step := _STEP.fullmatch(term)) is not None:
            yield from _of_step(field, term, step[1], int(step[2]))
        if (found := _RANGE.fullmatch(term)) is not None:
            begin, end = field.number(found[1]), field.number(found[2])
            if begin is not None and end is not None and _goes_backwards(field, begin, end) and field is not _WEEKDAY:
                yield f"{term} goes over the end of the {field.whole}: {_term(term, field)}."


def _of_step(field: Field, term: str, base: str, step: int) -> Iterator[str]:
    bounds = [int(number) for number in base.split("-")] if base != "*" else [field.low, field.high]
    begin, end = bounds[0], bounds[-1] if base.count("-") or base == "*" else field.high
    taken = list(range(begin, end + 1, step)) if step else []
    if len(taken) == 1 and step > 1:
        yield (
            f"{term} is {field.name} {begin} alone: a step begins anew with each {field.whole}. "
            f"For every {step} {field.name}s there is the rule `interval`."
            if field in {_SECOND, _MINUTE, _HOUR}
            else f"{term} is {field.name} {begin} alone: a step begins anew with each {field.whole}."
        )
    elif base == "*" and field is _DAY and step > 1:
        yield f"{term} begins anew with each month, on day 1: after day {taken[-1]} the next comes sooner."
    elif base == "*" and step > 1 and field.size % step:
        yield f"{term} begins anew with each {field.whole}: after {taken[-1]} comes {begin}, sooner than by {step}."


def _of_whole(words: list[str], *, has_seconds: bool) -> Iterator[str]:
    minute, hour, day, month, weekday = words
    if has_seconds:
        yield "It has six fields: the first is seconds."
    if minute == "*" and hour != "*":
        yield "It is due in every minute of the hours that it names; a 0 in front means once in each."
    if not day.startswith("*") and not weekday.startswith("*"):
        yield "It names days of the month and of the week: it is due on all of both, not only where they meet."
    yield from _of_rare_days(day, month, weekday)


def _of_rare_days(day: str, month: str, weekday: str) -> Iterator[str]:
    numbers = [int(each) for each in day.split(",") if each.isdigit()]
    months = [_MONTH.number(each) for each in month.split(",")]
    if not weekday.startswith("*") or not numbers or len(numbers) != len(day.split(",")):
        return
    if months == [2] and min(numbers) > 28:  # noqa: PLR2004 - days of February
        yield "It is due in leap years alone."
    elif min(numbers) > 28 and (month.startswith("*") or len(months) > 1 or None in months):  # noqa: PLR2004 - likewise
        yield f"Months without a day {min(numbers)} are passed over; `L` is the last day of each."
