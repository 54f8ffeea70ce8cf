"""Pages by the id of their last row."""

import uuid
from types import SimpleNamespace

import pytest

from controlroom.ids import uuid7
from controlroom.postgres.database import Database
from controlroom.postgres.keyset import oldest_first, whole
from controlroom.postgres.statement import statement

LIST = f"select id from listed where place = 'here' {oldest_first('id')}"


@pytest.fixture
async def listed(new_database):
    """A database with a table of ten rows."""
    database = await Database.connect(await new_database())
    await database.execute("create table listed (place text, id uuid, primary key (place, id))")
    ids = sorted(uuid7() for _ in range(10))
    await database.execute("insert into listed select 'here', unnest(%(ids)s::uuid[])", ids=ids)
    yield database, ids
    await database.close()


async def test_pages_join_up(listed):
    """Each page begins behind the last row of the one before; the first one at the first row."""
    database, ids = listed
    seen, after = [], None
    while rows := await database.all(uuid.UUID, LIST, after=after, limit=4):
        seen += rows
        after = rows[-1]

    assert seen == ids


async def test_a_deep_page_reads_no_row_before_it(listed):
    """The place in the list is a condition of the index, also when the statement is planned for all values."""
    database, _ = listed
    async with database.transaction() as tx:
        for setting in ("plan_cache_mode = force_generic_plan", "enable_seqscan = off", "enable_bitmapscan = off"):
            await tx.execute(f"set local {setting}")
        await tx.execute(f"prepare listing as {statement(LIST).text}")
        plan = await tx.all(str, "explain execute listing (null, 4)")

    [condition] = [line for line in plan if "Index Cond" in line]
    assert "id >" in condition
    assert not [line for line in plan if "Filter" in line or "Sort" in line]


@pytest.mark.parametrize(("rows", "asked"), [(0, [None]), (3, [None, 2]), (4, [None, 2, 4]), (5, [None, 2, 4])])
async def test_a_whole_list_is_read_page_by_page(rows, asked):
    """Every row comes once, in order, and nothing is asked for behind a page that is not full."""
    listed, begins = [SimpleNamespace(id=place) for place in range(1, rows + 1)], []

    async def listing(*, after, limit):
        begins.append(after)
        return listed[after or 0 :][:limit]

    assert await whole(listing, 2) == listed
    assert begins == asked
