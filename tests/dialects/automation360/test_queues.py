"""WLM v3 and v4: item models, queues, items and automations."""

import asyncio

import pytest

from controlroom.dialects.automation360 import queue_items
from controlroom.dialects.automation360.lists import Search, asked_of
from controlroom.dialects.automation360.queue_items import STATUSES, standing_of
from controlroom.engine.access.model import Role
from controlroom.engine.lists.model import Sort
from controlroom.engine.packages.actions import push
from controlroom.engine.queues.model import ItemStanding
from controlroom.engine.workspaces.actions import create as create_workspace
from controlroom.ids import uuid7
from live import robot_zip

V3, V4 = "/v3/wlm", "/v4/wlm"
ATTRIBUTES = [
    {"name": "Invoice", "type": "TEXT"},
    {"name": "Amount", "type": "NUMBER"},
    {"name": "Due", "type": "DATE"},
]
ITEM_KEYS = {
    *("id", "queueId", "automationId", "deviceId", "deviceUserId", "status", "startTime", "endTime"),
    *("col1", "col2", "col3", "json", "result", "comment", "error", "totalPausedTime", "deferredUntil"),
    *("jobExecutionId", "retryCount", "hashCode", "version", "createdBy", "createdOn", "updatedBy", "updatedOn"),
}
QUEUE_KEYS = {
    *("id", "createdBy", "createdOn", "updatedOn", "version", "name", "description", "reactivationThreshold"),
    *("status", "manualProcessingTime", "manualProcessingTimeUnit", "workItemProcessingOrders", "workItemModelId"),
    "considerReactivationThreshold",
}


async def a_model(caller, name: str, version: str = V3):
    return await caller.post(f"{version}/workitemmodels", {"name": name, "attributes": ATTRIBUTES})


async def a_queue(caller, name: str, **more):
    """A queue whose first two columns are shown."""
    model = await a_model(caller, name)
    columns = [each["id"] for each in model["attributes"][:2]]
    body = {"name": name, "workItemModelId": model["id"], "displayColumnIds": columns, **more}
    return await caller.post(f"{V3}/queues", body, status=201)


def row(invoice: str, amount: object = "1", due: str = "2026-11-29"):
    return {"json": {"Invoice": invoice, "Amount": amount, "Due": due}}


async def items(caller, queue, *rows):
    answer = await caller.post(f"{V3}/queues/{queue['id']}/workitems", {"workItems": list(rows)})
    return answer["list"]


async def listed(caller, queue, **body):
    return await caller.post(f"{V3}/queues/{queue['id']}/workitems/list", body)


async def a_bot(room, process) -> int:
    """The number of the first task of a process."""
    return await room.engine.database.value(
        "select task.number from step join task on task.id = step.task_id where process_id = %(process)s",
        process=process,
    )


def test_items_are_sorted_by_their_id_as_their_index_has_them():
    """Who reads a million of them page by page, the oldest first, has no page for which all of them are sorted."""
    asked, _ = asked_of(Search(sort=[{"field": "id", "direction": "asc"}]), queue_items._COLUMNS)
    assert asked.sort == (Sort("id"),)


