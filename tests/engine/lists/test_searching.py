"""What no index finds is looked for part by part."""

import pytest
from tests.engine.runs.conftest import Floor, payloads

from controlroom.engine.access.scope import within
from controlroom.engine.lists import searching
from controlroom.engine.lists.model import EVERYTHING, Compare, Inside, Operator
from controlroom.engine.lists.searching import search
from controlroom.engine.work_items.listings import ITEMS
from controlroom.engine.work_items.model import WorkItem


@pytest.fixture
async def floor(engine, ada, team) -> Floor:
    """A workspace with a run of 25 items; every fifth is of Norway."""
    floor = Floor(engine, ada, team.workspace, team.organization)
    process = await floor.process({})
    await floor.start(process, payloads(*({"country": "SE" if n % 5 else "NO", "n": n} for n in range(25))))
    return floor


async def looked_for(floor, asked, **options):
    return await search(
        floor.engine.database,
        WorkItem,
        ITEMS,
        within(floor.scope),
        **({"base": EVERYTHING, "sought": Inside("payload", asked), "length": 50, "seconds": 60.0} | options),
    )


async def test_a_search_goes_through_all_parts(floor, monkeypatch):
    """Newest first, each row once, however small the parts are."""
    monkeypatch.setattr(searching, "SMALLEST", 4)
    found = await looked_for(floor, "$.country = NO")
    assert [row.id for row in found.rows] == sorted((row.id for row in found.rows), reverse=True)
    assert (len(found.rows), found.looked_through, found.reached) == (5, 25, None)


async def test_a_search_that_is_cut_off_says_where_and_goes_on(floor, monkeypatch):
    """By time after one part at least, or because enough was found; nothing is passed over."""
    monkeypatch.setattr(searching, "SMALLEST", 4)
    rows, parts, after = [], 0, None
    while True:
        found = await looked_for(floor, "$.country = NO", seconds=0.0, after=after)
        rows += found.rows
        parts += 1
        after = found.reached
        if after is None:
            break
    assert (len(rows), len({row.id for row in rows}), parts) == (5, 5, 7)
    assert len((await looked_for(floor, "$.country = NO", length=2)).rows) == 2


async def test_a_base_is_what_is_looked_through(floor):
    """Of nothing, nothing."""
    none = await looked_for(floor, "$.n", base=Compare("state", Operator.EQ, "failed"))
    assert (none.rows, none.looked_through, none.reached) == ([], 0, None)
    some = await looked_for(floor, "$.n < 3", base=Compare("state", Operator.EQ, "pending"))
    assert (len(some.rows), some.looked_through) == (3, 25)
