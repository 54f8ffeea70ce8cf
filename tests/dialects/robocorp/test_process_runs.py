"""Process runs by the public API: start in all its forms, look, stop, delete."""

from uuid import uuid4

import pytest

from controlroom.engine.access.model import Permission
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import ProcessChange, ProcessDefinition


async def _items(ada, run: str) -> list:
    rows = await ada.every("/work-items", process_run_id=run)
    return [(await ada.get(f"/work-items/{row['id']}"))["payload"] for row in reversed(rows)]


@pytest.mark.parametrize("body", [b"", b"null", b"{}"])
async def test_a_start_without_input_makes_one_empty_item(ada, process, body):
    """No body, null and an empty object are the same: the default item, here an empty one."""
    answer = await ada.call(
        "POST", f"/processes/{process}/process-runs", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 200, answer.text
    assert answer.json() == {"started": True, "id": answer.json()["id"]}
    assert await _items(ada, answer.json()["id"]) == [{}]


async def test_each_payload_becomes_an_item(ada, process):
    """with_payloads makes one item for each, exactly as given, in one run."""
    payloads = [{"a": [1, 2.5, "ä\u2028"]}, None, [], "text", 12345678901234567890]

    run = await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": payloads})

    assert await _items(ada, run["id"]) == payloads


async def test_named_items_and_waiting_items_are_taken(ada, process):
    """with_work_item_ids takes those items, with_inputs all that wait; with none waiting nothing is started."""
    made = [(await ada.post("/work-items", {"process": {"id": str(process)}, "payload": n}))["id"] for n in range(3)]
    path = f"/processes/{process}/process-runs"

    first = await ada.post(path, {"type": "with_work_item_ids", "work_item_ids": [made[1]]})
    second = await ada.post(path, {"type": "with_inputs"})
    third = await ada.post(path, {"type": "with_inputs"})

    assert await _items(ada, first["id"]) == [1]
    assert await _items(ada, second["id"]) == [0, 2]
    assert third == {"started": False}


async def test_what_is_given_says_what_is_meant(ada, process):
    """Payloads, or the ids of items, start with them without a type beside them."""
    item = (await ada.post("/work-items", {"process": {"id": str(process)}, "payload": "waits"}))["id"]
    path = f"/processes/{process}/process-runs"

    with_payloads = await ada.post(path, {"payloads": [{"order": 7}, None]})
    with_item = await ada.post(path, {"work_item_ids": [item]})

    assert await _items(ada, with_payloads["id"]) == [{"order": 7}, None]
    assert await _items(ada, with_item["id"]) == ["waits"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"type": "with_payloads"}, 400, "INVALID_BODY"),
        ({"type": "with_work_item_ids"}, 400, "INVALID_BODY"),
        ({"type": "with_magic"}, 400, "INVALID_BODY"),
        ({"payload": {"order": 7}}, 400, "INVALID_BODY"),
        ({"Payloads": [7]}, 400, "INVALID_BODY"),
        ({"type": "with_inputs", "payloads": [7]}, 400, "INVALID_BODY"),
        ({"type": "with_payloads", "payloads": [7], "work_item_ids": []}, 400, "INVALID_BODY"),
        ({"payloads": [7], "work_item_ids": [str(uuid4())]}, 400, "INVALID_BODY"),
        (
            {"payloads": [7], "callback": {"url": "u", "secret": "s", "callback_events": [], "once": 1}},
            400,
            "INVALID_BODY",
        ),
        ({"type": "with_payloads", "payloads": 1}, 400, "INVALID_BODY"),
        ({"type": "with_payloads", "payloads": []}, 400, "NO_PAYLOADS"),
        ({"type": "with_work_item_ids", "work_item_ids": [str(uuid4())]}, 404, "WORK_ITEM_NOT_FOUND"),
        ({"callback": {"url": "https://example.com"}}, 400, "INVALID_BODY"),
        ({"overrides": {"timeout_seconds": 0}}, 400, "OVERRIDES_INVALID"),
        ({"overrides": {"secrets": {}}}, 400, "INVALID_BODY"),
        ({"overrides": {"package_version_id": str(uuid4())}}, 404, "PACKAGE_VERSION_NOT_FOUND"),
        ([], 400, "INVALID_BODY"),
        (b'{"type": ', 400, "MALFORMED_JSON"),
        (b'\xff{"type": "with_inputs"}', 400, "MALFORMED_JSON"),
        (b'{"type":"with_payloads","payloads":["\xff"]}', 400, "UNSTORABLE_CHARACTER"),
        (b'{"type":"with_payloads","payloads":["\\u0000"]}', 400, "UNSTORABLE_CHARACTER"),
    ],
)
async def test_a_wrong_start_is_refused_with_the_reason(ada, process, body, status, code):
    """What is wrong with a start is said, and nothing is started."""
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    answer = await ada.call("POST", f"/processes/{process}/process-runs", **content)

    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"] == code
    assert await ada.every("/process-runs") == []