async def test_items_go_through_a_queue(room, ben_user):
    """§7.13: a model, a queue, items; a list tells no json, one item does; a v4 PUT takes ids as text."""
    queue = await a_queue(ben_user, "Invoices")
    assert (queue["status"], queue["version"], type(queue["id"])) == ("NOT_IN_USE", 0, int)

    first, second = await items(ben_user, queue, row("A-1", "20.5"), {"Invoice": "A-2", "Amount": 3, "Due": ""})

    assert set(first) == ITEM_KEYS
    assert (first["status"], first["col1"], first["col2"], first["col3"]) == ("NEW", "A-1", "20.5", "")
    page = await listed(ben_user, queue)
    assert page["page"] == {"offset": 0, "total": 2, "totalFilter": 2}
    assert [each["id"] for each in page["list"]] == [first["id"], second["id"]]  # the oldest first
    assert all(set(each) == ITEM_KEYS and each["json"] == {} for each in page["list"])
    one = await ben_user.get(f"{V3}/queues/{queue['id']}/workitems/{first['id']}")
    assert one["json"] == {"Invoice": "A-1", "Amount": 20.5, "Due": "2026-11-29"}
    assert (one["hashCode"], type(one["hashCode"])) == (first["hashCode"], int)

    body = {"id": str(first["id"]), "queueId": str(queue["id"]), "version": str(one["version"]), "status": "ON_HOLD",
            "result": "ask", "json": {}}  # fmt: skip
    held = await ben_user.put(f"{V4}/queues/{queue['id']}/workitems/{first['id']}", body)
    assert (held["status"], held["result"], held["id"], held["startTime"]) == ("ON_HOLD", "ask", str(first["id"]), None)
    assert {"col10", "lastPausedTime", "tenantUuid"} <= set(held)
    assert all(not isinstance(value, int) for value in held.values())
    stale = await ben_user.call("PUT", f"{V4}/queues/{queue['id']}/workitems/{first['id']}", json=body)
    assert (stale.status_code, stale.json()["code"]) == (409, 409)

    await ben_user.post(
        f"{V3}/queues/{queue['id']}/workitems/updateStatus",
        {"status": "READY_TO_RUN", "ids": [first["id"], str(second["id"])], "deferredType": "INDEFINITELY",
         "deferredUntil": None},
    )  # fmt: skip
    done = {"status": "COMPLETED", "result": "by hand"}
    await ben_user.put(f"{V3}/queues/{queue['id']}/workitems/{first['id']}", done)
    by_status = {each["id"]: each["status"] for each in (await listed(ben_user, queue))["list"]}
    assert by_status == {first["id"]: "COMPLETED", second["id"]: "NEW"}
    again = await ben_user.call("PUT", f"{V3}/queues/{queue['id']}/workitems/{first['id']}", json={"status": "ON_HOLD"})
    assert again.status_code == 409  # complete: deleted only

    ids = {"workitemIds": [first["id"], second["id"]]}
    await ben_user.post(f"{V3}/queues/{queue['id']}/workitems/delete", ids)
    assert (await listed(ben_user, queue))["page"]["total"] == 0
    await ben_user.delete(f"{V3}/queues/{queue['id']}")
    await ben_user.delete(f"{V3}/workitemmodels/{queue['workItemModelId']}")


async def test_what_does_not_fit_is_refused_or_told(ben_user):
    """An array and a missing column are 400; a value of another type is DATA_ERROR until it is mended."""
    queue = await a_queue(ben_user, "Refusing")
    path = f"{V3}/queues/{queue['id']}/workitems"
    array = {"json": [{"name": "Invoice", "value": "A"}]}
    for wrong in (array, {"json": {"Invoice": "A"}}, {"json": 5}):
        answer = await ben_user.call("POST", path, json={"workItems": [row("B"), wrong]})
        assert answer.status_code == 400
        assert set(answer.json()) == {"code", "message", "details"}
    assert "missing in json" in (await ben_user.call("POST", path, json={"workItems": [array]})).json()["message"]

    [bad] = await items(ben_user, queue, row("C", "lots"))
    assert (bad["status"], bad["error"]) == ("DATA_ERROR", "Amount is no number")
    mended = await ben_user.put(f"{path}/{bad['id']}", row("C", "9") | {"status": "NEW"})
    assert (mended["status"], mended["error"], mended["col2"]) == ("NEW", "", "9")


