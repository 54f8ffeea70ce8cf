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

What is asked is read leniently: each part may be null, empty or left out, the filter a bare condition, operators and
directions are in any case, numbers may be text. A field that a list does not have is refused, as is an operator that
there is not. A word that no row can have (`status ne "ANY"`) is no fault: no row has it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final, Generic, TypeAlias, TypeVar

from msgspec import Meta, Struct

from controlroom.border.asking import Body
from controlroom.border.lenient import moment
from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking
from controlroom.engine.access import scope
from controlroom.engine.lists import pages
from controlroom.engine.lists.errors import FieldNotSortable, FieldUnknown, PositionWrong, ValueWrong
from controlroom.engine.lists.filters import LARGEST
from controlroom.engine.lists.model import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Asked,
    Compare,
    Contains,
    Direction,
    Field,
    Filter,
    Kind,
    Listing,
    Not,
    Operator,
    Skip,
    Sort,
    Unset,
    Within,
)
from controlroom.errors import Invalid
from controlroom.ids import as_uuid

Row = TypeVar("Row")
Shown = TypeVar("Shown")

LENGTH: Final = 1_000
"""Rows of a page where nothing is said. Why so many: there are clients that ask once, without a page (§1.5)."""
MOST: Final = 10_000
"""Rows of a page at most: more is taken as this."""

NOTHING: Final = AnyOf(())
"""No row."""


# ---------------------------------------------------------------------------------------------------- what a noun says
def _as_it_is(value: Any) -> Any:
    return value


class As(Struct, frozen=True):
    """A field of the listing."""

    field: str
    read: Callable[[Any], Any] = _as_it_is
    """What the listing has for a value that is asked for; raises ValueError where no row can have it."""
    sort: str | None = None
    """The field that the list is sorted by, if another one; "" for none."""


class Words(Struct, frozen=True):
    """A field whose values are known, and for each the rows that have it; these do not overlap."""

    of: Mapping[str, Filter]
    sort: str = ""
    """The listing's field by which it is sorted; "" for none."""


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


# ---------------------------------------------------------------------------------------------------- what is asked
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


# ---------------------------------------------------------------------------------------------------- filters
_COMPARED: Final = {
    "eq": Operator.EQ,
    "ne": Operator.NE,
    "lt": Operator.LT,
    "le": Operator.LE,
    "gt": Operator.GT,
    "ge": Operator.GE,
}
_WORDS_COMPARED: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "eq": lambda word, value: word == value,
    "ne": lambda word, value: word != value,
    "lt": lambda word, value: word < value,
    "le": lambda word, value: word <= value,
    "gt": lambda word, value: word > value,
    "ge": lambda word, value: word >= value,
    "substring": lambda word, value: value.casefold() in word.casefold(),
}
_JOINED: Final = frozenset({"and", "or", "not"})


class FilterWrong(Invalid):
    """A filter is not written as filters are."""

    code = "FILTER_WRONG"


def filter_of(asked: Any, columns: Columns) -> Filter:
    """The engine's filter of one that was asked for. Raises Invalid."""
    if asked is None or asked in ({}, [], ""):
        return EVERYTHING
    if isinstance(asked, list):
        return _all_of([filter_of(each, columns) for each in asked])
    if not isinstance(asked, dict):
        raise FilterWrong("a filter is an object")
    given = {str(key).casefold(): value for key, value in asked.items()}
    operator = str(given.get("operator") or "").casefold()
    operands, field = given.get("operands"), given.get("field")
    if operator in _JOINED or (not field and operands is not None):
        several = operands if isinstance(operands, list) else [] if operands is None else [operands]
        return _joined(operator or "and", [filter_of(each, columns) for each in several])
    if operator == "none" or (not operator and not field):
        return EVERYTHING
    if operator != "substring" and operator not in _COMPARED:
        raise FilterWrong(f"there is no operator `{operator[:100]}`", operator=operator[:100])
    return _leaf(operator, str(field or ""), given.get("value"), columns)


def _joined(operator: str, of: list[Filter]) -> Filter:
    """Conditions that are joined; without any, nothing is restricted."""
    if not of:
        return EVERYTHING
    match operator:
        case "or":
            return EVERYTHING if EVERYTHING in of else AnyOf(tuple(of))
        case "not":
            return Not(_all_of(of))
        case _:
            return _all_of(of)


def _all_of(of: list[Filter]) -> Filter:
    restricting = tuple(each for each in of if each is not EVERYTHING)
    return AllOf(restricting) if restricting else EVERYTHING


