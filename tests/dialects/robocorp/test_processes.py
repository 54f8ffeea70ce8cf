"""Processes are made, read, changed and deleted by the API."""

import pytest


def step(name: str, **settings) -> dict:
    """A step that runs the task Read."""
    return {"name": name, "task": {"package_name": "robot", "name": "Read"}, **settings}


async def test_a_process_is_read_as_it_was_made(ada, process):
    """Every setting of a step comes back; what was left out is as usual."""
    [package] = await ada.every("/task-packages")
    given = {
        "name": "full",
        "task": {"package_id": package["id"], "name": "Write"},
        "max_parallel": 4,
        "timeout_seconds": 90.5,
        "environment": {"LANG": "de_AT.UTF-8"},
        "retry": {"max_attempts": 3, "exception_types": ["application"], "exception_codes": ["TIMEOUT"]},
        "starts_after_previous": True,
        "one_item_per_step_run": True,
    }

    made = await ada.post(
        "/processes",
        {"name": "Orders", "steps": [step("plain"), given], "default_work_item": {"payload": {"ä": [1, None]}}},
    )

    assert await ada.get(f"/processes/{made['id']}") == made
    assert (made["name"], made["enabled"], made["default_work_item"]) == ("Orders", True, {"payload": {"ä": [1, None]}})
    plain, full = made["steps"]
    assert plain["task"]["package_name"] == "robot"
    assert (plain["max_parallel"], plain["timeout_seconds"], plain["placement"]) == (1, None, {})
    assert plain["retry"]["max_attempts"] == 1
    assert full["task"]["name"] == "Write"
    for name in ("max_parallel", "timeout_seconds", "environment", "starts_after_previous", "one_item_per_step_run"):
        assert full[name] == given[name]
    assert given["retry"].items() <= full["retry"].items()


async def test_the_list_tells_name_and_time_alone(ada, process):
    """Lists have the vendor's three fields, page by page."""
    made = [await ada.post("/processes", {"name": f"process {n}"}) for n in range(3)]

    rows = await ada.every("/processes", limit=2)

    assert [row["id"] for row in rows] == [str(process), *(each["id"] for each in made)]
    assert all(set(row) == {"id", "name", "created_at"} for row in rows)


async def test_an_update_changes_what_it_names(ada):
    """By POST or PUT; null removes the default item, what is left out stays."""
    made = await ada.post("/processes", {"name": "Orders", "default_work_item": {"payload": None}})
    path = f"/processes/{made['id']}"
    assert made["default_work_item"] == {"payload": None}

    disabled = await ada.post(path, {"enabled": False})
    renamed = (await ada.call("PUT", path, json={"name": "Bills", "default_work_item": None})).json()

    assert disabled == made | {"enabled": False}
    assert renamed == made | {"enabled": False, "name": "Bills", "default_work_item": None}
    refused = await ada.call("POST", f"{path}/process-runs")
    assert refused.status_code == 409


async def test_edited_steps_keep_their_ids(ada, process):
    """A step that is moved or renamed is the same one."""
    before = await ada.get(f"/processes/{process}")
    first, second = (each["id"] for each in before["steps"])

    moved = await ada.post(f"/processes/{process}", {"steps": [step("write"), step("read"), step("report")]})
    after = await ada.post(f"/processes/{process}", {"steps": [step("write"), step("lesen"), step("report")]})

    assert [each["id"] for each in moved["steps"][:2]] == [second, first]
    assert [each["id"] for each in after["steps"]] == [each["id"] for each in moved["steps"]]
    assert [each["name"] for each in after["steps"]] == ["write", "lesen", "report"]


async def test_a_run_under_way_keeps_its_steps(ada, process):
    """While a run is open steps are neither removed nor the process deleted."""
    await ada.post(f"/processes/{process}/process-runs")

    for method, body in (("POST", {"steps": [step("write")]}), ("DELETE", None)):
        answer = await ada.call(method, f"/processes/{process}", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "PROCESS_RUNNING")


async def test_steps_are_placed_on_workers_or_groups(ada, walt, process):
    """A placement names workers or groups that there are, not both."""
    group = await ada.post("/worker-groups", {"name": "fast ones"})
    worker = str(walt.actor.worker_id)

    for placement in ({"workers": [worker]}, {"groups": [group["id"]]}, {}):
        changed = await ada.post(f"/processes/{process}", {"steps": [step("read", placement=placement), step("write")]})
        assert changed["steps"][0]["placement"] == placement
    in_use = await ada.post(
        "/processes", {"name": "Orders", "steps": [step("read", placement={"groups": [group["id"]]})]}
    )
    refused = await ada.call("DELETE", f"/worker-groups/{group['id']}")
    assert (refused.status_code, refused.json()["error"]["processes"]) == (409, [in_use["name"]])