async def test_lists_are_asked_as_clients_do(ben_user):
    """By status in the words of either document, by an id alone, sorted by columns and computedStatus."""
    queue = await a_queue(ben_user, "Listing")
    made = await items(ben_user, queue, *(row(each) for each in "CAB"))
    await ben_user.put(f"{V3}/queues/{queue['id']}/workitems/{made[1]['id']}", {"status": "COMPLETED"})

    async def found(**body):
        return [each["col1"] for each in (await listed(ben_user, queue, **body))["list"]]

    def where(field, value, operator="eq"):
        return {"operator": operator, "field": field, "value": value}

    assert await found(filter=where("status", "NEW")) == ["C", "B"]
    assert await found(filter=where("status", "SUCCESSFUL")) == ["A"]
    assert await found(filter=where("status", "ANY", "ne")) == ["C", "A", "B"]
    assert await found(filter=where("id", made[2]["id"])) == ["B"]
    assert await found(sort=[{"field": "col1", "direction": "DESC"}]) == ["C", "B", "A"]
    assert await found(sort={"field": "computedStatus", "direction": "asc"}) == ["A", "C", "B"]
    assert await found(page={"Offset": "5", "length": "10"}) == []
    unknown = await ben_user.call(
        "POST", f"{V3}/queues/{queue['id']}/workitems/list", json={"filter": where("colour", "red")}
    )
    assert unknown.status_code == 400
    [shown] = await ben_user.rows(f"{V3}/queues/list", "id", str(queue["id"]))
    assert set(shown) >= QUEUE_KEYS
    assert {each["id"] for each in await ben_user.rows(f"{V3}/workitemmodels/list", "name", "Listing")} == {
        queue["workItemModelId"]
    }


async def test_a_queue_is_changed_by_its_version(ben_user):
    """What is left out stays; an older version is 409; v4 tells it in texts, v3 is superseded."""
    draft = await ben_user.post(f"{V3}/queues", {"name": "Bills"}, status=201)
    assert (draft["status"], draft["workItemModelId"]) == ("DRAFT", 0)
    refused = await ben_user.call("POST", f"{V3}/queues/{draft['id']}/workitems", json={"workItems": [row("A")]})
    assert refused.status_code == 409
    model = await a_model(ben_user, "Bills", V4)
    amount = model["attributes"][1]["id"]
    queue = await ben_user.put(
        f"{V3}/queues/{draft['id']}",
        draft | {"workItemModelId": model["id"], "autoRetryLimit": 2, "disallowDuplicate": "true",
                 "manualProcessingTime": 5, "manualProcessingTimeUnit": "MINUTES", "displayColumnIds": [amount],
                 "workItemProcessingOrders": [{"columnId": amount, "priority": 1, "sortDirection": "DESC"}]},
    )  # fmt: skip
    assert (queue["status"], queue["version"], queue["autoRetryLimit"]) == ("NOT_IN_USE", 1, 2)
    stale = await ben_user.call("PUT", f"{V3}/queues/{draft['id']}", json=draft)
    assert stale.status_code == 409
    answer = await ben_user.call("GET", f"{V4}/queues/{draft['id']}")
    told = answer.json()
    assert "deprecation" not in answer.headers
    assert (told["id"], told["displayColumnIds"], told["expiry"]) == (str(queue["id"]), [amount], None)
    assert told["workItemProcessingOrders"][0]["sortDirection"] == "desc"
    assert told["manualProcessingTimeUnit"] == "MINUTES"
    old = await ben_user.call("GET", f"{V3}/queues/{draft['id']}")
    assert (old.headers["deprecation"], "successor-version" in old.headers["link"]) == ("true", True)
    await items(ben_user, queue, row("A"))
    twice = await ben_user.call("POST", f"{V3}/queues/{draft['id']}/workitems", json={"workItems": [row("A")]})
    assert twice.status_code == 409
    name_taken = await ben_user.call("POST", f"{V3}/queues", json={"name": "Bills"})
    assert name_taken.status_code == 409
    await ben_user.post(f"{V3}/queues/delete", [queue["id"]], status=204)
    assert (await ben_user.call("GET", f"{V3}/queues/{draft['id']}")).status_code == 404


