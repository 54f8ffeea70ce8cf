"""ACC Automations API v1: the key figures agree with the runs that a test has made."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.dialects.automation360.acc_csv import csv_answer
from controlroom.dialects.automation360.acc_groups import holds
from controlroom.dialects.automation360.answers import Shape
from controlroom.engine.lists.model import AllOf, AnyOf, Compare, Contains, Not, OneOf, Operator, Unset
from controlroom.protocol import ErrorCode

BASE = "/v1/acc/automation"
DAY = {"timeRange": {"type": "LAST24HOURS"}}


@pytest.fixture
async def worked(ada, process, walt):
    """Two runs of the bot `Read` that complete, one that fails, and one that goes on."""
    for error in (None, ErrorCode.ROBOT_FAILED, None, "running"):
        await ada.post(f"/processes/{process}/process-runs", {})
        assignment = await walt.take()
        if error != "running":
            await walt.finish(assignment, error)
    return assignment


async def bot_of(caller) -> dict:
    """The only bot that has run."""
    [metric] = (await caller.post(f"{BASE}/mostrunning", DAY))["metrics"]
    return metric


async def test_counts_are_those_of_the_runs(ben_user, worked):
    """As text: what runs, has completed and has failed; and each bot by how often it ran."""
    told = (await ben_user.post(f"{BASE}/overview", DAY))["data"]
    assert {entry["field"]: entry["value"] for entry in told} == {
        "RUNNING": "1",
        "COMPLETED": "2",
        "FAILED": "1",
        "SCHEDULED": "0",
    }
    bot = await bot_of(ben_user)
    assert (bot["name"], bot["count"]) == ("Read", {"successful": "2", "failed": "1"})
    assert bot["path"].startswith("Automation Anywhere\\Bots\\")
    assert bot["path"].endswith("\\robot\\Read")
    [failed] = (await ben_user.post(f"{BASE}/mostfailed", DAY))["metrics"]
    assert (failed["botId"], failed["failures"]) == (bot["botId"], {"count": "1", "lastFailedReason": "it broke"})


async def test_durations_agree_with_the_activities(ben_user, worked):
    """By the hour, in all, the longest, and told apart by a field: the same milliseconds."""
    history = (await ben_user.post(f"{BASE}/runhistory/PUBLIC", DAY))["list"]
    took = {
        run["id"]: round(
            (datetime.fromisoformat(run["endDateTime"]) - datetime.fromisoformat(run["startDateTime"]))
            / timedelta(milliseconds=1)
        )
        for run in history
        if run["endDateTime"]
    }
    total = (await ben_user.post(f"{BASE}/runduration/total", DAY))["totalRunTime"]
    by_hour = await ben_user.post(f"{BASE}/runduration", DAY)
    by_day = await ben_user.post(f"{BASE}/runduration", {"timeRange": {"type": "LAST7DAYS"}})
    [longest] = (await ben_user.post(f"{BASE}/longestrunning", DAY))["metrics"]
    [group] = (await ben_user.post(f"{BASE}/deviceName/runduration", DAY))["groupBy"]

    assert len(took) == 3
    assert abs(total - sum(took.values())) <= 6  # times are told in milliseconds
    assert sum(entry["value"] for entry in by_hour["data"]) == total
    assert (by_hour["timeUnit"], len(by_hour["data"])) == ("HOURS", 25)
    assert (by_day["timeUnit"], sum(entry["value"] for entry in by_day["data"])) == ("DAYS", total)
    run = longest["longestBotRun"]
    assert run["id"] in took
    assert abs(int(run["runDurationMillisec"]) - max(took.values())) <= 2
    assert (run["deviceName"], group["fieldName"]) == ("walt", "walt")
    assert (group["runDurationMilliseconds"], group["percentageValue"]) == (str(total), 100.0 if total else 0.0)


async def test_runs_are_listed_as_they_ended(ben_user, worked):
    """Completed, failed with the reason, running; each by the id that activities have."""
    bot = await bot_of(ben_user)
    completed = (await ben_user.post(f"{BASE}/bot/completed", {**DAY, "size": 10}))["list"]
    [failed] = (await ben_user.post(f"{BASE}/bot/failed", {**DAY, "size": 10}))["list"]
    [failure] = (await ben_user.post(f"{BASE}/failures", {**DAY, "botId": bot["botId"], "size": 10}))["runs"]
    running = await ben_user.post(f"{BASE}/botexecution/list", {"page": {"offset": 0, "length": 10}})
    none = (await ben_user.post(f"{BASE}/failures", {**DAY, "botId": 1}))["runs"]

    assert [run["botId"] for run in completed] == [bot["botId"]] * 2
    assert (failed["id"], failed["failureReason"]) == (failure["id"], failure["errorMessage"])
    assert (failure["errorMessage"], failure["from"] <= failure["to"], none) == ("it broke", True, [])
    [row] = running["list"]
    assert (running["page"], row["botId"], row["deviceName"]) == (
        {"offset": 0, "total": 1, "totalFilter": 1},
        *(bot["botId"], "walt"),
    )
    assert row["id"].startswith(str(worked.step_run_id))


async def test_a_size_is_kept(ben_user, worked):
    """From 1 to 1000 rows; anything else is refused."""
    one = await ben_user.call("POST", f"{BASE}/bot/completed", json={**DAY, "size": 1})
    assert len(one.json()["list"]) == 1
    for wrong in (0, 1001, -1):
        answer = await ben_user.call("POST", f"{BASE}/mostrunning/PUBLIC", json={**DAY, "size": wrong})
        assert answer.status_code == 400


async def test_ranges_are_exact(ben_user, worked):
    """From a moment to another, within one hour too; one that is long is cut, a broken one is refused."""
    now = datetime.now(UTC)

    async def count(since, until) -> int:
        custom = {"type": "CUSTOM", "from": since.isoformat(), "to": until.isoformat()}
        told = (await ben_user.post(f"{BASE}/overview/PUBLIC", {"timeRange": custom}))["data"]
        return int(told[1]["value"]) + int(told[2]["value"])

    assert await count(now - timedelta(minutes=5), now + timedelta(minutes=5)) == 3
    assert await count(now + timedelta(minutes=5), now + timedelta(minutes=6)) == 0
    assert await count(now - timedelta(minutes=9), now - timedelta(minutes=5)) == 0
    assert await count(now - timedelta(days=3000), now + timedelta(days=1)) == 3
    for wrong in ({"type": "CUSTOM"}, {"type": "CUSTOM", "from": "soon"}, {"type": "EVER"}):
        answer = await ben_user.call("POST", f"{BASE}/overview", json={"timeRange": wrong})
        assert answer.status_code == 400


async def test_a_private_workspace_has_run_nothing(ben_user, worked):
    """Its bots are never deployed; and `export` is no workspace (§7.19)."""
    assert (await ben_user.post(f"{BASE}/overview/private", DAY))["data"][1]["value"] == "0"
    assert (await ben_user.post(f"{BASE}/mostrunning/PRIVATE", DAY))["metrics"] == []
    assert (await ben_user.post(f"{BASE}/runhistory/PRIVATE", DAY))["list"] == []
    exported = await ben_user.call("POST", f"{BASE}/mostrunning/export", json={**DAY, "fileName": "bots"})
    assert exported.headers["content-type"].startswith("text/csv")
    unknown = await ben_user.call("POST", f"{BASE}/mostrunning/elsewhere", json=DAY)
    assert unknown.status_code in {400, 404}


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("mostrunning", 1),
        ("mostrunning/PUBLIC", 1),
        ("mostrunning/PRIVATE", 0),
        ("longestrunning", 1),
        ("mostfailed", 1),
        ("runhistory", 4),
        ("runhistory/PUBLIC", 4),
        ("runhistory/PRIVATE", 0),
        ("userName/runduration/list", 1),
    ],
)
async def test_exports_have_a_column_for_each_field(ben_user, worked, path, rows):
    """With a header, and the name that was asked for."""
    answer = await ben_user.call("POST", f"{BASE}/{path}/export", json={**DAY, "fileName": "all bots"})
    found = list(csv.DictReader(io.StringIO(answer.text)))
    assert (answer.status_code, len(found)) == (200, rows)
    assert answer.headers["content-disposition"] == 'attachment; filename="all bots.csv"'
    for row in found:
        assert all(row.get(column) for column in ("id",))


async def test_groups(ben_user, worked):
    """By status, cause, user, licence and bot; their list is filtered by the field and by the rows' own."""
    by_status = await ben_user.post(f"{BASE}/executionStatus/runduration", DAY)
    assert {group["fieldName"] for group in by_status["groupBy"]} == {"COMPLETED", "RUN_FAILED"}
    for field, value in (("executionType", "API"), ("licenseType", "RUNTIME"), ("automationName", "Read")):
        [group] = (await ben_user.post(f"{BASE}/{field}/runduration", DAY))["groupBy"]
        assert group["fieldName"] == value
    path, bot = f"{BASE}/executionStatus/runduration/list", await bot_of(ben_user)

    async def listed(**search):
        return await ben_user.post(path, {**DAY, **search})

    everything = await listed(filter=None, sort=None, page=None)
    failed = await listed(filter={"operator": "eq", "field": "executionStatus", "value": "RUN_FAILED"})
    none = await listed(filter={"operator": "substring", "field": "automationName", "value": "zzz"})
    [row] = everything["list"]
    assert (row["fieldId"], row["automationName"], row["folderPath"]) == (bot["botId"], "Read", bot["path"])
    assert int(failed["list"][0]["runDurationMilliseconds"]) <= int(row["runDurationMilliseconds"])
    assert (none["list"], none["page"]) == ([], {"offset": 0, "total": 1, "totalFilter": 0})
    sorted_ = await listed(sort=[{"field": "runDurationMilliseconds", "direction": "ASC"}], page={"offset": 1})
    assert sorted_["list"] == []
    wrong = await ben_user.call("POST", path, json={**DAY, "filter": {"operator": "eq", "field": "x", "value": "1"}})
    assert wrong.status_code == 400


