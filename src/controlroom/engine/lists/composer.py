"""From an asked list to statements.

Keyset. A page behind a row reads no row before it. Where all keys go one way and the row has a value for each, that is
one comparison of rows, from which an index is read on. Otherwise the rest of the list is cut into ranges, in each of
which an index can be read on: of the rows that agree with that row in all keys but the last and are behind it there, of
those that agree in all but the last two, and so on. Each gives a page at most, and the page is made of theirs.

Several tenants. Each is asked for a page of its own, by its own part of the index, and the page is made of theirs: its
cost grows with the number of tenants, not with their rows. One tenant stays a plain equality.

Offset. The rows before a page are counted off by ids and keys alone; only the page's own rows are read whole.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, NamedTuple, Self

from msgspec import Struct

from controlroom.engine.lists import filters
from controlroom.engine.lists.errors import FieldNotSortable, FilterTooLarge, PositionWrong
from controlroom.engine.lists.filters import LARGEST, Shape, field_of
from controlroom.engine.lists.model import (
    EVERYTHING,
    After,
    Asked,
    Direction,
    Filter,
    Listing,
    Skip,
    Sort,
    Within,
)
from controlroom.postgres.statement import Statement

_PARAMETER: Final = re.compile(r"%\((\w+)\)s", re.ASCII)
COUNTED: Final = 100_000
"""Rows up to which a total is exact (DESIGN §5)."""
_MOST_KEYS: Final = 8
_SHAPES: Final = 1024
"""Texts remembered of each kind: far more than our own lists have, and a bound to what callers can think of."""
_KEPT: Final = 256
"""Texts that connections keep prepared. Why so few: one takes up to 100 KB of each connection's memory (measured)."""
_USES: Final = 3
"""So often a text must come before it is kept: what somebody asks once is nobody's habit."""


class Composed(Struct, frozen=True):
    """A statement, or a condition, and the values of its parameters."""

    sql: str
    values: dict[str, Any]

    def ending(self, end: str) -> Self:
        """The same with something at its end: a lock."""
        return type(self)(f"{self.sql} {end}", self.values)

    @property
    def statement(self) -> str | Statement:
        """The statement as the database takes it: kept prepared only if it comes often, whoever thinks of it."""
        return self.sql if _kept.has(self.sql) else self.planned_anew

    @property
    def planned_anew(self) -> Statement:
        """The statement, planned for these very values: of one process there are five rows, of another millions."""
        return Statement(self.sql, is_kept=False)


class _Kept:
    """The texts that are kept: the first of those that came often. None is given up again: connections have it."""

    def __init__(self) -> None:
        self.texts: set[str] = set()
        self.uses: dict[str, int] = {}

    def has(self, text: str) -> bool:
        """Whether it is kept; each time that this is asked is a use."""
        if text in self.texts:
            return True
        uses = self.uses[text] = self.uses.get(text, 0) + 1
        if uses < _USES or len(self.texts) >= _KEPT:
            if len(self.uses) > _SHAPES:
                self.uses.clear()
            return False
        self.texts.add(text)
        del self.uses[text]
        return True


_kept: Final = _Kept()


class _Tenant(NamedTuple):
    """`Within`, without values."""

    sql: str
    is_one: bool


class _Key(NamedTuple):
    field: str
    is_descending: bool

    @property
    def way(self) -> str:
        return "desc" if self.is_descending else "asc"

    @property
    def beyond(self) -> str:
        return "<" if self.is_descending else ">"


class _Start(NamedTuple):
    """Where a page begins, without values: behind so many rows, or behind a row that lacks some keys (`nulls`)."""

    is_offset: bool
    nulls: tuple[bool, ...]


class _Range(NamedTuple):
    """Rows behind a start, which all agree in so many of the first keys; the condition of all rows is empty."""

    condition: str
    agree: int


_AT_THE_FIRST: Final = _Start(is_offset=False, nulls=())
_BY_OFFSET: Final = _Start(is_offset=True, nulls=())


