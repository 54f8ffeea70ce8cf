"""What a row of a list tells of itself it is found by, in every list: as equal, and neither as less nor as more."""

from collections.abc import Iterator
from typing import Any

import pytest

from controlroom.engine.access.model import Role
from controlroom.protocol import ErrorCode
from dialects.automation360.test_queues import a_bot, a_queue, row

LISTS = (
    "/v3/activity/list",
    "/v1/activity/history/list",
    "/v1/audit/messages/list",
    "/v1/devices/runasusers/list",
    "/v1/schedule/automations/list",
    "/v2/schedule/automations/list",
    "/v1/triggers/triggermapping/list",
    "/v2/usermanagement/roles/list",
    "/v1/usermanagement/users/list",
    "/v2/usermanagement/users/list",
    "/v2/credentialvault/credentials/list",
    "/v2/credentialvault/lockers/list",
    "/v2/devices/list",
    "/v2/devices/pools/list",
    "/v2/repository/file/list",
    "/v2/repository/workspaces/public/files/list",
    "/v2/repository/workspaces/private/files/list",
    "/v2/license/product/list",
    "/aari/v2/automations/list",
    "/v3/wlm/workitemmodels/list",
    "/v3/wlm/queues/list",
    "/v3/wlm/queues/{queue}/workitems/list",
    "/v3/wlm/automations/list",
    "/orchestrator/v1/hotbot/config",
)
SORTED = ("/v3/activity/list", "/v2/usermanagement/roles/list", "/v2/schedule/automations/list")
NO_FILTER = {"codeAnalysisResult"}
"""Found by readers of code, of the rows of a page."""
ROWS = 2
MOST = 40


@pytest.fixture
async def queue(room, root, walt, ada, process, workspace, enrol) -> int:
    """A room with something in every list; the number of its queue."""
    bot = await a_bot(room, process)
    [device] = await root.rows("/v2/devices/list", "hostName", "walt", page={"length": 1})
    dora = await enrol("dora", role=Role.OWNER, workspace=workspace)
    for user in (root, dora):
        default = {"deviceId": int(device["id"]), "userId": user.number}
        await root.post("/v1/devices/runasusers/default", default)
    await _of_people(root)
    queue = await _of_queues(root, bot, int(device["id"]))
    await _of_bots(root, bot)
    step = (await ada.get(f"/processes/{process}"))["steps"][0]["task"]
    steps = [{"name": "Book", "task": {"name": step["name"], "package_id": step["package_id"]}}]
    await ada.post("/processes", {"name": "Told", "steps": steps})
    for user in (root, dora, dora):  # one that fails at a line, one that works, one that waits
        await root.post("/v3/automations/deploy", {"fileId": bot, "runAsUserIds": [user.number]})
        if user is root:
            await walt.finish(await walt.take(), ErrorCode.ROBOT_FAILED, 'File "x.py", line 12, in read: no sum')
    await walt.take()
    return queue


async def _of_people(root) -> None:
    role = await root.post("/v2/usermanagement/roles", {"name": "Told", "userIds": [root.number]}, status=201)
    user = {
        "username": "told",
        "domain": "ACME",
        "email": "t@acme.org",
        "enableAutoLogin": True,
        "roleIds": [role["id"]],
    }
    await root.post("/v2/usermanagement/users", user | {"roleIds": [role["id"]]}, status=201)
    locker = await root.post("/v2/credentialvault/lockers", {"name": "Told"}, status=201)
    body = {"name": "told", "attributes": [{"name": "word"}]}
    credential = await root.post("/v2/credentialvault/credentials", body, status=201)
    path = f"/v2/credentialvault/lockers/{locker['id']}/credentials/{credential['id']}"
    assert (await root.call("PUT", path)).status_code == 204


async def _of_queues(root, bot: int, device: int) -> int:
    queue = await a_queue(root, "Told", reactivationThreshold=2, manualProcessingTimeUnit="HOURS", autoRetryLimit=1)
    await root.post("/v3/wlm/queues", {"name": "Told draft"}, status=201)
    items = f"/v3/wlm/queues/{queue['id']}/workitems"
    made = (await root.post(items, {"workItems": [row("A"), row("B"), row("C", "lots")]}))["list"]
    held = {"status": "ON_HOLD", "ids": [made[0]["id"]], "deferredUntil": "2099-01-01T00:00:00Z"}
    await root.post(f"{items}/updateStatus", held)
    pool = await root.post("/v2/devices/pools", {"name": "Told", "deviceIds": [device]})
    wanted = {"name": "Told", "fileId": bot, "queueId": queue["id"], "poolId": int(pool["id"]), "zoneId": "UTC"}
    wanted |= {"runAsUserIds": [root.number], "status": "PAUSE", "rdpEnabled": True, "priority": "PRIORITY_HIGH"}
    await root.post("/v3/wlm/automations", wanted)
    return int(queue["id"])


