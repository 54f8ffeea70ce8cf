"""Statistics and uses by the management API: what a test did is what they tell."""

import pytest

from controlroom.engine.access.credentials import flush_uses
from controlroom.maintenance import statistician
from controlroom.protocol import ErrorCode


@pytest.fixture
async def worked(ada, process, walt):
    """A run that goes on after one that failed."""
    await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": [1, 2]})
    await walt.finish(await walt.take(), ErrorCode.ROBOT_FAILED)
    await ada.post(f"/processes/{process}/process-runs", {})


async def test_figures_failures_and_depths(room, ada, process, worked):
    """Of one workspace, at once, and told apart by what was asked."""
    told = (await ada.get("/figures", noun="step_run", by=["result", "process"]))["figures"]
    assert [(row["result"], row["process_id"], row["count"], row["worker_id"]) for row in told] == [
        ("failed", str(process), 1, None)
    ]
    items = (await ada.get("/figures", noun="work_item", by="cause", process_id=str(process)))["figures"]
    assert [(row["cause"], row["count"]) for row in items] == [("application", 1)]
    depths = (await ada.get("/queue-depths"))["queues"]
    assert [(row["process_id"], row["waiting"]) for row in depths] == [(str(process), 2)]
    await statistician.keep_up(room.engine)
    groups = (await ada.get("/failure-groups", noun="step_run"))["groups"]
    if groups:  # an older transaction of another test may hide the event for a moment
        assert [(group["code"], group["pattern"], group["count"]) for group in groups] == [
            ("ROBOT_FAILED", "it broke", 1)
        ]
        hours = (await ada.get(f"/failure-groups/{groups[0]['fingerprint']}/hours"))["hours"]
        assert sum(hour["count"] for hour in hours) == 1
    await statistician.look(room.engine)
    assert isinstance((await ada.get(f"/queues/{depths[0]['queue_id']}/hours"))["hours"], list)
    assert (await ada.get("/usual-durations"))["durations"] == []


async def test_outsiders_and_wrong_periods(room, ada, ben, cleo, process, worked):
    """A stranger sees nothing of it; a period ends after it begins; who may not edit has nothing made anew."""
    assert (await cleo.get("/figures", noun="run"))["figures"] == []
    for path in ("/figures", "/failure-groups", "/queue-depths", "/usual-durations", "/uses/secrets/x"):
        answer = await cleo.call("GET", f"{room.url}/api/v1/workspaces/{ada.workspace}{path}")
        assert answer.status_code == 404
    for wrong in ({"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, {"by": "colour"}, {"noun": "x"}):
        assert (await ada.call("GET", "/figures", params=wrong)).status_code == 400
    assert (await ben.call("POST", "/figures/rebuild")).status_code == 403
    assert (await ada.get("/figures/rebuild"))["under_way"] in {True, False}


async def test_uses_of_a_key_by_permission(room, ada):
    """Each permission that a key was asked for, by the day."""
    for _ in range(3):
        await ada.get("/process-runs")
    await flush_uses(room.engine)
    key = str(ada.actor.id)
    uses = {use["permission"]: use["count"] for use in (await ada.get(f"/uses/api-keys/{key}"))["uses"]}
    assert uses["runs.read"] >= 3
    assert (await ada.get(f"/uses/api-keys/{key}", since="2999-01-01"))["uses"] == []


async def test_uses_of_credentials_of_every_kind(room, ada, ben, cleo):
    """Of those that were used in the workspace, told to who may read its keys; an outsider sees none of them."""
    await ada.get("/process-runs")
    await flush_uses(room.engine)
    uses = (await ada.get("/uses/credentials"))["uses"]
    assert ("workspace_key", str(ada.actor.id), "runs.read") in {
        (use["kind"], use["id"], use["permission"]) for use in uses
    }
    assert all(use["workspace_id"] == str(ada.workspace) for use in uses)
    assert (await ben.call("GET", "/uses/credentials")).status_code == 403
    assert not {str(ada.actor.id)} & {use["id"] for use in (await cleo.get("/uses/credentials"))["uses"]}


async def test_what_uses_a_thing(room, ada, process, walt):
    """Steps that run a package or are placed on a worker; processes that have read a secret or an asset."""
    found = await ada.get(f"/processes/{process}")
    package = found["steps"][0]["task"]["package_id"] if "task" in found["steps"][0] else None
    packages = (await ada.get("/task-packages"))["data"]
    package = package or packages[0]["id"]
    used = (await ada.get(f"/uses/task-packages/{package}"))["used_by"]
    assert {(user["kind"], user["process_id"]) for user in used} == {("step", str(process))}
    assert (await ada.get(f"/uses/workers/{walt.actor.worker_id}"))["used_by"] == []
    await ada.call("PUT", "/secrets/portal", json={"values": {"a": "b"}})
    await ada.post("/assets", {"name": "rates"})
    await ada.get("/assets/name:rates")
    await flush_uses(room.engine)
    assert [user["kind"] for user in (await ada.get("/uses/assets/name:rates"))["used_by"]] == ["others"]
    assert (await ada.get("/uses/secrets/portal"))["used_by"] == []
