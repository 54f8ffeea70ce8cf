"""BotInsight API v2: runs, audit rows, and what bots said."""

import io
import zipfile

import pytest

from controlroom.dialects.automation360.bot_insight_words import page_of, which_of
from controlroom.engine.packages.actions import push
from controlroom.errors import Invalid
from live import robot_zip

BASE = "/v2/botinsight/data/api"
DECLARED = """
tasks:
  Read:
    inputs:
      Customer: {type: string, default: "", insight: true}
      Password: {type: string, default: ""}
    outputs: {Sum: number, Note: string}
"""


@pytest.fixture
async def worked(room, ada, process, walt):
    """The bot `Read` has worked two items, and has put out a sum for each."""
    content = io.BytesIO(robot_zip("Read", "Write"))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("controlroom.yaml", DECLARED)
    await push(room.engine, ada.actor, ada.workspace, "robot", await room.engine.objects.put_bytes(content.getvalue()))
    run = None
    for customer in ("Ada", "Ben"):
        payload = {"Customer": customer, "Password": "s3cret"}
        await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": [payload]})
    for amount in (5, 7):
        run = await walt.take()
        robot = {"Authorization": f"Bearer {run.token}"}
        url = f"/process-v1/workspaces/{ada.workspace}/processes/{process}/work-items/{run.work_item_id}/output"
        output = {"payload": {"Sum": amount, "Note": None, "Other": 1}}
        assert (await ada.http.post(url, json=output, headers=robot)).status_code == 200
        await walt.finish(run)
    return run


@pytest.fixture
async def bot(ben_user, worked) -> str:
    """The name by which its caller finds it: he sees no other workspace."""
    return "Read"


async def test_runs_are_told_by_their_start(ben_user, worked):
    """Integer ids, milliseconds, a page of those between two dates; query names in lower case, a body beside GET."""
    answer = await ben_user.get(f"{BASE}/getbotrundata", fromdate="2020-01-01T00:00:00", todate="2999-01-01T00:00:00")
    run = answer["botRunDataList"][0]
    assert (answer["totalRecords"], run["fileName"], run["status"], run["progress"]) == (2, "Read", "COMPLETED", 100)
    assert (run["hostName"], isinstance(run["id"], int), isinstance(run["timeTaken"], int)) == ("walt", True, True)
    page = await ben_user.get(f"{BASE}/getbotrundata", limit="1", pageno="1")
    assert (page["totalRecords"], [row["id"] for row in page["botRunDataList"]]) == (
        2,
        [answer["botRunDataList"][1]["id"]],
    )
    none = await ben_user.call("GET", f"{BASE}/getbotrundata?&toDate=2020-01-01T00:00:00", json={})
    assert none.json() == {"totalRecords": 0, "botRunDataList": []}


async def test_audit_rows_are_those_of_runs_or_all(ben_user, root, worked):
    """Who reads no audit log sees what happened to runs; integer `createdBy`, and `detail`."""
    mine = await ben_user.get(f"{BASE}/getaudittraildata", limit=5)
    everything = await root.get(f"{BASE}/getaudittraildata", limit=5)
    assert {row["activityType"] for row in mine["botRunDataList"]} <= {
        *("RUN_BOT_ENDED", "RUN_AUTOMATION", "DEPLOYMENT_AUTOMATION"),
    }
    assert everything["totalRecords"] > mine["totalRecords"]
    assert all(isinstance(row["createdBy"], int) and row["detail"] for row in everything["botRunDataList"])


