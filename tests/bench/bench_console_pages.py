"""Pages of the console over millions of work items: server time and bytes, tab by tab and filter by filter.

CONTROLROOM_BENCH_ITEMS (5,000,000) makes it shorter. Items are put straight into the table, with its indexes dropped
meanwhile: of runs of 5,000 in 90 days, one in a hundred failed (for five reasons), one in a thousand held, one in
five hundred pending. Everything that is measured goes over HTTP, by one browser's session on a kept connection.
"""

import asyncio
import http.client
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import robots
from tests.bench.api import Workspace
from tests.bench.bench_work_items import private_dsn
from tests.bench.figures import Figure, milliseconds, note, percentile, show
from tests.rooms import Room, room, until

ITEMS = int(os.environ.get("CONTROLROOM_BENCH_ITEMS", "5000000"))
CALLS = int(os.environ.get("CONTROLROOM_BENCH_CALLS", "100"))
OF_RUN = 5_000


class Browser:
    """Somebody who is logged in, and reads."""

    def __init__(self, running: Room) -> None:
        self._address, self._origin = urlsplit(running.url), running.url
        self._connection = http.client.HTTPConnection(self._address.hostname, self._address.port, timeout=120)
        body = urlencode({**running.facts["admin"], "to": "/"})
        headers = {"Origin": running.url, "Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", "/login", body, headers)
        answer = self._connection.getresponse()
        answer.read()
        self._cookie = (answer.getheader("set-cookie") or "").partition(";")[0]

    def get(self, path: str) -> tuple[float, int]:
        """Seconds until the whole page was there, and its bytes on the wire."""
        began = time.perf_counter()
        headers = {"Cookie": self._cookie, "Accept-Encoding": "br", "Accept": "text/html"}
        self._connection.request("GET", f"/w/default{path}", headers=headers)
        answer = self._connection.getresponse()
        content = answer.read()
        took = time.perf_counter() - began
        assert answer.status == 200, f"{path}: {answer.status} {answer.getheader('location')} {content[:300]!r}"
        return took, len(content)


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room("--no-worker", CONTROLROOM_LIMITS_RUN_DAYS="0") as here:
        workspace = Workspace(here)
        process = workspace.process(robots.plain_script(Path(name), "finished", ""))
        ids = asyncio.run(_filled(here, workspace, process))
        until(lambda: asyncio.run(_are_told(here)), "all failures are told", seconds=600)
        browser = Browser(here)
        for what, path in _pages(process, ids):
            yield _measured(browser, what, path)


def _pages(process: str, ids: dict[str, str]) -> Iterator[tuple[str, str]]:
    yield "a page without a list, for comparison", "/items/new"
    yield "work items: failed, with groups", "/items"
    yield "one of the groups", f"/items?failure={ids['failure']}"
    yield "failed, with an item beside", f"/items?item={ids['item']}"
    yield "done", "/items?tab=done"
    yield "all", "/items?tab=all"
    yield "held; pending", "/items?tab=held"
    yield "failed ones of a process", f"/items?process={process}"
    yield "all of a run", f"/items?tab=all&run={ids['run']}"
    yield "all, payload at a path (one in a thousand)", f"/items?tab=all&payload={quote('$.order_of_thousand = 7')}"
    yield "all, payload at a path (none)", f"/items?tab=all&payload={quote('$.nothing = 7')}"
    yield "failed, a text that none has", "/items?q=nothing-of-this-kind"
    yield "an item", f"/items/{ids['item']}"
    yield f"the page of a run of {OF_RUN:,} items", f"/runs/{ids['run_number']}"
    yield "its items", f"/runs/{ids['run_number']}/items"
    yield "its events", f"/runs/{ids['run_number']}/events"
    yield "the part of its timeline that is asked again", f"/runs/{ids['run_number']}?part=timeline"


