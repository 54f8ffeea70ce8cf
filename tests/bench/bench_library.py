"""Robots with the unmodified `robocorp-workitems`, on the room's adapter, beside the library's file adapter.

The same robot, with the same items, in the same environment, in turns. It reserves an item, reads its payload, and
releases it as done; in between it writes the payload back, or puts out an item. Why the payload is written: the file
adapter keeps everything in memory and touches its file only when something is saved, so that reading alone measures
nothing of it. A saved payload rewrites its file of 2,000 items; an output rewrites its file of outputs, on average half
as long. Both times are taken inside of the robot, from its first item to its last, and so is its own processor time:
what the library costs by itself, however fast it is answered.

Then four robots at once, which also read alone, and do without `robocorp.tasks`, whose log is most of a robot's own
time; the same by our own library, with a block for each item (two calls) and without (one), beside pgbench's claims
and finishes right after; and what the adapter costs at a robot's start. CONTROLROOM_BENCH_ITEMS (2,000) is the number
of items of a robot, CONTROLROOM_BENCH_TURNS (2) that of turns.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from msgspec import Struct

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import robots
from tests.bench.api import Workspace
from tests.bench.bench_work_items import pgbench_rate, private_dsn
from tests.bench.figures import Figure, show
from tests.rooms import Room, room

ITEMS = int(os.environ.get("CONTROLROOM_BENCH_ITEMS", "2000"))
TURNS = int(os.environ.get("CONTROLROOM_BENCH_TURNS", "2"))
TOGETHER = 4
STARTS = 20
SCRIPT = """\
import time
from robocorp import workitems


def work():
    at, began, busy, count = time.time(), time.perf_counter(), time.process_time(), 0
    for item in workitems.inputs:
        order = item.payload
        {work}
        item.done()
        count += 1
    took, busy = time.perf_counter() - began, time.process_time() - busy
    print(f"began {{at:.4f}} took {{took:.4f}} busy {{busy:.4f}} items {{count}}", type(item._adapter).__module__)
"""
TASKS = SCRIPT.replace("def work", "@task\ndef work").replace("\n\n\n", "\nfrom robocorp.tasks import task\n\n\n")
REQUIREMENTS = ("robocorp-truststore==0.9.1", "robocorp-workitems==1.5.1")
WRITING_BACK = """item.payload = {**order, "invoiced": True}
        item.save()"""
PUTTING_OUT = """workitems.outputs.create({**order, "invoiced": True})"""
READING = """assert order["lines"] == 3"""
NATIVE_SCRIPT = """\
import time
from controlroom_robot import items, output

at, began, busy, count = time.time(), time.perf_counter(), time.process_time(), 0
for item in items():
    {block}
        order = item.payload
        {work}
    count += 1
