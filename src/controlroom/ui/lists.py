"""The skeleton of every list: state tabs with counts, filters in the address, sort, columns, pages, CSV.

A noun declares its list once, beside its pages, over the `Listing` that the engine has of it:

    RUNS = ListPage(
        listing=runs.RUNS, row=Run, path="/runs", noun="runs",
        tabs=(Tab("all", "All"), Tab("unresolved", "Unresolved", equal(state="unresolved"), is_bad=True)),
        filters=(Choice("trigger", "Started by", "started_by", STARTERS), Since("since", "Since", "created_at")),
        columns=(Col("process", "Process", sort="process_name", always=True), …),
    )
    found = await RUNS.read(request)
    return await request.show("runs/list.html", title="Runs", at="runs", found=found)

The template extends `templates/list.html` and draws the rows. The address is the state of the list: tab, filters, sort,
columns and position. The server filters, counts and searches, never the page.
"""

import csv
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar.response import Stream
from msgspec import Struct

from controlroom.border.cursors import cursor_of, position_of
from controlroom.engine.access.scope import within
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import (
    EVERYTHING,
    After,
    AllOf,
    AnyOf,
    Asked,
    Compare,
    Contains,
    Direction,
    Filter,
    Kind,
    Listing,
    Operator,
    Sort,
    Total,
    Within,
)
from controlroom.engine.lists.searching import search
from controlroom.errors import Invalid
from controlroom.ids import as_uuid, made_at
from controlroom.spreadsheets import inert
from controlroom.ui import words
from controlroom.ui.asking import Asking
from controlroom.ui.filters import LONGEST_SOUGHT, Choice, Exactly, FilterOf, Since, Tab

Row = TypeVar("Row")

LENGTH: Final = 50
"""Rows of a page."""
LOOK_SECONDS: Final = 0.06
"""For how long a page looks for what no index finds: what a page may take (DESIGN §12 of the console)."""
_CSV_BATCH: Final = 1000
_TYPES: Final[Mapping[Kind, type]] = {
    Kind.ID: UUID,
    Kind.INTEGER: int,
    Kind.NUMBER: float,
    Kind.TEXT: str,
    Kind.INSTANT: datetime,
    Kind.TRUTH: bool,
}


# ---------------------------------------------------------------------------------------------------- what a noun says
class Col(Struct, frozen=True):
    """A column."""

    key: str
    name: str
    sort: str = ""
    """The listing's field by which its head sorts."""
    is_number: bool = False
    always: bool = False
    """Whether it cannot be hidden."""
    by_default: bool = True
    csv: Callable[[Any], Any] | None = None
    """What CSV says of a row; None: the row's attribute of this name, if it has one."""


class Link(Struct, frozen=True):
    """A tab as it is drawn."""

    name: str
    href: str
    current: bool
    figure: int | None = None
    bad: str = ""
    key: str = ""


class Chip(Struct, frozen=True):
    """A filter that is set, and the address without it."""

    name: str
    value: str
    without: str


class Head(Struct, frozen=True):
    """The head of a column that is shown."""

    col: Col
    href: str
    """Sorted by it; the other way, where it is already. Empty where it does not sort."""
    way: str
    """`ascending`, `descending`, or empty."""


class Looked(Struct, frozen=True):
    """How far a search went that no index serves."""

    through: int
    """Rows that were looked at for this page."""
    reached: datetime | None
    """When the last of them was made; None: all were looked at."""


class Found(Struct, Generic[Row], frozen=True, kw_only=True):
    """A page of the list, and all that is drawn round it."""

    page: "ListPage[Row]"
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
    """Where all that match are as CSV; empty where no page gives that."""
    is_filtered: bool
    without_filters: str
    options: Mapping[str, Sequence[tuple[str, str]]]
    """What may be chosen, by filter."""
    columns: list[tuple[str, str, bool, str]]
    """All that may be hidden: key, name, whether it is shown, and the address where it is the other way."""
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
        number = words.count(self.total.rows) if not self.total.is_capped else f"more than {words.EXACT:,}"
        return f"{number} {self.page.noun if self.total.rows != 1 else self.page.noun_of_one}"


