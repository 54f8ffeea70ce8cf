"""Starts that answer with what the run put out."""

import asyncio

import httpx2
import pytest

from controlroom.engine.access.model import Permission
from controlroom.protocol import ErrorCode
from live import Worker


@pytest.fixture
async def task(ada, process) -> str:
    """The id of a task of the workspace's package."""
    [package] = await ada.every("/task-packages")
    return (await ada.get(f"/task-packages/{package['id']}"))["tasks"][0]["id"]


async def until_taken(walt: Worker):
    """A step run, as soon as there is one."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await walt.take()
            except ValueError:
                await asyncio.sleep(0.01)


async def put_out(ada, assignment, payload) -> None:
    robot = {"Authorization": f"Bearer {assignment.token}"}
    process = f"/process-v1/workspaces/{ada.workspace}/processes/{assignment.process_id}"
    url = f"{process}/work-items/{assignment.work_item_id}/output"
    answer = await ada.http.post(url, json={"payload": payload}, headers=robot)
    assert answer.status_code == 200, answer.text


async def test_a_call_answers_with_the_outputs_of_its_run(ada, walt, task):
    """At the end of the run, merged; while a step run of it is at work, nobody has to ask."""
    path, body = f"/tasks/{task}/calls", {"payloads": [{"n": 1}], "wait_seconds": 20, "name": "call"}
    calling = asyncio.create_task(ada.post(path, body))
    assignment = await until_taken(walt)
    await put_out(ada, assignment, {"sum": 1, "greeting": "hei ä"})
    await walt.finish(assignment)

    answer = await calling
    run = str(assignment.run_id)
    assert answer == {
        "id": run,
        "ended": True,
        "state": "completed",
        "result": "succeeded",
        "outputs": {"sum": 1, "greeting": "hei ä"},
        "outputs_complete": True,
        "exception": None,
    }
    assert (await ada.get(f"/process-runs/{run}"))["name"] == "call"


async def test_a_call_whose_run_fails_says_why(ada, walt, task):
    """In the words in which its item tells it."""
    calling = asyncio.create_task(ada.post(f"/tasks/{task}/calls", {"wait_seconds": 20}))
    await walt.finish(await until_taken(walt), ErrorCode.ROBOT_FAILED)

    answer = await calling
    assert (answer["state"], answer["outputs"]) == ("unresolved", {})
    assert answer["exception"] == {"code": "ROBOT_FAILED", "type": "application", "message": "it broke"}


async def test_a_call_that_is_over_before_its_run_tells_which_run(room, ada, walt, process):
    """When the wait is over, and when the server stops: the run goes on."""
    path = f"/processes/{process}/calls"
    answer = await ada.post(path, {"wait_seconds": 0})
    assert (answer["ended"], answer["state"], answer["outputs"]) == (False, "new", None)

    first = await walt.take()
    assert str(first.run_id) == answer["id"]
    await walt.finish(first)

    calling = asyncio.create_task(ada.post(path, {"wait_seconds": 20}))
    second = await until_taken(walt)
    room.room.holds.release()
    try:
        interrupted = await calling
    finally:
        room.room.holds._is_stopping = False  # it is the server of other tests, too
    assert (interrupted["id"], interrupted["ended"]) == (str(second.run_id), False)
    await walt.finish(second)
    assert (await ada.get(f"/process-runs/{second.run_id}"))["state"] == "completed"


async def test_a_caller_who_hangs_up_leaves_the_run_at_work(room, ada, walt, task):
    """Its place is free at once, and the robot knows nothing of it."""
    held = len(room.room.holds._held)
    calling = asyncio.create_task(ada.post(f"/tasks/{task}/calls", {"wait_seconds": 60}))
    assignment = await until_taken(walt)
    assert len(room.room.holds._held) == held + 1
    calling.cancel()
    with pytest.raises((asyncio.CancelledError, httpx2.TransportError)):
        await calling
    async with asyncio.timeout(20):
        while len(room.room.holds._held) > held:
            await asyncio.sleep(0.01)

    await walt.finish(assignment)
    assert (await ada.get(f"/process-runs/{assignment.run_id}"))["state"] == "completed"


async def test_who_may_call(ada, ben, cleo, hire, process, task):
    """Who may start runs and read work items; nobody waits for longer than ten minutes."""
    for path in (f"/processes/{process}/calls", f"/tasks/{task}/calls"):
        assert (await ben.post(path, {"wait_seconds": 0}))["ended"] is False
        assert (await cleo.call("POST", path)).status_code == 404
        for one in (Permission.START_RUNS, Permission.READ_WORK_ITEMS):
            limited = await hire("rita", ada.workspace, frozenset({one}))
            assert (await limited.call("POST", path)).status_code == 403
        for wrong in ({"wait_seconds": 601}, {"wait_seconds": -1}, {"wait": 3}):
            assert (await ada.call("POST", path, json=wrong)).status_code == 400
    assert await ada.post(f"/tasks/{task}/calls", {"type": "with_inputs"}) == {"started": False}
