"""The leader's transaction lasts as long as its server leads, and holds nobody up."""

import asyncio

import asyncpg

from controlroom.maintenance.leader import lead
from controlroom.postgres.database import Database


async def test_an_index_is_built_beside_a_leader(new_database):
    """The migrations of a next release do so while a server of this one leads."""
    dsn = await new_database()
    database, other = await Database.connect(dsn, min_size=1), await asyncpg.connect(dsn)
    leading = asyncio.create_task(lead(database, [], observe=lambda *_: None))
    led = "select count(*) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'"
    while not await other.fetchval(led):
        pass

    await other.execute("create table a (x int)")
    async with asyncio.timeout(20):
        await other.execute("create index concurrently a_x on a (x)")

    assert not leading.done()
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)
    await database.close()
    await other.close()
