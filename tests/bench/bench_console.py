"""The console: how soon a printed line is readable by the API, and how many lines per second go through, none lost."""

import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import robots
from tests.bench.api import Workspace, unix
from tests.bench.figures import Figure, milliseconds, percentile, show
from tests.bench.simulated_worker import SimulatedWorker
from tests.rooms import room

PRINTED = 100
LINES = 1_000_000
BATCH = 5000
LINE = "processed order 000000 of customer ACME: 3 lines, 120.50 EUR, nothing unusual\n"
_SLOW = f"""\
import time
for number in range({PRINTED}):
    print(f"printed {{time.time():.6f}}", flush=True)
    time.sleep(0.1)
"""
_FAST = f"""\
for number in range({LINES}):
    print("processed order %06d of customer ACME: 3 lines, 120.50 EUR, nothing unusual" % number)
"""


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room() as here:
        workspace = Workspace(here)
        yield _readable(workspace, Path(name))
        yield _through(workspace, Path(name))
        worker = SimulatedWorker(here, workspace, "console", slots=1)
        yield _taken(workspace, worker, Path(name))


def _readable(workspace: Workspace, folder: Path) -> Figure:
    """A reader that asks again at once sees each line for the first time so long after it was printed."""
    process = workspace.process(robots.plain_script(folder, "slow-printer", _SLOW))
    robots_run = workspace.start(process)
    took: list[float] = []
    following = None
    while len(took) < PRINTED:
        if following is None:
            step_runs = workspace.get(f"/step-runs?process_run_id={robots_run}")["data"]
            if step_runs:
                following = f"/step-runs/{step_runs[0]['id']}/console-messages?limit=1000"
            continue
        seen = re.findall(r"printed (\d+\.\d+)", "\n".join(one["message"] for one in workspace.get(following)["data"]))
        now = time.time()
        took += [now - float(printed) for printed in seen[len(took) :]]
        time.sleep(0.005)
    workspace.ended(robots_run)
    return Figure(
        "console: a line printed → readable by the API (p50 / p99)",
        milliseconds(percentile(took, 0.5), percentile(took, 0.99)),
        "≤ 100 / 300 ms",
    )


def _through(workspace: Workspace, folder: Path) -> Figure:
    """A robot that prints a million lines, from start to end."""
    process = workspace.process(robots.plain_script(folder, "fast-printer", _FAST))
    run = workspace.start(process)
    found = workspace.ended(run, look=0.2)
    [step_run] = workspace.get(f"/step-runs?process_run_id={run}")["data"]
    seconds = unix(found["ended_at"]) - unix(step_run["started_at"])
    lines = sum(
        one["message"].startswith("processed order")
        for page in workspace.pages(f"/step-runs/{step_run['id']}/console-messages", limit=1000)
        for one in page
    )
    return Figure(
        "console: lines per second of one robot, from its print to the table, whole step run",
        f"{lines / seconds:,.0f}, {LINES - lines:,} lost",
        "≥ 100,000, none lost",
    )


def _taken(workspace: Workspace, worker: SimulatedWorker, folder: Path) -> Figure:
    """What a server takes from a worker that has the lines ready."""
    process = workspace.process(robots.plain_script(folder, "lines", ""), placement={"workers": [worker_id(workspace)]})
    workspace.start(process)
    [assignment] = worker.claim()
    body = (LINE * BATCH).encode()
    began = time.perf_counter()
    for first in range(0, LINES, BATCH):
        worker.append(assignment, first, body, at=time.time())
    seconds = time.perf_counter() - began
    worker.finish(assignment, lines=LINES)
    return Figure(
        "console: lines per second that a server takes, by batches of 5,000",
        f"{LINES / seconds:,.0f}",
        "≥ 100,000",
        "published for PostgreSQL: 110,000 to 280,000 rows by COPY, 780,000 lines as chunks",
    )


def worker_id(workspace: Workspace) -> str:
    """The simulated worker's id."""
    [found] = [one["id"] for one in workspace.get("/workers")["data"] if one["name"] == "console"]
    return found


if __name__ == "__main__":
    show(main())
