"""Loads of a room into DuckDB: rows per second beside a bare loop and dlt's own source, step runs, what is unchanged.

Each turn is a process of its own, so that its memory is its own, and turns alternate, so that what else the machine
does meets all of them. Imports are not counted. CONTROLROOM_BENCH_ITEMS (1,000,000) and CONTROLROOM_BENCH_RUNS (10,000)
make it shorter; dlt's source is measured on a part, by its rate: with its defaults a million rows take more memory than
there is.
"""

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import asyncpg
from tests.bench import robots
from tests.bench.api import Workspace
from tests.bench.bench_work_items import private_dsn
from tests.bench.figures import Figure, milliseconds, show
from tests.rooms import Room, room

ITEMS = int(os.environ.get("CONTROLROOM_BENCH_ITEMS", "1000000"))
RUNS = int(os.environ.get("CONTROLROOM_BENCH_RUNS", "10000"))
ROUNDS = int(os.environ.get("CONTROLROOM_BENCH_ROUNDS", "3"))
PART, SMALL_PART = min(ITEMS, 100_000), min(ITEMS, 20_000)
"""So many rows of dlt's own source, with Parquet and with its defaults."""
PAGE = 1_000


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room("--no-worker") as here:
        yield from measured(here, Path(name))


def measured(here: Room, folder: Path) -> Iterator[Figure]:
    """The figures of a room that has nothing yet."""
    asyncio.run(_filled(here, Workspace(here), folder))
    turn = partial(_turn, here, folder)
    turn("bare", PAGE)  # plans, caches and connections are warm
    rates: dict[str, list[float]] = {}
    work: dict[str, list[float]] = {}
    memory = 0.0
    for number in range(ROUNDS):
        for kind, rows in (("bare", ITEMS), ("items", ITEMS), ("parquet", PART), ("defaults", SMALL_PART)):
            told = turn(kind, rows, f"{kind}{number}")
            rates.setdefault(kind, []).append(told["rows"] / told["seconds"])
            work.setdefault(kind, []).append(told["worked"] / told["rows"] * 1e6)
            memory = max(memory, told["memory"]) if kind == "items" else memory
    rate = {kind: statistics.median(each) for kind, each in rates.items()}
    beside = ", ".join(f"{kind} {each:,.0f}" for kind, each in rate.items())
    yield Figure(
        f"{ITEMS:,} work items into DuckDB, of dlt's rest_api with Parquet",
        f"{rate['items'] / rate['parquet']:.1f} times ({rate['items']:,.0f} rows per second)",
        "≥ 3 times",
        f"rows per second: {beside}",
    )
    yield Figure(
        "the same, of rest_api with its defaults", f"{rate['items'] / rate['defaults']:.1f} times", "≥ 20 times", ""
    )
    yield Figure(
        "the same, of a bare loop (requests, orjson, rows thrown away)",
        f"{rate['items'] / rate['bare']:.2f}",
        "≥ 0.60",
        "",
    )
    yield Figure(
        "processor time of the loading process a row, of rest_api with Parquet",
        f"1/{statistics.median(work['parquet']) / statistics.median(work['items']):.1f}",
        "",
        "µs a row: " + ", ".join(f"{kind} {statistics.median(each):,.0f}" for kind, each in work.items()),
    )
    yield Figure("its memory at most", f"{memory / 1e6:.0f} MB", "≤ 400 MB", "")
    yield from _against_recorded(here, folder)
    ours = [turn("runs", RUNS, f"runs{number}")["seconds"] for number in range(ROUNDS)]
    one_by_one = [turn("one_by_one", RUNS)["seconds"] for _ in range(ROUNDS)]
    share = statistics.median(ours) / statistics.median(one_by_one)
    yield Figure(
        f"{RUNS:,} runs with their step runs, of the time of one request after another",
        f"{share:.2f} ({statistics.median(ours):.1f} s)",
        "≤ 0.25",
        f"one after another, thrown away: {statistics.median(one_by_one):.1f} s",
    )
    turn("again", ITEMS, "again")
    again = [turn("again", ITEMS, "again") for _ in range(ROUNDS)]
    yield Figure(
        "a load that finds nothing new, beside all of it",
        milliseconds(statistics.median(each["seconds"] for each in again)),
        "≤ 2,000 ms",
        f"{again[-1]['rows']} rows",
    )


