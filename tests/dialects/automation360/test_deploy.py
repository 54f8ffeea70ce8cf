"""Deploys, activities, devices and pools, as the clients of §4 call them (§7, lines 6 to 11, 18 and 19)."""

from uuid import UUID

import msgspec
import pytest

from controlroom.dialects.automation360.executions import line_in
from controlroom.dialects.automation360.messages import Automation360Grammar
from controlroom.engine.access.grants import store as grants
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.model import Role
from controlroom.engine.access.nouns import ROLE
from controlroom.engine.access.roles.model import RUNNER
from controlroom.engine.access.scope import Of, scoped
from controlroom.engine.access.tokens import read_step_run_token
from controlroom.engine.messages import Occurrence, Outputs
from controlroom.engine.packages import labels
from controlroom.engine.references import resolve
from controlroom.engine.runs.outputs import output
from controlroom.ids import GrantId, uuid7
from controlroom.protocol import ErrorCode

DEPLOY, LIST, DEVICES, POOLS = (
    "/v3/automations/deploy",
    "/v3/activity/list",
    "/v2/devices/list",
    "/v2/devices/pools",
)


@pytest.fixture
async def bot(room, process, workspace) -> int:
    """The number of a bot of the workspace: the first task of its package."""
    return await room.engine.database.value(
        """
        select task.number from task join package on package.id = task.package_id
         where package.workspace_id = %(ws)s and task.name = 'Read'
        """,
        ws=workspace,
    )


@pytest.fixture
async def device(root, walt) -> int:
    """The number of walt, who is root's default device."""
    [found] = await root.rows(
        DEVICES, "hostName", "walt", sort=[{"field": "id", "direction": "desc"}], page={"length": 1}
    )
    number = int(found["id"])
    body = {"deviceId": number, "userId": root.number}
    assert await root.post("/v1/devices/runasusers/default", body) == body
    return number


def deploying(bot, *users, **more):
    """The body of a deploy, with the nulls that clients send."""
    users = [user.number for user in users]
    nothing = {"poolIds": None, "botInput": None, "callBackInfo": None}
    return {"fileId": bot, "runAsUserIds": users, **nothing, **more}


async def executions(root, deployment):
    """The executions of a deployment, oldest first."""
    return await root.rows(LIST, "deploymentId", deployment, sort=[{"field": "createdOn", "direction": "ASC"}])


async def test_a_deploy_is_queued_runs_and_tells_its_outputs(room, root, walt, bot, device):
    """§7.8 and 10: it is in the list before it is answered; progress is 100 at the end; outputs are told as Values."""
    told = await root.post(DEPLOY, deploying(str(bot), root, botInput={"n": {"type": "NUMBER", "number": "5"}}))

    [queued] = await executions(root, told["deploymentId"])
    assert told["automationName"].startswith("Read.20")
    assert (queued["status"], queued["progress"], queued["endDateTime"]) == ("QUEUED", 0, "")
    assert (queued["userId"], queued["fileId"], queued["automationName"]) == (
        str(root.number),
        str(bot),
        told["automationName"],
    )
    assignment = await walt.take()
    robot = read_step_run_token(room.engine.keys, assignment.token)
    made = msgspec.Raw(b'{"sum": 7, "names": ["a", "b"]}')
    await output(room.engine, robot, assignment.work_item_id, made)
    assert (await executions(root, told["deploymentId"]))[0]["status"] == "DEPLOYED"
    await walt.finish(assignment)

    [ended] = await root.rows(LIST, "id", queued["id"])
    assert (ended["status"], ended["progress"], ended["message"]) == ("COMPLETED", 100, "")
    assert ended["deviceId"] == str(device)
    one = await root.get(f"/v3/activity/execution/{ended['id']}")
    assert one["botOutVariables"]["values"] == {
        "sum": {"type": "NUMBER", "number": "7"},
        "names": {"type": "LIST", "list": [{"type": "STRING", "string": "a"}, {"type": "STRING", "string": "b"}]},
    }
    assert {*ended} < {*one}