def _measured(browser: Browser, what: str, path: str) -> Figure:
    for _ in range(5):
        browser.get(path)
    found = [browser.get(path) for _ in range(CALLS)]
    times = [took for took, _ in found]
    return Figure(
        f"{what}, p50 / p99",
        milliseconds(percentile(times, 0.5), percentile(times, 0.99)),
        "≤ 100 ms",
        f"{found[-1][1] / 1000:.1f} KB",
    )


async def _are_told(here: Room) -> bool:
    connection = await asyncpg.connect(await asyncio.to_thread(private_dsn, here))
    left = await connection.fetchval("select count(*) from work_item where state = 'failed' and failure is null")
    await connection.close()
    return bool(left == 0)


async def _filled(here: Room, workspace: Workspace, process: str) -> dict[str, str]:
    """Put so many items into the table, as runs of one process leave them."""
    connection = await asyncpg.connect(await asyncio.to_thread(private_dsn, here))
    began = time.monotonic()
    [step] = await connection.fetch("select id, queue_id from step where process_id = $1", process)
    await connection.execute(
        """
        insert into run (id, workspace_id, process_id, run_no, started_by, state, result, created_at, started_at,
                         ended_at)
        select uuid_made_at(at), $1, $2, n, 'api', 'unresolved', 'failed', at, at, at + interval '20 minutes'
          from generate_series(1, $3::int) n,
               lateral (select now() - interval '90 days' * (1 - n::float8 / ($3::int + 1)) as at) as made
        """,
        workspace.id,
        process,
        max(1, ITEMS // OF_RUN),
    )
    indexes = await connection.fetch(
        "select indexname, indexdef from pg_indexes where tablename = 'work_item' and indexname <> 'work_item_pkey'"
    )
    for index in indexes:
        await connection.execute(f'drop index "{index["indexname"]}"')
    await connection.execute("alter table work_item disable trigger user")
    await connection.execute(
        """
        insert into work_item (id, workspace_id, process_id, queue_id, step_id, run_id, state, state_at, created_at,
                               attempt, reserved_at, exception_type, exception_code, exception_message, payload)
        select uuid_made_at(run.created_at + interval '1 millisecond' * n), $1, $2, $3, $4, run.id, told.state,
               run.created_at + interval '1 minute', run.created_at, 1, run.created_at,
               case when told.state = 'failed' then 'business' end,
               case when told.state = 'failed' then 'CODE_' || n % 5 else '' end,
               case when told.state = 'failed' then format('number %s of supplier %s', n, n % 90) else '' end,
               jsonb_build_object('order', n, 'customer', 'ACME', 'order_of_thousand', n % 1000,
                                  'supplier', jsonb_build_object('country', 'NO', 'name', 'Fjordkraft Nett AS'))
          from run cross join generate_series(1, $5::int) n,
               lateral (select case when n % 100 = 1 then 'failed' when n % 1000 = 2 then 'held'
                                    when n % 500 = 3 then 'pending' else 'done' end as state) as told
         where run.process_id = $2
        """,
        workspace.id,
        process,
        step["queue_id"],
        step["id"],
        min(OF_RUN, ITEMS),
    )
    await connection.execute("alter table work_item enable trigger user")
    await connection.execute("set maintenance_work_mem = '512MB'")
    for index in indexes:
        await connection.execute(index["indexdef"])
    await connection.execute("vacuum analyze work_item")
    await connection.execute("vacuum analyze run")
    await connection.execute("checkpoint")
    count = await connection.fetchval("select count(*) from work_item")
    note(f"{count:,} items, put in within {time.monotonic() - began:.0f} s")
    [last] = await connection.fetch("select id, number from run order by id desc limit 1")
    item = await connection.fetchval("select number from work_item where state = 'failed' order by id desc limit 1")
    while not (mark := await connection.fetchval("select failure from work_item where failure is not null limit 1")):
        await asyncio.sleep(0.2)
    await connection.close()
    return {"run": str(last["id"]), "run_number": str(last["number"]), "item": str(item), "failure": str(mark)}


if __name__ == "__main__":
    show(main())
