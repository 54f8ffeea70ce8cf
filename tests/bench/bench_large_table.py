"""Items in bulk, and claims beside millions of finished items, also while a reader holds an old snapshot.

CONTROLROOM_BENCH_FINISHED (5,000,000) and CONTROLROOM_BENCH_SNAPSHOT_SECONDS (60; the figure's goal says 300) make it
shorter or longer. The finished items are put straight into the table with its indexes dropped meanwhile; everything
that is measured goes over HTTP.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import robots
from tests.bench.api import Workspace
from tests.bench.bench_work_items import private_dsn, worked_off
from tests.bench.figures import Figure, compiled, milliseconds, percentile, show
from tests.rooms import Room, room

FINISHED = int(os.environ.get("CONTROLROOM_BENCH_FINISHED", "5000000"))
SNAPSHOT_SECONDS = float(os.environ.get("CONTROLROOM_BENCH_SNAPSHOT_SECONDS", "60"))
ITEMS = 6000
BULK = 50_000
MOST_ITEMS = 60_000
"""Of one run: less than a load generator remembers, and a start takes."""
PAGE = 100
PAGES = 200
DEEP = 10_000
"""The number of the page that is compared with the first."""


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room("--no-worker") as here:
        folder = Path(name)
        workspace = Workspace(here)
        yield _bulk(workspace, folder)
        program = compiled("load.c", folder)
        if program is None:
            return
        asyncio.run(_emptied(here))
        _claims(here, program, folder, items=1000)  # plans, caches and connections are warm
        empty = _claims(here, program, folder)
        asyncio.run(_filled(here, workspace, folder))
        beside = _claims(here, program, folder)
        yield Figure(
            f"claims beside {FINISHED:,} finished items, of those on an empty table",
            f"{beside / empty:.2f} ({beside:,.0f} items per second)",
            "≥ 0.90",
            f"empty table: {empty:,.0f} items per second",
        )
        items = min(int(beside * SNAPSHOT_SECONDS), MOST_ITEMS)
        rates, seconds = asyncio.run(_claims_under_snapshot(here, program, folder, items=items))
        free = _claims(here, program, folder, items=items)
        yield Figure(
            f"claims while a reader holds a snapshot for {seconds:.0f} s, of those without it",
            f"{min(rates) / free:.2f} ({min(rates):,.0f} items per second)",
            "≥ 0.75",
            f"the slowest of {len(rates)} runs of {items:,} items one after the other; one more right after, without a "
            f"snapshot: {free:,.0f} items per second",
        )
        yield _pages(workspace)


def _claims(here: Room, program: Path, folder: Path, *, items: int = ITEMS) -> float:
    load = worked_off(here, program, folder, items=items)
    return load["items"] / load["seconds"]


def _bulk(workspace: Workspace, folder: Path) -> Figure:
    process = workspace.process(robots.plain_script(folder, "bulk", ""))
    body = json.dumps({"type": "with_payloads", "payloads": [{"order": n, "customer": "ACME"} for n in range(BULK)]})
    took = []
    for _ in range(3):
        began = time.perf_counter()
        workspace.call("POST", f"{workspace.base}/processes/{process}/process-runs", body.encode())
        took.append(time.perf_counter() - began)
    return Figure("items created in bulk, per second", f"{BULK / min(took):,.0f}", "≥ 20,000")


async def _emptied(here: Room) -> None:
    """An empty table again."""
    connection = await asyncpg.connect(await asyncio.to_thread(private_dsn, here))
    await connection.execute("truncate work_item, work_item_attempt, work_item_file")
    await connection.execute("delete from step_run")
    await connection.execute("delete from run")
    await connection.close()


async def _filled(here: Room, workspace: Workspace, folder: Path) -> None:
    """Put so many finished items into the table, as runs of one process leave them."""
    process = workspace.process(robots.plain_script(folder, "finished", ""))
    connection = await asyncpg.connect(await asyncio.to_thread(private_dsn, here))
    [step] = await connection.fetch("select id, queue_id from step where process_id = $1", process)
    indexes = await connection.fetch(
        """
        select indexname, indexdef from pg_indexes
         where tablename = 'work_item' and indexname <> 'work_item_pkey'
        """
    )
    for index in indexes:
        await connection.execute(f'drop index "{index["indexname"]}"')
    await connection.execute(
        """
        insert into work_item (id, workspace_id, process_id, queue_id, step_id, run_id, state, attempt, step_run_id,
                               turn, reserved_at, payload)
        select uuidv7(), $1, $2, $3, $4, md5((n / 1000)::text)::uuid, 'done', 1, md5((n / 1000)::text)::uuid,
               n % 1000, now(),
               jsonb_build_object('order', n, 'customer', 'ACME', 'lines', 3)
          from generate_series(1, $5::int) n
        """,
        workspace.id,
        process,
        step["queue_id"],
        step["id"],
        FINISHED,
    )
    await connection.execute("set maintenance_work_mem = '512MB'")
    for index in indexes:
        await connection.execute(index["indexdef"])
    await connection.execute("vacuum analyze work_item")
    await connection.execute("checkpoint")
    await connection.close()


@asynccontextmanager
async def _snapshot(here: Room) -> AsyncIterator[None]:
    """A reader that holds its snapshot while the block runs."""
    connection = await asyncpg.connect(await asyncio.to_thread(private_dsn, here))
    await connection.execute("set idle_in_transaction_session_timeout = 0")
    await connection.execute("begin isolation level repeatable read")
    await connection.fetchval("select count(*) from run")
    yield
    await connection.close()


async def _claims_under_snapshot(here: Room, program: Path, folder: Path, *, items: int) -> tuple[list[float], float]:
    """Loads under one snapshot until its time is over: the rate of each, all of it behind the snapshot at its end."""
    rates: list[float] = []
    began = time.monotonic()
    async with _snapshot(here):
        while time.monotonic() - began < SNAPSHOT_SECONDS:
            rates.append(await asyncio.to_thread(_claims, here, program, folder, items=items))
    return rates, time.monotonic() - began


def _page_times(workspace: Workspace, count: int) -> list[float]:
    """Seconds for each of the first so many pages."""
    times: list[float] = []
    began = time.perf_counter()
    for _ in workspace.pages("/work-items", limit=PAGE):
        times.append(time.perf_counter() - began)
        if len(times) >= count:
            break
        began = time.perf_counter()
    return times


def _pages(workspace: Workspace) -> Figure:
    """The pages around the ten thousandth of all work items beside the first ones, fetched right after them."""
    through = _page_times(workspace, DEEP + PAGES)
    deep = percentile(through[-PAGES:], 0.5)
    first = percentile(_page_times(workspace, PAGES), 0.5)
    return Figure(
        f"a page of {PAGE} work items of {FINISHED:,}: page {len(through):,} beside page 1",
        f"{deep / first:.2f} ({milliseconds(deep)})",
        "within 20 %",
        f"the first {PAGES} pages: {milliseconds(first)}",
    )


if __name__ == "__main__":
    show(main())
