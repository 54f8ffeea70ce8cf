"""Every noun that somebody can name has an id and a number, from one sequence for the whole database."""

from datetime import UTC, datetime

import asyncpg
import pytest

from controlroom.postgres.migrate import migrate

NEVER_NAMED = {
    "upload": "a promise to take a file; what becomes of it has a number",
    "user_session": "named by its token alone",
}


@pytest.fixture
async def rooms(new_database):
    """A new database, and a connection to it."""
    dsn = await new_database()
    connection = await asyncpg.connect(dsn)
    yield dsn, connection
    await connection.close()


async def test_whatever_has_an_id_has_a_number(rooms):
    """Of the one sequence, never null, never twice. A table without one fails here, unless nobody names its rows."""
    dsn, connection = rooms
    await migrate(dsn)

    rows = await connection.fetch(
        """
        select thing.table_name::text as name, number.is_nullable::text, number.data_type::text,
               number.column_default::text,
               exists (select from pg_index
                         join pg_attribute on attrelid = indrelid and attnum = indkey[0]
                        where indrelid = thing.table_name::regclass and indisunique and indisvalid and indnkeyatts = 1
                          and indpred is null and attname = 'number') as is_unique
          from information_schema.columns as thing
          join information_schema.tables as its on its.table_schema = thing.table_schema
           and its.table_name = thing.table_name and its.table_type = 'BASE TABLE'
          left join information_schema.columns as number
            on number.table_schema = thing.table_schema and number.table_name = thing.table_name
           and number.column_name = 'number'
         where thing.table_schema = 'public' and thing.column_name = 'id' and thing.data_type = 'uuid'
        """
    )
    wrong = [
        dict(row)
        for row in rows
        if row["name"] not in NEVER_NAMED
        and (row["is_nullable"], row["data_type"], row["column_default"], row["is_unique"])
        != ("NO", "bigint", "nextval('number'::regclass)", True)
    ]

    assert len(rows) > 25
    assert wrong == []


async def test_an_id_can_be_made_of_a_moment(rooms):
    """Of version 7, as if it had been made then: rows that come without one have theirs of it."""
    dsn, connection = rooms
    await migrate(dsn)
    then = datetime(2026, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)

    made = [await connection.fetchval("select uuid_made_at($1)", then) for _ in range(2)]

    assert made[0] != made[1]
    assert {(each.version, each.variant) for each in made} == {(7, "specified in RFC 4122")}
    assert {datetime.fromtimestamp((each.int >> 80) / 1000, UTC) for each in made} == {then}