# ---------------------------------------------------------------------------------------------------- what is composed
def rows(listing: Listing, within: Within, asked: Asked) -> Composed:
    """The statement of a part of a list, in order.

    Costs some ten microseconds. Raises Invalid for a filter, a sort or a place that the list cannot have.
    """
    shape, found = filters.read(listing, asked.filter)
    keys = _keys(listing, asked.sort)
    start, place = _start(listing, keys, asked.start)
    values = within.params | place
    values["limit"] = _count(asked.length)
    for number, value in enumerate(found):
        values[f"value_{number}"] = value
    return Composed(_rows(listing, _Tenant(within.sql, within.is_one), shape, keys, start), values)


def total(listing: Listing, within: Within, asked: Filter) -> Composed:
    """The statement of how many rows a filter finds, which stops counting one above `COUNTED`."""
    shape, found = filters.read(listing, asked)
    return Composed(_total(listing, _Tenant(within.sql, within.is_one), shape), _valued(within, found))


def totals(listing: Listing, within: Within, asked: Sequence[Filter], *, most: int = COUNTED) -> Composed:
    """The statement of how many rows each of several filters finds, as one array; each stops one above `most`."""
    reader = filters.Reader(listing)
    shapes = tuple(reader.shape(each) for each in asked)
    tenant = _Tenant(within.sql, within.is_one)
    return Composed(_totals(listing, tenant, shapes, most), _valued(within, reader.values))


def together(parts: Sequence[Composed]) -> Composed:
    """One statement of several that show the same columns; `place` says of which of them a row is."""
    arms, values = [], dict[str, Any]()
    for place, part in enumerate(parts):
        own = _PARAMETER.sub(rf"%(of_{place}_\1)s", part.sql)
        arms.append(f"(select {place} as place, part.* from ({own}) as part)")
        values |= {f"of_{place}_{name}": value for name, value in part.values.items()}
    return Composed(" union all ".join(arms), values)


def condition(listing: Listing, within: Within, asked: Filter = EVERYTHING) -> Composed:
    """The condition on the rows of a list, for statements of another kind over the same rows.

    Such a statement joins for itself what the fields name beyond the listing's table.
    """
    shape, found = filters.read(listing, asked)
    return Composed(_conditions(listing, _Tenant(within.sql, within.is_one), shape), _valued(within, found))


def counts(listing: Listing, within: Within, asked: Filter, also: Filter) -> Composed:
    """The statement of how many rows a filter finds (`matched`), and how many of those are `touched` by another one."""
    reader = filters.Reader(listing)
    first, second = reader.shape(asked), reader.shape(also)
    return Composed(_counts(listing, _Tenant(within.sql, within.is_one), first, second), _valued(within, reader.values))


def _valued(within: Within, found: list[Any]) -> dict[str, Any]:
    return within.params | {f"value_{number}": value for number, value in enumerate(found)}


# ---------------------------------------------------------------------------------------------------- what is asked
def _keys(listing: Listing, sort: tuple[Sort, ...]) -> tuple[_Key, ...]:
    """The keys of an order that no two rows share: behind the id no key decides, and without it there is none."""
    keys: dict[str, _Key] = {}
    is_descending = False
    for one in sort:
        if not field_of(listing, one.field).is_sortable:
            raise FieldNotSortable(listing.noun, one.field)
        is_descending = one.direction is Direction.DESCENDING
        keys.setdefault(one.field, _Key(one.field, is_descending))
        if one.field == "id":
            break
        if len(keys) > _MOST_KEYS:
            raise FilterTooLarge(f"a list is sorted by at most {_MOST_KEYS} fields")
    keys.setdefault("id", _Key("id", is_descending))
    return tuple(keys.values())


def _start(listing: Listing, keys: tuple[_Key, ...], start: After | Skip | None) -> tuple[_Start, dict[str, Any]]:
    match start:
        case None:
            return _AT_THE_FIRST, {}
        case Skip(before):
            return _BY_OFFSET, {"offset": _count(before)}
        case After(position):
            if len(position) != len(keys):
                raise PositionWrong(f"a place in this list is told by {len(keys)} values")
            values, nulls = {}, []
            for number, (key, value) in enumerate(zip(keys, position, strict=True)):
                field = listing.named[key.field]
                nulls.append(value is None)
                if value is not None:
                    values[f"after_{number}"] = filters.checked(field, value)
                elif not field.is_nullable:
                    raise PositionWrong(f"`{field.name}` has a value in every row")
            return _Start(is_offset=False, nulls=tuple(nulls)), values


