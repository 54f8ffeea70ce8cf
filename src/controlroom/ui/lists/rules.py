"""What a noun says of its list, and what an address then asks of it: conditions, order, columns, positions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from msgspec import Struct

from controlroom.engine.lists.composer import COUNTED
from controlroom.engine.lists.model import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Compare,
    Contains,
    Direction,
    Filter,
    Kind,
    Listing,
    Operator,
    Sort,
)
from controlroom.errors import Invalid
from controlroom.ids import as_uuid
from controlroom.ui.filters import LONGEST_SOUGHT, Choice, Exactly, FilterOf, Since, Tab
from controlroom.ui.lists.address import Address
from controlroom.ui.lists.parts import Chip, Col, Head

_TYPES: Final[Mapping[Kind, type]] = {
    Kind.ID: UUID,
    Kind.INTEGER: int,
    Kind.NUMBER: float,
    Kind.TEXT: str,
    Kind.INSTANT: datetime,
    Kind.TRUTH: bool,
}


class Declared(Struct, frozen=True, kw_only=True):
    """A list as its noun declares it."""

    listing: Listing
    path: str
    """Below the workspace."""
    noun: str
    noun_of_one: str
    tabs: tuple[Tab, ...] = (Tab("all", "All"),)
    """The first is the one that is shown if the address names none."""
    filters: tuple[FilterOf, ...] = ()
    columns: tuple[Col, ...]
    searched: tuple[str, ...] = ()
    """The text fields in which `q` is sought; an id or a number is found whatever these are."""
    searched_words: str = ""
    """What the search field says that it takes."""
    sort: str = "-id"
    topics: str = ""
    """Of which topics the list is nudged, with spaces between: `run work_item`; none: it does not stay live."""
    every: int = 0
    """Seconds after which it is asked for anyhow, for what no event tells."""
    kept_as: str = ""
    """The name under which its views are saved (`engine/saved_views/rules.py`); empty: its path."""
    slow: frozenset[str] = frozenset()
    """Keys of filters that no index serves, `q` among them perhaps: with one of them rows are looked for bit by bit."""
    counted: int = COUNTED
    """Rows of a tab that are counted; fewer where what a tab asks is worked out of each row, and in no index."""
    always: Filter = EVERYTHING
    """What holds for every row of this list."""

    def tab_of(self, asked: Mapping[str, str]) -> Tab:
        """The tab of an address: the first where it names none."""
        return next((each for each in self.tabs if each.key == asked.get("tab")), self.tabs[0])

    def asked_filter(self, asked: Mapping[str, str]) -> Filter:
        """All conditions of an address, its tab's among them: what the list shows is what a verb on all of it means."""
        tab = self.tab_of(asked)
        return AllOf((self.always, *self.conditions(asked), tab.filter))

    def told(self, asked: Mapping[str, str], options: Mapping[str, Sequence[tuple[str, str]]] | None = None) -> str:
        """The conditions of an address as people say them."""
        tab = self.tab_of(asked)
        chips = self.chips(asked, Address("", {}), {**self.choices(), **(options or {})})
        said = [f"{chip.name} {chip.value}" for chip in chips]
        if sought := asked.get("q", "").strip():
            said.append(f"“{sought}”")
        return ", ".join([tab.name, *said])

    def choices(self) -> dict[str, Sequence[tuple[str, str]]]:
        """What filters of few values may be set to."""
        return {each.key: [*each.choices.items()] for each in self.filters if isinstance(each, Choice | Since)}

    def lonely(self, asked: Mapping[str, str]) -> dict[str, str]:
        """The filters that are set and hold in one tab alone, each with that tab."""
        return {f.key: f.of_tab for f in self.set_filters(asked) if isinstance(f, Exactly) and f.of_tab}

    def is_slow(self, asked: Mapping[str, str]) -> bool:
        """Whether an address asks what no index finds."""
        slow = {key for key in self.slow if asked.get(key)}
        return bool(slow - {"q"}) or ("q" in slow and not self._by_id(asked["q"].strip()[:LONGEST_SOUGHT]))

    def conditions(self, asked: Mapping[str, str]) -> list[Filter]:
        """What the filters of an address ask, and what is sought. Raises Invalid."""
        found = [each.condition(asked[each.key]) for each in self.set_filters(asked)]
        if sought := asked.get("q", "").strip()[:LONGEST_SOUGHT]:
            found.append(self._sought(sought))
        return found

    def _sought(self, sought: str) -> Filter:
        ways = self._by_id(sought)
        if "q" in self.slow and ways:  # by their index, and not by what contains it, too
            return AnyOf(tuple(ways))
        return AnyOf((*(Contains(field, sought) for field in self.searched), *ways))

    def _by_id(self, sought: str) -> list[Filter]:
        """By its id or number, if it is one; where others are slow, a number says so by its sign."""
        ways: list[Filter] = []
        if (uuid := as_uuid(sought)) is not None:
            ways.append(Compare("id", Operator.EQ, uuid))
        number = sought.removeprefix("#")
        is_number = number.isdecimal() and number.isascii() and len(number) <= 18  # noqa: PLR2004 - 64 bits
        if is_number and "number" in self.listing.named and ("q" not in self.slow or sought.startswith("#")):
            ways.append(Compare("number", Operator.EQ, int(number)))
        return ways

    def set_filters(self, asked: Mapping[str, str]) -> list[FilterOf]:
        """The filters that an address sets."""
        return [each for each in self.filters if asked.get(each.key)]

    def kept_keys(self) -> set[str]:
        """What of an address a form of the filter bar sends along."""
        return {"tab", "sort", "columns", *(each.key for each in self.filters)}

    def chips(
        self, asked: Mapping[str, str], address: Address, options: Mapping[str, Sequence[tuple[str, str]]]
    ) -> list[Chip]:
        """The filters that an address sets, each with the address without it."""
        return [
            Chip(
                each.name,
                dict(options.get(each.key, ())).get(asked[each.key], each.said(asked[each.key])),
                address.to(**{each.key: None}),
            )
            for each in self.set_filters(asked)
        ]

    def order(self, text: str) -> tuple[Sort, ...]:
        """The order that a text names: a field, with `-` before it from the greatest to the least; by id at last."""
        name, way = text.removeprefix("-"), Direction.DESCENDING if text.startswith("-") else Direction.ASCENDING
        allowed = {self.sort.removeprefix("-"), "id", *(col.sort for col in self.columns if col.sort)}
        if name not in allowed:
            raise Invalid(f"{self.noun.capitalize()} are not sorted by this.", code="SORT_WRONG")
        return (Sort(name, way),) if name == "id" else (Sort(name, way), Sort("id", way))

    def state(self, asked: Mapping[str, str]) -> str:
        """What of an address is of the list, in one order, without what is so by itself: what a saved view keeps."""
        own = {"tab": self.tabs[0].key, "sort": self.sort}
        names = ("tab", "q", *(each.key for each in self.filters), "sort", "columns")
        return urlencode({name: asked[name] for name in names if asked.get(name) and asked[name] != own.get(name)})

    def shown(self, asked: Mapping[str, str]) -> list[Col]:
        """The columns that an address shows."""
        if (chosen := asked.get("columns")) is None:
            return [col for col in self.columns if col.always or col.by_default]
        names = set(chosen.split(","))
        return [col for col in self.columns if col.always or col.key in names]

    def column_links(self, shown: list[Col], address: Address) -> list[tuple[str, str, bool, str]]:
        """All columns that may be hidden: key, name, whether it is shown, and the address where it is the other way."""
        found = []
        for col in self.columns:
            if not col.always:
                others = [each.key for each in shown if not each.always and each is not col]
                chosen = others if col in shown else [*others, col.key]
                found.append((col.key, col.name, col in shown, address.to(columns=",".join(chosen) or "none")))
        return found

    def head(self, col: Col, first: Sort, address: Address) -> Head:
        """The head of a column, and where it leads."""
        if not col.sort:
            return Head(col, "", "")
        is_sorted, goes_down = first.field == col.sort, first.direction is Direction.DESCENDING
        way = ("descending" if goes_down else "ascending") if is_sorted else ""
        return Head(col, address.to(sort=col.sort if is_sorted and goes_down else f"-{col.sort}"), way)

    def position(self, row: Any, sort: tuple[Sort, ...]) -> tuple[Any, ...]:
        """Where a row stands in an order."""
        return tuple(getattr(row, each.field) for each in sort)

    def place(self, found: Any, sort: tuple[Sort, ...]) -> tuple[Any, ...]:
        """A position of an address as values. Raises ValueError for what is none."""
        if not isinstance(found, list) or len(found) != len(sort):
            raise ValueError("a position has a value for each key")
        kinds = [_TYPES[self.listing.named[each.field].kind] for each in sort]
        values = zip(found, kinds, strict=True)
        return tuple(None if value is None else msgspec.convert(value, kind) for value, kind in values)


def turned(sort: Sort) -> Sort:
    """The other way round."""
    other = {Direction.ASCENDING: Direction.DESCENDING, Direction.DESCENDING: Direction.ASCENDING}
    return Sort(sort.field, other[sort.direction])
