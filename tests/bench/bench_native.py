"""One robot with our own library beside one with the unmodified `robocorp-workitems` on the room's adapter, in turns.

Both take the same items, read each payload, and put an item out for each; the second work writes the payload back. Our
own library sends that with the release. Times and processor time are taken inside of the robot, from its first item to
its last; the middle of the turns counts.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import robots
from tests.bench.api import Workspace
from tests.bench.bench_library import NATIVE_SCRIPT, PUTTING_OUT, REQUIREMENTS, TASKS, WRITING_BACK, worked
from tests.bench.figures import Figure, show
from tests.rooms import room

ITEMS = 1000
TURNS = 3
WORKS = (
    ("an item put out", PUTTING_OUT, 'output({**order, "invoiced": True})'),
    ("each payload written back", WRITING_BACK, 'item.payload = {**order, "invoiced": True}'),
)


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room() as here:
        workspace, folder = Workspace(here), Path(name)
        payloads = [{"order": number, "customer": "ACME", "lines": 3} for number in range(ITEMS)]
        for number, (title, theirs, ours) in enumerate(WORKS):
            processes = (
                workspace.process(
                    robots.script_with(folder, f"ours-{number}", NATIVE_SCRIPT.format(work=ours), "controlroom-robot")
                ),
                workspace.process(
                    robots.tasks_robot(folder, f"theirs-{number}", TASKS.format(work=theirs), *REQUIREMENTS)
                ),
            )
            for process in processes:  # environments and spares are there
                workspace.ended(workspace.start(process, payloads[0]))
            turns = [[_worked(workspace, process, payloads) for process in processes] for _ in range(TURNS)]
            rates = [[turn[of][0] for turn in turns] for of in (0, 1)]
            busy = [statistics.median(turn[of][1] for turn in turns) for of in (0, 1)]
            yield Figure(
                f"one robot of our own library, {ITEMS:,} items, {title}",
                f"{statistics.median(rates[0]):,.0f} a second",
                "",
                f"robocorp-workitems on the room's adapter {statistics.median(rates[1]):,.0f}; "
                f"ratio {statistics.median(ours / theirs for ours, theirs in zip(*rates, strict=True)):.2f}; "
                f"the robot's own processor time: {busy[0]:.2f} and {busy[1]:.2f} ms an item",
            )


def _worked(workspace: Workspace, process: str, payloads: list[dict[str, object]]) -> tuple[float, float]:
    """Items a second, and milliseconds of the robot's processor an item."""
    run = workspace.start(process, *payloads)
    workspace.ended(run, look=0.5)
    [one] = worked(workspace.console(run))
    assert one.items == len(payloads), one
    return one.rate, one.own


if __name__ == "__main__":
    show(main())