async def test_about_a_bot(ben_user, worked):
    """Its version, and how it ended last; by GET and by POST; what is no bot is unknown."""
    bot = await bot_of(ben_user)
    about = await ben_user.get(f"{BASE}/{bot['botId']}/about")
    again = await ben_user.post(f"{BASE}/about/PUBLIC", {"id": bot["botId"], "userId": "1"})
    assert about == again
    assert (about["botId"], about["botName"], about["version"]) == (int(bot["botId"]), "Read", "1")
    assert (about["lastSuccessfulRun"]["status"], about["lastFailedRun"]["status"]) == ("COMPLETED", "RUN_FAILED")
    for unknown in ("999999999999", "x"):
        assert (await ben_user.call("GET", f"{BASE}/{unknown}/about")).status_code == 404
    assert (await ben_user.call("POST", f"{BASE}/about/PRIVATE", json={"id": bot["botId"]})).status_code == 404


async def test_who_reads_no_runs_sees_no_figures(nobody, enrol, worked, cleo):
    """They are told which permission they lack; an operator elsewhere sees their own workspace's."""
    answer = await nobody.call("POST", f"{BASE}/overview", json=DAY)
    assert answer.status_code == 403
    assert "everyoneschedule" in answer.json()["message"]
    from controlroom.engine.access.model import Role  # noqa: PLC0415 - of this test alone

    elsewhere = await enrol("cleo", role=Role.OPERATOR, workspace=cleo.workspace)
    assert (await elsewhere.post(f"{BASE}/mostrunning", DAY))["metrics"] == []
    assert (await elsewhere.post(f"{BASE}/runhistory/PUBLIC", DAY))["list"] == []


