"""Lists: from a query of this grammar to `engine/lists`, and back (§1.3).

    _JOBS = Columns(
        JOBS,                                                 # the engine's Listing
        {
            "id": "number",                                   # a field of it; asked as `id`, `id__gt`, `pk__in` …, too
            "name": "name",                                   # `name`, `name__in`, `name__icontains`
            "created_at": "created_at",                       # `created_at__range=["…", "…"]`, `created_at__gt` …
            "environment_id": Numbered("target_id", TARGET),  # by the number of another noun
            "status": Words({"10": equal(result="succeeded"), "1": equal(state="new")}),
            "schedule_is_on": As("is_paused", read=negated),  # raises ValueError for what no row can have
        },
        order={"next_run": "next_at"},                        # beside the fields above that are sorted by themselves
        state="active",                                       # what is said of `state` where nothing is asked
    )

    @get("/accounts/{account}/jobs", needs=Permission.READ_PROCESSES, rows=_JOBS)
    async def list_jobs(request: Asking) -> Listed[JobShown]:
        return await listed(request, JobRow, _show)

Rows that are seen are those of `request.seen`, of the project that `project_id` (or `project_id__in`) names; within
one project say `within=scope.within(seen)`, for the organization's own rows
`within=throughout(request.actor, Permission.…)` (`access/scope.py`). `only=` holds for every row of the list. Where
rows are shown by more than themselves: `found = await page(request, JobRow)`, then `found.shown([…])`.
What is no list of the engine's: `whole(request, […])`.
Nothing is filtered, sorted or cut in Python.

`state` finds what is there (`active`, 1; `all`) by itself; a noun that keeps its deleted rows names its own Words.

Values come as they are, or several as JSON text, as Python writes lists, in bare brackets, with commas, or by repeated
names. A filter that a list does not have is passed over, because there are clients that send more than is known;
in a strict room it is refused. An order that it does not have is refused: no rows in another order than was asked.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct

from controlroom.border.columns import NOTHING, As, Words, as_it_is, ordered_by
from controlroom.border.lenient import moment
from controlroom.dialects.dbt_cloud.answers import Extra, Listed, Pagination
from controlroom.dialects.dbt_cloud.asking import Asking
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.related import NAME as RELATED
from controlroom.dialects.dbt_cloud.related import names_in
from controlroom.dialects.dbt_cloud.routing import ROWS
from controlroom.engine.access import scope
from controlroom.engine.access.scope import Of
from controlroom.engine.lists import pages
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
    OneOf,
    Operator,
    Skip,
    Sort,
    Unset,
    Within,
)
from controlroom.engine.nouns import Noun, Ways
from controlroom.engine.references import Located, Reference, locate_all
from controlroom.engine.workspaces.store import WORKSPACE
from controlroom.ids import WorkspaceId

Row = TypeVar("Row")
Shown = TypeVar("Shown")

LENGTH: Final = 100
"""Rows of a page where nothing is said."""
PROJECT: Final = "project_id"


# ---------------------------------------------------------------------------------------------------- what a noun says
class Numbered(Struct, frozen=True):
    """A field with the id of another noun, which is asked for by its number."""

    field: str
    noun: Noun[Any]
    is_beside: bool = False
    """Whether its rows lie in the workspace of what they name. Others are not looked through then: an index that begins
    with the name would be read to its end for each of them."""


Column = str | As | Numbered | Words

STATES: Final = Words(
    {"1": EVERYTHING, "active": EVERYTHING, "2": NOTHING, "deleted": NOTHING, "all": EVERYTHING},
)
"""`state` of a noun whose rows are there, or gone."""


EVERY: Final = Words({"1": EVERYTHING, "active": EVERYTHING, "2": EVERYTHING, "deleted": EVERYTHING, "all": EVERYTHING})
"""`state` of what is neither there nor gone: it says nothing."""


class Columns(Struct, frozen=True, eq=False):
    """A list of this grammar: by what it is filtered and sorted, by the names of its rows' keys."""

    listing: Listing
    filters: Mapping[str, Column]
    order: Mapping[str, str] = {}
    """Further keys by which it is sorted: the listing's fields."""
    state: str = "active"
    """What is said, and holds, where no `state` is asked for."""
    ordered: str = "id"
    """The order where none is asked for; what `extra` tells then."""

    def column(self, name: str) -> Column | None:
        """The column of a key."""
        found = self.filters.get("id" if name == "pk" else name)
        return STATES if found is None and name == "state" else found

    def sorted_by(self, name: str) -> str | None:
        """The listing's field by which a key is sorted; None where it is not."""
        if name in self.order:
            return self.order[name]
        column = self.column(name)
        field = "" if column is None or isinstance(column, Numbered) else ordered_by(column)
        return field if field and self.listing.named[field].is_sortable else None

    @property
    def orders(self) -> list[str]:
        """All keys by which it is sorted."""
        return sorted(name for name in {*self.filters, *self.order} if self.sorted_by(name))


