"""The adapter that the worker hands to robots with the vendor's library: the same behaviour by fewer calls."""

import json
import sys
from pathlib import Path

import pytest

from controlroom.protocol import ErrorCode
from controlroom.worker import environments
from controlroom.worker.environments.offered import source_of
from work_item_robots import EVERY_VERB, OURS, Relay, seen, work

pytest.importorskip("robocorp.workitems", reason="robocorp-workitems is not installed")

ITEMS = [{"name": name} for name in ("ä", "bad", "worse", "refused", "last")]


@pytest.fixture
def taken(ada, process, walt):
    """Starts a run of these payloads, and gives what walt has taken of it, with the run's id."""

    async def take(payloads):
        run = await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": payloads})
        while str((assignment := await walt.take()).run_id) != run["id"]:  # what a run before has put out
            await walt.finish(assignment)
        return assignment, run["id"]

    return take


async def test_every_verb_is_the_same_by_both_adapters(room, ada, walt, taken, tmp_path):
    """Payloads, files, outputs, failures and refusals, in a robot that dies with an item in hand."""
    told, there = {}, {}
    for name, adapter in (("vendor", ""), ("ours", OURS)):
        folder = tmp_path / name
        folder.mkdir()
        assignment, run = await taken(ITEMS)
        code, printed = await work(
            sys.executable, EVERY_VERB, assignment, room, walt, folder, RC_WORKITEM_ADAPTER=adapter
        )
        assert code == 3, printed
        used, told[name] = json.loads((folder / "said.json").read_text("utf-8"))
        assert used == ("controlroom_workitems" if adapter else "robocorp.workitems._adapters._robocorp")
        await walt.finish(assignment, ErrorCode.ROBOT_FAILED)
        there[name] = await seen(ada, run)

    assert told["ours"] == told["vendor"]
    assert there["ours"] == there["vendor"]
    assert len(there["ours"]) == len(ITEMS) + 7


async def test_lost_answers_make_no_twins_over_one_connection(room, ada, walt, taken, tmp_path):
    """Each answer is lost once: the robot asks again, there is one output, and its connection is kept in between."""
    script = tmp_path / "robot.py"
    script.write_text(
        """
from robocorp import workitems
for item in workitems.inputs:
    workitems.outputs.create({"of": item.payload["name"]})
    item.payload = {**item.payload, "saved": True}
    item.save()
    item.done()
"""
    )
    assignment, run = await taken(ITEMS)
    async with Relay(room.url) as relay:
        relay.loses = [b"/outputs ", b"/payload ", b"/release ", b"/reserve "]
        code, printed = await work(
            sys.executable, script, assignment, room, walt, tmp_path, url=relay.url, RC_WORKITEM_ADAPTER=OURS
        )

    assert (code, relay.loses, relay.connections) == (0, [], 5), printed
    states = sorted(row["state"] for row in await ada.every("/work-items", process_run_id=run))
    assert states == ["done"] * 5 + ["pending"] * 5


@pytest.mark.parametrize(
    ("said", "used"),
    [
        ({}, "controlroom_workitems"),
        ({"RPA_WORKITEMS_ADAPTER": "FileAdapter"}, "robocorp.workitems._adapters._file"),
        ({"RPA_WORKITEMS_ADAPTER": "own.Adapter"}, "own"),
        ({"RC_ACTIVITY_RUN_ID": ""}, "robocorp.workitems._adapters._file"),
        ({"HTTP_PROXY": "http://proxy.example:1"}, "robocorp.workitems._adapters._robocorp"),
        ({"HTTP_PROXY": "http://proxy.example:1", "NO_PROXY": "127.0.0.1"}, "controlroom_workitems"),
    ],
)
async def test_what_a_robot_says_of_adapters_counts(room, walt, taken, tmp_path, said, used):
    """What it sets before it uses the library is what it would have got without us."""
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "own.py").write_text(
        "from robocorp.workitems._adapters import FileAdapter\nclass Adapter(FileAdapter): pass\n"
    )
    (tmp_path / "items.json").write_text(json.dumps([{"payload": {}}]))
    script = tmp_path / "robot.py"
    script.write_text(
        f"""
import os
os.environ.update({said!r})
os.environ["RC_WORKITEM_INPUT_PATH"], os.environ["RC_WORKITEM_OUTPUT_PATH"] = "items.json", "outputs.json"
from robocorp.workitems._context import Context
print("used", type(Context().adapter).__module__)
"""
    )
    assignment, _ = await taken(ITEMS[:1])

    code, printed = await work(sys.executable, script, assignment, room, walt, tmp_path, RC_WORKITEM_ADAPTER=OURS)

    assert code == 0, printed
    assert printed.split() == ["used", used]


async def test_a_robot_may_have_more_than_a_thousand_files_open(room, ada, walt, taken, tmp_path):
    """Its connection is looked at all the same before it is used again."""
    script = tmp_path / "robot.py"
    script.write_text(
        """
import resource
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
opened = [open("/dev/null") for _ in range(1100)]
from robocorp import workitems
for item in workitems.inputs:
    item.payload = {"saved": True}
    item.save()
    item.done()
"""
    )
    assignment, run = await taken(ITEMS[:2])

    code, printed = await work(sys.executable, script, assignment, room, walt, tmp_path, RC_WORKITEM_ADAPTER=OURS)

    assert code == 0, printed
    assert [row["state"] for row in await ada.every("/work-items", process_run_id=run)] == ["done", "done"]


def test_it_is_read_by_the_oldest_python_and_given_on_a_command_line():
    """It is ASCII, as `finishing.py` gets it as an argument."""
    assert Path(environments.__file__).with_name("controlroom_workitems.py").read_bytes().isascii()
    assert source_of("_connection").isascii()