def _against_recorded(here: Room, folder: Path) -> Iterator[Figure]:
    """The same against pages that were recorded, where it is not the room that sets the pace."""
    pages = folder / "pages"
    pages.mkdir()
    room_ = Workspace(here)
    url = f"{room_.base}/work-items?limit={PAGE}&include_data=true"
    count = 0
    while url and count < min(ITEMS // PAGE, 100):
        page = json.loads(room_.call("GET", url))
        url = page["next"] and f"/{page['next'].partition('//')[2].partition('/')[2]}"
        count += 1
        page["next"] = f"http://recorded/{count}" if url and count < min(ITEMS // PAGE, 100) else None
        (pages / str(count - 1)).write_text(json.dumps(page))
    program = subprocess.Popen([sys.executable, __file__, "serve", "0", str(pages)], stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        facts = here.facts | {"url": f"http://127.0.0.1:{program.stdout.readline().strip()}"}
        recorded = SimpleNamespace(facts=facts)
        rates: dict[str, list[float]] = {}
        work: dict[str, list[float]] = {}
        for number in range(ROUNDS):
            for kind in ("bare", "items", "parquet", "defaults"):
                rows = min(count * PAGE, SMALL_PART) if kind == "defaults" else count * PAGE
                told = _turn(recorded, folder, kind, rows, f"recorded_{kind}{number}")
                rates.setdefault(kind, []).append(told["rows"] / told["seconds"])
                work.setdefault(kind, []).append(told["worked"] / told["rows"] * 1e6)
        rate = {kind: statistics.median(each) for kind, each in rates.items()}
        yield Figure(
            f"{count * PAGE:,} work items of recorded pages, of rest_api with Parquet, of its defaults, of a bare loop",
            f"{rate['items'] / rate['parquet']:.1f} times, {rate['items'] / rate['defaults']:.1f} times, "
            f"{rate['items'] / rate['bare']:.2f}",
            "≥ 3 times, ≥ 20 times, ≥ 0.60",
            "rows per second: "
            + ", ".join(f"{kind} {each:,.0f}" for kind, each in rate.items())
            + "; µs of processor time a row: "
            + ", ".join(f"{kind} {statistics.median(each):,.1f}" for kind, each in work.items()),
        )
    finally:
        program.kill()
        program.wait()


def serve(pages: Path) -> None:
    """Tell recorded pages, whoever asks: `/N` is a page, any other path the first."""
    bodies = {f"/{page.name}": page.read_bytes() for page in pages.iterdir()}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path, _, _ = self.path.partition("?")
            body = bodies.get(path, bodies["/0"])
            body = body.replace(b"http://recorded", f"http://{self.headers['Host']}".encode(), 1)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


async def _filled(here: Room, workspace: Workspace, folder: Path) -> None:
    """Put runs, step runs and finished items of 60 days straight into the tables: what is older a room deletes."""
    process = workspace.process(robots.plain_script(folder, "finished", ""))
    connection = await asyncpg.connect(await asyncio.to_thread(private_dsn, here))
    [step, *_] = await connection.fetch("select id, queue_id from step where process_id = $1", process)
    await connection.execute(
        """
        with made as (
            insert into run (id, workspace_id, process_id, state, result, started_by, created_at, started_at, ended_at)
            select uuidv7(-age), $1, $2, 'completed', 'succeeded', 'api', now() - age, now() - age, now() - age
              from (select interval '1 day' + interval '60 days' * (1 - n::float / $4) as age
                      from generate_series(1, $4::int) n) as aged
            returning id, created_at
        )
        insert into step_run
               (id, workspace_id, run_id, step_id, state, result, created_at, state_at, started_at, ended_at)
        select uuidv7(), $1, made.id, $3, 'completed', 'succeeded', created_at, created_at, created_at, created_at
          from made, generate_series(1, 2)
        """,
        workspace.id,
        process,
        step["id"],
        RUNS,
    )
    await connection.execute(
        """
        insert into work_item
               (id, workspace_id, process_id, queue_id, step_id, state, state_at, created_at, attempt, payload)
        select uuidv7(-age), $1, $2, $3, $4, 'done', now() - age, now() - age, 1,
               jsonb_build_object('order', n, 'customer', 'ACME', 'lines', 3)
          from (select n, interval '1 day' + interval '60 days' * (1 - n::float / $5) as age
                  from generate_series(1, $5::int) n) as aged
        """,
        workspace.id,
        process,
        step["queue_id"],
        step["id"],
        ITEMS,
    )
    await connection.execute("vacuum analyze")
    await connection.execute("checkpoint")
    await connection.close()


# ------------------------------------------------------------------------------------------- one turn, in a process
def _turn(here: Room | SimpleNamespace, folder: Path, kind: str, rows: int, place: str = "x") -> dict[str, Any]:
    facts = json.dumps({name: here.facts[name] for name in ("url", "workspace_id", "api_key")})
    ended = subprocess.run(
        [sys.executable, __file__, kind, str(rows), str(folder / place)],
        env={**os.environ, "BENCH_ROOM": facts, "RUNTIME__DLTHUB_TELEMETRY": "false", "NO_PROXY": "127.0.0.1"},
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return told


def take_turn(kind: str, rows: int, place: Path) -> None:
    """Do it, and print rows, seconds and memory."""
    facts = json.loads(os.environ["BENCH_ROOM"])
    base = f"{facts['url']}/api/v1/workspaces/{facts['workspace_id']}"
    headers = {"Authorization": f"RC-WSKEY {facts['api_key']}"}
    work = {"bare": _bare, "one_by_one": _one_by_one, "parquet": _rest_api, "defaults": _rest_api}.get(kind, _ours)
    made = work(kind, rows, place, base, headers, facts)
    begun, worked = time.perf_counter(), time.process_time()
    count = made()
    seconds, worked = time.perf_counter() - begun, time.process_time() - worked
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"rows": count, "seconds": seconds, "worked": worked, "memory": memory}))


def _bare(_kind: str, rows: int, _place: Path, base: str, headers: dict[str, str], _facts: Any) -> Any:
    import orjson  # noqa: PLC0415 - each turn has what it needs, and nothing else
    import requests  # noqa: PLC0415

    def read() -> int:
        count, url = 0, f"{base}/work-items?limit={PAGE}&include_data=true"
        with requests.Session() as session:
            session.headers.update(headers)
            while url and count < rows:
                page = orjson.loads(session.get(url).content)
                count, url = count + len(page["data"]), page["next"]
        return count

    return read


def _one_by_one(_kind: str, rows: int, _place: Path, base: str, headers: dict[str, str], _facts: Any) -> Any:
    import orjson  # noqa: PLC0415
    import requests  # noqa: PLC0415

    def read() -> int:
        count, url = 0, f"{base}/process-runs?limit={PAGE}"
        with requests.Session() as session:
            session.headers.update(headers)
            while url and count < rows:
                page = orjson.loads(session.get(url).content)
                for run in page["data"]:
                    orjson.loads(session.get(f"{base}/step-runs", params={"process_run_id": run["id"]}).content)
                count, url = count + len(page["data"]), page["next"]
        return count

    return read


def _rest_api(kind: str, rows: int, place: Path, base: str, headers: dict[str, str], _facts: Any) -> Any:
    import dlt  # noqa: PLC0415
    from dlt.sources.rest_api import rest_api_source  # noqa: PLC0415

    endpoint = {
        "path": "work-items",
        "params": {"limit": PAGE, "include_data": "true"},
        "data_selector": "data",
        "paginator": {"type": "json_link", "next_url_path": "next"},
    }
    config: Any = {
        "client": {"base_url": f"{base}/", "headers": headers},
        "resources": [{"name": "work_items", "endpoint": endpoint, "primary_key": "id", "write_disposition": "merge"}],
    }

    def read() -> int:
        source = rest_api_source(config)
        source.work_items.add_limit(max(1, rows // PAGE))
        pipeline = dlt.pipeline(
            "bench",
            destination=dlt.destinations.duckdb(f"{place}.duckdb"),
            dataset_name="d",
            pipelines_dir=f"{place}.p",
        )
        pipeline.run(source, loader_file_format="parquet" if kind == "parquet" else None)
        return int(pipeline.last_trace.last_normalize_info.row_counts["work_items"])

    return read


def _ours(kind: str, _rows: int, place: Path, _base: str, _headers: Any, facts: Any) -> Any:
    from controlroom.sources import robocorp_source  # noqa: PLC0415
    from controlroom.sources.running import load  # noqa: PLC0415

    wanted = {"items": ["work_items"], "runs": ["process_runs", "step_runs"]}.get(kind, [])
    if kind == "again":  # but what has a request of its own for each step run, of which nothing here is any
        wanted = ["workspace", "processes", "workers", "process_runs", "step_runs", "work_items", "assistant_runs"]
    make = partial(
        robocorp_source,
        workspace_id=facts["workspace_id"],
        api_key=facts["api_key"],
        base_url=facts["url"],
        window=200_000,
    )

    def read() -> int:
        place_ = f"duckdb:{place}.duckdb"
        report = load(make, place_, name="bench", dataset="d", folder=f"{place}.p", resources=wanted)
        return sum(report.rows.values())

    return read


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[3]))
    elif len(sys.argv) > 1:
        take_turn(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    else:
        show(main())
