"""Webhooks, notifications and provisioners through the API; and what a live server then sends."""

import asyncio

import pytest

from receivers import receiving

EVENTS = ["process_run.started", "process_run.completed", "process_run.unresolved"]
ENDPOINT = "https://hooks.example.com/room"


@pytest.fixture
def wanted(process):
    """What a client of the vendor's API sends."""
    return {"endpoint": ENDPOINT, "enabled_events": EVENTS, "process": {"id": str(process)}}


async def test_the_vendors_five_routes(ada, process, wanted):
    """Create and get show the secret, the list does not, delete answers as every delete."""
    made = await ada.post("/webhooks", wanted)
    assert made["process"] == {"id": str(process)}
    assert (made["endpoint"], made["enabled_events"]) == (ENDPOINT, EVENTS)
    assert made["secret"].startswith("whsec_")

    [listed] = await ada.every("/webhooks")
    assert "secret" not in listed
    assert await ada.get(f"/webhooks/{made['id']}") == made
    assert await ada.every("/webhooks", process_id=str(process)) == [listed]

    assert (await ada.call("DELETE", f"/webhooks/{made['id']}")).json() == {"id": made["id"], "deleted": True}
    assert (await ada.call("GET", f"/webhooks/{made['id']}")).status_code == 404
    assert await ada.every("/webhooks") == []


async def test_seeing_a_secret_is_recorded(room, ada, wanted):
    """By whom, each time."""
    made = await ada.post("/webhooks", wanted)
    await ada.get(f"/webhooks/{made['id']}")

    seen_by = await room.engine.database.value(
        "select actor_id from event where kind = 'webhook.revealed' and subject_id = %(id)s", id=made["id"]
    )
    assert seen_by == ada.actor.id


async def test_our_routes_change_and_disable(ada, wanted):
    """Of the whole workspace, by both methods; what is left out stays."""
    made = await ada.post("/webhooks", {"endpoint": ENDPOINT, "enabled_events": ["step_run.failed"], "secret": "own"})
    assert (made["process"], made["secret"], made["enabled"]) == (None, "own", True)

    changed = await ada.post(f"/webhooks/{made['id']}", {"enabled": False, "name": "ops"})
    put = (await ada.call("PUT", f"/webhooks/{made['id']}", json={"endpoint": f"{ENDPOINT}/2"})).json()

    assert (changed["enabled"], changed["name"], changed["endpoint"]) == (False, "ops", ENDPOINT)
    assert (put["endpoint"], put["enabled"], put["enabled_events"]) == (f"{ENDPOINT}/2", False, ["step_run.failed"])
    assert (await ada.get(f"/webhooks/{made['id']}"))["secret"] == "own"


async def test_a_misspelt_process_does_not_subscribe_to_the_whole_workspace(ada, wanted):
    """An unknown key is nothing beside a process, and refused without one."""
    process = wanted.pop("process")

    misspelt = await ada.call("POST", "/webhooks", json=wanted | {"proces": process})
    beside = await ada.post("/webhooks", wanted | {"process": process, "note": "of another generation"})

    assert (misspelt.status_code, misspelt.json()["error"]["code"]) == (400, "INVALID_BODY")
    assert beside["process"] == process
    assert [each["id"] for each in await ada.every("/webhooks")] == [beside["id"]]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"endpoint": "ftp://example.com"}, "ENDPOINT_INVALID"),
        ({"endpoint": ""}, "ENDPOINT_INVALID"),
        ({"endpoint": "https://exa mple.com/"}, "ENDPOINT_INVALID"),
        ({"endpoint": 1}, "INVALID_BODY"),
        ({"enabled_events": []}, "WEBHOOK_INVALID"),
        ({"enabled_events": ["process_run.paused"]}, "UNKNOWN_EVENT"),
        ({"process": {"id": "x"}}, "INVALID_BODY"),
        ({"secret": ""}, "WEBHOOK_INVALID"),
    ],
)
async def test_malformed_webhooks_are_refused(ada, wanted, change, code):
    """Each with what is wrong, and nothing is made."""
    answer = await ada.call("POST", "/webhooks", json=wanted | change)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code), answer.text
    assert await ada.every("/webhooks") == []


async def test_outsiders_see_no_webhooks(ada, ben, cleo, wanted):
    """Cleo sees nothing of ada's; ben reads, and writes nothing."""
    made = await ada.post("/webhooks", wanted)
    path = f"/api/v1/workspaces/{ada.workspace}/webhooks"

    for method, url in (
        ("GET", path),
        ("GET", f"{path}/{made['id']}"),
        ("POST", f"{path}/{made['id']}/test"),
        ("GET", f"{path}/{made['id']}/deliveries"),
        ("DELETE", f"{path}/{made['id']}"),
    ):
        assert (await cleo.http.request(method, url)).status_code == 404
    assert (await cleo.call("GET", f"/webhooks/{made['id']}")).status_code == 404
    assert (await cleo.call("POST", "/webhooks", json=wanted)).status_code == 404
    refused = await ben.call("POST", "/webhooks", json=wanted)
    assert refused.status_code == 403
    assert refused.json()["error"]["permission"] == "Webhooks.write_webhooks"


