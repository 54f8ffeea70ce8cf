"""What a list of this grammar is asked for, by the names of its rows' keys (`lists.py`)."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Self

from msgspec import Struct
from msgspec.structs import fields, replace

from controlroom.engine.lists.model import EVERYTHING, AnyOf, Direction, Filter, Listing, Sort

LENGTH: Final = 1_000
"""Rows of a page where nothing is said. Why so many: there are clients that ask once, without a page (§1.5)."""
MOST: Final = 10_000
"""Rows of a page at most: more is taken as this."""

NOTHING: Final = AnyOf(())
"""No row."""


def _as_it_is(value: Any) -> Any:
    return value


class As(Struct, frozen=True):
    """A field of the listing."""

    field: str
    read: Callable[[Any], Any] = _as_it_is
    """What the listing has for a value that is asked for; raises ValueError where no row can have it."""
    sort: str | None = None
    """The field that the list is sorted by, if another one; "" for none."""
    unset: str = ""
    """What is told where the row has none; an empty text finds it, too."""


def somebody(field: str) -> As:
    """Somebody by their number, or by 0 where nobody is known."""
    return As(field, sort="", unset="0")


class Words(Struct, frozen=True):
    """A field whose values are known, and for each the rows that have it; these do not overlap."""

    of: Mapping[str, Filter]
    sort: str = ""
    """The listing's field by which it is sorted; "" for none."""
    are_numbers: bool = False
    """The words are numbers, and compared as such."""


def constants(row: type[Struct]) -> dict[str, Words]:
    """The fields that every row of a list tells alike: those of the row with a text, number or truth as default."""
    told = {}
    for field in fields(row):
        match field.default:
            case bool():
                told[field.encode_name] = Words({str(field.default).lower(): EVERYTHING})
            case str() | int():
                told[field.encode_name] = alike(field.default)
    return told


def alike(value: str | int) -> Words:
    """A field that is the same in all rows of a list."""
    return Words({str(value): EVERYTHING}, are_numbers=isinstance(value, int))


class Columns(Struct, frozen=True):
    """A list of this grammar: which fields it is asked for, by the names of its rows' keys."""

    listing: Listing
    fields: Mapping[str, str | As | Words]
    most: int = MOST
    """Rows of a page at most."""
    length: int = LENGTH
    """Rows of a page where nothing is said."""
    order: tuple[Sort, ...] = (Sort("id", Direction.DESCENDING),)
    """Where no order is asked for: of the listing's fields. WLM v3 has the oldest first."""

    def telling(self, **same: str | int) -> Self:
        """The list with further fields, which are the same in all of its rows, by their names."""
        return replace(self, fields={**self.fields, **{name: alike(value) for name, value in same.items()}})