def _count(rows: int) -> int:
    if not 0 <= rows <= LARGEST // 2:
        raise PositionWrong("a list has no so many rows")
    return rows


# ---------------------------------------------------------------------------------------------------- SQL
@lru_cache(maxsize=_SHAPES)
def _rows(
    listing: Listing,
    tenant: _Tenant,
    shape: Shape,
    keys: tuple[_Key, ...],
    start: _Start,
) -> str:
    ranges = _ranges(listing, keys, start)
    if tenant.is_one and len(ranges) == 1 and not start.is_offset:
        where = _where(listing, f"= {tenant.sql}", shape, ranges[0].condition)
        more = _joins(listing, filters.fields_in(listing, shape) | {key.field for key in keys}, but=listing.joins)
        return f"{listing.select} {more}\n where {where}\n order by {_order(listing, keys, 0)}\n limit %(limit)s"
    if tenant.is_one:
        page = _probe(listing, keys, shape, f"= {tenant.sql}", ranges, _reach(start))
    else:
        # each tenant is asked for all that may come to stand on the page
        most = "limit %(offset)s::bigint + %(limit)s::bigint" if start.is_offset else "limit %(limit)s"
        page = f"""select found.*
          from {tenant.sql} as seen (id)
         cross join lateral ({_probe(listing, keys, shape, "= seen.id", ranges, most)}) as found
         order by {_order_of("found", keys)}
         {_reach(start)}"""
    return f"""select {listing.columns}
      from ({page}) as page
      join {listing.table} on {listing.named["id"].column} = page.row_id {listing.joins}
     order by {_order_of("page", keys)}"""


def _reach(start: _Start) -> str:
    return "limit %(limit)s offset %(offset)s" if start.is_offset else "limit %(limit)s"


def _probe(
    listing: Listing, keys: tuple[_Key, ...], shape: Shape, tenant: str, ranges: list[_Range], reach: str
) -> str:
    """Ids and keys of one tenant's rows in order: of the only range, or the first of what each range begins with."""
    columns = ", ".join(
        [
            f"{listing.named['id'].column} as row_id",
            *(f"{listing.named[key.field].key} as key_{number}" for number, key in enumerate(keys[:-1])),
        ]
    )
    joins = _joins(listing, filters.fields_in(listing, shape) | {key.field for key in keys})
    probes = [
        f"select {columns}\n from {listing.table} {joins}\n where {_where(listing, tenant, shape, range_.condition)}"
        f"\n order by {_order(listing, keys, range_.agree)}\n {reach}"
        for range_ in ranges
    ]
    if len(probes) == 1:
        return probes[0]
    union = "\n union all ".join(f"({probe})" for probe in probes)
    return f"select part.* from ({union}) as part order by {_order_of('part', keys)} {reach}"


def _where(listing: Listing, tenant: str, shape: Shape, place: str) -> str:
    parts = [f"{listing.tenant} {tenant}", listing.always, filters.written(listing, shape), place]
    return " and ".join(part for part in parts if part and part != "true")


def _joins(listing: Listing, fields: set[str], *, but: str = "") -> str:
    """What the fields need, each once, in the order in which the listing names them; without what is there already."""
    needed = dict.fromkeys(field.join for field in listing.fields if field.name in fields and field.join not in but)
    return " ".join(needed)


def _order(listing: Listing, keys: tuple[_Key, ...], agree: int) -> str:
    """The order of rows that agree in so many keys.

    Whichever way those are sorted is the same; the way of the key behind them is the one in which an index can be read
    that has them all. PostgreSQL knows this of keys that equal something, not of those that are null.
    """
    ways = [keys[max(number, agree)].way for number in range(len(keys))]
    return ", ".join(f"{listing.named[key.field].key} {way}" for key, way in zip(keys, ways, strict=True))


def _order_of(page: str, keys: tuple[_Key, ...]) -> str:
    """The same order over the columns of a probe."""
    named = [f"{page}.key_{number} {key.way}" for number, key in enumerate(keys[:-1])]
    return ", ".join([*named, f"{page}.row_id {keys[-1].way}"])


