"""Webhooks: who is told of a job's runs, in which bytes, how it is signed, and when it ends (§3.9, §5)."""

import asyncio
import hashlib
import hmac
import json
import re

import pytest

from controlroom.dialects.dbt_cloud.messages import DbtCloudGrammar
from controlroom.dialects.dbt_cloud.permission_sets import ROLES
from controlroom.engine.access.grants.model import WantedGrant
from controlroom.engine.access.service_tokens import actions
from controlroom.ids import uuid7
from controlroom.protocol import ErrorCode

ALL = ["job.run.started", "job.run.completed", "job.run.errored"]
HOOKS = "v3:webhooks/subscriptions"
ENDPOINT = "https://hooks.example.com/dbt"
NOWHERE = "http://127.0.0.1:9/dbt"
"""A private address: the room refuses to call it, so that every message fails at once."""


@pytest.fixture
async def wide(room, as_):
    """Calls with a token that keeps webhooks in all of the account, and sees runs."""
    wanted = [WantedGrant(ROLES[each], None) for each in ("webhooks_only", "job_admin")]
    _, value = await actions.create(room.engine, room.admin, name="hooks", wanted=wanted)
    return as_(value)


async def hook(caller, *jobs, url=ENDPOINT, events=ALL):
    body = {"name": "CI", "event_types": events, "client_url": url, "active": True, "job_ids": list(jobs)}
    return await caller.post(HOOKS, body, status=201)


async def told(room, webhook, count):
    """The bodies that a webhook is sent, once there are so many: from the record, as the room calls no private host."""
    async with asyncio.timeout(60):
        while True:
            bodies = await room.engine.database.all(
                bytes,
                """
                select body from delivery join webhook on webhook.id = delivery.subscription_id
                 where webhook.number = %(number)s order by delivery.id
                """,
                number=int(webhook["id"].removeprefix("wsu_")),
            )
            if len(bodies) >= count:
                return [json.loads(each) for each in bodies]
            await asyncio.sleep(0.02)  # a log has no event


async def test_a_subscription_is_made_changed_and_deleted(wide):
    """In the vendor's form: ids and times as texts, the secret told once; a PUT leaves what it does not name."""
    made = await hook(wide)
    assert re.fullmatch(r"wsu_\d+", made["id"])
    assert made["account_id"] == str(wide.account)
    assert (made["http_status_code"], made["active"], made["job_ids"]) == ("0", True, [])
    assert made["hmac_secret"]
    assert re.fullmatch(r"\d{16}", made["created_at"])
    one = f"v3:webhooks/subscription/{made['id']}"
    assert "hmac_secret" not in await wide.get(one)
    assert made["id"] in [each["id"] for each in (await wide.listed(HOOKS))["data"]]
    changed = await wide.call("PUT", one, json={"name": "Ops", "active": False})
    assert (changed.json()["data"]["name"], changed.json()["data"]["active"]) == ("Ops", False)
    assert changed.json()["data"]["event_types"] == ALL
    assert await wide.delete(one) == {"id": made["id"]}
    assert (await wide.call("GET", one)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x", "client_url": ENDPOINT},
        {"name": "x", "client_url": ENDPOINT, "event_types": ["job.run.paused"]},
        {"name": "x", "client_url": "ftp://x", "event_types": ALL},
        {"name": "x", "client_url": ENDPOINT, "event_types": ALL, "job_ids": [1]},
        {"name": "", "client_url": ENDPOINT, "event_types": ALL},
    ],
)
async def test_what_is_wrong_is_refused(wide, body):
    """With the field where it is known."""
    answer = await wide.call("POST", HOOKS, json=body)
    assert (answer.status_code, answer.json()["status"]["is_success"]) == (400, False)


async def test_a_run_is_told_by_its_events(room, wide, site):
    """Started and completed of a good one; of a failed one errored as well; of other jobs nothing."""
    job, other = await site.job(), await site.job()
    mine, all_of_them = await hook(wide, job.number), await hook(wide, events=["job.run.completed"])
    run = await wide.post(f"jobs/{job.number}/run/", {"cause": "Nightly"})
    await site.work()
    await wide.post(f"jobs/{job.number}/run/")
    await site.work(fails_at=3, error=ErrorCode.ROBOT_FAILED)
    await wide.post(f"jobs/{other.number}/run/")
    await site.work()

    started, completed, *failed = await told(room, mine, 5)
    assert (started["eventType"], completed["eventType"]) == ("job.run.started", "job.run.completed")
    assert [each["eventType"] for each in failed] == ["job.run.started", "job.run.errored", "job.run.completed"]
    assert (completed["accountId"], completed["webhookId"]) == (wide.account, mine["id"])
    assert completed["webhookName"] == "CI"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", completed["timestamp"])
    data = completed["data"]
    expected = {
        "jobId": str(job.number),
        "jobName": "Nightly",
        "runId": str(run["id"]),
        "projectId": str(wide.project),
        "environmentId": str(site.target.number),
        "runStatus": "Success",
        "runStatusCode": 10,
        "runStatusMessage": "None",
        "runReason": "Nightly",
    }
    assert expected.items() <= data.items()
    assert all(re.fullmatch(r"[\d-]{10}T[\d:]{8}Z", data[key]) for key in ("runStartedAt", "runFinishedAt"))
    assert (started["data"]["runStatus"], started["data"]["runStatusCode"]) == ("Running", 3)
    errored = failed[1]["data"]
    assert (errored["runStatus"], errored["runStatusCode"]) == ("Errored", 20)
    assert "runErroredAt" in errored
    mine_too = await told(room, all_of_them, 3)
    assert [each["data"]["jobId"] for each in mine_too] == [str(job.number), str(job.number), str(other.number)]


