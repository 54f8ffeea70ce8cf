"""What a grammar calls things, where a list tells and finds them by its words."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.lists.model import Field, Kind, Listing

PATH: Final = "path"
"""The field of a list `with_path`."""


class Paths(Struct, frozen=True):
    """How a grammar writes where a task lies. Written in code, never by a caller."""

    root: str
    """With what every path begins."""
    separator: str

    def of(self, *names: str) -> str:
        """The path of what has these names, as SQL; of columns."""
        return f"concat_ws({literal(self.separator)}, {literal(self.root)}, {', '.join(names)})"

    def joined(self, names: str) -> str:
        """A part of a path, as SQL; of a column that is an array of names. Without any there is none."""
        return f"nullif(array_to_string({names}, {literal(self.separator)}), '')"


def with_path(listing: Listing, path: str) -> Listing:
    """A list that is filtered and sorted by where its rows' tasks lie, too: `path` is SQL over the listing's table."""
    return replace(listing, fields=(*listing.fields, Field(PATH, Kind.TEXT, column=path, is_sortable=True)))


def with_asides(listing: Listing, *within: str, **fields: str) -> Listing:
    """A list that is filtered by what a grammar alone keeps of a row, and tells as true or false.

    `fields` are the listing's fields by the keys that they tell; `within` are the keys below which these stand.
    """
    place = " -> ".join([listing.asides, *map(literal, within)])
    truths = (
        Field(name, Kind.TRUTH, column=f"(coalesce({place} -> {literal(key)}, 'null') <> all ({_FALSE}))")
        for name, key in fields.items()
    )
    return replace(listing, fields=(*listing.fields, *truths))


_FALSE: Final = """array['null', 'false', '0', '""', '[]', '{}']::jsonb[]"""


def renamed(listing: Listing, field: str, names: Mapping[str, str], *, where: str) -> Listing:
    """A list in which a text is told by other words for rows of a kind: found and sorted by these, too."""
    before = listing.named[field]
    cases = " ".join(f"when {literal(name)} then {literal(word)}" for name, word in names.items())
    column = f"(case when {where} then case {before.column} {cases} else {before.column} end else {before.column} end)"
    return replace(
        listing, fields=tuple(replace(before, column=column) if each.name == field else each for each in listing.fields)
    )


def literal(text: str) -> str:
    """A word of a grammar as SQL; written in code, never by a caller. `%` begins a parameter there."""
    if "%" in text or "\0" in text or text.startswith("\\'"):
        raise ValueError(f"{text!r} is no word")
    return "'" + text.replace("'", "''") + "'"
