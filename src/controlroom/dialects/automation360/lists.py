"""`POST …/list`: one way from what clients ask to `engine/lists`, and back (§1.5).

    _DEVICES = Columns(
        WORKERS,                                              # the engine's Listing
        {
            "id": As("number", sort="id"),                    # a field of it, sorted by another one
            "hostName": "name",                               # a field of it
            "status": Words({"CONNECTED": OneOf("state", ("idle", "busy")), "OFFLINE": equal(state="offline")}),
            "lifespan": Words({"PERSISTENT": EVERYTHING}),    # the same in every row
            "executionId": As("number", read=number_in),      # raises ValueError for what no row can have
        },
    )

    @post("/v2/devices/list", needs=Permission.READ_WORKERS)
    async def list_devices(request: Asking, data: Sought = None) -> Listed[Device]:
        return await listed(request, data, _DEVICES, Worker, _show)

Rows that are seen are those of `request.seen`; for the organization's own say `within=throughout(request.actor,
Permission.…)` (`access/scope.py`); `only=` is a condition that holds for every row of the list. Where a row is shown by
more than itself, take the page and show it: `found = await page(…)`, then `found.shown([…])`. Nothing is filtered,
sorted or cut in Python.

What is asked is read leniently: each part may be null, empty or left out, directions are in any case, numbers may be
text; filters are read by `filters.py`.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final, Generic, TypeAlias, TypeVar

from msgspec import Meta, Struct

from controlroom.border.asking import Body
from controlroom.border.columns import Words, ordered_by
from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking
from controlroom.dialects.automation360.columns import LENGTH, MOST, Columns
from controlroom.dialects.automation360.filters import FilterWrong, as_text, column_of, filter_of
from controlroom.engine.access import scope
from controlroom.engine.lists import pages
from controlroom.engine.lists.errors import FieldNotSortable, PositionWrong
from controlroom.engine.lists.filters import LARGEST
from controlroom.engine.lists.model import EVERYTHING, AllOf, Asked, Direction, Filter, Skip, Sort, Within

Row = TypeVar("Row")
Shown = TypeVar("Shown")


class Search(Shape, frozen=True):
    """What is asked of a list. Every part may be left out."""

    filter: Annotated[
        Any,
        Meta(description="`{operator, field, value}`, or `{operator: and | or | not, operands: [filter, …]}`."),
    ] = None
    sort: Annotated[Any, Meta(description="`[{field, direction: asc | desc}]`.")] = None
    fields: Annotated[Any, Meta(description="Accepted; all fields are told.")] = None
    page: Annotated[Any, Meta(description="`{offset, length}`: how many rows to pass over, and how many to tell.")] = (
        None
    )


Sought: TypeAlias = Body[Search | None]
"""`data` of a list, with the default None: there may be no body at all."""


class PageTold(Shape, frozen=True):
    """Where a page begins, how many rows the caller sees in all, and how many of those the filter finds."""

    offset: int
    total: int
    total_filter: int


class Listed(Struct, Generic[Shown], frozen=True):
    """A page of a list."""

    page: PageTold
    list: list[Shown]


class Found(Struct, Generic[Row], frozen=True):
    """A page, before it is shown."""

    rows: Sequence[Row]
    page: PageTold

    def shown(self, rows: list[Shown]) -> Listed[Shown]:
        """The answer, of the rows as they are told."""
        return Listed(self.page, rows)


async def listed(
    request: Asking,
    data: Search | None,
    columns: Columns,
    into: type[Row],
    show: Callable[[Row], Shown],
    *,
    within: Within | None = None,
    only: Filter = EVERYTHING,
) -> Listed[Shown]:
    """The answer of a list, each row shown by itself."""
    found = await page(request, data, columns, into, within=within, only=only)
    return found.shown([show(row) for row in found.rows])


async def page(
    request: Asking,
    data: Search | None,
    columns: Columns,
    into: type[Row],
    *,
    within: Within | None = None,
    only: Filter = EVERYTHING,
    everything_of: Callable[[], Awaitable[int]] | None = None,
) -> Found[Row]:
    """The page of a list that was asked for. Raises Invalid for what it cannot have.

    `everything_of` tells about how many rows the caller sees in all, where counting them takes longer than the page.
    """
    search = data or Search()
    asked, offset = asked_of(search, columns, only)
    seen = scope.within(request.seen) if within is None else within
    found = await pages.page(request.db, into, columns.listing, seen, asked)
    matched = found.total.rows if found.total is not None else len(found.rows)
    everything = matched
    if asked.filter is not only:
        if everything_of is None:
            everything = max(matched, (await pages.count(request.db, columns.listing, seen, only)).rows)
        else:
            everything = max(matched, await everything_of())
    return Found(found.rows, PageTold(offset, everything, matched))


def empty_page(search: Search | None) -> Listed[Any]:
    """The page of a list of which we know that it has no rows. Raises Invalid for what is no page."""
    found, _ = _page((search or Search()).page, most=MOST, usual=LENGTH)
    return Listed(PageTold(found, 0, 0), [])


def asked_of(search: Search, columns: Columns, only: Filter = EVERYTHING) -> tuple[Asked, int]:
    """What is asked of the engine's list, and the offset as it was read."""
    offset, length = _page(search.page, most=columns.most, usual=columns.length)
    found = filter_of(search.filter, columns)
    if only is not EVERYTHING:
        found = only if found is EVERYTHING else AllOf((only, found))
    sort = _sort(search.sort, columns) or columns.order
    start = Skip(min(offset, LARGEST // 2))
    return Asked(filter=found, sort=sort, start=start, length=length, with_total=True), offset


# ---------------------------------------------------------------------------------------------------- order and page
_DIRECTIONS: Final = {
    "": Direction.ASCENDING,
    "asc": Direction.ASCENDING,
    "ascending": Direction.ASCENDING,
    "desc": Direction.DESCENDING,
    "descending": Direction.DESCENDING,
}


def _sort(asked: Any, columns: Columns) -> tuple[Sort, ...]:
    if asked is None or asked in ({}, [], ""):
        return ()
    several = asked if isinstance(asked, list) else [asked]
    return tuple(key for each in several if (key := _key(each, columns)) is not None)


def _key(asked: Any, columns: Columns) -> Sort | None:
    if not isinstance(asked, dict):
        raise FilterWrong("a sort is a list of `{field, direction}`")
    given = {str(key).casefold(): value for key, value in asked.items()}
    name = str(given.get("field") or "")
    if not name:
        return None
    direction = _DIRECTIONS.get(str(given.get("direction") or "").casefold())
    if direction is None:
        raise FilterWrong("a direction is asc or desc")
    column = column_of(name, columns)
    if isinstance(column, Words) and len(column.of) == 1:  # it is the same in all rows
        return None
    by = ordered_by(column)
    if not by:
        raise FieldNotSortable(columns.listing.noun, name)
    return Sort(by, direction)


def _page(asked: Any, *, most: int, usual: int) -> tuple[int, int]:
    """The offset, and how many rows."""
    if asked is None or asked in ({}, [], ""):
        return 0, usual
    if not isinstance(asked, dict):
        raise PositionWrong("a page is `{offset, length}`")
    given = {str(key).casefold(): value for key, value in asked.items()}
    offset, length = _count("offset", given.get("offset")), _count("length", given.get("length"))
    return offset, min(length or usual, most)


def _count(name: str, value: Any) -> int:
    if value is None or value == "":
        return 0
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = as_text(value).strip()
    if not text.isdecimal() or not text.isascii():
        raise PositionWrong(f"`{name}` of a page is a number of rows, not {text[:40]}")
    return min(int(text[:19]), LARGEST)