async def _of_bots(root, bot: int) -> None:
    daily = {"status": "ACTIVE", "scheduleType": "DAILY", "timeZone": "Asia/Calcutta", "startDate": "2098-01-31",
             "endDate": "2099-01-31", "startTime": "02:30", "repeatEnabled": True,
             "repeatOccurrence": {"runEvery": 2, "timeUnit": "HOURS"}, "misfireScheduleConfig": True}  # fmt: skip
    runs = {"runAsUserIds": [root.number], "deviceUsageType": "RUN_ONLY_ON_DEFAULT_DEVICE"}
    of_bot = {"botId": bot, "runElevated": True, "UnattendedRequest": runs}
    await root.post("/v2/schedule/automations", {"schedule": daily, "deployment": of_bot})
    once = {"fileId": bot, "status": "DRAFT", "scheduleType": "NONE", "startDate": "2098-01-31", "startTime": "23:59",
            "timeZone": "America/New_York"}  # fmt: skip
    await root.post("/v1/schedule/automations", once)
    mapping = {"botFileId": bot, "users": {"userIds": [root.number]}}
    await root.post("/v1/triggers/triggermapping", mapping, status=201)
    await root.put("/orchestrator/v1/hotbot/config/create", {"fileId": str(bot), "runAsUserOrNone": root.number})
    [private] = await root.rows("/v2/repository/workspaces/private/files/list", page={"length": 1})
    await root.post(f"/v2/repository/folders/{private['id']}", {"folderName": "told"})


async def test_a_row_is_found_by_what_it_tells_and_stands_in_its_order(root, queue):
    """By all of its fields as they are told, and not by others; rows that tell the same stand together."""
    wrong: list[Any] = []
    for path in (each.format(queue=queue) for each in LISTS):
        rows = await _rows(root, path, page={"length": ROWS})
        assert rows, f"{path} has nothing to tell"
        for each in rows:
            wrong += [(path, why) for why in await _not_found(root, path, each)]
    for path in SORTED:
        wrong += [(path, field) for field in await _torn(root, path)]

    assert wrong == []


async def _not_found(root, path: str, told: dict[str, Any]) -> list[Any]:
    """The conditions by which a row is not found, or is and should not be; none of them if all is well."""
    alike, other = list(_conditions(told, "eq", "ge", "le")), list(_conditions(told, "ne", "gt", "lt"))
    if await _is_found(root, path, told, "and", alike) and not await _is_found(root, path, told, "or", other):
        return []
    found = [leaf for leaf in alike if not await _is_found(root, path, told, "and", [leaf])]
    found += [leaf for leaf in other if await _is_found(root, path, told, "or", [leaf])]
    key = "id" if "id" in told else "fileId"
    [now] = [each for each in await _rows(root, path, page={"length": 10_000}) if each[key] == told[key]]
    return found if now == told else await _not_found(root, path, now)  # a device has fallen silent meanwhile


def _conditions(told: dict[str, Any], equal: str, *ordered: str) -> Iterator[dict[str, Any]]:
    for field, value in told.items():
        if field in NO_FILTER or isinstance(value, (list, dict)) or field.endswith("Recurrence"):
            continue
        has_order = not isinstance(value, bool) and value not in ("", None)
        for operator in (equal, *(ordered if has_order else ())):
            yield {"operator": operator, "field": field, "value": value}


async def _is_found(root, path: str, told: dict[str, Any], operator: str, operands: list[Any]) -> bool:
    """Whether the row is among those of the conditions, some dozens of which are asked at once."""
    key = "id" if "id" in told else "fileId"
    found = []
    for at in range(0, len(operands), MOST):
        body = {"filter": {"operator": operator, "operands": operands[at : at + MOST]}, "page": {"length": 10_000}}
        found.append(told[key] in [each[key] for each in await _rows(root, path, **body)])
    return all(found) if operator == "and" else any(found)


async def _rows(root, path: str, **body: Any) -> list[dict[str, Any]]:
    told = await root.post(path, body)
    rows: list[dict[str, Any]] = told["list"] if "list" in told else told["page"]["list"]
    return rows


async def _torn(root, path: str) -> list[str]:
    """The fields by which a list is sorted so that rows that tell the same do not stand together."""
    torn = []
    [first, *_] = await _rows(root, path, page={"length": 1})
    for field, value in first.items():
        if isinstance(value, (list, dict)) or field.endswith("Recurrence"):
            continue
        asked = {"sort": [{"field": field, "direction": "desc"}], "page": {"length": 200}}
        answer = await root.call("POST", path, json=asked)
        if answer.status_code == 400:
            assert "sort" in answer.json()["message"], (path, field)
            continue
        told = [each[field] for each in answer.json()["list"]]
        groups = [one for one, before in zip(told, [object(), *told], strict=False) if one != before]
        if len(groups) != len(set(groups)):
            torn.append(field)
    return torn
