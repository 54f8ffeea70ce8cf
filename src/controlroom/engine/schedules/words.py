"""What a cron expression says, in words. Pure; for one that can be read. The zone is not its part."""

from collections.abc import Iterable
from typing import Final

MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_NAMED: Final = {
    **{name[:3].upper(): number for number, name in enumerate(MONTHS, start=1)},
    **{name[:3].upper(): number for number, name in enumerate(_DAYS)},
}
_ORDINALS: Final = {"1": "first", "2": "second", "3": "third", "4": "fourth", "5": "fifth"}
_FIVE: Final = 5
_MOST_TIMES: Final = 12
"""Times of day that are told one by one."""


def in_words(expression: str) -> str:
    """When it is due, as people say it: `At 03:00 AM, only on Monday and Friday`."""
    fields = expression.upper().split()
    if len(fields) != _FIVE:
        return expression
    minute, hour, day, month, weekday = fields
    said = [_times(minute, hour), *_day_of_month(day), *_weekday(weekday), *_month(month)]
    return ", ".join(said)


def _times(minute: str, hour: str) -> str:
    minutes, hours = _numbers(minute), _numbers(hour)
    if minutes and hours and len(minutes) * len(hours) <= _MOST_TIMES:
        return f"At {joined(_clock(h, m) for h in hours for m in minutes)}"
    if hour == "*" or hour.startswith("*/"):
        every = "every hour" if hour in {"*", "*/1"} else f"every {hour[2:]} hours"
        if minute == "0":
            return every.capitalize()
        return f"{_minutes(minute)}, {every}" if minutes or hour != "*" else _minutes(minute)
    return f"{_minutes(minute)}, {_hours(hour)}"


def _minutes(minute: str) -> str:
    if minute in {"*", "*/1"}:
        return "Every minute"
    if minute.startswith("*/"):
        return f"Every {minute[2:]} minutes"
    numbers = _numbers(minute)
    if numbers == [1]:
        return "At 1 minute past the hour"
    if numbers:
        return f"At {joined(map(str, numbers))} minutes past the hour"
    return f"At minutes {_spans(minute)} past the hour"


def _hours(hour: str) -> str:
    numbers = _numbers(hour)
    if numbers:
        return f"at {joined(_clock(number, 0) for number in numbers)}"
    return f"during the hours {_spans(hour)}"


def _clock(hour: int, minute: int) -> str:
    return f"{(hour + 11) % 12 + 1:02}:{minute:02} {'AM' if hour % 24 < 12 else 'PM'}"  # noqa: PLR2004 - noon


def _day_of_month(day: str) -> list[str]:
    if day in {"*", "?"}:
        return []
    if day == "L":
        return ["on the last day of the month"]
    if day == "LW":
        return ["on the last weekday of the month"]
    if day.startswith("*/"):
        return [f"every {day[2:]} days of the month"]
    return [f"on day {_spans(day)} of the month"]


def _weekday(weekday: str) -> list[str]:
    if weekday in {"*", "?"}:
        return []
    if weekday.startswith("*/"):
        return [f"every {weekday[2:]} days of the week"]
    return [f"only on {joined(_named_day(term) for term in weekday.split(','))}"]


def _named_day(term: str) -> str:
    which, _, nth = term.partition("#")
    if nth:
        return f"the {_ORDINALS.get(nth, nth)} {_day(which)} of the month"
    if term.endswith("L") and len(term) > 1:
        return f"the last {_day(term[:-1])} of the month"
    begin, _, end = term.partition("-")
    return f"{_day(begin)} through {_day(end)}" if end else _day(term)


def _day(text: str) -> str:
    number = _number(text)
    return _DAYS[number % 7] if number is not None else text


def _month(month: str) -> list[str]:
    if month in {"*", "?"}:
        return []
    if month.startswith("*/"):
        return [f"every {month[2:]} months"]
    terms = (term.partition("-") for term in month.split(","))
    return [f"only in {joined(f'{_of(b)} through {_of(e)}' if e else _of(b) for b, _, e in terms)}"]


def _of(text: str) -> str:
    number = _number(text)
    return MONTHS[number - 1] if number is not None and 1 <= number <= len(MONTHS) else text


def _numbers(field: str) -> list[int]:
    """The numbers of a field that is a list of nothing else."""
    terms = field.split(",")
    return sorted({int(term) for term in terms}) if all(term.isascii() and term.isdigit() for term in terms) else []


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else _NAMED.get(text)


def _spans(field: str) -> str:
    return joined(term.replace("-", " through ") for term in field.split(","))


def joined(parts: Iterable[str]) -> str:
    """One after the other, as a sentence names them: `a, b, and c`."""
    *first, last = parts
    if not first:
        return last
    return f"{', '.join(first)}{',' if len(first) > 1 else ''} and {last}"
