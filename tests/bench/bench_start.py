"""Starting robots: from the start call to the robot's first line and to the run's end, and no-op runs per second.

All times are of one machine's clock. By hand is the same command, typed in the environment that the worker has built.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import robots
from tests.bench.api import Workspace, unix
from tests.bench.figures import Figure, milliseconds, percentile, show
from tests.rooms import Room, room

ROUNDS = 60
BY_HAND = 15
NO_OPS = 120
REST = 0.15
"""Seconds between two runs, in which a new spare is made: these figures are of an idle room."""
_PLAIN_PROCESS = {"PYTHONHASHSEED": "0"}
"""Read when an interpreter starts: what a spare cannot honour."""


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room("--slots", "4") as here:
        folder = Path(name)
        script = robots.plain_script(folder, "first-line-script", robots.FIRST_LINE_SCRIPT)
        tasks = robots.tasks_robot(folder, "first-line-tasks", robots.FIRST_LINE_TASKS)
        yield from first_lines(here, script, "plain script", warm_goal="≤ 40 / 120 ms")
        yield from first_lines(here, tasks, "robocorp.tasks", warm_goal="≤ 100 / 250 ms")
        yield from whole_runs(here, robots.plain_script(folder, "no-op-script", robots.NO_OP_SCRIPT), "plain script")
        yield from whole_runs(here, robots.tasks_robot(folder, "no-op-tasks", robots.NO_OP_TASKS), "robocorp.tasks")


def first_lines(here: Room, robot: Path, kind: str, *, warm_goal: str) -> Iterator[Figure]:
    """Start call accepted to the first line of the robot's own module: by a warm spare, and by a plain process."""
    workspace = Workspace(here)
    process = workspace.process(robot)
    plain = workspace.process(robot, environment=_PLAIN_PROCESS)
    robots.warm(workspace, process)
    robots.warm(workspace, plain)
    environment = robots.environment_of(here, robot)
    typed = []
    for _ in range(BY_HAND):
        began, _, printed = robots.by_hand(robot, environment)
        typed.append(robots.first_line(printed) - began)
    hand = statistics.median(typed)
    for how, which, goal in (
        ("warm spare", process, warm_goal),
        ("plain process", plain, f"≤ by hand + 60 ms = {milliseconds(hand + 0.06)}"),
    ):
        accepted, sent = _first_line_times(workspace, which)
        yield Figure(
            f"start call accepted → first line of the robot's own module, {kind}, {how} (p50 / p99)",
            milliseconds(percentile(accepted, 0.5), percentile(accepted, 0.99)),
            goal,
            f"by hand {milliseconds(hand)}; from sending the call "
            f"{milliseconds(percentile(sent, 0.5), percentile(sent, 0.99))}",
        )


def _first_line_times(workspace: Workspace, process: str) -> tuple[list[float], list[float]]:
    """Seconds from the answer of the start call, and from its sending, to the first line."""
    accepted, sent = [], []
    for _ in range(ROUNDS):
        time.sleep(REST)
        sending = time.time()
        run = workspace.start(process)
        answered = time.time()
        workspace.ended(run)
        first = robots.first_line(workspace.console(run))
        accepted.append(first - answered)
        sent.append(first - sending)
    return accepted, sent


def whole_runs(here: Room, robot: Path, kind: str) -> Iterator[Figure]:
    """Start call to run completed, and runs per second with four slots."""
    workspace = Workspace(here)
    process = workspace.process(robot)
    robots.warm(workspace, process)
    environment = robots.environment_of(here, robot)
    took, hand = [], []
    for number in range(ROUNDS):
        time.sleep(REST)
        sending = time.time()
        took.append(unix(workspace.ended(workspace.start(process))["ended_at"]) - sending)
        if number % (ROUNDS // BY_HAND) == 0:
            hand.append(robots.by_hand(robot, environment)[1])
    ratio = statistics.median(took) / statistics.median(hand)
    yield Figure(
        f"start call → run completed, no-op, {kind}",
        f"{ratio:.2f} of by hand; {milliseconds(percentile(took, 0.5), percentile(took, 0.99))} (p50 / p99)",
        "≤ 1.0 of by hand" if kind == "robocorp.tasks" else "",
        f"by hand {milliseconds(statistics.median(hand))}",
    )
    rate, beside = _runs_per_second(workspace, process), _by_hand_per_second(robot, environment)
    yield Figure(
        f"no-op runs per second, 4 slots, {kind}",
        f"{rate:.1f}",
        "≥ 20" if kind == "plain script" else "≥ two cores by hand",
        f"by hand, two at a time: {beside:.1f}",
    )


def _runs_per_second(workspace: Workspace, process: str) -> float:
    began = time.time()
    runs = [workspace.start(process) for _ in range(NO_OPS)]
    ended = max(unix(workspace.ended(run, look=0.25)["ended_at"]) for run in runs)
    return NO_OPS / (ended - began)


def _by_hand_per_second(robot: Path, environment: Path) -> float:
    count = 2 * BY_HAND
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as two:
        list(two.map(lambda _: robots.by_hand(robot, environment), range(count)))
    return count / (time.perf_counter() - began)


if __name__ == "__main__":
    show(main())
