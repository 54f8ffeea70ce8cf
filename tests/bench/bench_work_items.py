"""Work items per second: reserve, payload and release over HTTP by 16 step runs at once, beside PostgreSQL's own rate.

The load generator is a C program (`load.c`), so that it takes little of the machine; beside it pgbench claims and
finishes rows of a bare table with 16 clients on the same server, right after.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import robots
from tests.bench.api import Workspace
from tests.bench.figures import Figure, answer_of, compiled, show
from tests.bench.simulated_worker import SimulatedWorker
from tests.rooms import Room, room

from controlroom.postgres.embedded import EmbeddedPostgres

ITEMS = 16_000
STEP_RUNS = 16
PGBENCH_SECONDS = 8
PAYLOAD = {"order": 1, "customer": "ACME", "lines": 3}


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room("--no-worker") as here:
        folder = Path(name)
        program = compiled("load.c", folder)
        if program is None:
            return
        load = worked_off(here, program, folder, items=ITEMS)
        own = worked_off(here, program, folder, items=ITEMS, by=("own",))
        bare = pgbench_rate(private_dsn(here), folder)
    rate = load["items"] / load["seconds"]
    beside = "pgbench is not installed"
    if bare is not None:
        beside = f"pgbench, claim + finish: {bare:,.0f} a second; ours is 1/{bare / rate:.1f} of it (goal 1/3)"
    yield Figure(
        "work items per second: reserve + payload + release over HTTP, 16 step runs at once",
        f"{rate:,.0f} (p50 {load['p50']:.1f} ms, p99 {load['p99']:.1f} ms an item)",
        "≥ 1/3 of pgbench",
        beside,
    )
    ours = own["items"] / own["seconds"]
    yield Figure(
        "the same by our own API: reserve with payload + release",
        f"{ours:,.0f} (p50 {own['p50']:.1f} ms, p99 {own['p99']:.1f} ms an item)",
        "≥ 1/3 of pgbench",
        beside if bare is None else f"1/{bare / ours:.1f} of pgbench; {ours / rate:.2f} of the vendor's calls",
    )


def worked_off(here: Room, program: Path, folder: Path, *, items: int, by: tuple[str, ...] = ()) -> dict[str, float]:
    """One run of so many items, worked off by 16 step runs: what the load generator says of it.

    By the vendor's calls, or with `by=("own",)` by ours.
    """
    workspace = Workspace(here)
    name = f"load-{os.urandom(3).hex()}"
    process = workspace.process(robots.plain_script(folder, name, ""), max_parallel=STEP_RUNS)
    worker = SimulatedWorker(here, workspace, name, slots=STEP_RUNS)
    run = workspace.start(process, *[{**PAYLOAD, "order": number} for number in range(items)])
    assignments = worker.claim(STEP_RUNS)
    assert len(assignments) == STEP_RUNS, len(assignments)
    file = folder / f"{name}.txt"
    file.write_text("".join(f"{one.step_run_id} {one.work_item_id} {one.token}\n" for one in assignments))
    address = urlsplit(here.url)
    with worker.keep(*assignments):
        load = answer_of(program, address.hostname, address.port, workspace.id, process, run, file, items, *by)
    for one in assignments:
        worker.finish(one)
    workspace.ended(run)
    return load


def pgbench_rate(dsn: str, folder: Path) -> float | None:
    """Claims and finishes per second of a bare queue table by pgbench at 16 clients; None if there is no pgbench."""
    pgbench = shutil.which("pgbench")
    if pgbench is None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
        pgbench = str(found[-1]) if found else None
    psql = shutil.which("psql")
    if pgbench is None or psql is None:
        return None
    script = folder / "claim.sql"
    script.write_text(
        """
        with picked as (
            select id from bench_queue where state = 'pending' order by id limit 1 for update skip locked
        ) update bench_queue q set state = 'in_progress', attempt = attempt + 1 from picked where q.id = picked.id
          returning q.id \\gset
        update bench_queue set state = 'done' where id = :id;
        """
    )
    setup = """
        drop table if exists bench_queue;
        create table bench_queue (id bigserial primary key, state text not null, attempt int not null default 0,
                                  payload jsonb) with (fillfactor = 80);
        create index on bench_queue (id) where state = 'pending';
        insert into bench_queue (state, payload)
        select 'pending', '{"order": 1, "customer": "ACME", "lines": 3}' from generate_series(1, 400000);
        analyze bench_queue;
    """
    subprocess.run([psql, "-q", dsn, "-c", setup], check=True, capture_output=True)
    command = [pgbench, "-n", "-f", script, "-c", "16", "-j", "2", "-T", str(PGBENCH_SECONDS), "-M", "prepared", dsn]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    subprocess.run([psql, "-q", dsn, "-c", "drop table bench_queue"], check=True, capture_output=True)
    [line] = [one for one in done.stdout.splitlines() if one.startswith("tps")]
    return float(line.split()[2])


def private_dsn(here: Room) -> str:
    """The address of the room's private database: whoever may read the data folder may adopt its server."""
    return asyncio.run(EmbeddedPostgres.start(here.data / "postgres")).dsn


if __name__ == "__main__":
    show(main())
