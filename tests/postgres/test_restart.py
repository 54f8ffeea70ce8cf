"""What callers feel when the database dies and comes back."""

import asyncio
import os
import signal
import time

import pytest

from controlroom.errors import Unavailable
from controlroom.postgres.connection import connect
from controlroom.postgres.database import Database
from controlroom.postgres.embedded import EmbeddedPostgres

pytestmark = pytest.mark.fault


@pytest.fixture
async def pool(server):
    """A pool of several open connections, all idle."""
    database = await Database.connect(server.dsn, min_size=4, max_size=4)
    await database.execute("create table item (id int)")
    yield database
    await database.close()


async def test_a_killed_database_comes_back_unseen(pool, server, folder, start):
    """The same pool works again: idle connections are replaced, callers wait for the server and none gets an error."""
    await pool.execute("insert into item values (1)")
    os.kill(server.pid, signal.SIGKILL)
    assert await server.wait() == -signal.SIGKILL
    asking = [asyncio.create_task(pool.value("select count(*) from item")) for _ in range(20)]

    killed = time.monotonic()
    again = await start(folder / "postgres")

    print(f"recovered {time.monotonic() - killed:.3f} s after kill -9")
    assert await asyncio.gather(*asking) == [1] * 20
    assert again.pid != server.pid


async def test_a_statement_that_was_under_way_is_not_repeated(pool, server, folder, start):
    """Nobody knows whether it was done: its caller gets `Unavailable`, at once, and nothing is done twice."""
    task = asyncio.create_task(pool.execute("insert into item select 1 from pg_sleep(60)"))
    while not await pool.value(
        "select count(*) from pg_stat_activity where query like 'insert%%' and state = 'active'"
    ):
        pass

    os.kill(server.pid, signal.SIGKILL)
    with pytest.raises(Unavailable):
        await task
    await start(folder / "postgres")

    assert await pool.value("select count(*) from item") == 0


async def test_idle_connections_that_the_server_ended_are_replaced(pool):
    """An administrator who ends sessions is noticed before a statement is sent, on every connection."""
    while await pool.value(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity"
        " where backend_type = 'client backend' and pid <> pg_backend_pid()"
    ):
        pass

    assert await asyncio.gather(*(pool.value("select 1") for _ in range(8))) == [1] * 8


async def test_a_transaction_begins_on_a_living_connection(pool, server, folder, start):
    """BEGIN is sent again elsewhere when it met a dead connection."""
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    await start(folder / "postgres")

    for _ in range(4):
        async with pool.transaction() as tx:
            assert await tx.value("select 1") == 1


async def test_a_lost_commit_is_told_as_unknown(pool, server, folder, start):
    """When the connection is lost in the commit, nobody knows, and the caller is told so."""
    await pool.execute(
        """
        create function dawdle() returns trigger language plpgsql as $$ begin perform pg_sleep(60); return null; end $$;
        create constraint trigger late after insert on item deferrable initially deferred
               for each row execute function dawdle();
        """
    )

    async def insert():
        async with pool.transaction() as tx:
            await tx.execute("insert into item values (1)")

    task = asyncio.create_task(insert())
    while not await pool.value("select count(*) from pg_stat_activity where query = 'commit' and state = 'active'"):
        pass
    os.kill(server.pid, signal.SIGKILL)

    with pytest.raises(Unavailable) as raised:
        await task
    assert raised.value.fields == {"commit": "unknown"}
    await start(folder / "postgres")
    assert await pool.value("select count(*) from item") == 0


async def test_in_a_long_outage_callers_are_told_soon(pool, server, monkeypatch):
    """Once the patience of the first is over, nobody else has to wait for nothing."""
    monkeypatch.setattr("controlroom.postgres.pool._PATIENCE", 0.3)
    await EmbeddedPostgres.stop(server)
    with pytest.raises(Unavailable):
        await pool.value("select 1")

    tries = 0

    async def counted(*arguments, **options):
        nonlocal tries
        tries += 1
        return await connect(*arguments, **options)

    monkeypatch.setattr("controlroom.postgres.pool.connect", counted)
    with pytest.raises(Unavailable):
        await pool.value("select 1")
    assert tries == 1


async def test_committed_rows_survive_kills(folder, start):
    """Whatever was acknowledged before kill -9 is there afterwards, several times in a row."""
    acknowledged = 0
    for _ in range(3):
        server = await start(folder / "postgres")
        database = await Database.connect(server.dsn, min_size=1)
        await database.execute("create table if not exists item (id int)")
        for _ in range(50):
            await database.execute("insert into item values (1)")
            acknowledged += 1
        os.kill(server.pid, signal.SIGKILL)
        await server.wait()
        await database.close()

    server = await start(folder / "postgres")
    database = await Database.connect(server.dsn, min_size=1)
    assert await database.value("select count(*) from item") == acknowledged
    await database.close()


async def test_whatever_is_under_way_when_it_dies_is_told_as_unavailable(server, folder, start):
    """Reading, writing, in transactions, in commits, by COPY and by cursors: no caller meets an error of the driver."""
    database = await Database.connect(server.dsn, min_size=8, max_size=8)
    await database.execute("create table item (id int)")
    failures: list[BaseException] = []

    async def in_transaction() -> None:
        async with database.transaction() as tx:
            await tx.execute("insert into item values (1)")
            await tx.value("select count(*) from item")

    async def copied() -> None:
        async with database.transaction() as tx:
            await tx.copy_in("item", ["id"], [(number,) for number in range(1000)])

    async def streamed() -> None:
        async with database.transaction() as tx:
            async for _ in tx.stream(int, "select generate_series(1, 5000)"):
                pass

    async def written() -> None:
        await database.execute("insert into item values (1)")

    async def ask(what) -> None:
        while not failures:
            try:
                await what()
            except Exception as error:  # noqa: BLE001 - they are what the test looks at
                failures.append(error)

    asking = [asyncio.create_task(ask(what)) for what in (in_transaction, copied, streamed, written) * 4]
    for _ in range(5):
        await database.value("select pg_sleep(0.02)")
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    await start(folder / "postgres")
    await asyncio.gather(*asking)

    assert {type(failure) for failure in failures} == {Unavailable}
    assert await database.value("select 1") == 1
    await database.close()
