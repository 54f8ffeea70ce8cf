"""Processes, requests and tasks of people, in the words of Process Composer."""

import json

import pytest

from controlroom.engine.access.model import Role
from controlroom.engine.access.scope import Room
from controlroom.engine.runs.dispatch import dispatch, runs_left_behind, runs_to_look_at
from controlroom.maintenance.scheduler import fire_due, notice

BASE = "/aari/v2"


async def dispatched(room) -> None:
    """What the dispatcher does, so that runs open tasks, go on and end."""
    for runs in (runs_left_behind, runs_to_look_at):
        for run in await runs(room.engine.database, Room(), limit=100):
            await dispatch(room.engine, Room(), run)


@pytest.fixture
async def invoices(room, root, ada, process):
    """A process that asks a person and then runs a task, with a form by which it is started; its number."""
    before = await ada.get(f"/processes/{process}")
    task = before["steps"][0]["task"]
    form = {"title": "Approve", "fields": [{"name": "why", "required": True}], "buttons": ["Yes", "No"]}
    start = {"title": "Invoice", "fields": [{"name": "sum", "kind": "number", "default": 5}]}
    steps = [
        {"name": "Approve", "form": form},
        {"name": "Book", "task": {"name": task["name"], "package_id": task["package_id"]}},
    ]
    made = await ada.post("/processes", {"name": "Invoices of May", "steps": steps, "form": start})
    return await room.engine.database.value("select number from process where id = %(id)s::uuid", id=made["id"])


async def test_processes_are_listed_with_their_form(root, invoices, workspace):
    """One that was made by our own API is there at once; its form is JSON text."""
    [row] = await root.rows(f"{BASE}/automations/list", "automationType", "PROCESS", sort=[], page={"length": 1})
    assert (row["id"], row["title"], row["automationType"]) == (invoices, "Invoices of May", "PROCESS")
    assert row["path"].startswith("Automation Anywhere\\Bots\\")
    assert await root.rows(f"{BASE}/automations/list", "automationType", "TASK_BOT") == []

    form = await root.get(f"{BASE}/processes/{invoices}/form")
    [element] = json.loads(form["form"])["elements"]
    assert (form["title"], element["id"], element["type"]) == ("Invoice", "sum", "Number")
    assert form["values"] == {"sum": {"type": "NUMBER", "number": "5"}}
    assert (await root.get(f"{BASE}/processes/{invoices}/initmethod"))["initMethod"] == "FORM"


async def test_a_request_waits_for_a_person_and_goes_on(room, root, walt, ada, invoices):
    """Created, told by ref and by id, submitted once, and done by a robot with what was filled in."""
    given = {"type": "DICTIONARY", "dictionary": [{"key": "sum", "value": {"type": "NUMBER", "number": "7"}}]}
    made = await root.post(f"{BASE}/requests/create", {"processId": str(invoices), "inputs": given}, status=201)
    await dispatched(room)
    assert made["ref"] == f"{invoices}-1"

    request = await root.get(f"{BASE}/requests/ref/{made['ref']}")
    assert request == await root.get(f"{BASE}/requests/{made['id']}")
    assert (request["status"], request["createdBy"], request["initiatorType"]) == ("OPENED", root.number, "USER")
    assert request["inputs"]["dictionary"] == given["dictionary"]
    [first, task] = request["steps"]
    assert (first["type"], task["type"], task["stepSubState"]) == ("INIT", "FORM", "HUMAN_PENDING")

    shown = await root.get(f"{BASE}/tasks/humans/{task['id']}")
    assert (shown["title"], shown["buttons"], shown["caseId"]) == ("Approve", ["Yes", "No"], made["id"])
    answer = {"caseId": made["id"], "stepId": task["id"], "button": "Yes"}
    refused = await root.call("POST", f"{BASE}/tasks/humans/submit", json=answer)
    assert (refused.status_code, "why" in refused.json()["message"]) == (400, True)
    answer["inputs"] = {"why": {"type": "STRING", "string": "it is right"}}
    done = await root.post(f"{BASE}/tasks/humans/submit", answer)
    assert done["stepSubState"] == "HUMAN_SUBMITTED"
    assert (await root.call("POST", f"{BASE}/tasks/humans/submit", json=answer)).status_code == 409

    await dispatched(room)
    assignment = await walt.take()
    payload = "select payload from work_item where id = %(id)s"
    assert await room.engine.database.value(payload, id=assignment.work_item_id) == {
        "sum": 7,
        "why": "it is right",
        "button": "Yes",
    }
    await walt.finish(assignment)
    await dispatched(room)
    request = await root.get(f"{BASE}/requests/{made['id']}")
    assert [step["executionStatus"] for step in request["steps"]] == ["COMPLETED"] * 3
    assert (request["status"], request["steps"][2]["type"], request["steps"][2]["name"]) == ("SUCCESS", "BOT", "Book")
    execution = await root.get(f"/v3/activity/execution/{request['steps'][2]['activityUniqueId']}")
    assert execution["refId"] == made["ref"]


