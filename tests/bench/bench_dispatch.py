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
REST = 0.02
POLLS = 1000
SECONDS = 20.0


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room("--no-worker") as here:
        workspace = Workspace(here)
        process = workspace.process(robots.plain_script(Path(name), "dispatch", ""))
        worker = SimulatedWorker(here, workspace, "dispatch", slots=1)
        yield _dispatched(workspace, worker, process)
        yield _waiting(here, worker)


def _dispatched(workspace: Workspace, worker: SimulatedWorker, process: str) -> Figure:
    took = []
    for _ in range(ROUNDS):
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
    return Figure(
        "start call sent → a waiting worker holds the step run, idle room (p50 / p95)",
        milliseconds(percentile(took, 0.5), percentile(took, 0.95)),
        "≤ 15 / 40 ms",
        "published: Procrastinate 6 / 8, awa 9 / 16, Hatchet < 25 ms",
    )


def _waiting(here: Room, worker: SimulatedWorker) -> Figure:
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
    return Figure(
        "processor time of an idle room in which 1,000 workers wait",
        ", ".join(f"{part} {share:.1%}" for part, share in shares.items()) + " of a core",
        "",
        f"{statistics.fmean(shares.values()) * 2 * SECONDS / POLLS * 1e6 / SECONDS:.0f} µs a worker and second",
    )


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
