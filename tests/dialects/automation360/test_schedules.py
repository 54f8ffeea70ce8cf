"""The scheduler, v2 and v1, over one list."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.dialects.automation360.schedule_times import ScheduleType, Times, timing_of, told
from controlroom.engine.schedules.model import Cron, Interval, Timing
from controlroom.engine.schedules.rules import occurrences
from delivering import until

V1, V2 = "/v1/schedule/automations", "/v2/schedule/automations"
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
DAILY = {
    "status": "ACTIVE",
    "scheduleType": "DAILY",
    "dailyRecurrence": {"interval": "2"},
    "timeZone": "Asia/Calcutta",
    "startDate": TOMORROW,
    "endDate": None,
    "startTime": "09:30",
    "repeatEnabled": True,
    "repeatOccurrence": {"runEvery": 20, "timeUnit": "MINUTES", "endTime": "18:00"},
    "misfireScheduleConfig": True,
    "scheduleResiliency": {"recording": {"maxRecordingsForSchedule": 3}},
}


@pytest.fixture
async def bot(room, root, walt, process, workspace) -> int:
    """The number of a task that was pushed; root may be run as, and walt is their default worker."""
    mine = {"worker": walt.actor.worker_id, "id": root.actor.id}
    await room.engine.database.execute("update app_user set default_worker_id = %(worker)s where id = %(id)s", **mine)
    return await room.engine.database.value(
        "select task.number from task join package on package.id = package_id where workspace_id = %(workspace)s",
        workspace=workspace,
    )


def planned(bot: int, user: int, unattended: str = "UnattendedRequest", **schedule) -> dict:
    """A request of v2."""
    request = {"runAsUserIds": [str(user)], "deviceUsageType": "RUN_ONLY_ON_DEFAULT_DEVICE"}
    return {
        "schedule": {**DAILY, **schedule},
        "deployment": {
            "botId": str(bot),
            "automationName": "Nightly",
            "botInput": {"Name": {"type": "STRING", "string": "Ada"}},
            "automationPriority": "PRIORITY_HIGH",
            unattended: request,
        },
    }


@pytest.mark.parametrize("unattended", ["UnattendedRequest", "unattendedRequest", "UnAttendedRequest"])
async def test_a_schedule_of_v2_comes_back_as_it_was_said(root, bot, unattended):
    """With a capital D in the answer, the zone's old name, and what has no effect here."""
    made = await root.post(V2, planned(bot, root.number, unattended))

    told, started = made["schedulerResponse"], made["scheduleDeploymentResponse"]
    assert told["DailyRecurrence"] == {"interval": 2}
    assert (told["timeZone"], told["startDate"], told["startTime"]) == ("Asia/Calcutta", TOMORROW, "09:30")
    assert told["repeatOccurrence"] == {"runEvery": 20, "timeUnit": "MINUTES", "endTime": "18:00"}
    assert told["zonedNextRunDateTime"].startswith(f"{TOMORROW}T04:00:00")
    assert told["scheduleResiliency"] == {"recording": {"maxRecordingsForSchedule": 3}}
    assert (told["endDate"], told["misfireScheduleConfig"], told["ownedBy"]) == (None, True, root.number)
    assert (made["taskType"], started["fileId"], started["activityName"]) == ("TASK_BOT", str(bot), "Nightly")
    assert started["filePath"].startswith("Automation Anywhere\\Bots\\")
    assert started["fileInput"] == {"Name": {"type": "STRING", "string": "Ada"}}
    assert started["UnattendedRequest"]["runAsUserIds"] == [root.number]
    assert (made["createdBy"], isinstance(made["id"], int)) == (str(root.number), True)
    await root.delete(f"{V2}/{made['id']}")


