"""One robot with the unmodified `robocorp-workitems`: items per second in the room, beside the library's file adapter.

The same robot, with the same items, in the same environment. It reserves an item, reads its payload, and releases it as
done; in between it writes the payload back, or puts out an item. Why the payload is written: the file adapter keeps
everything in memory and touches its file only when something is saved, so that reading alone measures nothing of it. A
saved payload rewrites its file of 2,000 items; an output rewrites its file of outputs, on average half as long. Both
times are taken inside of the robot, from its first item to its last, and so is its own processor time: what the library
costs by itself, however fast it is answered.
"""

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import robots
from tests.bench.api import Workspace
from tests.bench.figures import Figure, show
from tests.rooms import Room, room

ITEMS = 2000
TASKS = """\
import time
from robocorp import workitems
from robocorp.tasks import task


@task
def work():
    began, busy, count = time.perf_counter(), time.process_time(), 0
    for item in workitems.inputs:
        order = item.payload
        {work}
        item.done()
        count += 1
    took, busy = time.perf_counter() - began, time.process_time() - busy
    print(f"rate {{count / took:.1f}} busy {{busy / count * 1000:.2f}} items {{count}}")
"""
WRITING_BACK = """item.payload = {**order, "invoiced": True}
        item.save()"""
PUTTING_OUT = """workitems.outputs.create({**order, "invoiced": True})"""


class Worked(Struct, frozen=True):
    """What a robot says of its work."""

    rate: float
    """Items per second."""
    busy: float
    """Milliseconds of its own processor time an item."""


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room() as here:
        for work, written, title in (
            (WRITING_BACK, "written-back", "the same through unmodified robocorp-workitems, one robot, 2,000 items"),
            (PUTTING_OUT, "put-out", "likewise, each payload read and an item put out"),
        ):
            ours, beside = worked_off(here, Path(name), written, TASKS.format(work=work))
            yield Figure(
                title,
                f"{ours.rate:,.0f} a second",
                "≥ its file adapter",
                f"file adapter {beside.rate:,.0f}; ratio {ours.rate / beside.rate:.2f}; "
                f"the robot's own processor time: {ours.busy:.1f} and {beside.busy:.1f} ms an item",
            )


def worked_off(here: Room, folder: Path, name: str, tasks: str) -> tuple[Worked, Worked]:
    """The items by one robot, in the room and with the file adapter."""
    workspace = Workspace(here)
    robot = robots.tasks_robot(folder, name, tasks, "robocorp-truststore==0.9.1", "robocorp-workitems==1.5.1")
    process = workspace.process(robot)
    payloads = [{"order": number, "customer": "ACME", "lines": 3} for number in range(ITEMS)]
    workspace.ended(workspace.start(process, payloads[0]))
    run = workspace.start(process, *payloads)
    workspace.ended(run, look=0.5)
    ours = _worked(workspace.console(run))
    items = folder / f"{name}.json"
    items.write_text(json.dumps([{"payload": payload, "files": {}} for payload in payloads]))
    _, _, printed = robots.by_hand(
        robot,
        robots.environment_of(here, robot),
        RC_WORKITEM_ADAPTER="FileAdapter",
        RC_WORKITEM_INPUT_PATH=str(items),
        RC_WORKITEM_OUTPUT_PATH=str(folder / f"{name}-outputs.json"),
    )
    return ours, _worked(printed)


def _worked(printed: str) -> Worked:
    found = re.search(r"rate ([0-9.]+) busy ([0-9.]+) items (\d+)", printed)
    assert found, printed
    assert int(found[3]) == ITEMS, printed
    return Worked(float(found[1]), float(found[2]))


if __name__ == "__main__":
    show(main())
