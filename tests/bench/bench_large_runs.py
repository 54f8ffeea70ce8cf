"""A run of a million items: how long who stops or deletes it waits, and how others fare meanwhile.

CONTROLROOM_BENCH_RUN_ITEMS (1,000,000) makes it shorter. All items but one are put straight into the table; everything
that is measured goes over HTTP.
"""

import asyncio
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import robots
from tests.bench.api import Workspace
from tests.bench.bench_work_items import private_dsn
from tests.bench.figures import Figure, milliseconds, percentile, show
from tests.rooms import Room, room

ITEMS = int(os.environ.get("CONTROLROOM_BENCH_RUN_ITEMS", "1000000"))


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room("--no-worker") as here:
        workspace = Workspace(here)
        process = workspace.process(robots.plain_script(Path(name), "large", ""))
        small = _stopped(workspace, workspace.start(process, {"n": 0}))
        run = workspace.start(process, {"n": 0})
        asyncio.run(_filled(here, run))
        alone = [_start(workspace, process) for _ in range(200)]
        large = _stopped(workspace, run)
        yield Figure(
            f"stop of a run with {ITEMS:,} items: call → answer",
            milliseconds(large),
            "≤ 1 s",
            f"a run with one item: {milliseconds(small)}",
        )
        began, beside = time.perf_counter(), _beside(here, process)
        while workspace.run(run)["state"] == "stopping":
            time.sleep(0.2)
        took = time.perf_counter() - began
        starts = beside()
        yield Figure(
            f"… until it has ended behind that, {ITEMS:,} items", f"{took:.0f} s, {ITEMS / took:,.0f} items a second"
        )
        began = time.perf_counter()
        workspace.call("DELETE", f"{workspace.base}/process-runs/{run}")
        yield Figure("deletion of that run: call → answer", milliseconds(time.perf_counter() - began), "≤ 1 s")
        yield Figure(
            "starts of other runs meanwhile (p50 / p95)",
            milliseconds(percentile(starts, 0.5), percentile(starts, 0.95)),
            "",
            f"before: {milliseconds(percentile(alone, 0.5), percentile(alone, 0.95))}",
        )


def _start(workspace: Workspace, process: str) -> float:
    began = time.perf_counter()
    workspace.start(process, {"n": 1})
    return time.perf_counter() - began


def _stopped(workspace: Workspace, run: str) -> float:
    began = time.perf_counter()
    body = {"set_remaining_work_items_as_done": False, "terminate_ongoing_activity_runs": True}
    assert workspace.post(f"/process-runs/{run}/stop", body)["accepted"]
    return time.perf_counter() - began


def _beside(here: Room, process: str):
    """Start runs until the returned function is called, which gives how long each start took."""
    over, took = threading.Event(), []

    def start_on() -> None:
        workspace = Workspace(here)
        while not over.wait(0.05):
            took.append(_start(workspace, process))

    thread = threading.Thread(target=start_on)
    thread.start()

    def end() -> list[float]:
        over.set()
        thread.join()
        return took

    return end


async def _filled(here: Room, run: str) -> None:
    """Put so many waiting items beside the one that the run has."""
    connection = await asyncpg.connect(await asyncio.to_thread(private_dsn, here))
    await connection.execute(
        """
        insert into work_item (id, workspace_id, process_id, queue_id, step_id, run_id, state, payload)
        select uuidv7(), workspace_id, process_id, queue_id, step_id, run_id, 'pending', jsonb_build_object('n', n)
          from work_item, generate_series(2, $2::int) n
         where run_id = $1
        """,
        run,
        ITEMS,
    )
    await connection.execute("analyze work_item")
    await connection.close()


if __name__ == "__main__":
    show(main())