@lru_cache(maxsize=_SHAPES)
def _total(listing: Listing, tenant: _Tenant, shape: Shape, most: int = COUNTED) -> str:
    joins = _joins(listing, filters.fields_in(listing, shape))
    if tenant.is_one:
        return f"""select count(*) from (
            select from {listing.table} {joins} where {_conditions(listing, tenant, shape)} limit {most + 1}
        ) as counted"""
    # each tenant by itself: its id is a value there, which either side of an `or` finds by its index
    return f"""select count(*) from (
        select from {tenant.sql} as seen (id)
         cross join lateral (
            select from {listing.table} {joins} where {_where(listing, "= seen.id", shape, "")} limit {most + 1}
         ) as found
         limit {most + 1}
    ) as counted"""


@lru_cache(maxsize=_SHAPES)
def _totals(listing: Listing, tenant: _Tenant, asked: tuple[Shape, ...], most: int) -> str:
    each = ", ".join(f"({_total(listing, tenant, shape, most)})" for shape in asked)
    return f"select array[{each}]::bigint[]"


@lru_cache(maxsize=_SHAPES)
def _counts(listing: Listing, tenant: _Tenant, asked: Shape, also: Shape) -> str:
    joins = _joins(listing, filters.fields_in(listing, asked) | filters.fields_in(listing, also))
    return f"""select count(*) as matched, count(*) filter (where {filters.written(listing, also)}) as touched
      from {listing.table} {joins} where {_conditions(listing, tenant, asked)}"""


@lru_cache(maxsize=_SHAPES)
def _conditions(listing: Listing, tenant: _Tenant, shape: Shape) -> str:
    return _where(listing, f"= {tenant.sql}" if tenant.is_one else f"in {tenant.sql}", shape, "")


# ---------------------------------------------------------------------------------------------------- keyset
def _ranges(listing: Listing, keys: tuple[_Key, ...], start: _Start) -> list[_Range]:
    """The ranges that make up the list behind its start, nearest first."""
    if not start.nulls:
        return [_Range("", 0)]
    if _is_one_comparison(listing, keys, start):
        columns = ", ".join(listing.named[key.field].key for key in keys)
        after = ", ".join(_after(listing, keys, number) for number in range(len(keys)))
        return [_Range(f"({columns}) {keys[0].beyond} ({after})", 0)]
    found = []
    for last in reversed(range(len(keys))):
        same = [_same(listing, keys, number, is_null=start.nulls[number]) for number in range(last)]
        found += [
            _Range(" and ".join([*same, beyond.condition]), last + beyond.agree)
            for beyond in _beyond(listing, keys, last, is_null=start.nulls[last])
        ]
    return found


def _is_one_comparison(listing: Listing, keys: tuple[_Key, ...], start: _Start) -> bool:
    """Whether PostgreSQL's comparison of rows says it: null counts as greatest here, and as nothing there."""
    if any(start.nulls) or any(one.is_descending is not next_.is_descending for one, next_ in pairwise(keys)):
        return False
    return keys[0].is_descending or not any(listing.named[key.field].is_nullable for key in keys)


def _after(listing: Listing, keys: tuple[_Key, ...], number: int) -> str:
    return f"%(after_{number})s::{listing.named[keys[number].field].kind.value}"


def _same(listing: Listing, keys: tuple[_Key, ...], number: int, *, is_null: bool) -> str:
    key = listing.named[keys[number].field].key
    return f"{key} is null" if is_null else f"{key} = {_after(listing, keys, number)}"


def _beyond(listing: Listing, keys: tuple[_Key, ...], number: int, *, is_null: bool) -> list[_Range]:
    """What is behind the row by this key alone; all rows without a value agree in it."""
    key, field = keys[number], listing.named[keys[number].field]
    if is_null:
        return [_Range(f"{field.key} is not null", 0)] if key.is_descending else []
    ranges = [_Range(f"{field.key} {key.beyond} {_after(listing, keys, number)}", 0)]
    is_open = field.is_nullable and not key.is_descending
    return [*ranges, _Range(f"{field.key} is null", 1)] if is_open else ranges
