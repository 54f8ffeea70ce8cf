"""Events and how far readers have come, in a database that counts its transactions anew."""

import asyncpg
import pytest

from controlroom.backups.positions import renumber
from controlroom.postgres.migrate import migrate

FAR = 9_000_000_000


@pytest.fixture
async def connection(new_database):
    dsn = await new_database()
    await migrate(dsn)
    opened = await asyncpg.connect(dsn)
    yield opened
    await opened.close()


async def unread(connection, reader: str) -> list[str]:
    """The kinds of events that a reader will be given, in order."""
    rows = await connection.fetch(
        """
        select kind from event, event_cursor where reader = $1
           and (event.xid, event.id) > (event_cursor.xid, event_cursor.id)
           and event.xid < pg_snapshot_xmin(pg_current_snapshot())
         order by event.xid, event.id
        """,
        reader,
    )
    return [row["kind"] for row in rows]


async def add(connection, kind: str, xid: int | None = None) -> int:
    if xid is None:
        return await connection.fetchval(
            "insert into event (organization_id, kind, actor_kind) values (gen_random_uuid(), $1, 'x') returning id",
            kind,
        )
    return await connection.fetchval(
        "insert into event (xid, organization_id, kind, actor_kind)"
        " values ($1::text::xid8, gen_random_uuid(), $2, 'x') returning id",
        str(xid),
        kind,
    )


async def test_what_was_unread_is_read_and_what_comes_follows(connection):
    """Each reader goes on where it was, in the same order, and sees what happens in the new database."""
    await add(connection, "late", FAR + 3)
    old = await add(connection, "old", FAR)
    middle = await add(connection, "middle", FAR + 1)
    await add(connection, "next", FAR + 2)
    for reader, xid, last in (("chains", FAR, old), ("deliveries", FAR + 1, middle)):
        await connection.execute(
            "update event_cursor set xid = $2::text::xid8, id = $3 where reader = $1", reader, str(xid), last
        )

    await renumber(connection)
    await add(connection, "new")

    assert await unread(connection, "chains") == ["middle", "next", "late", "new"]
    assert await unread(connection, "deliveries") == ["next", "late", "new"]


@pytest.mark.matrix
async def test_many_unread_transactions_are_passed(connection):
    """The new database's transactions begin behind all of them."""
    await connection.execute(
        """
        insert into event (xid, organization_id, kind, actor_kind)
        select (9000000000 + n)::text::xid8, gen_random_uuid(), 'x', 'x' from generate_series(1, 12000) as n
        """
    )
    await connection.execute("update event_cursor set xid = '9000000000'")

    await renumber(connection)
    await add(connection, "new")

    found = await unread(connection, "chains")
    assert (len(found), found[-1]) == (12001, "new")