def _leaf(operator: str, name: str, value: Any, columns: Columns) -> Filter:
    if isinstance(value, list) and operator in {"eq", "ne"}:
        several = AnyOf(tuple(_leaf("eq", name, each, columns) for each in value))
        return several if operator == "eq" else Not(several)
    column = _column(name, columns)
    if isinstance(column, Words):
        return _of_words(operator, column, _shown(value))
    field = columns.listing.named[column.field]
    if operator == "substring":
        if field.kind not in {Kind.TEXT, Kind.INTEGER}:
            raise ValueWrong(name, "eq and ne, not by a part")
        return Contains(column.field, _shown(value))
    if field.is_nullable and _shown(value) == "" and operator in {"eq", "ne"}:
        unset = _unset(field)
        return unset if operator == "eq" else Not(unset)
    try:
        read = _READ[field.kind](name, column.read(value))
    except ValueError:
        read = None
    if read is None or (field.choices and read not in field.choices):  # no row can have it
        return Not(NOTHING) if operator == "ne" else NOTHING
    return _compared(field, operator, read)


_TO_THE_NEXT: Final = timedelta(microseconds=999)


def _compared(of: Field, operator: str, value: Any) -> Filter:
    """Times are compared by the millisecond, as they are told: who asks for what is later has no row once more."""
    field = of.name
    if of.kind is not Kind.INSTANT or value.microsecond % 1000:
        return Compare(field, _COMPARED[operator], value)
    first, last = value, value + _TO_THE_NEXT
    match operator:
        case "eq" | "ne":
            within = AllOf((Compare(field, Operator.GE, first), Compare(field, Operator.LE, last)))
            return within if operator == "eq" else Not(within)
        case "gt" | "le":
            return Compare(field, _COMPARED[operator], last)
        case _:
            return Compare(field, _COMPARED[operator], first)


def _unset(field: Field) -> Filter:
    """What is told as an empty text."""
    unset = Unset(field.name)
    if field.kind is not Kind.TEXT or field.choices:
        return unset
    return AnyOf((unset, Compare(field.name, Operator.EQ, "")))


def _of_words(operator: str, column: Words, value: str) -> Filter:
    compared = _WORDS_COMPARED[operator]
    found = [rows for word, rows in column.of.items() if compared(word, value)]
    if len(found) == len(column.of):  # `status ne "ANY"`: each row has one of the words
        return EVERYTHING
    return found[0] if len(found) == 1 and found[0] is not EVERYTHING else AnyOf(tuple(found))


def _column(name: str, columns: Columns) -> As | Words:
    found = columns.fields.get(name)
    if found is None:
        folded = {each.casefold(): each for each in columns.fields}
        found = columns.fields.get(folded.get(name.casefold(), ""))
    if found is None:
        raise FieldUnknown(columns.listing.noun, name)
    return As(found) if isinstance(found, str) else found


def _shown(value: Any) -> str:
    """A value as the text that it is compared as."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _id(_: str, value: Any) -> Any:
    found = as_uuid(str(value))
    if found is None:
        raise ValueError
    return found


def _whole(name: str, value: Any) -> Any:
    text = _shown(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
    if not text.lstrip("-").isdecimal() or not text.isascii():
        raise ValueWrong(name, "a whole number")
    return text


def _text(_: str, value: Any) -> Any:
    return value if isinstance(value, str) else _shown(value)


def _instant(name: str, value: Any) -> Any:
    try:
        return moment(_shown(value))
    except ValueError:
        raise ValueWrong(name, "a time, as 2026-01-31T12:00:00Z") from None


_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


def _truth(name: str, value: Any) -> Any:
    found = _TRUTHS.get(_shown(value).casefold())
    if found is None:
        raise ValueWrong(name, "true or false")
    return found


def _number(_: str, value: Any) -> Any:
    return value


_READ: Final[Mapping[Kind, Callable[[str, Any], Any]]] = {
    Kind.ID: _id,
    Kind.INTEGER: _whole,
    Kind.NUMBER: _number,
    Kind.TEXT: _text,
    Kind.INSTANT: _instant,
    Kind.TRUTH: _truth,
}


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
    match _column(name, columns):
        case As(field, _, sort):
            by = field if sort is None else sort
        case Words(_, sort):
            by = sort
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
    text = _shown(value).strip()
    if not text.isdecimal() or not text.isascii():
        raise PositionWrong(f"`{name}` of a page is a number of rows, not {text[:40]}")
    return min(int(text[:19]), LARGEST)
