"""Pages with totals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from controlroom.engine.lists import composer, pages
from controlroom.engine.lists.composer import COUNTED
from controlroom.engine.lists.model import (
    AllOf,
    Asked,
    Compare,
    Operator,
    Skip,
    Total,
    Within,
)
from controlroom.engine.lists.pages import total_of


class Found(Struct):
    """A row of the list."""

    rank: int
    buddy: str | None


async def test_a_page_says_whether_there_are_more_and_how_many_in_all(specimens):
    """With the rows that are joined to it, and the total only if it is wanted."""
    tenant = specimens.tenants[0]
    there = [row for row in specimens.rows if row.tenant == tenant and row.rank == 1]
    asked = {"filter": Compare("rank", Operator.EQ, 1), "start": Skip(2)}

    async def page(**more):
        within = Within.one("%(tenant)s", tenant=tenant)
        return await pages.page(specimens.database, Found, specimens.listing, within, Asked(**asked | more))

    first = await page(length=3, with_total=True)
    assert (len(first.rows), first.has_more) == (3, True)
    assert first.total == Total(len(there), is_capped=False)
    assert {row.buddy for row in (await page(length=100)).rows} <= {row.buddy for row in there}

    rest = await page(length=len(there))
    assert (len(rest.rows), rest.has_more, rest.total) == (len(there) - 2, False, None)

    beyond = await page(length=5, start=Skip(1000), with_total=True)
    assert (beyond.rows, beyond.total) == ([], Total(len(there), is_capped=False))


async def test_several_filters_are_counted_in_one_round_trip(specimens):
    """Each as if it were asked for alone, in their order, of the tenant's own rows; none of them is none."""
    tenant = specimens.tenants[0]
    within = Within.one("%(tenant)s", tenant=tenant)
    asked = [Compare("rank", Operator.EQ, rank) for rank in (1, 2, 1_000_000)] + [AllOf()]

    counted = await pages.count_each(specimens.database, specimens.listing, within, asked)

    assert counted == [await pages.count(specimens.database, specimens.listing, within, each) for each in asked]
    assert counted[0].rows > 0
    assert counted[2].rows == 0
    assert await pages.count_each(specimens.database, specimens.listing, within, []) == []


@given(there=st.integers(0, 4 * COUNTED), length=st.integers(1, 2 * COUNTED).map(lambda n: n + 1000))
def test_who_goes_on_until_the_total_has_seen_all(there, length):
    """The total is exact up to 100,000; above that it never ends a client's loop early, nor keeps it for ever."""
    offset, total = 0, Total(1, is_capped=False)
    while offset < total.rows:
        seen = min(there, offset + length)
        total = total_of(min(there, COUNTED + 1), seen=seen if seen > offset else 0, has_more=seen < there)
        assert total.is_capped is (there > COUNTED)
        assert total.is_capped or total.rows == there
        offset += length
        if not there:
            break

    assert offset >= there


@pytest.mark.parametrize(("counted", "seen", "told"), [(5, 7, 7), (5, 0, 5), (0, 0, 0)])
def test_rows_that_came_between_the_two_statements_do_not_contradict_the_total(counted, seen, told):
    """Nobody is shown more rows than there are said to be."""
    assert total_of(counted, seen=seen, has_more=False).rows == told


async def test_only_what_comes_often_stays_prepared(specimens):
    """A statement costs memory in every connection: what a caller thinks of once leaves none there."""
    within = Within.one("%(tenant)s", tenant=specimens.tenants[0])
    async with specimens.database.transaction() as tx:

        async def prepared() -> int:
            return await tx.value("select count(*) from pg_prepared_statements")

        async def ask(conditions: int) -> None:
            filter_ = AllOf((Compare("rank", Operator.LT, 5),) * conditions)
            await pages.rows(tx, Found, specimens.listing, within, Asked(filter=filter_, length=2))

        await prepared()
        before = await prepared()
        for conditions in range(20, 60):
            await ask(conditions)
        assert await prepared() <= before + 1  # the last one is closed with the next

        for _ in range(6):
            await ask(20)
        assert before < await prepared() <= before + 2


async def test_there_is_a_bound_to_what_is_kept():
    """However often callers ask for however many shapes."""
    kept = composer._Kept()
    for number in range(2000):
        assert not kept.has(f"select {number}")  # once each
    for _ in range(4):
        for number in range(300):
            kept.has(f"select {number}")

    assert len(kept.texts) == 256
    assert len(kept.uses) <= 1025
    assert kept.has(next(iter(kept.texts)))
