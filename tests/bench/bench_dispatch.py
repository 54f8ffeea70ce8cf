"""From the queue to the worker: a start call is sent, a waiting worker holds the step run.

The worker is simulated, so that nothing is measured but the room: start, dispatch, wake-up, claim. Beside it, what it
costs a server to hold a thousand workers that wait.
"""

import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import robots
from tests.bench.api import Workspace
from tests.bench.figures import Figure, milliseconds, percentile, show
from tests.bench.simulated_worker import SimulatedWorker
from tests.rooms import Room, room

from controlroom.protocol import Claim

ROUNDS = 300
TURNS = 6
WORKSPACES = 50
REST = 0.02
POLLS = 1000
SECONDS = 20.0


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room("--no-worker") as here:
        workspace = Workspace(here)
        process = workspace.process(robots.plain_script(Path(name), "dispatch", ""))
        worker = SimulatedWorker(here, workspace, "dispatch", slots=1)
        wide = _of_many_workspaces(here, workspace)
        one, many = _Side("one workspace", worker), _Side(f"{WORKSPACES} workspaces", wide)
        for _ in range(TURNS):  # in turn, so that both are measured in the same room
            for side in (one, many):
                side.took += _dispatched(workspace, side.worker, process)
        for side in (one, many):
            yield Figure(
                f"start call sent → a waiting worker of {side.name} holds the step run, idle room (p50 / p95)",
                milliseconds(percentile(side.took, 0.5), percentile(side.took, 0.95)),
                "≤ 15 / 40 ms",
                "published: Procrastinate 6 / 8, awa 9 / 16, Hatchet < 25 ms",
            )
        for side in (one, many, one, many):
            side.idle.append(_waiting(here, side.worker))
        for side in (one, many):
            yield Figure(
                f"processor time of an idle room in which 1,000 workers of {side.name} wait",
                ", ".join(f"{part} {statistics.fmean(s[part] for s in side.idle):.1%}" for part in side.idle[0])
                + " of a core",
                "of many as of one, within 10 %",
                f"{sum(side.idle[0].values()) * 1e6 / POLLS:.0f}, {sum(side.idle[1].values()) * 1e6 / POLLS:.0f}"
                " µs a worker and second",
            )


class _Side:
    """What is measured of one kind of worker."""

    def __init__(self, name: str, worker: SimulatedWorker) -> None:
        self.name = name
        self.worker = worker
        self.took: list[float] = []
        self.idle: list[dict[str, float]] = []


def _of_many_workspaces(here: Room, workspace: Workspace) -> SimulatedWorker:
    """A worker that serves all workspaces, of which there are many from here on."""
    admin = workspace.by_admin()
    for number in range(WORKSPACES - 1):
        admin.call("POST", "/api/v1/workspaces", msgspec.json.encode({"name": f"workspace {number}"}))
    return SimulatedWorker(here, admin, "wide", slots=1, serves_all=True)


def _dispatched(workspace: Workspace, worker: SimulatedWorker, process: str) -> list[float]:
    took = []
    for _ in range(ROUNDS // TURNS):
        held: list[float] = []

        def hold(held: list[float] = held) -> None:
            [assignment] = worker.claim()
            held.append(time.perf_counter())
            worker.finish(assignment)

        waiting = threading.Thread(target=hold)
        waiting.start()
        time.sleep(REST)  # the worker's question is held by then, and the room idle
        began = time.perf_counter()
        workspace.start(process)
        waiting.join()
        took.append(held[0] - began)
    return took


def _waiting(here: Room, worker: SimulatedWorker) -> dict[str, float]:
    """The server's and the database's processor time while a thousand claims are held."""
    address = urlsplit(here.url)
    body = msgspec.json.encode(Claim(session=worker.session, free=1, wait_seconds=30.0))
    head = f"POST /worker/v1/claims HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {worker.token}\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    polls = [socket.create_connection((address.hostname, address.port)) for _ in range(POLLS)]
    for each in polls:
        each.sendall(request)
    time.sleep(3)
    before = _processor_seconds(here)
    time.sleep(SECONDS)
    shares = {part: (seconds - before[part]) / SECONDS for part, seconds in _processor_seconds(here).items()}
    for each in polls:
        each.close()
    return shares


def _processor_seconds(here: Room) -> dict[str, float]:
    def spent(process: psutil.Process) -> float:
        times = process.cpu_times()
        return times.user + times.system

    database = here.child("database")
    return {
        "server": spent(here.child("server")),
        "database": sum(spent(each) for each in [database, *database.children(recursive=True)]),
    }


if __name__ == "__main__":
    show(main())
