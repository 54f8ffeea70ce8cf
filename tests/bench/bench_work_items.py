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
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx2
import msgspec

from controlroom.postgres.embedded import EmbeddedPostgres
from controlroom.protocol import Assignments, Claim, Heartbeat, Held, Link, Linked, OpenSession, SandboxKind, Session

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.figures import Figure, answer_of, compiled, show
from tests.rooms import Room

ITEMS = 16_000
STEP_RUNS = 16
PGBENCH_SECONDS = 8
EXAMPLE = Path(__file__).parents[2] / "examples" / "plain-script"


@asynccontextmanager
async def step_runs(room: Room, count: int, items: int):
    """So many claimed step runs of one run with so many items: (workspace, process, run, assignments)."""
    workspace, key = room.facts["workspace_id"], room.facts["api_key"]
    package = room.json("push", EXAMPLE, "--name", f"bench {os.urandom(3).hex()}")
    package_id = package["id"] if "id" in package else package["package"]["id"]
    async with httpx2.AsyncClient(base_url=room.url, timeout=120, trust_env=False) as http:
        base = f"/api/v1/workspaces/{workspace}"
        auth = {"Authorization": f"RC-WSKEY {key}"}

        async def call(path: str, body: object) -> dict:
            answer = await http.post(base + path, json=body, headers=auth)
            assert answer.status_code == 200, answer.text
            return answer.json()

        got = (await http.get(f"{base}/task-packages/{package_id}", headers=auth)).json()
        process = await call(
            "/processes",
            {
                "name": "bench",
                "steps": [
                    {
                        "name": "work",
                        "task": {"package_id": package_id, "name": got["tasks"][0]["name"]},
                        "max_parallel": count,
                    }
                ],
            },
        )
        run = await call(
            f"/processes/{process['id']}/process-runs",
            {"type": "with_payloads", "payloads": [{"order": n, "customer": "ACME", "lines": 3} for n in range(items)]},
        )
        token = (await call("/workers/link-tokens", {"expires_at": "2100-01-01T00:00:00Z"}))["link_token"]
        link = Link(link_token=token, name=f"bench {os.urandom(3).hex()}", slots=count)
        linked = msgspec.json.decode((await http.post("/worker/v1/link", content=_json(link))).content, type=Linked)
        worker = {"Authorization": f"Bearer {linked.token}"}
        opened = await http.post(
            "/worker/v1/sessions",
            content=_json(OpenSession(slots=count, version="bench", platform="linux", sandbox=SandboxKind.OFF)),
            headers=worker,
        )
        session = msgspec.json.decode(opened.content, type=Session)
        claim = Claim(session=session.session, free=count, wait_seconds=5)
        claimed = await http.post("/worker/v1/claims", content=_json(claim), headers=worker)
        assignments = msgspec.json.decode(claimed.content, type=Assignments).assignments
        assert len(assignments) == count, len(assignments)
        held = tuple(Held(one.step_run_id, one.attempt) for one in assignments)
        beat = _json(Heartbeat(session.session, held, hold_seconds=5))

        async def keep_leases() -> None:
            while True:
                await http.post("/worker/v1/heartbeats", content=beat, headers=worker)

        keeping = asyncio.create_task(keep_leases())
        yield UUID(workspace), process["id"], run["id"], assignments
        keeping.cancel()


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)


async def measure(room: Room, program: Path, folder: Path) -> dict[str, float]:
    """One load of all items by all step runs."""
    async with step_runs(room, STEP_RUNS, ITEMS) as (workspace, process, run, assignments):
        lines = [f"{one.step_run_id} {one.work_item_id} {one.token}" for one in assignments]
        file = folder / "step-runs.txt"
        file.write_text("\n".join(lines) + "\n")
        address = urlsplit(room.url)
        return await asyncio.to_thread(
            answer_of, program, address.hostname, address.port, workspace, process, run, file, ITEMS
        )


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
    command = [
        pgbench,
        "-n",
        "-f",
        str(script),
        "-c",
        "16",
        "-j",
        "2",
        "-T",
        str(PGBENCH_SECONDS),
        "-M",
        "prepared",
        dsn,
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    subprocess.run([psql, "-q", dsn, "-c", "drop table bench_queue"], check=True, capture_output=True)
    [line] = [one for one in done.stdout.splitlines() if one.startswith("tps")]
    return float(line.split()[2])


async def main() -> list[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = compiled("load.c", folder)
        if program is None:
            return []
        room = Room(folder / "room", "--no-worker").wait_until_ready()
        try:
            load = await measure(room, program, folder)
            bare = pgbench_rate(await private_dsn(room), folder)
        finally:
            room.stop()
    rate = load["items"] / load["seconds"]
    beside = "pgbench is not installed"
    if bare is not None:
        beside = f"pgbench, claim + finish: {bare:,.0f} a second; ours is 1/{bare / rate:.1f} of it (goal 1/9)"
    return [
        Figure(
            "work items a second: reserve + payload + release over HTTP, 16 step runs at once",
            f"{rate:,.0f} (p50 {load['p50']:.1f} ms, p99 {load['p99']:.1f} ms an item)",
            "≥ 500; stretch 1,000",
            beside,
        )
    ]


async def private_dsn(room: Room) -> str:
    """The address of the room's private database: whoever may read the data folder may adopt its server."""
    return (await EmbeddedPostgres.start(room.data / "postgres")).dsn


if __name__ == "__main__":
    show(asyncio.run(main()))