async def test_both_versions_tell_one_list_and_the_older_one_says_that_it_ends(root, bot):
    """A schedule made by either is changed and deleted by either."""
    flat = {**DAILY, "name": "Old", "fileId": bot, "runAsUserIds": [root.number], "scheduleType": "WEEKLY"}
    flat["weeklyRecurrence"] = {"interval": 1, "daysOfWeek": ["MON", "fri"]}
    answer = await root.call("POST", V1, json=flat)
    old = answer.json()
    new = await root.post(V2, planned(bot, root.number))

    assert answer.headers["sunset"] == "Mon, 31 Jan 2028 00:00:00 GMT"
    assert answer.headers["deprecation"] == "true"
    assert (old["weeklyRecurrence"]["daysOfWeek"], old["poolId"]) == (["MON", "FRI"], [])
    assert isinstance(old["tenantId"], int)
    for path in (V1, V2):
        rows = await root.rows(f"{path}/list", "fileId", bot)
        assert [row["id"] for row in rows] == [new["id"], old["id"]]
    [row] = await root.rows(f"{V2}/list", "activityName", "Old")
    assert (row["scheduleType"], row["ownedBy"], row["runAsUserIds"]) == ("WEEKLY", root.number, [root.number])

    changed = await root.put(f"{V2}/{old['id']}", planned(bot, root.number, scheduleType="NONE", repeatEnabled=False))
    assert changed["schedulerResponse"]["scheduleType"] == "NONE"
    for one in (old, new):
        await root.delete(f"{V1}/{one['id']}")
    assert (await root.call("DELETE", f"{V2}/{old['id']}")).status_code == 404
    assert (await root.call("PUT", f"{V2}/none", json=planned(bot, root.number))).status_code == 404


async def test_schedules_are_put_to_work_and_to_rest_by_one_or_by_many(room, root, bot):
    """A draft, then active, with an error, then at rest; of an array with an unknown id nothing happens."""
    made = [await root.post(V2, planned(bot, root.number, status="DRAFT")) for _ in range(2)]
    ids = [one["id"] for one in made]
    assert {one["schedulerResponse"]["status"] for one in made} == {"DRAFT"}

    async def statuses() -> list[str]:
        rows = await root.rows(f"{V2}/list", "fileId", bot, sort=[{"field": "id", "direction": "ASC"}])
        return [row["status"] for row in rows]

    assert (await root.call("PUT", f"{V2}/activate", json=[*ids, 1])).status_code == 404
    assert await statuses() == ["DRAFT", "DRAFT"]
    assert (await root.call("PUT", f"{V2}/activate", json=ids)).content == b""
    assert await statuses() == ["ACTIVE", "ACTIVE"]
    await room.engine.database.execute(
        "update app_user set default_worker_id = null where id = %(id)s", id=root.actor.id
    )
    assert await statuses() == ["ACTIVE_WITH_ERROR", "ACTIVE_WITH_ERROR"]
    await root.put(f"{V2}/deactivate/{ids[0]}")
    assert (await statuses())[0] == "INACTIVE"
    await root.put(f"{V2}/deactivate", ids)
    assert await statuses() == ["INACTIVE", "INACTIVE"]
    for each in ids:
        await root.delete(f"{V2}/{each}")


async def test_an_execution_tells_by_which_schedule_it_was_begun(root, bot):
    """`automationId` (§2.25), by which executions are found, too; of others it is empty."""
    made = await root.post(V2, planned(bot, root.number, scheduleType="INSTANT", repeatEnabled=False, startDate=None))

    async def begun():
        return await root.rows("/v3/activity/list", "automationId", str(made["id"]))

    await until(begun)
    [execution] = await begun()
    assert (execution["automationId"], execution["automationName"]) == (str(made["id"]), "Nightly")
    by_hand = await root.post("/v3/automations/deploy", {"fileId": bot, "runAsUserIds": root.number})
    [other] = await root.rows("/v3/activity/list", "deploymentId", by_hand["deploymentId"])
    assert other["automationId"] == ""
    assert other["id"] in {row["id"] for row in await root.rows("/v3/activity/list", "automationId", "")}
    await root.delete(f"{V2}/{made['id']}")


