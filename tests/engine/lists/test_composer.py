"""What the composer's statements find is what a plain reading of the same list over the same rows finds."""

import operator
from functools import cmp_to_key
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from controlroom.engine.lists import composer, pages
from controlroom.engine.lists.model import (
    After,
    AllOf,
    AnyOf,
    Asked,
    Compare,
    Contains,
    Direction,
    Filter,
    Not,
    OneOf,
    Operator,
    Skip,
    Sort,
    Unset,
    Within,
)
from controlroom.ids import uuid7

FIELDS = ("id", "rank", "size", "ratio", "name", "note", "at", "is_fine", "buddy")


class Found(Struct):
    """A row of the list."""

    id: UUID


# ---------------------------------------------------------------------------------------------------- plain reading
COMPARED = {
    Operator.EQ: operator.eq,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
}


def holds(asked: Filter, row) -> bool:  # noqa: PLR0911 - one answer a kind of condition
    """Whether the row is one of those that the filter means."""
    match asked:
        case Compare(field, Operator.NE, value):
            return not holds(Compare(field, Operator.EQ, value), row)
        case Compare(field, compared, value):
            return getattr(row, field) is not None and COMPARED[compared](getattr(row, field), value)
        case Contains(field, text):
            return getattr(row, field) is not None and folded(text) in folded(str(getattr(row, field)))
        case OneOf(field, values):
            return getattr(row, field) in values
        case Unset(field):
            return getattr(row, field) is None
        case AllOf(of):
            return all(holds(one, row) for one in of)
        case AnyOf(of):
            return any(holds(one, row) for one in of)
        case Not(of):
            return not holds(of, row)


def folded(text: str) -> str:
    """Each character in lower case for itself, as PostgreSQL does it."""
    return "".join(one.lower()[0] for one in text)


def ordered(rows, sort: tuple[Sort, ...]) -> list:
    """The rows by the sort, then by id; no value is greater than any."""
    keys = [*sort]
    if not any(key.field == "id" for key in keys):
        keys.append(Sort("id", keys[-1].direction if keys else Direction.ASCENDING))

    def compare(one, other) -> int:
        for key in keys:
            mine, its = ((value is None, value) for value in (getattr(one, key.field), getattr(other, key.field)))
            if mine != its:
                less = mine[0] < its[0] if mine[0] != its[0] else mine < its
                return -1 if less is (key.direction is Direction.ASCENDING) else 1
        return 0

    return sorted(rows, key=cmp_to_key(compare))


def position(row, sort: tuple[Sort, ...]) -> After:
    """The row's place in the order."""
    names = list(dict.fromkeys(key.field for key in sort))
    names = [*names[: names.index("id")], "id"] if "id" in names else [*names, "id"]
    return After(tuple(getattr(row, name) for name in names))


# ---------------------------------------------------------------------------------------------------- what is asked
@st.composite
def asked_lists(draw, rows, tenants):
    """A filter, a sort and tenants, over values that are in the rows, or nearly."""

    def value(field):
        present = sorted({getattr(row, field) for row in rows} - {None})
        more = {"size": st.integers(-(2**63), 2**63 - 1), "name": st.text("aAäÄ%_\\b", max_size=2)}
        return st.sampled_from(present) | more[field] if field in more else st.sampled_from(present)

    def leaf(field):
        compared = [Operator.EQ, Operator.NE] if field == "is_fine" else list(Operator)
        kinds = [
            st.builds(Compare, st.just(field), st.sampled_from(compared), value(field)),
            st.builds(OneOf, st.just(field), st.lists(value(field), max_size=3).map(tuple)),
            st.builds(Unset, st.just(field)),
        ]
        if field in {"name", "note", "buddy"}:
            kinds.append(st.builds(Contains, st.just(field), st.text("aAbBäÄ%_\\ßΣσ😀0i", max_size=3)))
        if field == "size":
            kinds.append(st.builds(Contains, st.just(field), st.text("-0129", max_size=2)))
        return st.one_of(kinds)

    trees = st.recursive(
        st.sampled_from(FIELDS).flatmap(leaf),
        lambda inner: st.one_of(
            st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
            st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)),
            st.builds(Not, inner),
        ),
        max_leaves=6,
    )
    sorts = st.lists(st.builds(Sort, st.sampled_from(FIELDS), st.sampled_from(Direction)), max_size=4).map(tuple)
    filter_ = draw(st.just(AllOf()) | trees)
    return filter_, draw(sorts), draw(st.lists(st.sampled_from(tenants), max_size=3, unique=True))


