"""Which driver: claim + finish of queue items on 16 connections, asyncpg beside psycopg, in one run.

    python tests/bench/driver.py [seconds]

Each of 16 loops takes an item (one statement, as the engine does), reads its JSON, and marks it done (another one). The
bare drivers are beside each other, and our own `Database` beside the driver that it is made of. Without psycopg
(`pip install 'psycopg[binary]' psycopg-pool`) its line says so. Prints items per second and the processor's time per
item in our process, and the ratios.
"""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec
import uvloop

from controlroom.postgres.database import Database
from controlroom.postgres.embedded import EmbeddedPostgres

try:
    import psycopg
    from psycopg.rows import tuple_row
except ImportError:
    psycopg = None

CONNECTIONS = 16
ROUND = 0.25
"""Seconds of a round."""

CLAIM = """
    update item set state = 'in_progress', attempt = attempt + 1
     where id = (select id from item where state = 'pending' order by due, id limit 1 for update skip locked)
    returning id, number, state, payload, due, attempt
"""
FINISH = "update item set state = 'done', result = %(result)s where id = %(id)s and attempt = %(attempt)s"
NUMBERED = FINISH.replace("%(result)s", "$1").replace("%(id)s", "$2").replace("%(attempt)s", "$3")
RESULT = {"total": 12.5, "lines": ["a", "b"]}


class Item(msgspec.Struct, frozen=True):
    """What a claim returns."""

    id: UUID
    number: int
    state: str
    payload: dict[str, object]
    attempt: int


Loop = Callable[[], Awaitable[None]]


@asynccontextmanager
async def ours(dsn: str) -> AsyncIterator[Loop]:
    """Our `Database`: named parameters, Structs, JSON by msgspec, the pool's care for dead connections."""
    database = await Database.connect(dsn, min_size=CONNECTIONS, max_size=CONNECTIONS)

    async def once() -> None:
        item = await database.one(Item, CLAIM)
        await database.execute(FINISH, result=RESULT, id=item.id, attempt=item.attempt)

    yield once
    await database.close()


@asynccontextmanager
async def bare_asyncpg(dsn: str) -> AsyncIterator[Loop]:
    """The driver alone: positional parameters, records, its JSON as text, a stack of connections."""
    idle = [await asyncpg.connect(dsn) for _ in range(CONNECTIONS)]
    all_of_them = list(idle)

    async def once() -> None:
        connection = idle.pop()
        item = await connection.fetchrow(CLAIM)
        json.loads(item["payload"])
        await connection.execute(NUMBERED, json.dumps(RESULT), item["id"], item["attempt"])
        idle.append(connection)

    yield once
    for connection in all_of_them:
        await connection.close()


@asynccontextmanager
async def bare_psycopg(dsn: str) -> AsyncIterator[Loop]:
    """The driver alone: prepared statements, binary results, autocommit, a stack of connections."""
    idle = [
        await psycopg.AsyncConnection.connect(dsn, autocommit=True, prepare_threshold=0, row_factory=tuple_row)
        for _ in range(CONNECTIONS)
    ]
    all_of_them = list(idle)

    async def once() -> None:
        connection = idle.pop()
        async with connection.cursor(binary=True) as cursor:
            await cursor.execute(CLAIM)
            id_, _, _, _, _, attempt = await cursor.fetchone()
            await cursor.execute(FINISH, {"result": json.dumps(RESULT), "id": id_, "attempt": attempt})
        idle.append(connection)

    yield once
    for connection in all_of_them:
        await connection.close()


async def fill(dsn: str) -> None:
    """A queue that is longer than all rounds take."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        """
        drop table if exists item;
        create table item (
            id uuid primary key default uuidv7(), number bigint generated always as identity, state text not null,
            payload jsonb not null, due timestamptz not null, attempt int not null default 0, result jsonb
        ) with (fillfactor = 70);
        insert into item (state, payload, due)
        select 'pending', jsonb_build_object('invoice', g, 'lines', array['a', 'b', 'c']), now()
          from generate_series(1, 250000) g;
        create index item_pending on item (due, id) where state = 'pending';
        analyze item;
        """
    )
    await connection.close()


async def measure(once: Loop, seconds: float) -> tuple[int, float, float]:
    """Items done, seconds taken, seconds of processor time in our process."""
    done = 0
    begun, used = time.perf_counter(), time.process_time()

    async def loop() -> None:
        nonlocal done
        while time.perf_counter() - begun < seconds:
            await once()
            done += 1

    await asyncio.gather(*(loop() for _ in range(CONNECTIONS)))
    return done, time.perf_counter() - begun, time.process_time() - used


async def main(seconds: float) -> None:
    """Run all kinds in turn, in many short rounds, so that a busy machine is unfair to all alike."""
    kinds = {"asyncpg": bare_asyncpg, "psycopg": bare_psycopg, "controlroom": ours}
    if psycopg is None:
        print("psycopg is not installed: measured without it")
        del kinds["psycopg"]
    folder = Path(tempfile.mkdtemp(prefix="controlroom-bench-"))
    server = await EmbeddedPostgres.start(folder / "postgres")
    try:
        await fill(server.dsn)
        async with AsyncExitStack() as stack:
            loops = {name: await stack.enter_async_context(kind(server.dsn)) for name, kind in kinds.items()}
            for once in loops.values():
                await measure(once, 0.2)  # statements are prepared
            rounds = [
                {name: await measure(once, ROUND) for name, once in loops.items()} for _ in range(int(seconds / ROUND))
            ]
    finally:
        await server.stop()
        shutil.rmtree(folder)
    figures = {}
    for name in kinds:
        done, taken, used = (sum(each) for each in zip(*(each[name] for each in rounds), strict=True))
        figures[name] = (done / taken, used / done * 1e6)
    for name, (rate, cost) in figures.items():
        beside = figures["asyncpg"]
        print(f"{name:12} {rate:6.0f} items/s ({rate / beside[0]:.2f})   {cost:4.0f} µs CPU ({cost / beside[1]:.2f})")


if __name__ == "__main__":
    uvloop.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 6))