async def test_two_users_are_two_executions_of_one_deployment(root, enrol, workspace, walt, bot, device):
    """§7.8 and 9; so many of them as are asked for, and never more than there are."""
    dora = await enrol("dora", role=Role.OWNER, workspace=workspace)
    await root.post("/v1/devices/runasusers/default", {"deviceId": device, "userId": dora.number})

    both = await root.post(DEPLOY, deploying(bot, root, dora))
    one = await root.post(DEPLOY, deploying(bot, root, dora, numOfRunAsUsersToUse="1"))
    many = await root.call("POST", DEPLOY, json=deploying(bot, root, dora, numOfRunAsUsersToUse=3))

    assert [each["userId"] for each in await executions(root, both["deploymentId"])] == [
        str(root.number),
        str(dora.number),
    ]
    assert len(await executions(root, one["deploymentId"])) == 1
    assert (many.status_code, {*many.json()} >= {"code", "message"}) == (400, True)
    some = [{"operator": "eq", "field": "deploymentId", "value": each["deploymentId"]} for each in (both, one)] * 25
    assert len((await root.post(LIST, {"filter": {"operator": "or", "operands": some}}))["list"]) == 3
    named = {"operator": "eq", "field": "automationName", "value": one["automationName"]}
    assert (await root.post(LIST, {"filter": named}))["page"]["totalFilter"] >= 1


async def test_what_cannot_be_deployed_is_refused_with_code_and_message(root, bot, device):
    """§2.22; nothing is run in its place."""
    for body, status in (
        ({"fileId": 1}, 404),
        ({"runAsUserIds": []}, 400),
        ({"runAsUserIds": [1]}, 404),
        ({"poolIds": [1]}, 404),
        ({"botLabel": "PRODUCTION"}, 400),
        ({"botInput": [{"name": "n"}]}, 400),
        ({"callbackInfo": {"url": "ftp://somewhere/"}}, 400),
        ({"automationPriority": "SOON"}, 400),
        ({"numOfRunAsUsersToUse": -1}, 400),
    ):
        answer = await root.call("POST", DEPLOY, json=deploying(bot, root) | body)
        assert (answer.status_code, {*answer.json()}) == (status, {"code", "message", "details"}), body


async def test_a_labelled_version_is_deployed(room, root, ada, walt, bot, device):
    """PRODUCTION names the version that bears the label."""
    package = await room.engine.database.value("select package_id from task where number = %(bot)s", bot=bot)
    await labels.set_label(room.engine, ada.actor, ada.workspace, package, "PRODUCTION", 1)

    told = await root.post(DEPLOY, deploying(bot, root, botLabel="PRODUCTION"))

    [execution] = await executions(root, told["deploymentId"])
    assert execution["botLabel"] == "PRODUCTION"


async def test_v4_takes_one_of_three_kinds(root, walt, bot, device):
    """In any letter case; attended devices there are none; a body of v3 is refused."""
    users = {"runAsUserIds": str(root.number), "deviceUsageType": "RUN_ONLY_ON_DEFAULT_DEVICE"}

    async def deployed(**body):
        answer = await root.call("POST", "/v4/automations/deploy", json={"botId": str(bot), **body})
        return answer.status_code

    assert await deployed(UnAttendedRequest=users, executionType="RUN_NOW", hideBotAgentUi=True) == 200
    assert await deployed(headlessRequest={"numberOfExecutions": 2}) == 200
    assert await deployed(attendedRequest={"queueDeployment": True}) == 400
    assert await deployed(unattendedRequest=users, headlessRequest={"numberOfExecutions": 1}) == 400
    assert await deployed() == 400
    assert await deployed(unattendedRequest=users | {"deviceUsageType": "PREFER_DEFAULT_DEVICE"}) == 400
    wrong = {"fileId": bot, "deviceIds": [1], "runWithRunAsUser": True, "variables": {}}
    assert (await root.call("POST", "/v4/automations/deploy", json=wrong)).status_code == 400


async def test_v2_deploys_on_devices_and_for_the_caller(room, root, walt, bot, device):
    """As old clients do; `automationId` is there beside the rest."""
    on_device = {"fileId": bot, "deviceIds": [device], "botVariables": {"n": {"number": 5}}, "runWithRdp": False}
    for_me = {"fileId": bot, "botInput": {}, "currentUserDeviceId": device, "scheduleType": "INSTANT"}

    for body, payload in ((on_device, {"n": 5}), (for_me, None)):
        answer = await root.call("POST", "/v2/automations/deploy", json=body)
        assert {*answer.json()} == {"automationId", "automationName", "deploymentId"}
        assert answer.headers["deprecation"] == "true"
        run = UUID(answer.json()["deploymentId"])
        stored = await room.engine.database.value("select payload::text from work_item where run_id = %(run)s", run=run)
        assert msgspec.json.decode(stored) == payload


