"""API tasks: kept ready, called, and answered."""

import asyncio
from types import SimpleNamespace

import pytest

from controlroom.dialects.automation360 import api_tasks
from controlroom.engine.access.grants import store as grants
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.model import Role
from controlroom.engine.access.nouns import ROLE
from controlroom.engine.access.scope import Of, Room, scoped
from controlroom.engine.locks.store import runs_with_room
from controlroom.engine.references import resolve
from controlroom.engine.runs.dispatch import dispatch, runs_left_behind, runs_to_look_at
from controlroom.ids import GrantId, uuid7
from controlroom.protocol import ErrorCode

HOTBOT = "/orchestrator/v1/hotbot"


@pytest.fixture
async def bot(room, process, workspace):
    """A task that was pushed: its number, and its path."""
    found = await room.engine.database.one(
        object,
        """
        select jsonb_build_object('id', task.number, 'name', task.name, 'package', package.name,
                                  'workspace', workspace.name)
          from task join package on package.id = package_id join workspace on workspace.id = package.workspace_id
         where package.workspace_id = %(workspace)s
         order by task.id limit 1
        """,
        workspace=workspace,
    )
    path = f"Automation Anywhere\\Bots\\{found['workspace']}\\{found['package']}\\{found['name']}"
    return SimpleNamespace(number=found["id"], path=path)


async def until_taken(room, walt):
    """A step run, as soon as there is one; what the dispatcher would do is done meanwhile."""
    db, everything = room.engine.database, Room()
    async with asyncio.timeout(20):
        while True:
            for runs in (runs_left_behind, runs_to_look_at, runs_with_room):
                for run in await runs(db, everything, limit=100):
                    await dispatch(room.engine, everything, run)
            try:
                return await walt.take()
            except ValueError:
                await asyncio.sleep(0.01)


async def ended(room) -> None:
    """What the dispatcher does at the end of runs."""
    for runs in (runs_left_behind, runs_to_look_at):
        for run in await runs(room.engine.database, Room(), limit=100):
            await dispatch(room.engine, Room(), run)


@pytest.fixture
async def allocated(root, bot):
    """The task, kept ready."""
    body = {"fileId": str(bot.number), "concurrencyLimit": 2}
    made = await root.put(f"{HOTBOT}/config/create", body)
    assert made == {"fileId": str(bot.number), "runAsUserOrNone": None, "concurrencyLimit": 2}
    return bot


async def test_allocations_stand_in_the_page_and_beside_it(root, allocated):
    """With id, path and limit; put again, the limit is the new one."""
    await root.put(f"{HOTBOT}/config/create", {"fileId": allocated.number, "concurrencyLimit": "3"})
    answer = await root.post(f"{HOTBOT}/config", {"page": {"offset": 0, "length": 100}})
    [row] = [each for each in answer["page"]["list"] if each["fileId"] == str(allocated.number)]
    assert (row["filePath"], row["concurrencyLimit"], row["runAsUser"]) == (allocated.path, 3, None)
    assert answer["list"] == answer["page"]["list"]


async def test_access_details_name_the_path_first_and_serve_clients_of_one(root, allocated):
    """Address and headers by path, and once more beside it; what is not kept ready is an error of its path."""
    paths = [allocated.path, f"{allocated.path}2"]
    answer = await root.post(f"{HOTBOT}/config/accessdetails", {"botRepositoryPath": paths})

    details = answer["accessDetails"]
    assert list(details) == [allocated.path, "url", "headers"]
    assert details["url"] == details[allocated.path]["url"]
    assert details["headers"].keys() == {"X-Authorization", "API-Task-Name"}
    assert list(answer["errors"]) == [f"{allocated.path}2"]
    nothing = await root.post(f"{HOTBOT}/config/accessdetails", {"botRepositoryPath": "nowhere"})
    assert (nothing["accessDetails"], list(nothing["errors"])) == (None, ["nowhere"])


@pytest.mark.parametrize("given", ["botInput", "BotInput"])
@pytest.mark.parametrize("token", ["task", "user"])
async def test_a_call_answers_with_the_outputs(room, root, stranger, walt, ada, allocated, given, token):
    """With the task's token and with the user's, the input under either name."""
    details = (await root.post(f"{HOTBOT}/config/accessdetails", {"botRepositoryPath": [allocated.path]}))[
        "accessDetails"
    ]
    headers = details["headers"] if token == "task" else {**details["headers"], "X-Authorization": root.token}
    body = {given: {"a": {"type": "NUMBER", "number": "4"}}}
    calling = asyncio.create_task(stranger.post(details["url"], json=body, headers=headers))
    assignment = await until_taken(room, walt)
    await put_out(ada, assignment, {"sum": 5})
    await walt.finish(assignment)
    await ended(room)

    answer = await calling
    assert answer.status_code == 200, answer.text
    assert answer.json()["hotBotResult"] == {"botOutput": {"sum": {"type": "NUMBER", "number": "5"}}}
    payload = "select payload from work_item where id = %(id)s"
    assert await room.engine.database.value(payload, id=assignment.work_item_id) == {"a": 4}