async def test_a_process_is_named_by_its_path_and_asks_for_what_its_task_takes(room, root, process, ada, workspace):
    """One without a form of its own; its request may be given nothing at all."""
    found = await ada.get(f"/processes/{process}")
    folder = await room.engine.database.value("select name from workspace where id = %(id)s", id=workspace)
    path = f"Automation Anywhere\\Bots\\{folder}\\{found['name']}"
    made = await root.post(f"{BASE}/requests/create", {"processPath": path, "inputs": None}, status=201)
    assert (await root.get(f"{BASE}/requests/{made['id']}"))["ref"] == made["ref"]
    form = await root.get(f"{BASE}/processes/{made['ref'].split('-')[0]}/form")
    assert "elements" in json.loads(form["form"])


async def test_what_there_is_not_and_who_may_not(root, enrol, nobody, workspace, invoices):
    """Unknown numbers are 404, malformed ones too; who has no place there, and a viewer who starts, are refused."""
    for path in ("requests/ref/1-1", "requests/ref/x", "requests/1", "processes/1/form", "tasks/humans/x"):
        assert (await root.call("GET", f"{BASE}/{path}")).status_code == 404, path
    assert (await root.call("POST", f"{BASE}/requests/create", json={})).status_code == 400
    assert (await root.call("POST", f"{BASE}/requests/create", json={"processId": 1})).status_code == 404
    viewer = await enrol("vera", role=Role.VIEWER, workspace=workspace)
    for caller in (nobody, viewer):
        refused = await caller.call("POST", f"{BASE}/requests/create", json={"processId": invoices})
        assert refused.status_code == 403


async def test_a_team_is_a_group_of_users(room, root, ben_user, nobody):
    """Members come by ids in any of the forms; who may not govern groups is refused."""
    made = await root.post(f"{BASE}/teams", {"name": f"Buyers {root.number}", "userIds": [root.number]}, status=201)
    team = f"{BASE}/teams/{made['id']}"
    assert (await root.put(f"{team}/members/add", [ben_user.number]))["memberCount"] == 2
    assert (await root.put(f"{team}/members/add", {"members": [{"id": str(ben_user.number)}]}))["memberCount"] == 2
    assert (await root.put(f"{team}/members/remove", {"userIds": [ben_user.number]}))["memberCount"] == 1
    both = await root.call(
        "PUT", f"{team}/members/remove", json=[root.number, ben_user.number]
    )  # one of them is not in it
    assert both.status_code == 404
    assert (await root.put(f"{team}/members/add", [ben_user.number]))["memberCount"] == 2  # nobody went
    assert (await root.call("PUT", f"{team}/members/add", json={})).status_code == 400
    assert (await nobody.call("PUT", f"{team}/members/add", json=[root.number])).status_code == 403
    await root.delete(team)
    assert (await root.call("DELETE", team)).status_code == 404


async def test_files_come_before_the_request_that_names_them(room, root, stranger, walt, process, ada):
    """By a token that opens nothing else: as a form or as they are; the first item of the run has all of them."""
    number = await room.engine.database.value("select number from process where id = %(id)s::uuid", id=str(process))
    files = [
        await root.put(f"{BASE}/files", {"filename": name, "processInfoId": number}) for name in ("a.txt", "b.txt")
    ]
    assert (await stranger.post(files[0]["path"], content=b"one")).json()["size"] == 3
    form = {"file": ("x.txt", b"second", "text/plain")}
    assert (await stranger.post(f"/storage/v1/file/{files[1]['accessToken']}", files=form)).json()["size"] == 6
    for wrong in ("/storage/v1/file/crf_AAAA", "/storage/v1/file/x"):
        assert (await stranger.post(wrong, content=b"x")).status_code == 401

    inputs = {
        "first": {"type": "FILE", "string": files[0]["id"]},
        "second": {"type": "FILE", "file": {"type": "FILE", "string": files[1]["path"]}},
    }
    asked = {"processId": number, "inputs": inputs}
    made = await root.post(f"{BASE}/requests/create", asked, status=201)
    await dispatched(room)
    item = (await walt.take()).work_item_id
    names = "select name || ' ' || size from work_item_file where work_item_id = %(item)s order by name"
    assert await room.engine.database.all(str, names, item=item) == ["a.txt 3", "b.txt 6"]
    assert (await root.get(f"{BASE}/requests/{made['id']}"))["inputs"]["dictionary"][0]["key"] == "first"
    assert (await root.call("POST", f"{BASE}/requests/create", json=asked)).status_code in {404, 409}
    assert (await stranger.post(files[0]["path"], content=b"late")).status_code == 409


async def test_a_scheduled_request_tells_who_answers_for_it(room, root, invoices):
    """Whoever owns the schedule that has made it, as executions do."""
    plan = {"status": "ACTIVE", "scheduleType": "DAILY", "startDate": "2026-01-01", "startTime": "00:00"}
    plan |= {"misfireScheduleConfig": True}
    made = await root.post("/v2/schedule/automations", {"schedule": plan, "deployment": {"botId": invoices}})
    due = "update schedule set next_due = date_trunc('day', clock_now()) where number = %(of)s"
    await room.engine.database.execute(due, of=int(made["id"]))

    await notice(room.engine)
    await fire_due(room.engine)

    request = await root.get(f"{BASE}/requests/ref/{invoices}-1")
    assert (request["createdBy"], request["updatedBy"], request["initiatorType"]) == (root.number, root.number, "BOT")
