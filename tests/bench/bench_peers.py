"""Job queues of others on PostgreSQL as it is set by a room: jobs a second that do nothing, 16 at once.

CONTROLROOM_BENCH_PEERS names a Python that has them (`pip install awa-pg procrastinate "psycopg[binary]"`). They are
libraries in the worker's own process, without a server, rights or a record of events; what a robot gets of us over HTTP
stands beside in `bench_work_items`, and pgbench's claim and finish is measured here once more.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.bench_work_items import pgbench_rate
from tests.bench.figures import Figure, answer_of, note, show

from controlroom.postgres.embedded import EmbeddedPostgres

JOBS = 5_000
PEERS = {"awa": "awa-pg", "procrastinate": "Procrastinate"}


def main() -> Iterator[Figure]:
    """The figures."""
    python = os.environ.get("CONTROLROOM_BENCH_PEERS")
    if python is None:
        note("CONTROLROOM_BENCH_PEERS names no Python with awa-pg or procrastinate: they are left out")
        return
    with tempfile.TemporaryDirectory() as name:
        for module, title in PEERS.items():
            if subprocess.run([python, "-c", f"import {module}"], check=False, capture_output=True).returncode:
                note(f"{title} is not installed: left out")
            else:
                done, bare = asyncio.run(measured(Path(name) / module, python, module))
                rate = done["jobs"] / done["seconds"]
                beside = "" if bare is None else f"{rate / bare:.2f} of pgbench, claim + finish: {bare:,.0f}"
                yield Figure(f"{title}: jobs per second, 16 at once", f"{rate:,.0f}", "", beside)


async def measured(folder: Path, python: str, module: str) -> tuple[dict[str, float], float | None]:
    """What a library has done on a fresh server, and what pgbench does there."""
    server = await EmbeddedPostgres.start(folder)
    try:
        words = (python, Path(__file__).with_name("queue_peers.py"), module, server.dsn, JOBS)
        done = await asyncio.to_thread(answer_of, *words)
        return done, await asyncio.to_thread(pgbench_rate, server.dsn, folder)
    finally:
        await server.stop()


if __name__ == "__main__":
    show(main())