async def test_consumers_see_participants_add_and_members_own(room, ben_user, nobody, enrol, workspace):
    """Rights on one queue, by role and by user; who has none is told that there is no such queue."""
    queue = await a_queue(ben_user, "Shared")
    path = f"{V3}/queues/{queue['id']}"
    add = {"workItems": [row("A")]}
    assert (await nobody.call("GET", path)).status_code == 404
    assert (await nobody.call("POST", f"{V3}/queues", json={"name": "Mine"})).status_code == 403
    role = await _role_of(room, nobody)

    assert (await ben_user.call("POST", f"{path}/consumers", json=[{"id": role}])).status_code == 201
    assert (await ben_user.call("POST", f"{path}/consumers", json=[{"id": role}])).status_code == 409
    assert [each["id"] for each in await ben_user.get(f"{path}/consumers")] == [role]
    assert (await nobody.get(path))["name"] == "Shared"
    assert [each["id"] for each in await nobody.rows(f"{V3}/queues/list")] == [queue["id"]]
    refused = await nobody.call("POST", f"{path}/workitems", json=add)
    assert (refused.status_code, "addworkitem" in refused.json()["details"]) == (403, True)

    told = await ben_user.call("POST", f"{V4}/queues/{queue['id']}/participants", json=[{"id": str(role)}])
    assert (told.status_code, told.json()["roles"][0]["id"]) == (201, str(role))
    [made] = await items(nobody, queue, row("A"))
    assert made["createdBy"] == nobody.number
    assert (await nobody.call("DELETE", f"{path}/workitems/{made['id']}")).status_code == 403

    body = {"permissions": ["participate", "own"]}
    member = await ben_user.put(f"{V4}/queues/{queue['id']}/members/{nobody.number}", body)
    assert member == {"id": str(nobody.number), "permissions": ["participate", "own"]}
    assert nobody.number in (await ben_user.get(f"{path}/members"))["users"]
    await nobody.delete(f"{path}/workitems/{made['id']}")
    await nobody.delete(f"{path}/members/{nobody.number}")
    await ben_user.delete(f"{path}/participants/{role}")
    await ben_user.delete(f"{path}/consumers/{role}")
    assert (await nobody.call("GET", path)).status_code == 404
    viewer = await enrol("cleo", role=Role.VIEWER, workspace=workspace)
    assert (await viewer.get(path))["id"] == queue["id"]  # who reads the items of a folder sees its queues


async def _role_of(room, caller) -> int:
    """A role without permissions, which the caller holds."""
    role = await room.engine.database.value(
        """
        insert into role (id, organization_id, name, permissions)
        values (%(id)s, %(organization)s, %(name)s, '{}') returning number
        """,
        id=uuid7(),
        name=f"{uuid7()}",
        organization=room.organization,
    )
    await room.engine.database.execute(
        """
        insert into access_grant (id, organization_id, user_id, role_id)
        select gen_random_uuid(), %(organization)s, %(user)s, id from role where number = %(role)s
        """,
        organization=room.organization,
        user=caller.actor.id,
        role=role,
    )
    return role


async def test_an_automation_takes_the_queue_to_its_bot(room, root, process, workspace, ada):
    """The first one moves it with its items; a bot from elsewhere is 400; its answers are told as clients read them."""
    queue = await a_queue(root, f"Moved {workspace}")
    [item] = await items(root, queue, row("A"))
    bot = await a_bot(room, process)
    body = await automation(root, str(bot), queue, zoneId="Europe/Oslo", status="ACTIVE", rdpEnabled=True,
            botInput={}, priority="PRIORITY_HIGH", schedules={"ordinal": 1, "daysOfWeek": ["MONDAY"], "intervals": [
                {"startTime": "08:00:00", "endTime": "12:00:00", "ordinal": 1}]})  # fmt: skip
    for needed in ("name", "fileId", "queueId", "poolId", "runAsUserIds", "zoneId"):
        lacking = await root.call("POST", f"{V3}/automations", json=body | {needed: None})
        assert (lacking.status_code, needed in lacking.json()["message"]) == (400, True)

    made = await root.post(f"{V3}/automations", body)

    assert (made["fileId"], made["status"], made["owner"], made["zoneId"]) == (
        str(bot),
        "ACTIVE",
        root.number,
        "Europe/Oslo",
    )
    assert (made["rdpEnabled"], made["priority"], made["startedBy"]) == (True, "PRIORITY_HIGH", root.number)
    assert made["schedules"][0]["intervals"][0]["startTime"] == "08:00:00"
    assert (await root.get(f"{V3}/queues/{queue['id']}"))["status"] == "IN_USE"
    assert (
        await room.engine.database.value("select workspace_id from work_item where number = %(item)s", item=item["id"])
        == workspace
    )
    [ready] = (await listed(root, queue))["list"]
    assert ready["status"] == "READY_TO_RUN"
    [found] = await root.rows(f"{V3}/automations/list", "queueId", queue["id"], page={"length": 1})
    assert found == made

    paused = await root.put(f"{V3}/automations/{made['id']}", made | {"status": "PAUSE"})
    assert (paused["status"], paused["version"], paused["name"]) == ("PAUSE", 1, "Pay")
    assert (await listed(root, queue))["list"][0]["status"] == "NEW"
    stale = await root.call("PUT", f"{V3}/automations/{made['id']}", json=made)
    assert stale.status_code == 409
    assert (await root.call("DELETE", f"{V3}/queues/{queue['id']}")).status_code == 409

    other = await _bot_elsewhere(room)
    refused = await root.call("POST", f"{V3}/automations", json=body | {"fileId": other})
    assert refused.status_code == 400
    await root.delete(f"{V3}/automations/{made['id']}")
    assert (await root.call("GET", f"{V3}/automations/{made['id']}")).status_code == 404