def within(tenants) -> Within:
    """One tenant as an equality, several as a subquery."""
    if len(tenants) == 1:
        return Within.one("%(tenant)s", tenant=tenants[0])
    return Within.several("(select unnest(%(tenants)s::uuid[]))", tenants=tenants)


@pytest.fixture(scope="module")
async def find(specimens):
    """Asks the database for a part of the list."""

    async def find(tenants, **asked) -> list[UUID]:
        listing = specimens.listing
        found = await pages.rows(specimens.database, Found, listing, within(tenants), Asked(**asked))
        return [row.id for row in found]

    return find


@settings(max_examples=150)
@given(data=st.data())
async def test_any_list_has_the_rows_and_the_order_of_a_plain_reading(specimens, find, data):
    """From the first row, behind any row, and behind any number of rows; and as many in all as there are."""
    filter_, sort, tenants = data.draw(asked_lists(specimens.rows, specimens.tenants))
    listed = ordered([row for row in specimens.rows if row.tenant in tenants and holds(filter_, row)], sort)
    ids = [row.id for row in listed]
    length = data.draw(st.integers(0, 40))

    assert await find(tenants, filter=filter_, sort=sort, length=length) == ids[:length]

    skipped = data.draw(st.integers(0, len(ids) + 2))
    assert await find(tenants, filter=filter_, sort=sort, start=Skip(skipped), length=length) == ids[skipped:][:length]

    if listed:
        place = data.draw(st.integers(0, len(ids) - 1))
        start = position(listed[place], sort)
        assert await find(tenants, filter=filter_, sort=sort, start=start, length=length) == ids[place + 1 :][:length]

    counted = composer.total(specimens.listing, within(tenants), filter_)
    assert await specimens.database.value(counted.sql, **counted.values) == len(ids)


@settings(max_examples=40)
@given(data=st.data())
async def test_pages_behind_each_other_make_up_the_list(specimens, find, data):
    """Page after page by position, each row comes once, whichever way the keys go and whatever they lack."""
    filter_, sort, tenants = data.draw(asked_lists(specimens.rows, specimens.tenants))
    by_id = {row.id: row for row in specimens.rows}
    seen, start = [], None
    while page := await find(tenants, filter=filter_, sort=sort, start=start, length=37):
        seen += page
        start = position(by_id[page[-1]], sort)

    assert seen == [
        row.id for row in ordered([r for r in specimens.rows if r.tenant in tenants and holds(filter_, r)], sort)
    ]


@settings(max_examples=40)
@given(data=st.data())
async def test_a_condition_alone_finds_the_same_rows(specimens, data):
    """Statements of another kind, a count or a lock, are over the rows of the list."""
    filter_, _, tenants = data.draw(asked_lists(specimens.rows, specimens.tenants))
    composed = composer.condition(specimens.listing, within(tenants), filter_)
    found = await specimens.database.all(
        UUID,
        "select specimen.id from specimen left join buddy on buddy.id = specimen.buddy_id "
        f"where {composed.sql} order by specimen.id",
        **composed.values,
    )

    assert found == sorted(row.id for row in specimens.rows if row.tenant in tenants and holds(filter_, row))


async def test_a_stranger_tenant_has_no_rows(specimens, find):
    """A list is of the tenants that it was asked within, and of no other."""
    assert await find([uuid7()], length=10) == []
    assert await find([uuid7(), uuid7()], length=10, start=Skip(1)) == []
    assert await find([], length=10) == []


# ---------------------------------------------------------------------------------------------------- the text
def test_one_shape_is_one_text(specimens):
    """Values are parameters: a statement that is prepared once serves all of them."""

    def text(rank, name, tenant):
        filter_ = AllOf((Compare("rank", Operator.GE, rank), Not(Contains("name", name))))
        asked = Asked(filter=filter_, sort=(Sort("name"),), start=After((name, tenant)), length=rank)
        return composer.rows(specimens.listing, within([tenant]), asked).sql

    first, second = text(1, "'; drop table specimen", uuid7()), text(9, "b%", uuid7())

    assert first is second
    assert "drop" not in first


def test_one_tenant_and_one_way_is_a_plain_comparison_of_rows(specimens):
    """What our own grammar asks for stays a plain statement, without a select in a select."""
    sort = (Sort("rank", Direction.DESCENDING),)
    asked = Asked(sort=sort, start=After((1, uuid7())), length=5)
    sql = composer.rows(specimens.listing, within(specimens.tenants[:1]), asked).sql

    assert sql.count("select") == 1
    assert "(specimen.rank, specimen.id) < (%(after_0)s::bigint, %(after_1)s::uuid)" in sql