async def test_a_schedule_goes_over_to_another_owner(root, ben_user, nobody, bot):
    """Who has a place there; nobody else."""
    made = await root.post(V2, planned(bot, root.number))
    request = {"scheduleIds": [str(made["id"])], "userId": ben_user.number, "taskType": "TASK_BOT"}

    assert (await root.call("PUT", f"{V2}/changeOwner", json={**request, "userId": nobody.number})).status_code == 404
    assert (await root.call("PUT", f"{V2}/changeOwner", json=request)).content == b""
    [row] = await root.rows(f"{V2}/list", "ownedBy", ben_user.number)
    assert row["id"] == made["id"]
    await root.delete(f"{V2}/{made['id']}")


async def test_what_cannot_be_planned_is_refused(root, nobody, bot):
    """A day that is past, nobody to run as, an attended device, no such zone; and who may not is told so."""
    for request in (
        planned(bot, root.number, scheduleType="NONE", startDate="2020-01-01"),
        planned(bot, root.number, timeZone="Nowhere/At All"),
        planned(bot, root.number, startTime="25:99"),
        planned(bot, root.number, status="DELETED"),
        planned(bot, root.number, startDate="0001-01-01"),
        planned(bot, root.number, startDate="9999-12-31", timeZone="America/New_York"),
        {**planned(bot, root.number), "deployment": {"botId": bot}},
    ):
        answer = await root.call("POST", V2, json=request)
        assert answer.status_code == 400, answer.text
    attended = {**planned(bot, root.number), "deployment": {"botId": bot, "attendedRequest": {"deploymentDeviceId": 1}}}
    assert (await root.call("POST", V2, json=attended)).status_code == 501
    assert (await root.call("POST", V2, json=planned(999_999_999, root.number))).status_code == 404
    refused = await nobody.call("POST", V2, json=planned(bot, root.number))
    assert (refused.status_code, "addschedule" in refused.json()["message"]) == (403, True)


# ---------------------------------------------------------------------------------------------------- times
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)

_days = st.lists(st.sampled_from(["MON", "WED", "SUN"]), min_size=1, unique=True)
_asked = st.fixed_dictionaries(
    {
        "schedule_type": st.sampled_from([kind for kind in ScheduleType if kind is not ScheduleType.INSTANT]),
        "time_zone": st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo"]),
        "start_date": st.dates(NOW.date(), NOW.date() + timedelta(days=400)).map(lambda day: day.isoformat()),
        "start_time": st.times().map(lambda at: f"{at:%H:%M}"),
    }
)


@given(_asked)
def test_what_is_told_asked_again_is_due_at_the_same_times(asked):
    """So that who reads a schedule and writes it back has not changed it."""
    timing = timing_of(Times(**asked), NOW)
    said = told(timing)
    names = Times.__struct_fields__
    again = timing_of(Times(**{name: value for name in names if (value := getattr(said, name, None))}), NOW)

    assert occurrences(again, NOW, 5) == occurrences(timing, NOW, 5)


def test_at_once_is_due_in_a_moment():
    """INSTANT has one time, right after now."""
    timing = timing_of(Times(schedule_type=ScheduleType.INSTANT, time_zone="Europe/Berlin"), NOW)
    assert occurrences(timing, NOW, 9) == [NOW + timedelta(seconds=1)]


@pytest.mark.parametrize(
    ("rule", "kind"), [(Interval(600), "DAILY"), (Interval(200_000), "DAILY"), (Cron("1 2 * * *"), "NONE")]
)
def test_rules_of_other_grammars_are_told_as_near_as_can_be(rule, kind):
    """An interval as one that repeats within the day; what cannot be said at all as NONE."""
    assert told(Timing(rule=rule, zone="UTC", starts_at=NOW)).schedule_type == kind
