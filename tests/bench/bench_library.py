"""One robot with the unmodified `robocorp-workitems`: items per second in the room, beside the library's file adapter.

The same robot, with the same items: it reads each one, puts out another, and marks it done. Both times are taken inside
of it, from its first item to its last. Reading alone is no measure: the file adapter then does not touch its file.
"""

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import robots
from tests.bench.api import Workspace
from tests.bench.figures import Figure, show
from tests.rooms import room

ITEMS = 2000
TASKS = """\
import time
from robocorp import workitems
from robocorp.tasks import task


@task
def work():
    began, count = time.perf_counter(), 0
    for item in workitems.inputs:
        order = item.payload
        workitems.outputs.create({"order": order["order"], "customer": order["customer"], "invoiced": True})
        item.done()
        count += 1
    print(f"rate {count / (time.perf_counter() - began):.1f} items {count}")
"""


def main() -> Iterator[Figure]:
    """The figure."""
    with tempfile.TemporaryDirectory() as name, room() as here:
        folder, workspace = Path(name), Workspace(here)
        robot = robots.tasks_robot(folder, "library", TASKS, "robocorp-truststore==0.9.1", "robocorp-workitems==1.5.1")
        process = workspace.process(robot)
        payloads = [{"order": number, "customer": "ACME", "lines": 3} for number in range(ITEMS)]
        workspace.ended(workspace.start(process, payloads[0]))
        run = workspace.start(process, *payloads)
        workspace.ended(run, look=0.5)
        ours = _rate(workspace.console(run))
        environment = robots.environment_of(here, robot)
        items = folder / "items.json"
        items.write_text(json.dumps([{"payload": payload, "files": {}} for payload in payloads]))
        _, _, printed = robots.by_hand(
            robot,
            environment,
            RC_WORKITEM_ADAPTER="FileAdapter",
            RC_WORKITEM_INPUT_PATH=str(items),
            RC_WORKITEM_OUTPUT_PATH=str(folder / "outputs.json"),
        )
    beside = _rate(printed)
    yield Figure(
        "the same through unmodified robocorp-workitems, one robot, 2,000 items",
        f"{ours:,.0f} a second",
        "≥ its file adapter",
        f"file adapter {beside:,.0f}; ratio {ours / beside:.2f}",
    )


def _rate(printed: str) -> float:
    found = re.search(r"rate ([0-9.]+) items (\d+)", printed)
    assert found, printed
    assert int(found[2]) == ITEMS, printed
    return float(found[1])


if __name__ == "__main__":
    show(main())