async def test_a_placement_may_be_a_list_and_name_a_user(ada, process, walt):
    """Places in one order, told as they were given; a start may give them too, and its step runs tell them."""
    worker, group = str(walt.actor.worker_id), (await ada.post("/worker-groups", {"name": "Fast ones"}))["id"]
    dora = {"username": f"dora {ada.workspace}", "role": "owner", "password": "long enough"}
    user = (await ada.post("/users", dora))["id"]
    placement = {"places": [{"groups": [group]}, {"workers": [worker]}], "run_as": user}

    changed = await ada.post(f"/processes/{process}", {"steps": [step("read", placement=placement), step("write")]})
    run = await ada.post(f"/processes/{process}/process-runs", {"placement": {"workers": [worker]}})
    [step_run] = await ada.every("/step-runs", process_run_id=run["id"])

    assert changed["steps"][0]["placement"] == placement
    assert (step_run["placement"], step_run["run_as"]) == ({"workers": [worker]}, user)
    for wrong in (
        {"places": [{"groups": []}]},
        {"places": [{"workers": [worker], "groups": [group]}]},
        {"workers": [worker], "places": []},
        {"places": [{"anywhere": True}]},
    ):
        refused = await ada.call("POST", f"/processes/{process}/process-runs", json={"placement": wrong})
        assert refused.status_code == 400, wrong


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": ""}, 400),
        ({"name": "x", "step": []}, 400),
        ({"name": "x", "steps": [{}]}, 400),
        ({"name": "x", "steps": [{"name": "s", "task": {"name": "Read"}}]}, 400),
        ({"name": "x", "steps": [{"name": "s", "task": {"name": "Nope", "package_name": "robot"}}]}, 404),
        ({"name": "x", "steps": [{"name": "s", "task": {"name": "Read", "package_name": "nope"}}]}, 404),
        ({"name": "x", "steps": [{"name": "s"}, {"name": "s"}]}, 400),
        ({"name": "x", "steps": [{"name": "s", "max_parallel": 0}]}, 400),
        ({"name": "x", "steps": [{"name": "s", "max_parallel": 10**30}]}, 400),
        ({"name": "x", "steps": [{"name": "s", "timeout_seconds": 1e300}]}, 400),
        ({"name": "x", "steps": [{"name": "s", "timeout_seconds": -1}]}, 400),
        ({"name": "x", "steps": [{"name": "s", "max_paralel": 2}]}, 400),
        ({"name": "x", "steps": [{"name": "s", "placement": {"workers": []}}]}, 400),
        ({"name": "x", "steps": [{"name": "s", "placement": {"workers": [], "groups": []}}]}, 400),
        ({"name": "x", "steps": [{"name": "s", "environment": {"A": 1}}]}, 400),
        ({"name": "x", "steps": [{"name": "s", "retry": {"max_attempts": 0}}]}, 400),
        ({"name": "x", "default_work_item": {}}, 400),
        ({"name": "x", "default_work_item": {"payload": "x" * 1_000_001}}, 400),
    ],
)
async def test_a_wrong_definition_is_refused_whole(ada, process, body, status):
    """Unknown fields, wrong types, settings out of bounds, and names of what is not there."""
    answer = await ada.call("POST", "/processes", json=body)

    assert answer.status_code == status, answer.text
    assert len(await ada.every("/processes")) == 1


async def test_a_deleted_process_is_gone(ada, process):
    """After its deletion a process is neither read nor listed nor started."""
    deleted = await ada.call("DELETE", f"/processes/{process}")

    assert deleted.json() == {"id": str(process), "deleted": True}
    assert await ada.every("/processes") == []
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", ""), ("POST", "/process-runs")):
        body = {} if method == "POST" else None
        assert (await ada.call(method, f"/processes/{process}{path}", json=body)).status_code == 404


async def test_outsiders_see_no_processes(cleo, process):
    """Another workspace has none of them."""
    assert await cleo.every("/processes") == []
    assert (await cleo.call("GET", f"/processes/{process}")).status_code == 404
    assert (await cleo.call("POST", f"/processes/{process}", json={"name": "x"})).status_code == 404


COMMANDS = [
    {"name": "deps", "words": ["tool", "deps"]},
    {"name": "build", "words": ["tool", "build"], "variables": {"A": "b"}, "on_failure": "ignore", "always_run": True},
]


async def test_a_step_with_commands_is_listed_and_started_too(ada, process, walt):
    """It has no task and tells its commands; what is read can be written back, and a task's step tells nothing new."""
    commands = {"package_name": "robot", "list": COMMANDS}
    made = await ada.post(
        "/processes", {"name": "Shop", "steps": [{"name": "run", "commands": commands}, step("read")]}
    )

    [shown, task] = made["steps"]
    [package] = await ada.every("/task-packages")
    assert (shown["task"], shown["commands"]["package_id"]) == (None, package["id"])
    assert shown["commands"]["package_name"] == "robot"
    assert shown["commands"]["list"][1] == COMMANDS[1]
    assert shown["commands"]["list"][0] == COMMANDS[0] | {"variables": {}, "on_failure": "skip", "always_run": False}
    assert "commands" not in task
    given = {"package_id": package["id"], "list": shown["commands"]["list"]}
    again = await ada.post(f"/processes/{made['id']}", {"steps": [{"name": "run", "commands": given}, step("read")]})
    assert again == made

    run = await ada.post(f"/processes/{made['id']}/process-runs")
    assignment = await walt.take()
    assert (str(assignment.run_id), assignment.work.commands[0].words) == (run["id"], ("tool", "deps"))


@pytest.mark.parametrize(
    ("commands", "more", "status"),
    [
        ({"package_name": "robot", "list": []}, {}, 400),
        ({"package_name": "robot", "list": [{"name": "x", "words": []}]}, {}, 400),
        ({"package_name": "robot", "list": [{"name": "x", "words": "ls -l"}]}, {}, 400),
        ({"package_name": "robot", "list": [{"name": "x", "words": ["ls"], "on_failure": "retry"}]}, {}, 400),
        ({"package_name": "robot", "list": [{"name": "x", "words": ["ls"], "shell": True}]}, {}, 400),
        ({"list": COMMANDS}, {}, 400),
        ({"package_name": "nope", "list": COMMANDS}, {}, 404),
        ({"package_name": "robot", "list": COMMANDS}, {"task": {"package_name": "robot", "name": "Read"}}, 400),
    ],
)
async def test_wrong_commands_are_refused(ada, process, commands, more, status):
    """Commands that nothing could run, of no package, or beside a task."""
    answer = await ada.call(
        "POST", "/processes", json={"name": "x", "steps": [{"name": "s", "commands": commands} | more]}
    )

    assert answer.status_code == status, answer.text
