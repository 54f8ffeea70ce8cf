"""A page of a list, and all that is drawn round it."""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from controlroom.engine.lists.model import Total
from controlroom.ui import words
from controlroom.ui.lists.parts import Chip, Head, Link, Looked, Saved
from controlroom.ui.lists.rules import Declared
from controlroom.ui.pickers.picker import Offer

Row = TypeVar("Row")


class First(Struct, Generic[Row], frozen=True):
    """The first rows of a list on the page of something else, and where all of them are."""

    rows: list[Row]
    total: Total
    href: str

    @property
    def has_more(self) -> bool:
        """Whether there are others."""
        return self.total.rows > len(self.rows)


class Found(Struct, Generic[Row], frozen=True, kw_only=True):
    """A page of the list, and all that is drawn round it."""

    page: Declared
    rows: list[Row]
    tabs: list[Link]
    chips: list[Chip]
    heads: list[Head]
    newer: str
    older: str
    first: str
    total: Total
    sought: str
    kept: list[tuple[str, str]]
    """What a form of the filter bar sends along."""
    csv: str
    """Where all that match are as CSV."""
    is_filtered: bool
    without_filters: str
    options: Mapping[str, Sequence[tuple[str, str]]]
    """What may be chosen, by filter."""
    offers: Mapping[str, Offer]
    """Of what one may be chosen, by filter."""
    columns: list[tuple[str, str, bool, str]]
    """All that may be hidden: key, name, whether it is shown, and the address where it is the other way."""
    ticks: str
    """The same page with all of its rows ticked; with none, where they are. What a link does without script."""
    is_ticked: bool
    saved: Saved | None = None
    """Its saved views; None where it has none, or where only a part of the page is asked for."""
    looked: Looked | None = None
    """Where rows were looked for part by part: nothing is counted then, and `older` goes on where it stopped."""

    @property
    def shown(self) -> set[str]:
        """Which columns are shown."""
        return {head.col.key for head in self.heads}

    @property
    def sum(self) -> str:
        """How many there are, in words."""
        if self.looked is not None:
            return f"{len(self.rows)} found on this page"
        number = words.count(self.total.rows) if not self.total.is_capped else f"more than {self.total.rows:,}"
        return f"{number} {self.page.noun if self.total.rows != 1 else self.page.noun_of_one}"