async def test_what_reaches_nobody_is_shown_and_ends_after_five(room, wide, site):
    """Each in the history, with its receipt; five in a row switch the webhook off, and say why."""
    job = await site.job()
    made = await hook(wide, job.number, url=NOWHERE)
    for _ in range(2):
        await wide.post(f"jobs/{job.number}/run/")
        await site.work(fails_at=3, error=ErrorCode.ROBOT_FAILED)
    one = f"v3:webhooks/subscription/{made['id']}"
    async with asyncio.timeout(20):
        while (found := await wide.get(one))["active"]:
            await asyncio.sleep(0.05)

    assert re.search(r"[56] messages in a row", found["deactivate_reason"])
    events = await wide.listed(f"{one}/events")
    assert events["extra"]["pagination"]["total_count"] >= 5
    assert {"failed"} <= {each["status"] for each in events["data"]}
    receipt = await wide.get(f"{one}/event/{events['data'][-1]['id']}/receipt")
    assert "no public address" in receipt["error"]
    assert (await wide.call("GET", f"{one}/event/wev_{uuid7().hex}/receipt")).status_code == 404
    again = await wide.call("PUT", one, json={"active": True})
    assert (again.json()["data"]["active"], again.json()["data"]["deactivate_reason"]) == (True, None)


async def test_a_test_is_sent_of_no_run(room, wide, site):
    """Its event is told, and it counts for nothing."""
    made = await hook(wide)
    sent = await wide.get(f"v3:webhooks/subscription/{made['id']}/test")
    [body] = await told(room, made, 1)
    assert body["eventId"] == sent["event_id"]
    assert body["data"]["runId"] == ""


async def test_a_projects_token_keeps_its_own(room, wide, as_, site):
    """Made in its project; those of the account, and of other projects, it does not see."""
    account_wide = await hook(wide)
    grants = [WantedGrant(ROLES["developer"], site.ada.workspace)]
    _, value = await actions.create(room.engine, room.admin, name="dev", wanted=grants)
    developer = as_(value)
    job = await site.job()
    made = await hook(developer, job.number)

    assert [each["id"] for each in (await developer.listed(HOOKS))["data"]] == [made["id"]]
    for path in ("", "/events", "/test"):
        answer = await developer.call("GET", f"v3:webhooks/subscription/{account_wide['id']}{path}")
        assert answer.status_code == 404
    assert (await wide.get(f"v3:webhooks/subscription/{made['id']}"))["job_ids"] == [str(job.number)]


def test_the_signature_is_the_bare_digest_of_the_bytes():
    """Nothing stands before it: receivers compare the whole header."""
    headers = DbtCloudGrammar().headers(b'{"a":1}', message=uuid7(), secret="s", at=None)
    assert headers == {"authorization": hmac.new(b"s", b'{"a":1}', hashlib.sha256).hexdigest()}


async def test_notifications_are_mails_about_jobs(room, wide, site, as_):
    """To an address or a user, by how runs end; changed, deleted, and of nobody who does not keep them."""
    job = await site.job()
    asked = {"type": 4, "external_email": "ops@example.com", "on_failure": [job.number], "on_success": [], "user_id": 0}
    made = await wide.post("notifications/", asked)
    assert (made["external_email"], made["on_failure"], made["user_id"], made["type"]) == (
        "ops@example.com",
        [job.number],
        None,
        4,
    )
    changed = await wide.post(f"notifications/{made['id']}/", {"on_cancel": [job.number], "on_failure": []})
    assert (changed["on_cancel"], changed["on_failure"]) == ([job.number], [])
    assert made["id"] in [each["id"] for each in (await wide.listed("notifications"))["data"]]
    back = await wide.post(f"notifications/{made['id']}", {"on_failure": [job.number]})
    assert back["on_failure"] == [job.number]
    await wide.post(f"jobs/{job.number}/run/")
    await site.work(fails_at=3, error=ErrorCode.ROBOT_FAILED)
    async with asyncio.timeout(60):
        while not (
            mails := await room.engine.database.all(
                bytes,
                """
                select body from delivery join notification on notification.id = delivery.subscription_id
                 where notification.number = %(number)s
                """,
                number=made["id"],
            )
        ):
            await asyncio.sleep(0.02)  # a log has no event
    assert json.loads(mails[0])["recipients"] == ["ops@example.com"]
    for wrong in ({"type": 2}, {"type": 4}, {"type": 1}, {"type": 4, "external_email": "x@y.z", "on_success": [1]}):
        assert (await wide.call("POST", "notifications/", json=wrong)).status_code in {400, 501}
    _, value = await actions.create(
        room.engine, room.admin, name="r", wanted=[WantedGrant(ROLES["job_viewer"], site.ada.workspace)]
    )
    viewer = as_(value)
    assert (await viewer.call("GET", f"notifications/{made['id']}/")).status_code == 404
    assert (await viewer.call("POST", "notifications/", json=asked)).status_code == 403
    assert (await wide.delete(f"notifications/{made['id']}/"))["state"] == 2
