"""Schedules, chains, queues, operations by filter and retention over the management API."""

import pytest


async def schedule(ada, process, **of):
    body = {"name": "Mornings", "process": {"id": str(process)}, "rule": {"type": "daily", "times": ["07:30"]}, **of}
    return await ada.post("/schedules", body)


RULES = [
    {"type": "cron", "expression": "*/5 8-17 * * MON-FRI"},
    {"type": "interval", "seconds": 900},
    {"type": "daily", "times": ["07:30", "19:30:15"], "every": 2},
    {"type": "weekly", "days": ["monday", "friday"], "times": ["07:30"], "every": 1},
    {"type": "monthly", "times": ["00:00"], "day": "last"},
    {"type": "monthly", "times": ["00:00"], "day": 31},
    {"type": "monthly", "times": ["00:00"], "weekday": "tuesday", "nth": 2},
    {"type": "rrule", "rule": "FREQ=WEEKLY;BYDAY=MO;COUNT=30", "start": "2035-01-01T09:00:00"},
    {"type": "once", "at": "2035-06-01T12:00:00"},
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["type"])
async def test_every_rule_goes_in_and_comes_out(ada, process, rule):
    """A schedule of each kind is made, listed and shown as it was asked for, and previewed in its zone."""
    made = await schedule(ada, process, rule=rule, time_zone="Europe/Helsinki")

    shown = await ada.get(f"/schedules/{made['id']}")
    assert shown == made
    assert {key: shown["rule"][key] for key in rule} == rule
    assert [row["id"] for row in await ada.every("/schedules", process_id=str(process))] == [made["id"]]
    preview = await ada.get(f"/schedules/{made['id']}/preview")
    assert 1 <= len(preview["occurrences"]) <= 10
    assert preview["occurrences"][0].endswith(("+02:00", "+03:00"))
    assert await ada.every(f"/schedules/{made['id']}/occurrences") == []


async def test_a_timing_is_previewed_without_a_schedule(ada):
    """The preview tells both clock changes, and makes nothing."""
    answer = await ada.post(
        "/schedules/preview",
        {
            "rule": {"type": "daily", "times": ["02:30"]},
            "time_zone": "Europe/Berlin",
            "starts_at": "2035-03-24T00:00:00",
            "count": 2,
        },
    )
    assert answer["occurrences"] == ["2035-03-24T02:30:00+01:00", "2035-03-25T03:00:00+02:00"]
    assert answer["remarks"] == []
    assert await ada.every("/schedules") == []


async def test_a_preview_tells_what_surprises(ada):
    """A step that is longer than its field is not what it seems."""
    answer = await ada.post("/schedules/preview", {"rule": {"type": "cron", "expression": "*/90 * * * *"}})
    assert len(answer["occurrences"]) == 10
    assert ["minute 0 alone" in remark for remark in answer["remarks"]] == [True]


@pytest.mark.parametrize(
    ("of", "code"),
    [
        ({"rule": {"type": "cron", "expression": "x"}}, "SCHEDULE_RULE_INVALID"),
        ({"rule": {"type": "never"}}, "INVALID_BODY"),
        ({"rule": {"type": "monthly", "times": ["01:00"]}}, "INVALID_BODY"),
        ({"rule": {"type": "daily", "times": ["25:00"]}}, "INVALID_BODY"),
        ({"rule": {"type": "once", "at": "2001-01-01T00:00:00"}}, "SCHEDULE_RULE_INVALID"),
        ({"time_zone": "Mars/Olympus"}, "TIME_ZONE_INVALID"),
        ({"overlap": "fight"}, "INVALID_BODY"),
        ({"grace_seconds": -1}, "INVALID_BODY"),
        ({"name": " "}, "NAME_INVALID"),
    ],
)
async def test_wrong_schedules_are_refused(ada, process, of, code):
    """Each fault has its code, and nothing is made."""
    body = {"name": "x", "process": {"id": str(process)}, "rule": {"type": "interval", "seconds": 60}, **of}
    answer = await ada.call("POST", "/schedules", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert await ada.every("/schedules") == []


async def test_a_schedule_is_changed_and_deleted(ada, cleo, process):
    """What is given is changed, the rest stays; outsiders see nothing."""
    made = await schedule(
        ada, process, overlap="queue", skip_after_seconds=60, input={"type": "payload", "payload": [1]}
    )
    changed = await ada.post(f"/schedules/{made['id']}", {"enabled": False, "skip_after_seconds": None})
    assert (changed["enabled"], changed["next_occurrence"], changed["skip_after_seconds"]) == (False, None, None)
    assert (changed["overlap"], changed["input"]) == ("queue", {"type": "payload", "payload": [1]})
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", ""), ("GET", "/occurrences"), ("GET", "/preview")):
        answer = await cleo.call(method, f"/schedules/{made['id']}{path}", json={} if method == "POST" else None)
        assert answer.status_code == 404
    answer = await ada.call("DELETE", f"/schedules/{made['id']}")
    assert answer.json() == {"id": made["id"], "deleted": True}
    assert await ada.every("/schedules") == []


async def test_a_schedule_is_run_by_hand(ada, ben, cleo, process):
    """With its own input; the answer names the run and who has started it; an outsider finds none."""
    made = await schedule(ada, process, enabled=False, input={"type": "payload", "payload": {"month": "May"}})
    assert (await cleo.call("POST", f"/schedules/{made['id']}/run")).status_code == 404
    became = await ada.post(f"/schedules/{made['id']}/run")
    assert (became["state"], became["started_by"]) == ("started", {"id": str(ada.actor.id)})
    assert await ada.every(f"/schedules/{made['id']}/occurrences") == [became]
    run = await ada.get(f"/process-runs/{became['process_run']['id']}")
    assert run["started_by"]["type"] == "schedule"


async def test_chains(ada, process):
    """A chain is made, changed, listed with what followed, and deleted."""
    path = f"/processes/{process}/chains"
    made = await ada.post(path, {"next_process": {"id": str(process)}, "after": ["completed", "unresolved"]})
    assert made["next_process"] == {"id": str(process), "name": "Invoices"}
    changed = await ada.post(f"{path}/{made['id']}", {"empty": "one_item"})
    assert (changed["empty"], changed["after"]) == ("one_item", ["completed", "unresolved"])
    assert await ada.every(path) == [changed]
    assert await ada.every(f"{path}/{made['id']}/links") == []
    assert (await ada.call("DELETE", f"{path}/{made['id']}")).status_code == 200
    assert await ada.every(path) == []


async def test_queues_and_consumers(ada, process):
    """A standing queue takes items that fit its schema; consumers are made, changed and deleted."""
    queue = await ada.post("/queues", {"name": "orders", "schema": {"type": "object", "required": ["id"]}})
    body = {"queue": {"id": queue["id"]}, "payload": {"id": 1}, "reference": "A-1", "priority": 4}
    item = await ada.post("/work-items", body)
    assert (item["state"], item["reference"], item["priority"], item["process"]) == ("new", "A-1", 4, None)
    refused = await ada.call("POST", "/work-items", json=body | {"payload": {}})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "PAYLOAD_REFUSED")
    taken = await ada.call("POST", "/work-items", json=body)
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "REFERENCE_TAKEN")

    task = (await ada.get(f"/processes/{process}"))["steps"][0]["task"]
    window = {"days": ["monday", "sunday"], "begins": "22:00", "ends": "06:00"}
    path = f"/queues/{queue['id']}/consumers"
    consumer = await ada.post(path, {"task": {"id": task["id"]}, "windows": [window], "time_zone": "Europe/Oslo"})
    assert (consumer["windows"], consumer["max_runs"]) == ([window], 1)
    assert consumer["task"] == {name: task[name] for name in ("id", "name", "package_name")}
    package = await ada.get(f"/task-packages/{task['package_id']}")
    assert {"id": task["id"], "name": task["name"]} in package["tasks"]
    changed = await ada.post(f"{path}/{consumer['id']}", {"paused": True})
    assert await ada.every(path) == [changed]
    assert changed == consumer | {"paused": True}
    assert (await ada.call("DELETE", f"/queues/{queue['id']}")).status_code == 409