async def automation(caller, bot, queue, *, devices=(), **more):
    """The body of an automation: on a pool of these devices, as the caller."""
    if "poolId" not in more:
        pool = await caller.post("/v2/devices/pools", {"name": f"pool {uuid7()}", "deviceIds": list(devices)})
        more["poolId"] = int(pool["id"])
    usual = {"name": "Pay", "fileId": bot, "queueId": queue["id"], "runAsUserIds": [caller.number], "zoneId": "UTC"}
    return usual | more


async def _bot_elsewhere(room) -> int:
    """A bot of another workspace that root governs."""
    other = await create_workspace(room.engine, room.admin, str(uuid7()))
    blob = await room.engine.objects.put_bytes(robot_zip("Elsewhere"))
    await push(room.engine, room.admin, other.id, "robot", blob)
    return await room.engine.database.value(
        "select task.number from task join package on package.id = package_id where workspace_id = %(ws)s", ws=other.id
    )


async def test_a_queue_is_fed_while_it_moves(room, root, process, workspace):
    """Not one item is lost, and no feeder is refused."""
    queue = await a_queue(root, f"Fed {workspace}")
    bot = await a_bot(room, process)
    body = await automation(root, bot, queue, status="PAUSE")

    made = await asyncio.gather(
        *(items(root, queue, row(f"{number}")) for number in range(10)),
        root.post(f"{V3}/automations", body),
        *(items(root, queue, row(f"{number}")) for number in range(10, 20)),
    )

    assert len(made) == 21
    told = await listed(root, queue)
    assert sorted(int(each["col1"]) for each in told["list"]) == list(range(20))
    await root.delete(f"{V3}/automations/{made[10]['id']}")


def test_every_standing_has_a_word():
    """And each word means the standing that is told by it."""
    assert set(STATUSES) == set(ItemStanding)
    assert all(standing_of(word.lower()) == standing.value for standing, word in STATUSES.items())
    with pytest.raises(ValueError, match="UNKNOWN"):
        standing_of("UNKNOWN")


async def test_a_closed_pool_takes_no_automation_of_others(room, root, ben_user, process, workspace):
    """A pool that is open to its owners alone is no place for an automation of somebody else."""
    queue = await a_queue(ben_user, "Pooled")
    pool = await root.post("/v2/devices/pools", {"name": f"pool {workspace}", "deviceIds": []})
    bot = await a_bot(room, process)
    body = await automation(root, bot, queue, poolId=int(pool["id"]), status="PAUSE")
    refused = await ben_user.call("POST", f"{V3}/automations", json=body)
    assert refused.status_code in {403, 404}
    made = await root.post(f"{V3}/automations", body)
    assert made["poolId"] == int(pool["id"])
    await root.delete(f"{V3}/automations/{made['id']}")
