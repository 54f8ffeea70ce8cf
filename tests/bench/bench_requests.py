"""Requests per second of the public API: get, list and create, start and list runs, by a load generator in C.

Beside an authenticated GET stands a bare ASGI function with the same SELECT (`bare_asgi.py`), on the same database with
the same uvicorn; and the same by FastAPI, where CONTROLROOM_BENCH_FASTAPI names a Python that has it.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import robots
from tests.bench.api import Workspace
from tests.bench.bench_work_items import private_dsn
from tests.bench.figures import Figure, answer_of, compiled, note, show
from tests.rooms import Room, room, until

SECONDS = 6


class Hammer:
    """The load generator against one address."""

    def __init__(self, program: Path, url: str, authorization: str) -> None:
        self._program = program
        self._address = urlsplit(url)
        self._authorization = authorization

    def rate(self, connections: int, method: str, path: str, body: str = "") -> tuple[float, str]:
        """Requests per second, and in words with percentiles."""
        where = (self._address.hostname, self._address.port)
        load = answer_of(self._program, *where, connections, SECONDS, method, path, self._authorization, body)
        rate = load["requests"] / load["seconds"]
        return rate, f"{rate:,.0f} (p50 {load['p50']:.1f} ms, p99 {load['p99']:.1f} ms)"


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room("--no-worker") as here:
        program = compiled("hammer.c", Path(name))
        if program is None:
            return
        workspace = Workspace(here)
        process = workspace.process(robots.plain_script(Path(name), "requests", ""))
        run = workspace.start(process)
        for _ in range(60):
            workspace.start(process)
        hammer = Hammer(program, here.url, workspace.authorization)
        yield from _beside_bare(here, program, workspace, run)
        yield from _public_api(hammer, workspace, process, run)
        _, words = hammer.rate(8, "GET", f"{workspace.base}/process-runs?limit=50")
        yield Figure("list 50 runs, 8 connections, per second", words, "≥ 600, p99 ≤ 60 ms", "Dagster 76, Prefect 34")
        _, words = hammer.rate(8, "POST", f"{workspace.base}/processes/{process}/process-runs")
        yield Figure("start a run, 8 connections, per second", words, "≥ 400, p99 ≤ 60 ms", "Prefect 41")


def _public_api(hammer: Hammer, workspace: Workspace, process: str, run: str) -> Iterator[Figure]:
    asked = {"process": {"id": process}, "payload": {"order": 1}}
    item = workspace.post("/work-items", asked)["id"]
    calls = {
        "get a process run": ("GET", f"/process-runs/{run}", ""),
        "get a work item": ("GET", f"/work-items/{item}", ""),
        "list 50 process runs": ("GET", "/process-runs?limit=50", ""),
        "create a work item": ("POST", "/work-items", json.dumps(asked)),
    }
    for what, (method, path, body) in calls.items():
        one = hammer.rate(1, method, workspace.base + path, body)[1]
        eight = hammer.rate(8, method, workspace.base + path, body)[1]
        yield Figure(f"public API, {what}, per second", f"1 connection: {one}; 8 connections: {eight}")


def _beside_bare(here: Room, program: Path, workspace: Workspace, run: str) -> Iterator[Figure]:
    path = f"{workspace.base}/process-runs/{run}"
    bare, fast = [], []
    ours = [Hammer(program, here.url, workspace.authorization).rate(8, "GET", path)]
    with _beside("bare", sys.executable, private_dsn(here), path) as url:
        bare.append(Hammer(program, url, workspace.authorization).rate(8, "GET", path))
    ours.append(Hammer(program, here.url, workspace.authorization).rate(8, "GET", path))
    python = os.environ.get("CONTROLROOM_BENCH_FASTAPI")
    if python is None:
        note("FastAPI is left out: CONTROLROOM_BENCH_FASTAPI names no Python that has it")
    else:
        with _beside("fastapi", python, private_dsn(here), path) as url:
            fast.append(Hammer(program, url, workspace.authorization).rate(8, "GET", path))
    rate = max(each[0] for each in ours)
    beside = "; ".join(
        [
            f"bare ASGI function {bare[0][1]}",
            *(f"FastAPI {each[1]}, ours is {rate / each[0]:.1f} times it" for each in fast),
        ]
    )
    yield Figure(
        "authenticated GET of a process run, 8 connections",
        f"{rate / bare[0][0]:.2f} of bare; {max(ours)[1]}",
        "≥ 0.45 of bare",
        beside,
    )


@contextmanager
def _beside(kind: str, python: str, dsn: str, path: str) -> Iterator[str]:
    """One of the functions that stand beside ours, served while the block runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([python, Path(__file__).with_name("bare_asgi.py"), kind, dsn, str(port)])

    def answers() -> bool:
        try:
            request = urllib.request.Request(url + path, headers={"Authorization": "RC-WSKEY x"})
            return urllib.request.urlopen(request, timeout=5).status == 200
        except OSError:
            return False

    try:
        until(answers, f"{kind} answers")
        yield url
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    show(main())