async def test_the_queue_of_a_step_takes_a_schema(ada, process):
    """A process names the queues of its steps; what does not fit the schema of one is refused at its start."""
    [step, *_] = (await ada.get(f"/processes/{process}"))["steps"]
    queue = await ada.post(f"/queues/{step['queue']['id']}", {"schema": {"type": "object"}})
    assert (queue["standing"], queue["schema"]) == (False, {"type": "object"})

    refused = await ada.call(
        "POST", f"/processes/{process}/process-runs", json={"type": "with_payloads", "payloads": [{}, 1]}
    )

    assert refused.json()["error"]["code"] == "PAYLOAD_REFUSED"


async def test_terms_holds_and_operations_by_filter(ada, process):
    """An item's terms are changed; a hold is shown; an operation by filter is previewed before it is done."""
    item = await ada.post(
        "/work-items", {"process": {"id": str(process)}, "payload": 1, "due_at": "2035-01-01T00:00:00Z"}
    )
    changed = await ada.post(f"/work-items/{item['id']}", {"priority": 2, "deadline": "2035-01-02T00:00:00Z"})
    assert (changed["priority"], changed["due_at"]) == (2, "2035-01-01T00:00:00Z")
    wrong = await ada.call("POST", f"/work-items/{item['id']}", json={"deadline": "2030-01-01T00:00:00Z"})
    assert wrong.status_code == 400

    await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": [1, 2, 3]})
    rows = await ada.every("/work-items", state="pending")
    one = {"batch_operation": "hold", "work_item_ids": [rows[0]["id"]]}
    await ada.post("/work-items/batch", one)
    assert (await ada.get(f"/work-items/{rows[0]['id']}"))["held"] is True
    every = {"operation": "hold", "filter": {"process_id": str(process)}}
    assert await ada.post("/work-items/bulk", every | {"preview": True}) == {"matched": 4, "would_touch": 2}
    assert (await ada.post("/work-items/bulk", every))["touched"] == 2
    held = {"operation": "release_hold", "filter": {"state": "held"}}
    assert (await ada.post("/work-items/bulk", held))["touched"] == 3
    empty = await ada.call("POST", "/work-items/bulk", json={"operation": "delete", "filter": {}})
    assert (empty.status_code, empty.json()["error"]["code"]) == (400, "FILTER_EMPTY")


async def test_retention(ada, ben):
    """The days that hold are shown with those that the workspace has asked for; operators may only look."""
    assert await ada.get("/retention") == {
        "days": {"process_runs": 90, "assistant_runs": 90, "console": 30, "artifacts": 30, "events": 180},
        "own": {"process_runs": None, "assistant_runs": None, "console": None, "artifacts": None, "events": None},
    }
    changed = await ada.post("/retention", {"process_runs": 0, "console": 7})
    assert (changed["days"]["process_runs"], changed["own"]["console"]) == (0, 7)
    assert (await ben.get("/retention"))["days"]["console"] == 7
    assert (await ben.call("POST", "/retention", json={"console": 1})).status_code == 403
    assert (await ada.call("POST", "/retention", json={"console": -1})).status_code == 400