async def test_the_same_idempotency_key_is_one_deployment(root, walt, bot, device):
    """Another wish with it is a conflict."""
    key = {"Idempotency-Key": str(uuid7())}
    one, two, other = [
        await root.call("POST", DEPLOY, json=deploying(bot, root, **more), headers=key)
        for more in ({}, {}, {"automationName": "other"})
    ]

    assert one.json() == two.json()
    assert (one.status_code, other.status_code) == (200, 409)


async def test_executions_are_managed_in_both_spellings(root, walt, bot, device):
    """§7.11: an unknown id is told among the errors; what is stopped has ended, with 100 of 100."""
    ids = []
    for _ in range(2):
        told = await root.post(DEPLOY, deploying(bot, root))
        ids += [each["id"] for each in await executions(root, told["deploymentId"])]

    one = await root.post("/v3/activity/manage", {"stop_executions": {"execution_ids": [ids[0], "nonsense"]}})
    two = await root.post("/v3/activity/manage", {"stopExecutions": {"executionIds": ids[1]}})
    paused = await root.post("/v3/activity/manage", {"pause_executions": {"execution_ids": ids}})

    assert one["requests_sent_to_device"] == one["requestsSentToDevice"] == [ids[0]]
    assert [each["executionId"] for each in one["manageActionErrors"]] == ["nonsense"]
    assert two["requestsSentToDevice"] == [ids[1]]
    assert len(paused["manage_action_errors"]) == 2
    for each in ids:
        [ended] = await root.rows(LIST, "id", each)
        assert (ended["status"], ended["progress"]) == ("RUN_ABORTED", 100)
        answer = await root.call("PUT", "/v1/activity/auditunknown", content=f'"{each}"')
        assert answer.status_code == 200
    metrics = await root.post("/v3/activity/metrics", {"timeRange": {"type": "LAST30MINUTES"}})
    assert {"RUN_ABORTED"} <= {each["status"] for each in metrics["metrics"]}


async def test_why_it_failed_stands_in_message(root, walt, bot, device):
    """A robot's own fault is RUN_FAILED, what came before its task DEPLOY_FAILED."""
    for code, status in ((ErrorCode.ROBOT_FAILED, "RUN_FAILED"), (ErrorCode.ENVIRONMENT_FAILED, "DEPLOY_FAILED")):
        told = await root.post(DEPLOY, deploying(bot, root))
        await walt.finish(await walt.take(), code)
        [failed] = await executions(root, told["deploymentId"])
        assert (failed["status"], failed["message"], failed["progress"]) == (status, "it broke", 100)
        both = {"operator": "and", "operands": [{"operator": "eq", "field": "status", "value": status}]}
        assert failed["id"] in {each["id"] for each in (await root.post(LIST, {"filter": both}))["list"]}


def test_the_line_is_read_from_what_a_robot_has_left():
    """The last one named is where it broke."""
    assert line_in('Last lines:\n  File "task.py", line 3, in a\n  File "x.py", line 41, in b\nValueError: no') == 41
    assert line_in("it broke") == 0


async def test_sloppy_lists_are_taken(root, device):
    """§7.6 and 7: nulls, empty operands, no body; behind the end there is nothing; an unknown field is refused."""
    sloppy = {
        "page": None,
        "sort": [{"field": "id", "direction": "asc"}],
        "filter": {"operator": "and", "operands": []},
    }
    any_status = {"operator": "ne", "field": "status", "value": "ANY"}

    for path in (LIST, "/v2/activity/list", "/v1/activity/history/list", DEVICES, f"{POOLS}/list"):
        for body in (sloppy, {}, None, {"filter": any_status, "page": {"offset": 0, "length": 2000}}):
            assert "list" in (await root.call("POST", path, json=body)).json()
        behind = await root.post(path, {"page": {"offset": 100000, "length": 5}})
        assert behind["list"] == []
        unknown = await root.call("POST", path, json={"filter": {"operator": "eq", "field": "colour", "value": "red"}})
        assert unknown.status_code == 400