# ---------------------------------------------------------------------------------------------------- what is answered
class Found(Struct, Generic[Row], frozen=True):
    """A page, before it is shown."""

    rows: Sequence[Row]
    extra: Extra

    def shown(self, rows: list[Shown]) -> Listed[Shown]:
        """The answer, of the rows as they are told."""
        return Listed(rows, self.extra)


async def listed(
    request: Asking,
    into: type[Row],
    show: Callable[[Row], Shown],
    *,
    within: Within | None = None,
    only: Filter = EVERYTHING,
) -> Listed[Shown]:
    """The answer of a list, each row shown by itself."""
    found = await page(request, into, within=within, only=only)
    return found.shown([show(row) for row in found.rows])


async def page(
    request: Asking, into: type[Row], *, within: Within | None = None, only: Filter = EVERYTHING
) -> Found[Row]:
    """The page that was asked for. Raises FieldsWrong for what it cannot have."""
    columns: Columns = request.route_handler.opt[ROWS]
    query = _Query(request, columns)
    wanted = await query.wanted()
    if within is None:
        within = scope.within(await query.narrowed(request.seen))
    asked = Asked(
        filter=wanted if only is EVERYTHING else AllOf((only, wanted)),
        sort=query.sort(),
        start=Skip(query.offset),
        length=query.limit,
        with_total=True,
    )
    found = await pages.page(request.db, into, columns.listing, within, asked)
    total = found.total.rows if found.total is not None else len(found.rows)
    return Found(found.rows, query.told(len(found.rows), total))


def whole(request: Asking, rows: Sequence[Shown], *, ordered: str = "id") -> Listed[Shown]:
    """The answer of a list that is short, and known as a whole: the page of it that was asked for."""
    offset, limit = _count(request, "offset", 0), _most(request)
    told = list(rows[offset : offset + limit])
    filters = {"limit": limit, "offset": offset, "account_id": request.account}
    order = request.query_params.get("order_by") or ordered
    return Listed(told, Extra(filters, order, Pagination(len(told), len(rows))))


# ---------------------------------------------------------------------------------------------------- what is asked
_FRAME: Final = frozenset({"limit", "offset", "order_by", RELATED, "account_id", "state"})
"""What every list takes; some clients send the account in the query as well."""
_COMPARED: Final = {"gt": Operator.GT, "gte": Operator.GE, "lt": Operator.LT, "lte": Operator.LE}
_LOOKUPS: Final = frozenset({"", "in", "range", "icontains", "contains", "isnull", *_COMPARED})