async def test_what_a_bot_said(ben_user, bot, worked):
    """Outputs and marked inputs of each item, as text, the latest first; counts are text; no other value is told."""
    log = await ben_user.get(f"{BASE}/gettasklogdata", botname=bot)
    assert (log["totalRecords"], log["count"], log["pageNo"], log["botName"]) == ("2", "2", "0", "Read")
    assert log["repositoryPath"].startswith("repository:///Automation%20Anywhere/Bots/")
    [said] = log["list"]
    assert [
        {variable["key"]: variable["value"] for variable in each["variables"]} for each in said["transactions"]
    ] == [{"Customer": "Ben", "Sum": "7", "Note": ""}, {"Customer": "Ada", "Sum": "5", "Note": ""}]
    assert said["transactions"][0]["runId"].startswith(str(worked.step_run_id))
    page = await ben_user.get(f"{BASE}/gettasklogdata", botname=bot, limit=1, pageno=1)
    assert (page["pageNo"], page["count"], page["totalRecords"]) == ("1", "1", "2")
    by_path = await ben_user.get(f"{BASE}/gettasklogdata", botname=bot, repositorypath=log["repositoryPath"])
    assert by_path["repositoryPath"] == log["repositoryPath"]
    nameless = await ben_user.call("GET", f"{BASE}/gettasklogdata")
    assert (nameless.status_code, nameless.json()["code"]) == (400, "BOT_NOT_NAMED")
    elsewhere = await ben_user.call("GET", f"{BASE}/gettasklogdata", params={"repositorypath": "Bots\\Elsewhere"})
    assert elsewhere.status_code == 404
    unknown = await ben_user.call("GET", f"{BASE}/gettasklogdata", params={"botname": "Write"})
    assert unknown.status_code == 404


async def test_the_profile_of_variables(ben_user, bot):
    """Sums of numbers, how many differ, and in how many items they are missing."""
    profile = await ben_user.get(f"{BASE}/gettaskvariableprofile", botname=bot)
    told = {variable["variableName"]: variable for variable in profile["profileVariables"]}
    assert profile["botId"].startswith("PROD_")
    assert (profile["botName"], profile["totalRecords"], {*told}) == ("Read", "2", {"Customer", "Sum", "Note"})
    total = told["Sum"]
    assert (total["attributeType"], total["sumOfValue"], total["averageOfValues"]) == ("NUMERIC", 12, 6)
    assert (total["minimumValue"], total["maximumValue"], total["totalDistinct"]) == (5, 7, 2)
    assert (told["Note"]["totalNullRecords"], told["Customer"]["attributeType"]) == (2, "STRING")
    assert told["Customer"]["sumOfValue"] is None


async def test_deleted_values_are_told_no_more(ben_user, enrol, root, bot, worked):
    """By transaction, then all; the run keeps its outputs. Who operates one workspace may not."""
    log = await ben_user.get(f"{BASE}/gettasklogdata", botname=bot)
    path = {"botName": bot, "repositoryPath": log["repositoryPath"]}
    first = log["list"][0]["transactions"][0]
    refused = await ben_user.call("DELETE", f"{BASE}/deletetasklogdata", json=path)
    one = await root.call(
        "DELETE", f"{BASE}/deletetasklogdata", json={**path, "transactionId": first["transactionId"], "environment": ""}
    )
    left = await ben_user.get(f"{BASE}/gettasklogdata", botname=bot)
    rest = await root.call("DELETE", f"{BASE}/deletetasklogdata", json=path)
    wrong = await root.call("DELETE", f"{BASE}/deletetasklogdata", json={**path, "transactionId": "x"})

    assert refused.status_code == 403
    assert one.json() == {**path, "deleteCount": 1}
    assert left["totalRecords"] == "1"
    assert (rest.json()["deleteCount"], wrong.json()["deleteCount"]) == (1, 0)
    assert (await ben_user.get(f"{BASE}/gettasklogdata", botname=bot))["list"] == []


async def test_who_reads_no_runs_is_told_nothing(nobody, worked):
    """They lack a permission, which is named."""
    for path in ("getbotrundata", "getaudittraildata", "gettasklogdata", "gettaskvariableprofile"):
        answer = await nobody.call("GET", f"{BASE}/{path}", params={"botname": "Read"})
        assert (answer.status_code, "botinsight" in answer.json()["message"]) == (403, True)


@pytest.mark.parametrize("wrong", ["-1", "x", "1.5"])
def test_pages_are_numbers(wrong):
    """Anything else is refused; nothing said is the first page of a thousand."""
    with pytest.raises(Invalid):
        page_of(wrong, "")
    with pytest.raises(Invalid):
        which_of(f"soon {wrong}", "")
    assert page_of("", "") == (0, 0, 1000)
    assert page_of("3", "50") == (3, 150, 50)
