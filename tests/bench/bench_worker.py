"""How long a worker takes from an assignment to the robot's first line, and how many no-op robots it runs a second.

Beside each figure stands the same command typed by hand in the same environment, measured right before. The server is
the small one of the worker's tests, so that only the worker is measured.
"""

import asyncio
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1] / "worker"))

import sample_robots as robots
from real_worker import WorkerProcess, working
from room_server import RoomServer
from tests.bench.figures import Figure, percentile, show

RUNS = 20
RUSH = 60

PLAIN = robots.plain("import time\nprint(time.time())")
TASKS = robots.tasks("import time\nprint(time.time())\nfrom robocorp.tasks import task\n\n@task\ndef work():\n    pass")


async def one(room: RoomServer, files: dict[str, str]) -> tuple[float, float, str]:
    """Run a robot: milliseconds to its first line and to its end, and the line of the worker's log about it."""
    attempt = await room.assign(room.add_package(files))
    await room.finished(attempt)
    began = attempt.heard[0][0]
    first = next(float(line) for line in attempt.text if line[:1].isdigit() and "." in line)
    return 1000 * (first - began), 1000 * (attempt.heard[-1][0] - began), str(attempt.assignment.step_run_id)


async def by_hand(python: str, files: dict[str, str], command: list[str]) -> tuple[float, float]:
    """The same command without us: milliseconds to the first line and to the end, as medians."""
    firsts, ends = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_text(textwrap.dedent(content))
        for _ in range(RUNS):
            began = time.time()
            done = await asyncio.to_thread(
                subprocess.run, [python, *command], cwd=folder, capture_output=True, text=True, check=True
            )
            ends.append(1000 * (time.time() - began))
            lines = done.stdout.splitlines()
            firsts.append(1000 * (next(float(line) for line in lines if line[:1].isdigit() and "." in line) - began))
    return percentile(firsts, 0.5), percentile(ends, 0.5)


async def latency(
    room: RoomServer, walt: WorkerProcess, name: str, files: dict[str, str], goal: str, hand: tuple[float, float]
) -> list[Figure]:
    """First lines in spares, and the whole run."""
    firsts, ends = [], []
    while len(firsts) < RUNS:
        seen = len(walt.log)
        first, end, step_run = await one(room, files)
        async with walt.logged(step_run) as line:
            if "spare=True" in line:
                firsts.append(first)
                ends.append(end)
        while "spare ready" not in walt.log[seen:]:
            await asyncio.sleep(0.05)
    return [
        Figure(
            f"assignment to first line, {name}, in a spare (p50 / p99)",
            f"{percentile(firsts, 0.5):.0f} / {percentile(firsts, 0.99):.0f} ms",
            goal,
            f"by hand {hand[0]:.0f} ms",
        ),
        Figure(
            f"assignment to finish, {name}, in a spare (p50)",
            f"{percentile(ends, 0.5):.0f} ms",
            "",
            f"by hand {hand[1]:.0f} ms",
        ),
    ]


async def as_process(room: RoomServer, name: str, files: dict[str, str], hand: tuple[float, float]) -> Figure:
    """First lines of fresh interpreters."""
    firsts = [(await one(room, files))[0] for _ in range(RUNS)]
    above = percentile(firsts, 0.5) - hand[0]
    return Figure(
        f"assignment to first line, {name}, as a process (p50)",
        f"{percentile(firsts, 0.5):.0f} ms, {above:+.0f} ms",
        "≤ 60 ms above by hand",
        f"by hand {hand[0]:.0f} ms",
    )


async def rush(room: RoomServer, name: str, files: dict[str, str], beside: str) -> Figure:
    """No-op runs a second with four slots."""
    package = room.add_package(files)
    began = time.monotonic()
    attempts = [await room.assign(package) for _ in range(RUSH)]
    await room.until(lambda: all(attempt.finish for attempt in attempts), 300)
    return Figure(f"no-op runs per second, {name}, 4 slots", f"{RUSH / (time.monotonic() - began):.1f}", "", beside)


async def measure() -> list[Figure]:
    """All figures, on one server and in one cache of environments."""
    room = RoomServer()
    await room.start()
    rows: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        cache = f"{folder}/environments"
        async with working(room, Path(folder) / "plain", environments=cache, spares_memory_bytes=0):
            await one(room, TASKS)
            python = str(next(Path(cache).glob("shares/*/environments/*/bin/python")))
            hand = {
                "plain script": await by_hand(python, PLAIN, ["task.py"]),
                "robocorp.tasks": await by_hand(
                    python, dict(TASKS), ["-m", "robocorp.tasks", "run", "tasks.py", "-t", "work"]
                ),
            }
            for name, files in (("plain script", PLAIN), ("robocorp.tasks", TASKS)):
                rows.append(await as_process(room, name, dict(files), hand[name]))
        async with working(room, Path(folder) / "walt", environments=cache) as walt:
            for name, files, goal in (
                ("plain script", PLAIN, "≤ 15 ms"),
                ("robocorp.tasks", TASKS, "≤ 60 ms"),
            ):
                rows += await latency(room, walt, name, dict(files), goal, hand[name])
        async with working(room, Path(folder) / "slots", environments=cache, slots=4):
            for name, files in (("plain script", PLAIN), ("robocorp.tasks", TASKS)):
                beside = f"two cores by hand {2000 / hand[name][1]:.1f}"
                rows.append(await rush(room, name, dict(files), beside))
    await room.stop()
    return rows


def main() -> list[Figure]:
    """Measure and return the rows."""
    return asyncio.run(measure())


if __name__ == "__main__":
    show(main())