NOT_ASKED_FOR = {
    *("command", "currentLine", "botLabel", "refId", "error", "rolesWithAccess", "startDateTime"),
    *("defaultUsers", "logConfiguration", "maxCount"),
    *("permission", "folderCount", "lockedBy", "workspaceId", "uri", "productionVersion", "botVersionLabel"),
    *("codeAnalysisResult", "tags", "size"),
    *("countPrincipals", "domain", "emailVerified", "enableAutoLogin", "deviceCredentialAttested"),
    *("multipleLoginAllowed", "licenseFeatures", "roles", "sysAssignedRoles", "groupNames", "permissions"),
    *("apiKeyCreatedOn", "apiKeyExpirationTime", "appType"),
}
"""What is told of other things than the row, in rounded kilobytes, or (when what waits began) as a guess."""


@pytest.mark.parametrize(
    "path",
    [
        LIST,
        pytest.param("/v1/activity/history/list", marks=pytest.mark.matrix),
        DEVICES,
        "/v2/usermanagement/users/list",
        pytest.param("/v2/usermanagement/roles/list", marks=pytest.mark.matrix),
        pytest.param("/v2/repository/file/list", marks=pytest.mark.matrix),
        "/v2/repository/workspaces/public/files/list",
    ],
)
async def test_what_a_row_tells_is_what_it_is_found_by(root, walt, bot, device, path):
    """Every field, by its name and the value that is told."""
    await root.post(DEPLOY, deploying(bot, root))
    [row] = (await root.post(path, {"page": {"length": 1}}))["list"]
    assert "id" in row
    missed = []
    for field in row.keys() - NOT_ASKED_FOR:
        asked = {"filter": {"operator": "eq", "field": field, "value": row[field]}}
        found = await root.call("POST", path, json=asked)
        if found.status_code != 200 or row["id"] not in {each["id"] for each in found.json()["list"]}:
            missed.append((field, row[field], found.status_code))
    assert missed == []


async def test_executions_are_found_by_the_path_of_their_bot(root, walt, bot, device):
    """Whole, a part of it, in another order of slashes; by what is before and behind it; and not by another's."""
    deployed = await root.post(DEPLOY, deploying(bot, root))
    [row] = await root.rows(LIST, "deploymentId", deployed["deploymentId"])
    path = row["filePath"]
    assert path.startswith("Automation Anywhere\\Bots\\")

    async def found(operator, value, field="filePath"):
        asked = {"operator": operator, "field": field, "value": value}
        rows = await root.rows(LIST, filter=asked, sort=[{"field": field, "direction": "asc"}])
        return row["id"] in {each["id"] for each in rows}

    assert await found("eq", path)
    assert await found("eq", path.replace("\\", "/"), "path")
    assert await found("substring", path[10:-1].upper())
    assert await found("ge", path)
    assert await found("lt", path + "z")
    assert not await found("ne", path)
    assert not await found("eq", row["fileName"])
    assert not await found("substring", "Bots\\Elsewhere")


async def test_activities_are_sorted(root, walt, bot, device):
    """In any letter case, by two keys at once."""
    await root.post(DEPLOY, deploying(bot, root))
    late = {"operator": "ge", "field": "startDateTime", "value": "2026-01-01T00:00:00.000Z"}

    for field in ("startDateTime", "endDateTime", "createdOn", "status", "userName", "deviceName", "id"):
        sort = [{"field": field, "direction": "DESC"}, {"field": "id", "direction": "asc"}]
        assert len(await root.rows(LIST, sort=sort, page={"length": 3})) >= 1
        assert (await root.call("POST", LIST, json={"filter": late, "sort": sort})).status_code == 200


async def test_rows_of_devices_and_users_have_all_that_clients_read(root, walt, device):
    """A user without a default device is `Picked at run time`; unset, they are so again."""
    [row] = await root.rows(DEVICES, "id", str(device))
    assert {"poolName", "botAgentVersion", "lifespan", "updatedBy", "updatedOn", "status", "type"} <= {*row}
    assert (row["id"], row["status"], row["defaultUsers"][0]["id"]) == (str(device), "CONNECTED", str(root.number))

    me = {"operator": "substring", "field": "username", "value": root.actor.name.upper()}
    [runner] = (await root.post("/v1/devices/runasusers/list", {"filter": me}))["list"]
    assert (runner["id"], runner["deviceId"], runner["device"]) == (root.number, device, "walt")
    assert await root.post("/v1/devices/runasusers/default/unset", {"userId": root.number}) is None
    [runner] = (await root.post("/v1/devices/runasusers/list", {"filter": me}))["list"]
    assert (runner["deviceId"], runner["device"]) == (-1, "Picked at run time")


