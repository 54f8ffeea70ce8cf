"""A bot from its upload to its figures, over the Control Room API alone, on a room that nothing was set up in."""

import io
import json
import zipfile
from typing import Any

import httpx2
import pytest

from receivers import receiving
from rooms import room, until

CODE = """
import json, os, urllib.request
def call(method, url, body=None):
    headers = {"Authorization": "Bearer " + os.environ["RC_API_WORKITEM_TOKEN"], "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=60) as answer:
        return json.load(answer)
workspace = "/workspaces/" + os.environ["RC_WORKSPACE_ID"]
item = os.environ["RC_WORKITEM_ID"]
asked = call("GET", f"{os.environ['RC_API_WORKITEM_HOST']}/json-v1{workspace}/workitems/{item}/data")
if asked["amount"] < 0:
    raise ValueError("a negative amount")
process = f"{os.environ['RC_API_PROCESS_HOST']}/process-v1{workspace}/processes/{os.environ['RC_PROCESS_ID']}"
call("POST", f"{process}/work-items/{item}/output", {"payload": {"doubled": 2 * asked["amount"], "of": asked["name"]}})
"""
INTERFACE = """
tasks:
  Double:
    inputs: {name: string, amount: number}
    outputs: {doubled: number, of: string}
"""


@pytest.fixture(scope="module")
def here():
    """A room that may tell this machine."""
    with room("--slots", "2", CONTROLROOM_OUTGOING_ALLOW="127.0.0.1") as started:
        yield started


@pytest.fixture(scope="module")
def api(here):
    """The first admin, logged in."""
    with httpx2.Client(base_url=here.url, timeout=120, trust_env=False) as client:
        answer = client.post("/v2/authentication", json=here.facts["admin"] | {"multipleLogin": True})
        assert answer.status_code == 200, answer.text
        client.headers["X-Authorization"] = answer.json()["token"]
        yield client


def told(answer: httpx2.Response, *statuses: int) -> Any:
    """What an answer says that must be a success."""
    assert answer.status_code in (statuses or {200, 201}), f"{answer.url}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


def rows(api, path: str, field: str = "", value: object = None) -> list[Any]:
    """The rows of a list."""
    leaf = {"operator": "eq", "field": field, "value": str(value)}
    return told(api.post(path, json={"filter": leaf} if field else {}))["list"]


def bot_uploaded(api) -> int:
    """A bot of a zip that was put into a new file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("robot.yaml", "tasks:\n  Double: {shell: python3 main.py}\nartifactsDir: output\n")
        archive.writestr("main.py", CODE)
        archive.writestr("controlroom.yaml", INTERFACE)
    [folder] = rows(api, "/v2/repository/workspaces/public/files/list", "name", "Default")
    body = {"name": "Double", "contentType": "application/vnd.aa.taskbot", "parentFolderId": folder["id"]}
    file = told(api.post("/v2/repository/files", json=body))
    zipped = {"Content-Type": "application/zip"}
    told(api.put(f"/v2/repository/files/{file['id']}/content", content=buffer.getvalue(), headers=zipped))
    bots = told(api.get("/v3/automations"))["automations"]
    [bot] = [each for each in bots if each["name"] == "Double"]
    return int(bot["id"])


async def test_a_bot_from_its_upload_to_its_figures(here, api):
    """Uploaded, deployed on a pool with inputs and a callback, polled, read, and found in audit and figures."""
    bot = bot_uploaded(api)
    [device] = rows(api, "/v2/devices/list")
    me = int(device["defaultUsers"][0]["id"])
    assert device["defaultUsers"][0]["username"] == here.facts["admin"]["username"]
    pool = told(api.post("/v2/devices/pools", json={"name": "all", "deviceIds": [int(device["id"])]}))
    inputs = {"name": {"type": "STRING", "string": "ACME"}, "amount": {"type": "NUMBER", "number": "21"}}

    async with receiving() as receiver:
        body = {
            "botId": bot,
            "botInput": inputs,
            "callbackInfo": {"url": receiver.url, "headers": {"X-Mine": "1"}},
            "unattendedRequest": {
                "runAsUserIds": [me],
                "deviceUsageType": "RUN_ON_POOL_DEVICES",
                "poolIds": [int(pool["id"])],
            },
        }
        deployed = told(api.post("/v4/automations/deploy", json=body))
        [execution] = rows(api, "/v3/activity/list", "deploymentId", deployed["deploymentId"])
        [call] = await receiver.wait(1, seconds=60)

    [ended] = rows(api, "/v3/activity/list", "id", execution["id"])
    assert (ended["status"], ended["progress"], ended["deviceName"]) == ("COMPLETED", 100, device["hostName"])
    one = told(api.get(f"/v3/activity/execution/{ended['id']}"))
    assert one["botOutVariables"]["values"]["doubled"] == {"type": "NUMBER", "number": "42"}
    assert (call.json["deploymentId"], call.json["status"], call.headers["x-mine"]) == (
        deployed["deploymentId"],
        "COMPLETED",
        "1",
    )
    assert call.json["botOutput"]["of"] == {"type": "STRING", "string": "ACME"}


def test_what_failed_tells_why(here, api):
    """In `message`, with the line; and an input that the bot does not take is refused."""
    [bot] = [each["id"] for each in told(api.get("/v3/automations"))["automations"] if each["name"] == "Double"]
    [device] = rows(api, "/v2/devices/list")
    users = [device["defaultUsers"][0]["id"]]

    wrong = api.post(
        "/v3/automations/deploy", json={"fileId": bot, "runAsUserIds": users, "botInput": {"colour": "red"}}
    )
    inputs = {"amount": -1, "name": "ACME"}
    deployed = told(api.post("/v3/automations/deploy", json={"fileId": bot, "runAsUserIds": users, "botInput": inputs}))

    def execution() -> Any:
        return rows(api, "/v3/activity/list", "deploymentId", deployed["deploymentId"])[0]

    until(lambda: execution()["progress"] == 100, "it ends", seconds=60)
    assert (wrong.status_code, "colour" in wrong.json()["message"]) == (400, True)
    failed = execution()
    assert failed["status"] == "RUN_FAILED"
    assert "a negative amount" in failed["message"]
    assert "at line 12" in failed["message"]
    assert json.dumps(failed["error"])


def test_audit_and_figures_agree_with_the_activities(here, api):
    """What was deployed is in the audit log, and counted: so many completed, so many failed, with the same reason."""
    activities = rows(api, "/v3/activity/list")
    ends = [each["status"] for each in activities if each["fileName"] == "Double"]
    deployed = rows(api, "/v1/audit/messages/list", "activityType", "DEPLOYMENT_AUTOMATION")
    day = {"timeRange": {"type": "LAST24HOURS"}}

    def counted() -> dict[str, str]:
        metrics = told(api.post("/v1/acc/automation/mostrunning", json=day))["metrics"]
        return next((bot["count"] for bot in metrics if bot["name"] == "Double"), {})

    wanted = {"successful": str(ends.count("COMPLETED")), "failed": str(ends.count("RUN_FAILED"))}
    until(lambda: counted() == wanted, "what has ended is counted", seconds=30)
    [failed] = [
        bot for bot in told(api.post("/v1/acc/automation/mostfailed", json=day))["metrics"] if bot["name"] == "Double"
    ]
    assert sorted(ends) == ["COMPLETED", "RUN_FAILED"]
    assert len(deployed) == len(activities)
    assert {message["userName"] for message in deployed} == {here.facts["admin"]["username"]}
    assert "a negative amount" in failed["failures"]["lastFailedReason"]