async def test_sloppy_bodies_are_taken(ben_user, worked):
    """No body, null, and an empty one mean the last day."""
    for body in (None, {}, {"timeRange": None}, {"timerange": {"type": "last24hours"}, "odd": 1}):
        assert len((await ben_user.post(f"{BASE}/mostrunning", body))["metrics"]) == 1


# ---------------------------------------------------------------------------------------------------- pure
class _Row(Shape, frozen=True):
    name: str


def test_a_cell_is_no_formula():
    """What spreadsheets would calculate is told as text."""
    text = csv_answer(("name",), [_Row("=1+1"), _Row("a,b"), _Row("-x")], "../../etc\r\nX: y", "usual").content.decode()
    assert list(csv.reader(io.StringIO(text))) == [["name"], ["'=1+1"], ["a,b"], ["'-x"]]


_ROW = {"name": "Read", "took": 5}
_LEAVES = st.one_of(
    st.builds(Compare, st.just("took"), st.sampled_from(Operator), st.integers(3, 7)),
    st.builds(Compare, st.just("name"), st.sampled_from(Operator), st.sampled_from(["Read", "Write"])),
    st.builds(Contains, st.just("name"), st.sampled_from(["EA", "x"])),
    st.builds(OneOf, st.just("took"), st.tuples(st.integers(4, 6))),
    st.builds(Unset, st.just("name")),
)


@given(_LEAVES, _LEAVES)
def test_filters_of_sums_are_two_valued(one, other):
    """Not is the opposite; all and any are what they say."""
    assert holds(Not(one), _ROW) is not holds(one, _ROW)
    assert holds(AllOf((one, other)), _ROW) == (holds(one, _ROW) and holds(other, _ROW))
    assert holds(AnyOf((one, other)), _ROW) == (holds(one, _ROW) or holds(other, _ROW))