async def test_a_live_server_refuses_private_addresses(ada, wanted):
    """The delivery of a test says so; nothing was sent. Deliveries of others are not seen."""
    async with receiving() as receiver:
        made = await ada.post("/webhooks", wanted | {"endpoint": receiver.url})
        test = await ada.post(f"/webhooks/{made['id']}/test")
        delivery = await ended(ada, test["delivery"]["id"])

        assert (delivery["state"], delivery["attempts"], delivery["event"]) == ("failed", 1, "webhook.tested")
        assert "no public address" in delivery["last_error"]
        assert delivery["payload"]["event"] == "test"
        assert delivery["payload"]["payload"]["workspaceId"] == str(ada.workspace)
        assert receiver.requests == []
        [listed] = await ada.every(f"/webhooks/{made['id']}/deliveries", state="failed")
        assert "payload" not in listed
        again = await ada.post(f"/deliveries/{listed['id']}/redeliver")
        assert again["state"] == "pending"


async def test_outsiders_see_no_deliveries(ada, cleo, wanted):
    """Neither by their webhook nor by their own id."""
    made = await ada.post("/webhooks", wanted | {"endpoint": "http://127.0.0.1:9/"})
    test = await ada.post(f"/webhooks/{made['id']}/test")

    for path in (f"/deliveries/{test['delivery']['id']}", f"/webhooks/{made['id']}/deliveries"):
        assert (await cleo.call("GET", path)).status_code == 404
    assert (await cleo.call("POST", f"/deliveries/{test['delivery']['id']}/redeliver")).status_code == 404


async def ended(person, delivery):
    """A delivery, once it has ended."""
    async with asyncio.timeout(60):
        while (found := await person.get(f"/deliveries/{delivery}"))["state"] == "pending":
            await asyncio.sleep(0.02)  # a log has no event
    return found


async def test_notifications_of_a_process(ada, ben, cleo, process):
    """By mail and by chat; the chat's address is never shown again."""
    path = f"/processes/{process}/notifications"
    mail = await ada.post(path, {"recipients": ["ada@example.com"]})
    chat = await ben.post(path, {"endpoint": "https://chat.example.com/T1/SECRET", "enabled_events": EVENTS[1:]})
    assert (mail["type"], mail["enabled_events"]) == ("email", ["process_run.unresolved"])
    assert (chat["type"], chat["recipients"]) == ("chat", [])

    listed = await ada.call("GET", path)
    assert [each["id"] for each in listed.json()["data"]] == [mail["id"], chat["id"]]
    assert "SECRET" not in listed.text
    changed = await ada.post(f"/notifications/{mail['id']}", {"recipients": ["ben@example.com"], "enabled": False})
    assert (changed["recipients"], changed["enabled"]) == (["ben@example.com"], False)
    assert await ada.every(f"/notifications/{mail['id']}/deliveries", state="failed") == []
    assert (await cleo.call("GET", f"/notifications/{mail['id']}")).status_code == 404
    assert (await cleo.call("POST", path, json={"recipients": ["c@example.com"]})).status_code == 404
    assert (await ada.call("DELETE", f"/notifications/{chat['id']}")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"recipients": []},
        {"recipients": ["nobody"]},
        {"recipients": ["a@b\nBcc: c@d"]},
        {"endpoint": "x"},
        {"recipients": ["a@example.com"], "endpoint": ENDPOINT},
        {"recipients": ["a@example.com"], "enabled_events": ["process_run.started"]},
    ],
)
async def test_malformed_notifications_are_refused(ada, process, body):
    """Also one whose address would add a header to the mail."""
    answer = await ada.call("POST", f"/processes/{process}/notifications", json=body)

    assert answer.status_code == 400, answer.text


async def test_provisioners_and_placement_on_them(ada, cleo, process):
    """A step names a provisioner, which then cannot be deleted; its secret is shown on asking, and that is recorded."""
    made = await ada.post(
        "/provisioners", {"name": "cluster", "endpoint": "https://pods.example.com/hook", "max_lifetime_seconds": 3600}
    )
    steps = [
        {"name": "read", "task": {"name": "Read", "package_name": "robot"}, "placement": {"provisioner": made["id"]}}
    ]
    changed = await ada.post(f"/processes/{process}", {"steps": steps})
    assert changed["steps"][0]["placement"] == {"provisioner": made["id"]}

    [listed] = await ada.every("/provisioners")
    assert "secret" not in listed
    assert (await ada.post(f"/provisioners/{made['id']}/reveal"))["secret"] == made["secret"]
    in_use = await ada.call("DELETE", f"/provisioners/{made['id']}")
    assert (in_use.status_code, in_use.json()["error"]["code"]) == (409, "PROVISIONER_IN_USE")
    renamed = await ada.post(f"/provisioners/{made['id']}", {"name": "pods"})
    assert (renamed["name"], renamed["max_lifetime_seconds"]) == ("pods", 3600)
    assert await ada.every(f"/provisioners/{made['id']}/deliveries", state="failed") == []
    for method, path in (("GET", ""), ("POST", "/reveal"), ("DELETE", ""), ("GET", "/deliveries")):
        assert (await cleo.call(method, f"/provisioners/{made['id']}{path}")).status_code == 404
    foreign = await cleo.call("POST", "/processes", json={"name": "x", "steps": steps})
    assert foreign.status_code == 404
