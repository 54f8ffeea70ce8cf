"""A queue of this grammar is drained by a robot that was written for another one."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from tests.dialects.automation360.test_queues import V3, a_bot, a_queue, automation, items, listed, row

from controlroom.maintenance.consumer import open_runs
from controlroom.protocol import ErrorCode

_ROBOT = Path(__file__).with_name("queue_robot.py")


async def drive(room, assignment, folder) -> tuple[int, str]:
    """Run the robot for a step run, with what its worker would give it."""
    environment = {
        "PATH": os.environ["PATH"],
        "RC_WORKSPACE_ID": str(assignment.workspace_id),
        "RC_PROCESS_ID": str(assignment.process_id),
        "RC_PROCESS_RUN_ID": str(assignment.run_id),
        "RC_ACTIVITY_RUN_ID": str(assignment.step_run_id),
        "RC_ROBOT_RUN_ID": str(assignment.step_run_id),
        "RC_WORKITEM_ID": str(assignment.work_item_id),
        "RC_API_WORKITEM_HOST": room.url,
        "RC_API_WORKITEM_TOKEN": assignment.token,
        "RC_API_PROCESS_HOST": room.url + "/",
        "RC_API_PROCESS_TOKEN": assignment.token,
    }
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(_ROBOT), cwd=folder, env=environment, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(child.communicate(), 60)
    return child.returncode or 0, said.decode()


async def newest_device(root) -> int:
    """The number of the worker that has come last."""
    [found] = await root.rows("/v2/devices/list", sort=[{"field": "id", "direction": "desc"}], page={"length": 1})
    return int(found["id"])


async def test_a_queue_is_drained_by_an_automation(room, root, process, walt, workspace, tmp_path):
    """Each item is an execution of the bot, the columns are its payload; what fails is tried as often as is said."""
    pytest.importorskip("robocorp.workitems", reason="robocorp-workitems is not installed")
    queue = await a_queue(root, f"Story {workspace}", autoRetryLimit=1)
    await items(root, queue, row("A", "20.5"), row("BAD"))
    bot = await a_bot(room, process)
    made = await root.post(
        f"{V3}/automations", await automation(root, bot, queue, devices=[await newest_device(root)], status="ACTIVE")
    )

    for expected in (["COMPLETED", "READY_TO_RUN"], ["COMPLETED", "QUEUED"], ["COMPLETED", "FAILED"]):
        await open_runs(room.engine)
        assignment = await walt.take()
        active = [each for each in (await listed(root, queue))["list"] if each["status"] == "ACTIVE"]
        assert [each["automationId"] for each in active] == [made["id"]]
        code, said = await drive(room, assignment, tmp_path)
        assert code == 0, said
        assert [each["status"] for each in (await listed(root, queue))["list"]] == expected
        await walt.finish(assignment)

    paid, failed = (await listed(root, queue))["list"]
    assert (failed["error"], failed["retryCount"], paid["error"]) == ("it fell over", 1, "")
    [execution] = [
        each
        for each in await root.rows("/v3/activity/list", page={"length": 100})
        if each["id"] == paid["jobExecutionId"]
    ]
    assert (execution["status"], execution["automationName"]) == ("COMPLETED", "Pay")
    told = await root.get(f"{V3}/automations/{made['id']}")
    assert told["workItemsProcessed"] >= 1
    await root.delete(f"{V3}/automations/{made['id']}")


async def test_an_active_item_is_failed_by_hand(room, root, process, walt, workspace):
    """Its run is stopped: the worker ends the robot, and the item has failed."""
    queue = await a_queue(root, f"Stopped {workspace}")
    [item] = await items(root, queue, row("A"))
    bot = await a_bot(room, process)
    made = await root.post(f"{V3}/automations", await automation(root, bot, queue, devices=[await newest_device(root)]))
    await open_runs(room.engine)
    assignment = await walt.take()

    path = f"/v4/wlm/queues/{queue['id']}/workitems/{item['id']}"
    assert (await root.put(path, {"status": "FAILED", "result": "stuck"}))["status"] == "ACTIVE"

    await walt.finish(assignment, ErrorCode.TERMINATED)
    [told] = (await listed(root, queue))["list"]
    assert (told["status"], told["result"]) == ("FAILED", "stuck")
    await root.delete(f"{V3}/automations/{made['id']}")