async def test_a_call_by_the_name_in_its_header(room, root, walt, allocated):
    """The same, where the address names no task; a token of one task calls no other."""
    calling = asyncio.create_task(
        root.call("POST", "/api-task-real-time-endpoint", json={}, headers={"API-Task-Name": allocated.path})
    )
    await walt.finish(await until_taken(room, walt))
    await ended(room)
    assert (await calling).json()["hotBotResult"] == {"botOutput": {}}


async def test_a_pipeline_is_given_address_and_headers(root, stranger, allocated):
    """§3.1: by the path alone; what is not kept ready is unknown, and a stranger is told nothing."""
    body = {"botRepositoryPath": [allocated.path]}
    told = await root.post("/api-task-real-time-endpoint", body)

    assert told["executionResult"]["url"].endswith(f"/{allocated.number}/execute")
    assert {*told["executionResult"]["headers"]} == {"X-Authorization", "API-Task-Name"}
    unknown = await root.call("POST", "/api-task-real-time-endpoint", json={"botRepositoryPath": "nowhere"})
    assert unknown.status_code == 404
    assert (await stranger.post("/api-task-real-time-endpoint", json=body)).status_code == 401


async def test_a_call_that_fails_says_why(room, root, walt, allocated):
    """By its status, and in `message`, with the deployment's id."""
    calling = asyncio.create_task(root.call("POST", f"{HOTBOT}/{allocated.number}/execute", json={}))
    assignment = await until_taken(room, walt)
    await walt.finish(assignment, ErrorCode.ROBOT_FAILED)
    await ended(room)

    answer = await calling
    assert (answer.status_code, answer.json()["message"]) == (500, "it broke")
    assert answer.json()["deploymentId"] == str(assignment.run_id)


async def test_a_call_that_takes_too_long_tells_which_deployment_goes_on(root, allocated, monkeypatch):
    """After ten minutes; here after none."""
    monkeypatch.setattr(api_tasks, "_PATIENCE", 0.0)
    answer = await root.call("POST", f"{HOTBOT}/{allocated.number}/execute")
    assert (answer.status_code, answer.json()["code"]) == (504, "API_TASK_TIMEOUT")
    assert answer.json()["deploymentId"] in answer.json()["details"]


async def test_who_may_not_call(root, enrol, nobody, stranger, bot, workspace):
    """What is not kept ready is not found; nor is anything, by who has no place there. A viewer is refused."""
    path = f"{HOTBOT}/{bot.number}/execute"
    assert (await root.call("POST", path, json={})).status_code == 404
    assert (await stranger.post(path, json={})).status_code == 401
    assert (await nobody.call("POST", path, json={})).status_code == 403
    await root.put(f"{HOTBOT}/config/create", {"fileId": bot.number, "runAsUserOrNone": root.number})
    viewer = await enrol("vera", role=Role.VIEWER, workspace=workspace)
    assert (await viewer.call("POST", path, json={})).status_code == 403
    assert (await viewer.call("PUT", f"{HOTBOT}/config/create", json={"fileId": bot.number})).status_code == 403


async def test_a_right_in_a_folder_lets_call_what_is_there(room, root, enrol, workspace, walt, allocated):
    """Who may run it by a role alone is given access, and calls it by that and by their own token."""
    role = await root.post("/v2/usermanagement/roles", {"name": f"callers {uuid7()}", "permissions": []}, status=201)
    carl = await enrol("carl")
    held = await resolve(room.engine.database, Of(room.organization, ()), ROLE, role["name"])
    async with scoped(room.engine.database, room.organization) as tx:
        who = Principal(PrincipalKind.USER, carl.actor.id)
        await grants.add(tx, room.organization, grant=GrantId(uuid7()), principal=who, role=held, workspace=None)
    access = f"{HOTBOT}/config/accessdetails"
    assert (await carl.call("POST", access, json={"botRepositoryPath": [allocated.path]})).status_code == 403
    folder = await room.engine.database.value("select number from workspace where id = %(id)s", id=workspace)
    rights = [{"name": name, "enabled": True} for name in ("viewcontent", "run")]
    await root.put(
        f"/v2/repository/role/{role['id']}/permissions", [{"folderId": folder, "permissions": rights}], status=201
    )

    told = await carl.post(access, {"botRepositoryPath": [allocated.path, f"{allocated.path}2"]})

    assert list(told["errors"]) == [f"{allocated.path}2"]
    details = told["accessDetails"][allocated.path]
    for headers in (details["headers"], {"X-Authorization": carl.token}):
        calling = asyncio.create_task(carl.http.post(details["url"], json={}, headers=headers))
        await walt.finish(await until_taken(room, walt))
        await ended(room)
        assert (await calling).json()["hotBotResult"] == {"botOutput": {}}


async def put_out(ada, assignment, payload) -> None:
    """The robot's output."""
    robot = {"Authorization": f"Bearer {assignment.token}"}
    process = f"/process-v1/workspaces/{ada.workspace}/processes/{assignment.process_id}"
    url = f"{process}/work-items/{assignment.work_item_id}/output"
    answer = await ada.http.post(url, json={"payload": payload}, headers=robot)
    assert answer.status_code == 200, answer.text
