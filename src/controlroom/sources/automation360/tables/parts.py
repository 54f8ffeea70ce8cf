"""How the values of a Control Room are read, and the columns that many tables have.

Ids are decimal numbers that some of its APIs write as texts and others as numbers: here they are numbers everywhere, so
that tables join. What its APIs write for "none" (an empty text as a moment, 0 as an id, 1970 as an end) is null.
"""

from typing import Any, Final

from controlroom.sources.columns import FLAG, INTEGER, JSON, TEXT, TIME, Column

_EPOCH: Final = "1970-01-01T00:00:00"


def number(value: Any) -> int:
    """The id of a row. Raises ValueError for what is none: rows must not fall together under a missing number."""
    return int(value)


def reference(value: Any) -> int | None:
    """The id of something else; None where nothing is named."""
    try:
        return int(value) or None
    except (TypeError, ValueError):
        return None


def device(value: Any) -> int | None:
    """The id of a device; -1 says that it is picked at run time."""
    found = reference(value)
    return None if found is None or found < 0 else found


def when(value: Any) -> Any:
    """A moment, unless it says that there is none."""
    return None if not value or (isinstance(value, str) and value.startswith(_EPOCH)) else value


def unless_empty(value: Any) -> Any:
    """A text, unless it is empty."""
    return value or None


def own_id(name: str = "id", at: str = "id", what: str = "Its id.") -> Column:
    """The id of a row."""
    return Column(name, INTEGER, what, at=at, read=number)


def of(name: str, what: str, at: str = "") -> Column:
    """The id of something else."""
    return Column(name, INTEGER, what, at=at or _camel(name), read=reference)


def text(name: str, what: str, at: str = "") -> Column:
    """A text."""
    return Column(name, TEXT, what, at=at or _camel(name))


def count(name: str, what: str, at: str = "") -> Column:
    """A whole number."""
    return Column(name, INTEGER, what, at=at or _camel(name))


def flag(name: str, what: str, at: str = "") -> Column:
    """Yes or no."""
    return Column(name, FLAG, what, at=at or _camel(name))


def moment(name: str, what: str, at: str = "") -> Column:
    """A moment."""
    return Column(name, TIME, what, at=at or _camel(name), read=when)


def as_json(name: str, what: str, at: str = "") -> Column:
    """What is kept as JSON."""
    return Column(name, JSON, what, at=at or _camel(name))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


MADE: Final = (
    of("created_by", "Which user made it; `users.id`."),
    moment("created_on", "When it was made."),
    of("updated_by", "Which user changed it last; `users.id`."),
    moment("updated_on", "When it was changed last."),
)
