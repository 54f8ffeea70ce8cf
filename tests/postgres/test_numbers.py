"""Every noun that somebody can name has an id and a number, from one sequence for the whole database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from controlroom.ids import uuid7
from controlroom.postgres.migrate import migrate, migrations
from controlroom.postgres.statement import statements

FEW, MANY = "20261129151000_pre_numbers_of_few.sql", "20261129151100_pre_numbers_of_many.sql"

NEVER_NAMED = {
    "upload": "a promise to take a file; what becomes of it has a number",
    "user_session": "named by its token alone",
}

GIVEN = ("package_version", "work_item_file", "delivery", "phase", "email_trigger")
"""The tables that had no numbers at first; with them `user_credential`, whose rows are elsewhere by now."""


@pytest.fixture
async def rooms(new_database):
    """A new database, and a connection to it."""
    dsn = await new_database()
    connection = await asyncpg.connect(dsn)
    yield dsn, connection
    await connection.close()


@pytest.fixture
def before(tmp_path):
    """The migrations of the release that knew nothing of these numbers."""
    for migration in migrations():
        if migration.name < FEW:
            (tmp_path / migration.name).write_text(migration.sql)
    return tmp_path


async def _furnish(connection: asyncpg.Connection, phases: int = 1) -> dict[str, UUID]:
    """What the release before wrote: one row of each table, or some phases more."""
    nouns = ("organization", "workspace", "app_user", "package", "package_version", "process", "queue", "step", "run")
    ids = {noun: uuid7() for noun in (*nouns, "step_run", "work_item", "file", "delivery")}
    for sql in (
        "insert into organization (id, name) values ({organization}, 'o')",
        "insert into workspace (id, organization_id, name) values ({workspace}, {organization}, 'w')",
        "insert into app_user (id, organization_id, username) values ({app_user}, {organization}, 'ada')",
        "insert into package (id, workspace_id, name) values ({package}, {workspace}, 'robot')",
        """insert into package_version (id, package_id, version, hash, size, robot)
           values ({package_version}, {package}, 1, 'beef', 4, '{{}}')""",
        "insert into process (id, workspace_id, name) values ({process}, {workspace}, 'p')",
        """insert into email_trigger (process_id, workspace_id, random)
           values ({process}, {workspace}, {process}::text)""",
        "insert into queue (id, workspace_id, name) values ({queue}, {workspace}, 'q')",
        """insert into step (id, workspace_id, process_id, position, name, queue_id)
           values ({step}, {workspace}, {process}, 0, 's', {queue})""",
        "insert into run (id, workspace_id, process_id, started_by) values ({run}, {workspace}, {process}, 'api')",
        """insert into step_run (id, workspace_id, run_id, step_id, created_at)
           values ({step_run}, {workspace}, {run}, {step}, '2026-02-03T00:00Z')""",
        """insert into phase (step_run_id, attempt, position, kind, name, state, started_at)
           select {step_run}, 1, place, 'task', 't', 'skipped',
                  case when place % 2 = 0 then timestamptz '2026-02-03T00:00Z' + place * interval '1 minute' end
             from generate_series(1, """
        + str(phases)
        + ") as place",
        "insert into work_item (id, workspace_id, state) values ({work_item}, {workspace}, 'new')",
        """insert into work_item_file (id, work_item_id, name, size, hash)
           values ({file}, {work_item}, 'a.txt', 4, 'beef')""",
        """insert into delivery (id, workspace_id, kind, subscription_id, event_kind, message_id, grammar, destination,
                                 body, give_up_at)
           values ({delivery}, {workspace}, 'webhook', {delivery}, 'run.completed', {delivery}, 'robocorp', 'x', '',
                   clock_now())""",
    ):
        await connection.execute(sql.format(**{noun: f"'{id_}'" for noun, id_ in ids.items()}))
    return ids


async def _numbers(connection: asyncpg.Connection) -> list[int]:
    union = " union all ".join(f"select number from {table}" for table in GIVEN)
    return [row["number"] for row in await connection.fetch(union)]


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


async def test_what_was_there_is_numbered(rooms, before):
    """Rows of the release before get numbers, and phases ids of the time at which they began."""
    dsn, connection = rooms
    await migrate(dsn, before)
    await _furnish(connection, phases=12_000)  # more than a batch

    await migrate(dsn)

    numbers = await _numbers(connection)
    assert len(numbers) == len(set(numbers)) == 12_004
    phases = await connection.fetch("select id, position from phase order by position limit 4")
    made = [datetime.fromtimestamp((phase["id"].int >> 80) / 1000, UTC) for phase in phases]
    beginning = datetime(2026, 2, 3, tzinfo=UTC)
    assert made == [beginning, beginning + timedelta(minutes=2), beginning, beginning + timedelta(minutes=4)]
    assert {(phase["id"].version, phase["id"].variant) for phase in phases} == {(7, "specified in RFC 4122")}


async def test_the_release_before_goes_on(rooms):
    """What it writes after the migration has numbers, too, though it knows nothing of them."""
    dsn, connection = rooms
    await migrate(dsn)

    await _furnish(connection, phases=3)

    numbers = await _numbers(connection)
    assert len(set(numbers)) == len(numbers) == 7


async def test_the_numbering_can_be_interrupted(rooms, before):
    """Wherever it ended, it begins anew and comes to the same."""
    dsn, connection = rooms
    await migrate(dsn, before)
    await _furnish(connection, phases=10)
    (before / FEW).write_text(next(each.sql for each in migrations() if each.name == FEW))
    await migrate(dsn, before)
    orders = statements(next(each.sql for each in migrations() if each.name == MANY))

    for last in range(0, len(orders), 3):
        for order in orders[:last]:
            await connection.execute(order)
    first = await _numbers(connection)
    await migrate(dsn)

    assert sorted(await _numbers(connection)) == sorted(first)
    assert len(set(first)) == 14