class _Query:
    """One request's query."""

    def __init__(self, request: Asking, columns: Columns) -> None:
        self._request = request
        self._columns = columns
        self.offset = min(_count(request, "offset", 0), LARGEST // 2)
        self.limit = _most(request)
        self._order = request.query_params.get("order_by") or ""
        self._applied: dict[str, Any] = {}
        self._places: list[set[WorkspaceId]] = []
        """In which workspaces rows are looked for: in those of each of these."""

    async def wanted(self) -> Filter:
        """The filter of all that is asked for."""
        conditions, query = [], self._request.query_params
        for name in query:
            base, _, lookup = name.partition("__")
            column = self._columns.column(base)
            values = [value for value in query.getall(name) if value.strip()]
            if base in _FRAME - {"state"} or base == PROJECT or not values:
                continue
            if column is None or lookup not in _LOOKUPS:
                if self._request.is_strict:
                    raise FieldsWrong({name: "this list has no such filter"})
                continue
            conditions.append(await self._condition(name, column, lookup, values))
        if "state" not in self._applied:
            self._applied["state"] = self._columns.state
            state = self._columns.column("state")
            assert isinstance(state, Words)  # noqa: S101 - or the noun has declared something else
            conditions.append(state.of[self._columns.state])
        restricting = tuple(each for each in conditions if each is not EVERYTHING)
        return AllOf(restricting) if restricting else EVERYTHING

    async def narrowed(self, seen: scope.Scope) -> scope.Scope:
        """What is seen of the projects that are asked for, or that have what is asked for; behind `wanted`."""
        names = [name for name in (PROJECT, f"{PROJECT}__in") if self._request.query_params.get(name)]
        assert isinstance(seen, Of)  # noqa: S101 - it is no robot's
        for name in names:
            values = values_in(self._request.query_params.getall(name))
            self._places.append({each.id for each in await self._located(name, WORKSPACE, values)})
            self._applied[name] = _echo(name.endswith("__in"), [int(value) for value in values])
        return Of(
            seen.organization, tuple(each for each in seen.workspaces if all(each in some for some in self._places))
        )

    def sort(self) -> tuple[Sort, ...]:
        """The order."""
        keys = names_in(self._order) or [self._columns.ordered]
        return tuple(self._key(each) for each in keys)

    def told(self, count: int, total: int) -> Extra:
        """What was asked, as it was understood."""
        filters = {"limit": self.limit, "offset": self.offset, **self._applied, "account_id": self._request.account}
        return Extra(filters, self._order or self._columns.ordered, Pagination(count, total))

    def _key(self, asked: str) -> Sort:
        name = asked.lstrip("+-")
        field = self._columns.sorted_by("id" if name == "pk" else name)
        if field is None:
            raise FieldsWrong({"order_by": f"one of {', '.join(self._columns.orders)}; with - before it, in reverse"})
        return Sort(field, Direction.DESCENDING if asked.startswith("-") else Direction.ASCENDING)

    async def _condition(self, name: str, column: Column, lookup: str, values: list[str]) -> Filter:
        several = values_in(values) if lookup in {"in", "range"} else values
        self._applied[name] = _echo(lookup in {"in", "range"}, [_told(each) for each in several])
        match column:
            case Words(of):
                if lookup not in {"", "in"}:
                    return EVERYTHING
                states = [of[each.casefold()] for each in several if each.casefold() in of]
                return states[0] if len(states) == 1 else AnyOf(tuple(states))
            case Numbered(field, noun, is_beside):
                found = await self._located(name, noun, several)
                if is_beside and found:
                    self._places.append({place for each in found for place in _workspaces(each.scope)})
                return _any_of(field, {each.id for each in found})
            case As(field, read, _, unset):
                plain = _plain(name, self._columns.listing.named[field], lookup, several, read)
                return AnyOf((plain, Unset(field))) if unset in several and lookup in {"", "in"} else plain
            case str() as field:
                return _plain(name, self._columns.listing.named[field], lookup, several, as_it_is)

    async def _located(self, name: str, noun: Noun[Any], values: list[str]) -> list[Located[Any]]:
        for each in values:
            _whole(name, each)
        asked = [Reference(noun, each, Ways.NUMBER) for each in values]
        return await locate_all(self._request.db, self._request.seen, asked)


def _workspaces(seen: scope.Scope) -> tuple[WorkspaceId, ...]:
    assert isinstance(seen, Of)  # noqa: S101 - it is no robot's
    return seen.workspaces


def _any_of(field: str, values: Collection[Any]) -> Filter:
    """One of the values; a single one as such: an index that is sorted behind a field serves no list of its values."""
    return Compare(field, Operator.EQ, next(iter(values))) if len(values) == 1 else OneOf(field, tuple(values))


def _plain(name: str, field: Field, lookup: str, values: list[str], read: Callable[[str], Any]) -> Filter:
    if lookup == "isnull":
        unset = Unset(field.name)
        return unset if _truth(name, values[0]) else Not(unset)
    if lookup in {"icontains", "contains"}:
        if field.kind not in {Kind.TEXT, Kind.INTEGER}:
            raise FieldsWrong({name: "only of texts"})
        return Contains(field.name, values[0])
    found = []
    for each in values:
        try:
            value = _READ[field.kind](name, read(each))
        except ValueError:  # no row has it
            continue
        if not field.choices or value in field.choices:
            found.append(value)
    match lookup:
        case "" | "in":
            return _any_of(field.name, found)
        case "range":
            if len(found) != 2:  # noqa: PLR2004 - a beginning and an end
                raise FieldsWrong({name: 'two values: ["from", "to"]'})
            return AllOf((Compare(field.name, Operator.GE, found[0]), Compare(field.name, Operator.LE, found[1])))
        case _:
            return Compare(field.name, _COMPARED[lookup], found[0]) if found else NOTHING


# ---------------------------------------------------------------------------------------------------- values
_BRACKETS: Final = re.compile(r"^\s*\[(.*)\]\s*$", re.DOTALL)
_LOST_PLUS: Final = re.compile(r"(:\d\d(?:\.\d+)?) (\d\d:?\d\d)$")
"""A plus that was not quoted has become a blank: `…T10:00:00 00:00`."""
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


def values_in(texts: Sequence[str]) -> list[str]:
    """The values of a list, in whichever shape it came."""
    return [value for text in texts for value in _several(text)]


def _several(text: str) -> list[str]:
    try:
        found = json.loads(text)
        if isinstance(found, list):
            return [each if isinstance(each, str) else json.dumps(each) for each in found if each is not None]
    except (ValueError, RecursionError):
        pass
    inside = _BRACKETS.match(text)
    parts = (inside[1] if inside else text).split(",")
    return [value for part in parts if (value := part.strip().strip("\"'").strip())]


def _echo(is_list: bool, values: list[Any]) -> Any:  # noqa: FBT001 - of this module alone
    return values if is_list or len(values) != 1 else values[0]


def _told(value: str) -> int | str:
    return int(value) if value.isascii() and value.isdigit() and len(value) < len(str(LARGEST)) else value


def _whole(name: str, value: str) -> str:
    text = value.strip()
    if not (text.isascii() and text.lstrip("-").isdigit()) or abs(int(text[:20])) > LARGEST:
        raise FieldsWrong({name: "a whole number"})
    return text


def instant(name: str, value: Any) -> datetime:
    """A moment that a query names. Raises FieldsWrong."""
    if isinstance(value, datetime):
        return value
    try:
        return moment(_LOST_PLUS.sub(r"\1+\2", str(value).strip()))
    except ValueError:
        raise FieldsWrong({name: "a time, as 2026-01-31T12:00:00Z"}) from None


def _truth(name: str, value: Any) -> bool:
    found = value if isinstance(value, bool) else _TRUTHS.get(str(value).strip().casefold())
    if found is None:
        raise FieldsWrong({name: "true or false"})
    return found


_READ: Final[Mapping[Kind, Callable[[str, Any], Any]]] = {
    Kind.ID: lambda _, value: value,
    Kind.INTEGER: lambda name, value: _whole(name, str(value)),
    Kind.NUMBER: lambda _, value: value,
    Kind.TEXT: lambda _, value: value,
    Kind.INSTANT: instant,
    Kind.TRUTH: _truth,
}


def _most(request: Asking) -> int:
    return min(_count(request, "limit", LENGTH), request.engine.limits.offset_page_rows)


def _count(request: Asking, name: str, usual: int) -> int:
    text = (request.query_params.get(name) or "").strip()
    if not text:
        return usual
    if not (text.isascii() and text.isdigit()):
        raise FieldsWrong({name: "a number of rows"})
    return int(text[:19])