async def test_a_process_that_cannot_run_is_a_conflict(room, ada, process):
    """A disabled process, and one without steps, start nothing; one that is not there is not found."""
    empty = await processes.create(room.engine, ada.actor, ada.workspace, ProcessDefinition(name="Empty"))
    await processes.update(room.engine, ada.actor, ada.workspace, process, ProcessChange(is_enabled=False))

    answers = [await ada.call("POST", f"/processes/{one}/process-runs") for one in (process, empty.id, uuid4())]

    assert [answer.status_code for answer in answers] == [409, 409, 404]
    assert [answer.json()["error"]["code"] for answer in answers] == [
        "PROCESS_DISABLED",
        "PROCESS_NOT_CONFIGURED",
        "PROCESS_NOT_FOUND",
    ]


async def test_a_start_may_name_its_run_and_go_over_what_the_steps_say(ada, process):
    """Name, cause and overrides are told where they were given, in lists too; a usual run shows nothing of them."""
    path = f"/processes/{process}/process-runs"
    asked = {
        "name": "March",
        "cause": "Kicked off by the bookkeeper",
        "priority": 3,
        "overrides": {"variables": {"LEVEL": "debug"}, "timeout_seconds": 90.5},
    }

    named = (await ada.post(path, asked))["id"]
    usual = (await ada.post(path))["id"]

    told = {name: value for name, value in asked.items() if name != "priority"}
    shown = await ada.get(f"/process-runs/{named}")
    assert {name: shown.get(name) for name in told} == told
    assert not told.keys() & (await ada.get(f"/process-runs/{usual}")).keys()
    assert [row.get("name") for row in await ada.every("/process-runs")] == [None, "March"]


async def test_a_run_is_told_in_the_documented_shape(ada, process, walt):
    """Times are ISO 8601 in UTC, a duration is in seconds, who started it is told."""
    run = (await ada.post(f"/processes/{process}/process-runs"))["id"]
    shown = await ada.get(f"/process-runs/{run}")
    assert shown == {
        "id": run,
        "state": "new",
        "created_at": shown["created_at"],
        "started_at": None,
        "ended_at": None,
        "process": {"id": str(process), "name": "Invoices"},
        "started_by": {"type": "api", "details": None},
        "duration": None,
    }
    assert shown["created_at"].endswith("Z")

    await walt.finish(await walt.take())

    ended = await ada.get(f"/process-runs/{run}")
    assert ended["state"] == "completed"
    assert ended["duration"] >= 0
    assert [row["id"] for row in await ada.every("/process-runs", state="completed")] == [run]
    assert await ada.every("/process-runs", state="new") == []


async def test_runs_are_listed_newest_first_by_process(ada, process):
    """The list has the newest run first, of the process that was asked for."""
    runs = [(await ada.post(f"/processes/{process}/process-runs"))["id"] for _ in range(3)]

    assert [row["id"] for row in await ada.every("/process-runs", limit=2)] == runs[::-1]
    assert await ada.every("/process-runs", process_id=str(uuid4())) == []


async def test_stop_settles_what_remains(ada, process):
    """A stop is accepted while the run goes on, and fails or resolves the items that are left; then it is not."""
    run = (await ada.post(f"/processes/{process}/process-runs"))["id"]
    path = f"/process-runs/{run}/stop"
    wish = {"set_remaining_work_items_as_done": False, "terminate_ongoing_activity_runs": True, "reason": "enough"}

    assert await ada.post(path, wish) == {"accepted": True}
    assert await ada.post(path, wish) == {"accepted": False}

    [item] = await ada.every("/work-items", process_run_id=run)
    assert item["state"] == "failed"
    assert item["exception"]["type"] == "orchestrator"
    assert "enough" in item["exception"]["message"]
    assert (await ada.get(f"/process-runs/{run}"))["state"] == "unresolved"


async def test_stop_needs_both_flags(ada, process):
    """A stop without a flag, or with one that is no boolean, is refused."""
    run = (await ada.post(f"/processes/{process}/process-runs"))["id"]

    for wish in ({}, {"set_remaining_work_items_as_done": 1, "terminate_ongoing_activity_runs": "true"}):
        answer = await ada.call("POST", f"/process-runs/{run}/stop", json=wish)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "INVALID_BODY"


