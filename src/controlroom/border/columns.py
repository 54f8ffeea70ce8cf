"""What a list of a grammar is asked for, by the names of its rows' keys: fields of the engine's list, or known words.

Each grammar reads its own filters and orders (`dialects/<grammar>/lists.py`); what a column is they say alike.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from controlroom.engine.lists.model import AnyOf, Filter

NOTHING: Final = AnyOf(())
"""No row."""


def as_it_is(value: Any) -> Any:
    """What was asked for, as the listing has it."""
    return value


class As(Struct, frozen=True):
    """A field of the listing."""

    field: str
    read: Callable[[Any], Any] = as_it_is
    """What the listing has for a value that is asked for; raises ValueError where no row can have it."""
    sort: str | None = None
    """The field that the list is sorted by, if another one; "" for none."""
    unset: str | None = None
    """What is told of rows that have nothing: they are found by it, too."""
    instead: str = ""
    """The field that is told, and asked for, of rows that have nothing."""


class Words(Struct, frozen=True):
    """A field whose values are known, and for each the rows that have it; these do not overlap."""

    of: Mapping[str, Filter]
    sort: str = ""
    """The listing's field by which it is sorted; "" for none."""
    are_numbers: bool = False
    """The words are numbers, and compared as such."""


def ordered_by(column: str | As | Words) -> str:
    """The listing's field by which a list is sorted for the sake of a column; "" for none."""
    match column:
        case str():
            return column
        case As(field, _, sort):
            return field if sort is None else sort
        case Words(_, sort):
            return sort