class ListPage(Struct, Generic[Row], frozen=True, kw_only=True):
    """A list of a noun."""

    listing: Listing
    row: type[Row]
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
    slow: frozenset[str] = frozenset()
    """Keys of filters that no index serves, `q` among them perhaps: with one of them rows are looked for bit by bit."""
    always: Filter = EVERYTHING
    """What holds for every row of this list."""

    # ------------------------------------------------------------------------------------------------ reading
    async def read(
        self,
        request: Asking,
        *,
        options: Mapping[str, Sequence[tuple[str, str]]] | None = None,
        also: Filter = EVERYTHING,
        seen: Within | None = None,
    ) -> Found[Row]:
        """The page that the address asks for; two statements. Raises Invalid for what it cannot ask.

        `options` are the choices of filters by reference: (id, name). `also` holds for every row: of one run, say.
        `seen` is what is listed of rows that are no workspace's; None: those of the route's scope.
        """
        seen = within(request.seen) if seen is None else seen
        asked = {key: value for key, value in request.query_params.items() if value}
        address = _Address(f"{request.base}{self.path}", asked)
        options = {
            **self._choices(),
            **(options or {}),
        }
        tab = next((each for each in self.tabs if each.key == asked.get("tab")), self.tabs[0])
        beside = AllOf((self.always, also, *self._conditions(asked)))
        sort, looked = self._sort(asked.get("sort", self.sort)), None
        lonely = {key: only for key, only in self._lonely(asked).items() if only == tab.key}
        counts: Sequence[Total | None] = [None] * len(self.tabs)
        if self.is_slow(asked):
            sort = self._sort("-id")
            rows, older, looked = await self._look(request, seen, asked, AllOf((self.always, also, tab.filter)))
            newer = ""
        else:
            rows, newer, older = await self._page(request, seen, AllOf((beside, tab.filter)), sort, asked)
            counts = await self._counts(request, seen, beside, lonely)
        shown = self._shown(asked)
        return Found(
            page=self,
            rows=rows,
            tabs=[
                Link(
                    each.name,
                    address.to(
                        tab=each.key if each is not self.tabs[0] else None,
                        **{key: None for key, only in lonely.items() if only != each.key},
                    ),
                    each is tab,
                    None if counted is None or (each.is_bad and counted.rows) else counted.rows,
                    words.count(counted.rows) if counted is not None and each.is_bad and counted.rows else "",
                )
                for each, counted in zip(self.tabs, counts, strict=True)
            ],
            chips=self._chips(asked, address, options),
            heads=[self._head(col, sort[0], address) for col in shown],
            newer=address.to(before=newer) if newer else "",
            older=address.to(after=older) if older else "",
            first=address.to(),
            total=counts[self.tabs.index(tab)] or Total(len(rows), is_capped=True),
            sought=asked.get("q", ""),
            kept=[(key, value) for key, value in asked.items() if key in self._kept_keys()],
            csv=_Address(f"{request.base}{self.path}.csv", asked).to() if self._has_csv(request) else "",
            is_filtered=bool(self._set_filters(asked) or asked.get("q")),
            without_filters=address.to(**dict.fromkeys(("q", *(each.key for each in self.filters)))),
            options=options,
            columns=self._column_links(shown, address),
            looked=looked,
        )

    def _has_csv(self, request: Asking) -> bool:
        return f"{self.path}.csv" in request.app.state.tables

    def asked_filter(self, asked: Mapping[str, str]) -> Filter:
        """All conditions of an address, its tab's among them: what the list shows is what a verb on all of it means."""
        tab = next((each for each in self.tabs if each.key == asked.get("tab")), self.tabs[0])
        return AllOf((self.always, *self._conditions(asked), tab.filter))

    def told(self, asked: Mapping[str, str], options: Mapping[str, Sequence[tuple[str, str]]] | None = None) -> str:
        """The conditions of an address as people say them."""
        tab = next((each for each in self.tabs if each.key == asked.get("tab")), self.tabs[0])
        chips = self._chips(asked, _Address("", {}), {**self._choices(), **(options or {})})
        said = [f"{chip.name} {chip.value}" for chip in chips]
        if sought := asked.get("q", "").strip():
            said.append(f"“{sought}”")
        return ", ".join([tab.name, *said])

    def _choices(self) -> dict[str, Sequence[tuple[str, str]]]:
        return {each.key: [*each.choices.items()] for each in self.filters if isinstance(each, Choice | Since)}

    async def csv(self, request: Asking, *, also: Filter = EVERYTHING, seen: Within | None = None) -> Stream:
        """All rows that match the address, as CSV, read batch by batch."""
        among = within(request.seen) if seen is None else seen
        asked = {key: value for key, value in request.query_params.items() if value}
        tab = next((each for each in self.tabs if each.key == asked.get("tab")), self.tabs[0])
        matching = AllOf((self.always, also, *self._conditions(asked), tab.filter))
        sort = self._sort(asked.get("sort", self.sort))

        # Before the answer begins: what cannot be asked is told by a page, and no stream is torn
        first = await self._rows(request, among, matching, sort, None, _CSV_BATCH)

        async def lines() -> AsyncIterator[bytes]:
            yield _csv_line([col.name for col in self.columns])
            batch = first
            while True:
                yield b"".join(_csv_line([_csv_value(col, row) for col in self.columns]) for row in batch)
                if len(batch) < _CSV_BATCH:
                    return
                start = After(self._position(batch[-1], sort))
                batch = await self._rows(request, among, matching, sort, start, _CSV_BATCH)

        name = self.noun.replace(" ", "-")
        headers = {"content-disposition": f'attachment; filename="{name}.csv"', "x-content-type-options": "nosniff"}
        return Stream(lines(), media_type="text/csv; charset=utf-8", headers=headers)

    async def _page(
        self, request: Asking, seen: Within, matching: Filter, sort: tuple[Sort, ...], asked: Mapping[str, str]
    ) -> tuple[list[Row], str, str]:
        """The rows, and the positions before the first and behind the last where there are more."""
        after, before = asked.get("after"), asked.get("before")
        backwards = before is not None
        order = tuple(_turned(each) for each in sort) if backwards else sort
        cursor = before if backwards else after
        start = None if cursor is None else After(position_of(cursor, lambda found: self._place(found, sort)))
        rows = await self._rows(request, seen, matching, order, start, LENGTH + 1)
        has_more, rows = len(rows) > LENGTH, rows[:LENGTH]
        if backwards:
            rows.reverse()
        newer = rows and (has_more if backwards else after is not None)
        older = rows and (True if backwards else has_more)
        return (
            rows,
            cursor_of(self._position(rows[0], sort)) if newer else "",
            cursor_of(self._position(rows[-1], sort)) if older else "",
        )

    def _lonely(self, asked: Mapping[str, str]) -> dict[str, str]:
        """The filters that are set and hold in one tab alone, each with that tab."""
        return {f.key: f.of_tab for f in self._set_filters(asked) if isinstance(f, Exactly) and f.of_tab}

    async def _counts(
        self, request: Asking, seen: Within, beside: Filter, lonely: Mapping[str, str]
    ) -> list[Total | None]:
        """How many rows each tab has, in one statement; None where that is not counted."""
        only = set(lonely.values())
        counted = [each for each in self.tabs if not each.is_sum and (not only or each.key in only)]
        asked = [AllOf((beside, each.filter)) for each in counted]
        found = await pages.count_each(request.db, self.listing, seen, asked)
        by_key = {each.key: total for each, total in zip(counted, found, strict=True)}
        if not only:
            whole = Total(sum(each.rows for each in found), is_capped=any(each.is_capped for each in found))
            by_key |= {each.key: whole for each in self.tabs if each.is_sum}
        return [by_key.get(each.key) for each in self.tabs]

    async def _look(
        self, request: Asking, seen: Within, asked: Mapping[str, str], base: Filter
    ) -> tuple[list[Row], str, Looked]:
        """The rows that were found in time, where to go on, and how far that went."""
        quick = {key: value for key, value in asked.items() if key not in self.slow}
        sought = {key: value for key, value in asked.items() if key in self.slow}
        by_id = self._sort("-id")
        after = position_of(asked["after"], lambda found: self._place(found, by_id)) if "after" in asked else (None,)
        found = await search(
            request.db,
            self.row,
            self.listing,
            seen,
            base=AllOf((base, *self._conditions(quick))),
            sought=AllOf(tuple(self._conditions(sought))),
            after=after[0],
            length=LENGTH,
            seconds=LOOK_SECONDS,
        )
        reached = None if found.reached is None else made_at(found.reached)
        older = "" if found.reached is None else cursor_of((found.reached,))
        return found.rows, older, Looked(found.looked_through, reached)

    def is_slow(self, asked: Mapping[str, str]) -> bool:
        """Whether an address asks what no index finds."""
        slow = {key for key in self.slow if asked.get(key)}
        return bool(slow - {"q"}) or ("q" in slow and not self._by_id(asked["q"].strip()[:LONGEST_SOUGHT]))

    async def _rows(
        self,
        request: Asking,
        seen: Within,
        matching: Filter,
        sort: tuple[Sort, ...],
        start: After | None,
        length: int,
    ) -> list[Row]:
        asked = Asked(filter=matching, sort=sort, start=start, length=length)
        return await pages.rows(request.db, self.row, self.listing, seen, asked)

    # ------------------------------------------------------------------------------------------------ the address
    def _conditions(self, asked: Mapping[str, str]) -> list[Filter]:
        found = [each.condition(asked[each.key]) for each in self._set_filters(asked)]
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

    def _set_filters(self, asked: Mapping[str, str]) -> list[FilterOf]:
        return [each for each in self.filters if asked.get(each.key)]

    def _kept_keys(self) -> set[str]:
        return {"tab", "sort", "columns", *(each.key for each in self.filters)}

    def _chips(
        self, asked: Mapping[str, str], address: "_Address", options: Mapping[str, Sequence[tuple[str, str]]]
    ) -> list[Chip]:
        return [
            Chip(
                each.name,
                dict(options.get(each.key, ())).get(asked[each.key], each.said(asked[each.key])),
                address.to(**{each.key: None}),
            )
            for each in self._set_filters(asked)
        ]

    def _sort(self, text: str) -> tuple[Sort, ...]:
        """The order that a text names: a field, with `-` before it from the greatest to the least; by id at last."""
        name, way = text.removeprefix("-"), Direction.DESCENDING if text.startswith("-") else Direction.ASCENDING
        allowed = {self.sort.removeprefix("-"), "id", *(col.sort for col in self.columns if col.sort)}
        if name not in allowed:
            raise Invalid(f"{self.noun.capitalize()} are not sorted by this.", code="SORT_WRONG")
        return (Sort(name, way),) if name == "id" else (Sort(name, way), Sort("id", way))

    def _shown(self, asked: Mapping[str, str]) -> list[Col]:
        if (chosen := asked.get("columns")) is None:
            return [col for col in self.columns if col.always or col.by_default]
        names = set(chosen.split(","))
        return [col for col in self.columns if col.always or col.key in names]

    def _column_links(self, shown: list[Col], address: "_Address") -> list[tuple[str, str, bool, str]]:
        found = []
        for col in self.columns:
            if not col.always:
                others = [each.key for each in shown if not each.always and each is not col]
                chosen = others if col in shown else [*others, col.key]
                found.append((col.key, col.name, col in shown, address.to(columns=",".join(chosen) or "none")))
        return found

    def _head(self, col: Col, first: Sort, address: "_Address") -> Head:
        if not col.sort:
            return Head(col, "", "")
        is_sorted, goes_down = first.field == col.sort, first.direction is Direction.DESCENDING
        way = ("descending" if goes_down else "ascending") if is_sorted else ""
        return Head(col, address.to(sort=col.sort if is_sorted and goes_down else f"-{col.sort}"), way)

    # ------------------------------------------------------------------------------------------------ positions
    def _position(self, row: Row, sort: tuple[Sort, ...]) -> tuple[Any, ...]:
        return tuple(getattr(row, each.field) for each in sort)

    def _place(self, found: Any, sort: tuple[Sort, ...]) -> tuple[Any, ...]:
        if not isinstance(found, list) or len(found) != len(sort):
            raise ValueError("a position has a value for each key")
        kinds = [_TYPES[self.listing.named[each.field].kind] for each in sort]
        values = zip(found, kinds, strict=True)
        return tuple(None if value is None else msgspec.convert(value, kind) for value, kind in values)


class _Address:
    """The address of a list: what is asked now, and with something changed. A change begins at the first page."""

    def __init__(self, path: str, asked: Mapping[str, str]) -> None:
        self._path = path
        self._asked = {key: value for key, value in asked.items() if key not in {"after", "before", "part", "item"}}

    def to(self, **changes: str | None) -> str:
        """The address with other values; None: without."""
        asked = {key: value for key, value in {**self._asked, **changes}.items() if value is not None}
        return f"{self._path}?{urlencode(asked)}" if asked else self._path


def _turned(sort: Sort) -> Sort:
    turned = {Direction.ASCENDING: Direction.DESCENDING, Direction.DESCENDING: Direction.ASCENDING}
    return Sort(sort.field, turned[sort.direction])


def _csv_value(col: Col, row: Any) -> Any:
    value = col.csv(row) if col.csv is not None else getattr(row, col.key, "")
    value = getattr(value, "value", value)
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.3f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return "" if value is None else value


def _csv_line(values: Sequence[Any]) -> bytes:
    """A line; what a spreadsheet would take for a formula is a text."""
    line = io.StringIO()
    safe = [inert(each) if isinstance(each, str) else each for each in values]
    csv.writer(line).writerow(safe)
    return line.getvalue().encode()