async def test_a_pool_is_made_used_changed_and_deleted(room, root, walt, bot, device, workspace):
    """§2.17: `list` stands in both places; a device is in one pool; a pool without a connected device runs nothing."""
    name = f"pool {uuid7()}"
    wanted = {"name": name, "automationScheme": "ROUND_ROBIN", "timeSlice": 5, "deviceIds": [device]}
    made = await root.post(POOLS, wanted | {"timeSliceUnit": "MINUTES", "ownerIds": [root.number], "consumerIds": []})
    listed = await root.post(f"{POOLS}/list", {"filter": {"operator": "eq", "field": "name", "value": name}})
    [row] = listed["list"]

    assert listed["page"]["list"] == listed["list"]
    assert (row["id"], row["status"], row["deviceIds"]) == (int(made["id"]), "CONNECTED", [str(device)])
    assert (made["automationScheme"], made["timeSlice"], made["ownerIds"]) == ("ROUND_ROBIN", "5", [root.number])
    twice = await root.call("POST", POOLS, json={"name": f"{name} 2", "deviceIds": [device]})
    assert twice.status_code == 409
    told = await root.post(DEPLOY, deploying(bot, root, poolIds=[row["id"]], overrideDefaultDevice=True))
    assert (await executions(root, told["deploymentId"]))[0]["status"] == "QUEUED"
    assert (await walt.take()).run_id == UUID(told["deploymentId"])

    changed = await root.put(f"{POOLS}/{row['id']}", {"description": "for nights", "deviceIds": []})
    assert (changed["description"], changed["deviceIds"], changed["name"]) == ("for nights", [], name)
    empty = await root.call("POST", DEPLOY, json=deploying(bot, root, poolIds=[row["id"]]))
    assert empty.status_code == 400
    await root.delete(f"{POOLS}/{row['id']}")
    assert (await root.call("GET", f"{POOLS}/{row['id']}")).status_code == 404


async def test_who_has_no_rights_deploys_nothing_and_sees_nothing(root, nobody, ben_user, walt, bot, device):
    """§7 and the issue: a Basic user; one who operates runs bots as themselves alone."""
    told = await root.post(DEPLOY, deploying(bot, root))

    refused = await nobody.call("POST", DEPLOY, json=deploying(bot, nobody))
    assert refused.status_code in {403, 404}
    assert await nobody.rows(LIST, "deploymentId", told["deploymentId"]) == []
    [seen] = await ben_user.rows(LIST, "deploymentId", told["deploymentId"])
    assert (await nobody.call("GET", f"/v3/activity/execution/{seen['id']}")).status_code == 404
    other = await ben_user.call("POST", DEPLOY, json=deploying(bot, root))
    assert (other.status_code, "names another user" in other.json()["message"]) == (403, True)
    assert (await nobody.call("POST", DEVICES, json={})).status_code == 403
    assert (await nobody.call("DELETE", f"/v1/devices/{device}")).status_code == 403


async def test_a_device_is_reset_and_deleted(root, walt, bot, device):
    """What it runs is ended first; then it is nobody's default device."""
    await root.post(DEPLOY, deploying(bot, root))
    await walt.take()

    assert await root.post("/v2/devices/reset", {"deviceIds": {"ids": [device]}}) == {"stopped": 1}
    await root.delete(f"/v1/devices/{device}")

    assert await root.rows(DEVICES, "id", str(device)) == []
    assert (await root.call("POST", DEPLOY, json=deploying(bot, root))).status_code == 400


async def test_a_pipeline_loads_page_by_page(room, root, walt, bot, device):
    """§7.18 and 19: by `Authorization: Bearer`, led on by `Link`; `executions` is no id."""
    for _ in range(3):
        await root.post(DEPLOY, deploying(bot, root))
    bearer = {"Authorization": f"Bearer {root.token}"}
    root.http.headers.pop("X-Authorization")

    for path, key in (("/v3/automations", "automations"), ("/v3/automations/executions", "executions")):
        url, ids = f"{path}?length=1", []
        for _ in range(3):
            answer = await root.http.get(url, headers=bearer)
            body = answer.json()
            assert answer.status_code == 200
            assert not [name for name in body if name.startswith("next") or name in {"pages", "totalPages"}]
            ids += [row["id"] for row in body[key]]
            if (link := answer.links.get("next")) is None:
                assert len(ids) == body["page"]["total"]
                break
            url = link["url"]
        assert len(ids) == len(set(ids)) >= 2
    assert (await root.http.get(f"/v3/automations/{bot}", headers=bearer)).json()["automationName"] == "Read"
    assert (await root.http.get("/v3/automations/0", headers=bearer)).status_code == 404
    one = await root.http.get(f"/v3/automations/executions/{ids[0]}", headers=bearer)
    assert one.json()["id"] == ids[0]
    robots = (await root.http.get("/v1/robots", headers=bearer)).json()["robots"]
    assert str(device) in {robot["id"] for robot in robots}