async def test_only_a_run_that_has_ended_is_deleted(ada, process, walt):
    """A run under way is a conflict; an ended one is gone with all that belongs to it."""
    run = (await ada.post(f"/processes/{process}/process-runs"))["id"]
    refused = await ada.call("DELETE", f"/process-runs/{run}")
    assert refused.status_code == 409

    await walt.finish(await walt.take())
    deleted = await ada.call("DELETE", f"/process-runs/{run}")

    assert (deleted.status_code, deleted.json()) == (200, {"id": run, "deleted": True})
    assert (await ada.call("GET", f"/process-runs/{run}")).status_code == 404
    assert await ada.every("/work-items") == []


async def test_outsiders_touch_no_run(ada, cleo, process):
    """Another workspace's key sees, stops, deletes and starts nothing of ours, through its own workspace either."""
    run = (await ada.post(f"/processes/{process}/process-runs"))["id"]
    wish = {"set_remaining_work_items_as_done": True, "terminate_ongoing_activity_runs": True}

    answers = [
        await cleo.call("GET", f"/process-runs/{run}"),
        await cleo.call("DELETE", f"/process-runs/{run}"),
        await cleo.call("POST", f"/process-runs/{run}/stop", json=wish),
        await cleo.call("POST", f"/processes/{process}/process-runs"),
        await cleo.call("GET", f"/step-runs?process_run_id={run}"),
        await cleo.call("GET", f"/outputs?process_run_id={run}"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert await cleo.every("/process-runs", process_id=str(process)) == []
    assert (await ada.get(f"/process-runs/{run}"))["state"] == "new"


async def test_a_bare_task_is_started_like_a_process(ada, ben, cleo, hire, process):
    """By its id, which its package tells; its process is in no list. Who only reads may not; an outsider finds none."""
    [package] = await ada.every("/task-packages")
    task = (await ada.get(f"/task-packages/{package['id']}"))["tasks"][0]
    path = f"/tasks/{task['id']}/process-runs"

    first = await ben.post(path)
    item = (await ada.post("/work-items", {"task": {"id": task["id"]}, "payload": "waits"}))["id"]
    second = await ada.post(path, {"work_item_ids": [item], "name": "second"})

    assert await _items(ada, first["id"]) == [{}]
    assert await _items(ada, second["id"]) == ["waits"]
    shown = [await ada.get(f"/process-runs/{each['id']}") for each in (first, second)]
    assert {each["process"]["name"] for each in shown} == {task["name"]}
    assert len({each["process"]["id"] for each in shown}) == 1
    assert [each["name"] for each in await ada.every("/processes")] == ["Invoices"]
    assert await ada.post(path, {"type": "with_inputs"}) == {"started": False}
    both = await ada.call("POST", "/work-items", json={"task": {"id": task["id"]}, "process": {"id": str(process)}})
    assert both.status_code == 400
    reader = await hire("rita", ada.workspace, frozenset({Permission.READ_RUNS}))
    assert (await reader.call("POST", path)).status_code == 403
    assert (await cleo.call("POST", path)).status_code == 404
    assert (await ada.call("POST", f"/tasks/{uuid4()}/process-runs")).status_code == 404


async def test_a_run_that_has_ended_is_run_again(ada, ben, cleo, hire, process):
    """With copies of its inputs and what it was called; while it goes on that is a conflict."""
    run = (await ada.post(f"/processes/{process}/process-runs", {"payloads": [1, {"b": 2}], "name": "March"}))["id"]
    path = f"/process-runs/{run}/rerun"
    assert (await ada.call("POST", path)).json()["error"]["code"] == "PROCESS_RUN_NOT_ENDED"
    stop = {"set_remaining_work_items_as_done": True, "terminate_ongoing_activity_runs": True}
    await ada.post(f"/process-runs/{run}/stop", stop)

    again = await ben.post(path, {"cause": "the books were wrong"})

    assert await _items(ada, again["id"]) == [1, {"b": 2}]
    shown = await ada.get(f"/process-runs/{again['id']}")
    assert (shown["rerun_of"], shown["name"], shown["cause"]) == (run, "March", "the books were wrong")
    assert "rerun_of" not in await ada.get(f"/process-runs/{run}")
    reader = await hire("rita", ada.workspace, frozenset({Permission.READ_RUNS}))
    assert (await reader.call("POST", path)).status_code == 403
    assert (await cleo.call("POST", path)).status_code == 404