took, busy = time.perf_counter() - began, time.process_time() - busy
print(f"began {{at:.4f}} took {{took:.4f}} busy {{busy:.4f}} items {{count}} controlroom_robot")
"""
MAKING = """\
import time
from robocorp import workitems
before, busy = time.perf_counter(), time.process_time()
from controlroom_workitems import Adapter
Adapter()
print(time.perf_counter() - before, time.process_time() - busy)
"""
STEP_RUN = {
    **{f"RC_{name}_ID": "0" for name in ("WORKSPACE", "PROCESS_RUN", "ACTIVITY_RUN", "WORKITEM")},
    "RC_API_WORKITEM_HOST": "http://127.0.0.1:9",
    "RC_API_WORKITEM_TOKEN": "none",
}
"""As a robot of a room has them, where nothing is asked of the room yet."""


class Worked(Struct, frozen=True):
    """What a robot says of its work."""

    began: float
    took: float
    busy: float
    items: int
    adapter: str

    @property
    def rate(self) -> float:
        """Items per second."""
        return self.items / self.took

    @property
    def own(self) -> float:
        """Milliseconds of its own processor time an item."""
        return self.busy / self.items * 1000


def main() -> Iterator[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name, room("--slots", str(TOGETHER)) as here:
        folder, workspace = Path(name), Workspace(here)
        for work, written, title, goal in (
            (WRITING_BACK, "written-back", "each payload written back", 5.0),
            (PUTTING_OUT, "put-out", "each payload read and an item put out", 2.5),
        ):
            robot = robots.tasks_robot(folder, written, TASKS.format(work=work), *REQUIREMENTS)
            yield one_robot(here, workspace, robot, title, goal)
        environment = robots.environment_of(here, robot)
        four = robots.tasks_robot(folder, "four", TASKS.format(work=READING), *REQUIREMENTS)
        yield several(workspace, four, "robocorp-workitems in robocorp.tasks, each payload read", "≥ 1,000")
        for work, written, title in (
            (READING, "four-scripts", "each payload read"),
            (WRITING_BACK, "four-writing", "each payload written back"),
        ):
            script = f"{SCRIPT.format(work=work)}\n\nwork()\n"
            four = robots.script_with(folder, written, script, *REQUIREMENTS)
            yield several(workspace, four, f"robocorp-workitems in a script, {title}", "≥ 1,000")
        yield adapter_start(environment)
        for block, written, title in (("with item:", "blocks", "in blocks"), ("if True:", "loop", "in a plain loop")):
            script = NATIVE_SCRIPT.format(block=block, work=READING)
            native = robots.script_with(folder, written, script, "controlroom-robot")
            yield several(workspace, native, f"our own library, {title}, each payload read", "≥ 1,200", of=here)


def one_robot(here: Room, workspace: Workspace, robot: Path, title: str, goal: float) -> Figure:
    """One robot, in the room and with the file adapter, in turns."""
    process = workspace.process(robot)
    workspace.ended(workspace.start(process, payload(0)))  # the environment is built
    environment = robots.environment_of(here, robot)
    ours, beside = [], []
    for _ in range(TURNS):
        run = workspace.start(process, *map(payload, range(ITEMS)))
        workspace.ended(run, look=0.5)
        [one] = worked(workspace.console(run))
        assert (one.adapter, one.items) == ("controlroom_workitems", ITEMS), one
        ours.append(one)
        beside.append(by_file(robot, environment))
    ratios = [mine.rate / theirs.rate for mine, theirs in zip(ours, beside, strict=True)]
    return Figure(
        f"one robot through unmodified robocorp-workitems, {ITEMS:,} items, {title}",
        f"{median(ratios):.2f} of the file adapter ({min(ratios):.2f} to {max(ratios):.2f}); "
        f"{median(each.rate for each in ours):,.0f} a second",
        f"≥ {goal} of the file adapter",
        f"file adapter {median(each.rate for each in beside):,.0f} a second; the robot's own processor time: "
        f"{median(each.own for each in ours):.1f} and {median(each.own for each in beside):.1f} ms an item",
    )


def by_file(robot: Path, environment: Path) -> Worked:
    """The same items by the library's file adapter."""
    with tempfile.TemporaryDirectory() as name:
        items = Path(name) / "items.json"
        items.write_text(json.dumps([{"payload": payload(number), "files": {}} for number in range(ITEMS)]))
        _, _, printed = robots.by_hand(
            robot,
            environment,
            RC_WORKITEM_ADAPTER="FileAdapter",
            RC_WORKITEM_INPUT_PATH=str(items),
            RC_WORKITEM_OUTPUT_PATH=str(Path(name) / "outputs.json"),
        )
    [one] = worked(printed)
    assert one.items == ITEMS, printed
    return one


def several(workspace: Workspace, robot: Path, title: str, goal: str, *, of: Room | None = None) -> Figure:
    """Four robots at once on the items of one run; beside pgbench on the database of a room."""
    process = workspace.process(robot, max_parallel=TOGETHER)
    workspace.ended(workspace.start(process, payload(0)))
    run = workspace.start(process, *map(payload, range(TOGETHER * ITEMS)))
    workspace.ended(run, look=0.5)
    all_of_them = worked(workspace.console(run))
    assert sum(each.items for each in all_of_them) == TOGETHER * ITEMS, all_of_them
    together = max(each.began + each.took for each in all_of_them) - min(each.began for each in all_of_them)
    rate = TOGETHER * ITEMS / together
    beside = f"the robots' own processor time {median(each.own for each in all_of_them):.1f} ms an item"
    if of is not None and (bare := _bare(of)) is not None:
        goal += " and ≥ 0.3 of pgbench"
        beside += f"; pgbench, claim + finish at 16 clients: {bare:,.0f}, ours is {rate / bare:.2f} of it"
    return Figure(f"{len(all_of_them)} robots at once, {title}, items per second", f"{rate:,.0f}", goal, beside)


def adapter_start(environment: Path) -> Figure:
    """What importing and making the adapter costs a robot that has imported the library."""
    took = []
    for _ in range(STARTS):
        words = [str(environment / "python"), "-c", MAKING]
        done = subprocess.run(words, check=True, capture_output=True, text=True, env={**os.environ, **STEP_RUN})
        took.append(tuple(map(float, done.stdout.split())))
    clock, busy = (median(each) * 1000 for each in zip(*took, strict=True))
    return Figure(
        "what the adapter costs a robot's start: imported and made",
        f"{busy:.1f} ms of the processor, {clock:.1f} ms by the clock",
        "≤ 3 ms",
        f"median of {STARTS} starts",
    )


def payload(number: int) -> dict[str, object]:
    """Of the items, in order."""
    return {"order": number, "customer": "ACME", "lines": 3}


def _bare(here: Room) -> float | None:
    with tempfile.TemporaryDirectory() as name:
        return pgbench_rate(private_dsn(here), Path(name))


_SAID = re.compile(r"began ([0-9.]+) took ([0-9.]+) busy ([0-9.]+) items (\d+) (\S+)")


def worked(printed: str) -> list[Worked]:
    """What the robots have said of themselves."""
    found = [
        Worked(float(at), float(took), float(busy), int(n), by) for at, took, busy, n, by in _SAID.findall(printed)
    ]
    assert found, printed
    return found


if __name__ == "__main__":
    show(main())
