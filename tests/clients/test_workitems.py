"""The vendor's library for work items: releases of the last three years by both adapters, the first one by ours."""

import json
from pathlib import Path

import pytest

from client_programs import environment
from controlroom.protocol import ErrorCode
from live import ada, hire, process, robot_content, room, stranger, walt, workspace  # noqa: F401 - fixtures
from work_item_robots import EVERY_VERB, OURS, work

pytestmark = pytest.mark.clients

FIRST = Path(__file__).parents[1] / "dialects/robocorp/items_robot.py"
ITEMS = [{"name": name} for name in ("ä", "bad", "worse", "refused", "last")]


@pytest.mark.parametrize("version", ["1.4.0", "1.4.7", "1.5.1"])
async def test_every_verb_is_the_same_by_both_adapters(room, ada, process, walt, tmp_path, version):  # noqa: F811 - as pytest finds fixtures
    """What a robot sees of payloads, files, outputs, failures and refusals."""
    python = environment(tmp_path / "environment", f"robocorp-workitems=={version}", "robocorp-tasks<4.1") / "python"
    told = []
    for adapter in ("", OURS):
        folder = tmp_path / (adapter or "vendor")
        folder.mkdir()
        run = await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": ITEMS})
        while str((assignment := await walt.take()).run_id) != run["id"]:  # what a run before has put out
            await walt.finish(assignment)
        code, printed = await work(python, EVERY_VERB, assignment, room, walt, folder, RC_WORKITEM_ADAPTER=adapter)
        assert code == 3, printed
        used, said = json.loads((folder / "said.json").read_text("utf-8"))
        assert (used == "controlroom_workitems") == bool(adapter)
        await walt.finish(assignment, ErrorCode.ROBOT_FAILED)
        told.append(said)

    assert told[0] == told[1]


async def test_the_first_release_works_by_our_adapter(room, ada, process, walt, tmp_path):  # noqa: F811 - likewise
    """A loop over items with what such robots did: payloads, outputs with files, failures."""
    python = environment(tmp_path / "environment", "robocorp-workitems==1.0.0", "robocorp-tasks<2") / "python"
    payloads = [{"name": name} for name in ("ä", "bad", "worse")]
    await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": payloads})

    code, printed = await work(python, FIRST, await walt.take(), room, walt, tmp_path, RC_WORKITEM_ADAPTER=OURS)

    assert code == 0, printed
    states = sorted(row["state"] for row in await ada.every("/work-items"))
    assert states == ["done", "failed", "failed", "pending"]
