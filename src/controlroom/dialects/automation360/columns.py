"""What a list of this grammar is asked for, by the names of its rows' keys (`lists.py`)."""

from collections.abc import Mapping
from typing import Final, Self

from msgspec import Struct
from msgspec.structs import fields, replace

from controlroom.border.columns import As, Words
from controlroom.engine.lists.model import EVERYTHING, Direction, Listing, Sort

LENGTH: Final = 1_000
"""Rows of a page where nothing is said. Why so many: there are clients that ask once, without a page (§1.5)."""
MOST: Final = 10_000
"""Rows of a page at most: more is taken as this."""


def nothing_is_zero(field: str) -> As:
    """Something by its number, or by 0 where there is nothing."""
    return As(field, sort="", unset="0")


def constants(row: type[Struct]) -> dict[str, Words]:
    """The fields that every row of a list tells alike: a text, number, truth or null is its default."""
    told = {}
    for field in fields(row):
        match field.default:
            case bool():
                told[field.encode_name] = Words({str(field.default).lower(): EVERYTHING})
            case str() | int():
                told[field.encode_name] = alike(field.default)
            case None:
                told[field.encode_name] = NOT_TOLD
    return told


def alike(value: str | int) -> Words:
    """A field that is the same in all rows of a list."""
    return Words({str(value): EVERYTHING}, are_numbers=isinstance(value, int))


NOT_TOLD: Final = Words({"": EVERYTHING})
"""A field that is empty in all rows."""


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
