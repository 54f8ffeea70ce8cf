"""Which one of its process a run is: counted without anybody waiting."""

import asyncpg
import pytest

from controlroom.ids import uuid7
from controlroom.postgres.migrate import migrate


@pytest.fixture
async def rooms(new_database):
    """A new database, and a connection to it."""
    dsn = await new_database()
    connection = await asyncpg.connect(dsn)
    yield dsn, connection
    await connection.close()


async def _processes(connection: asyncpg.Connection, count: int) -> tuple[object, list[object]]:
    organization, workspace = uuid7(), uuid7()
    await connection.execute("insert into organization (id, name) values ($1, 'o')", organization)
    await connection.execute(
        "insert into workspace (id, organization_id, name) values ($1, $2, 'w')", workspace, organization
    )
    processes = [uuid7() for _ in range(count)]
    for process in processes:
        await connection.execute(
            "insert into process (id, workspace_id, name) values ($1, $2, 'p')", process, workspace
        )
    return workspace, processes


_START = "insert into run (id, workspace_id, process_id, started_by) values ($1, $2, $3, 'api')"


async def _told(connection: asyncpg.Connection, process: object) -> list[int]:
    rows = await connection.fetch("select run_no from run where process_id = $1 order by id", process)
    return [row["run_no"] for row in rows]


async def test_runs_count_by_process(rooms):
    """Each process from 1, in the order in which its runs are started."""
    dsn, connection = rooms
    await migrate(dsn)
    workspace, (first, second) = await _processes(connection, 2)

    for process in (first, second, first, first, second):
        await connection.execute(_START, uuid7(), workspace, process)

    assert await _told(connection, first) == [1, 2, 3]
    assert await _told(connection, second) == [1, 2]


async def test_starts_of_one_process_do_not_wait_for_each_other(rooms):
    """While one start is not committed yet, another one of the same process is, and has the next number."""
    dsn, connection = rooms
    await migrate(dsn)
    workspace, [process] = await _processes(connection, 1)
    other = await asyncpg.connect(dsn)
    await other.execute("set lock_timeout = '2s'")

    slow = connection.transaction()
    await slow.start()
    await connection.execute(_START, uuid7(), workspace, process)
    await other.execute(_START, uuid7(), workspace, process)
    await slow.rollback()
    await other.execute(_START, uuid7(), workspace, process)

    assert await _told(other, process) == [2, 3]
    await other.close()


async def test_a_process_that_is_removed_leaves_no_counter(rooms):
    """Its sequence goes with its row."""
    dsn, connection = rooms
    await migrate(dsn)
    _, [process, kept] = await _processes(connection, 2)

    await connection.execute("delete from process where id = $1", process)

    names = [row["name"] for row in await connection.fetch("select relname as name from pg_class where relkind = 'S'")]
    assert [name for name in names if name.startswith("run_no_")] == [f"run_no_{kept.hex}"]