def test_a_callback_tells_how_it_ended_and_what_came_out():
    """§2.22.2: ids as text, outputs as Values; of other events nothing is told."""
    common = {
        "event_id": 1,
        "at": "2026-11-29T12:00:00Z",
        "subscription_id": uuid7(),
        "subscription_number": 1,
        "subscription_name": "",
        "organization_id": uuid7(),
        "organization_number": 1,
        "workspace_id": uuid7(),
        "workspace_number": 2,
        "workspace_name": "w",
        "run_id": uuid7(),
        "step_run_id": uuid7(),
        "step_run_number": 255,
        "run_as_number": 7,
        "worker_number": 9,
    }
    grammar = Automation360Grammar()
    outputs = Outputs(msgspec.Raw(b'{"sum": 5}'), is_whole=True)

    [done] = grammar.messages(Occurrence(kind="step_run.completed", outputs=outputs, **common))
    failed = Occurrence(
        kind="step_run.failed", error_code="ROBOT_FAILED", error_message="no", data={"result": "timed_out"}, **common
    )
    [told] = grammar.messages(failed)

    body = msgspec.json.decode(done.body)
    assert (body["status"], body["deviceId"], body["userId"]) == ("COMPLETED", "9", "7")
    assert body["botOutput"] == {"sum": {"type": "NUMBER", "number": "5"}}
    assert body["executionId"] == f"{common['step_run_id']}_{255:016x}"
    assert msgspec.json.decode(told.body)["status"] == "RUN_TIMED_OUT"
    assert grammar.messages(Occurrence(kind="run.started", **common)) == []
    assert grammar.headers(b"{}", message=uuid7(), secret=None, at=None) == {}


async def test_a_right_in_a_folder_lets_run_what_is_there(room, root, enrol, workspace, walt, bot, device):
    """Who holds no permission but such a role deploys as themselves, sees and stops what is theirs, and no more."""
    role = await root.post("/v2/usermanagement/roles", {"name": f"runners {uuid7()}", "permissions": []}, status=201)
    carl = await enrol("carl")
    for held in (await resolve(room.engine.database, Of(room.organization, ()), ROLE, role["name"]), RUNNER):
        async with scoped(room.engine.database, room.organization) as tx:
            who = Principal(PrincipalKind.USER, carl.actor.id)
            await grants.add(tx, room.organization, grant=GrantId(uuid7()), principal=who, role=held, workspace=None)
    await root.post("/v1/devices/runasusers/default", {"deviceId": device, "userId": carl.number})
    assert (await carl.call("POST", DEPLOY, json=deploying(bot, carl))).status_code in {403, 404}
    folder = await room.engine.database.value("select number from workspace where id = %(id)s", id=workspace)
    rights = [{"name": name, "enabled": True} for name in ("viewcontent", "run")]
    await root.put(
        f"/v2/repository/role/{role['id']}/permissions", [{"folderId": folder, "permissions": rights}], status=201
    )
    theirs = await root.post(DEPLOY, deploying(bot, root))

    told = await carl.post(DEPLOY, deploying(bot, carl))

    assert (await carl.call("POST", DEPLOY, json=deploying(bot, root))).status_code == 403
    [mine] = await carl.rows(LIST)
    assert mine["deploymentId"] == told["deploymentId"]
    assert await carl.rows(LIST, "deploymentId", theirs["deploymentId"]) == []
    managed = await carl.post("/v3/activity/manage", {"stop_executions": {"execution_ids": [mine["id"]]}})
    assert managed["requestsSentToDevice"] == [mine["id"]]

    governing = {
        "name": role["name"],
        "permissions": [{"action": "manageallschedules", "resourceType": "taskscheduling"}],
    }
    await root.put(f"/v2/usermanagement/roles/{role['id']}", governing, status=201)
    assert (await carl.post(DEPLOY, deploying(bot, root)))["deploymentId"]
