"""Roles: the system's by the vendor's names, and those that people make of permission pairs."""

import httpx2
import pytest

from contract.automation360.coverage import mounted
from controlroom.dialects.automation360.permissions import PAIRS, names_of
from controlroom.dialects.automation360.routing import PAIR
from controlroom.engine.access import user_keys
from controlroom.engine.access.errors import NameTaken
from controlroom.engine.access.model import Permission
from controlroom.engine.access.roles import actions
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.ids import UserId, uuid7
from live import client_of

AUDITOR = [
    {"action": "everyoneactions", "resourceType": "auditlog"},
    {"action": "view", "resourceType": "repositorymanager"},
    {"action": "fly", "resourceType": "kites"},
]


def named(name: str) -> str:
    return f"{name}-{uuid7()}"


async def logged_in(room, root, number: str) -> httpx2.AsyncClient:
    user = UserId(
        await room.engine.database.value("select id from app_user where number = %(number)s", number=int(number))
    )
    _, key = await user_keys.make(room.engine, await actor_of_user(room.engine.database, UserId(root.actor.id)), user)
    name = (await root.get(f"/v2/usermanagement/users/{number}"))["username"]
    told = (await root.http.post("/v2/authentication", json={"username": name, "apiKey": key})).json()
    return client_of(room.url, **{"X-Authorization": told["token"]})


def test_every_pair_that_a_refusal_may_name_can_be_given():
    """A role that is made with it gives what it means here, or it is shown to who may do the thing."""
    named = {handler.opt[PAIR] for handler in mounted().values() if PAIR in handler.opt}

    assert named <= PAIRS.keys()
    known = {permission.value for permission in Permission}
    for pair, meaning in PAIRS.items():
        assert {name for name in names_of([pair]) if ":" not in name} == {each.value for each in meaning.gives} <= known


async def test_the_system_s_roles_have_the_vendor_s_names(root):
    """They are found by name, and neither edited nor deleted."""
    rows = await root.rows("/v2/usermanagement/roles/list")
    system = {row["name"]: row for row in rows if row["systemRole"]}

    assert {"AAE_Admin", "AAE_Basic", "AAE_Locker Admin", "AAE_Pool Admin", "AAE_Queue Admin", "AAE_Bot Developer"} <= {
        *system
    }
    assert {"AAE_Bot Insight Admin", "AAE_Robotic Interface Admin", "AAE_Robotic Interface User"} <= {*system}
    basic = system["AAE_Basic"]
    assert [row["id"] for row in await root.rows("/v1/usermanagement/roles/list", "name", "AAE_Basic")] == [
        int(basic["id"])
    ]
    told = await root.get(f"/v2/usermanagement/roles/{basic['id']}")
    assert ("repositorymanager", "view") in {(each["resourceType"], each["action"]) for each in told["permissions"]}
    assert ("repositorymanager", "run") not in {(each["resourceType"], each["action"]) for each in told["permissions"]}
    for method in ("PUT", "DELETE"):
        answer = await root.call(method, f"/v2/usermanagement/roles/{basic['id']}", json={"name": "x"})
        assert answer.status_code == 409
    assert (await root.call("GET", f"/v2/usermanagement/roles/{2**60}")).status_code == 404


async def test_a_role_of_pairs_allows_what_they_mean(room, root):
    """It comes back as it was sent, also what means nothing here; what it gives holds for who gets it."""
    user = await root.post("/v2/usermanagement/users", {"username": named("otto")}, status=201)
    body = {"name": named("auditor"), "description": "d", "permissions": AUDITOR, "userIds": [user["id"]]}
    made = await root.post("/v2/usermanagement/roles", body, status=201)

    pairs = [{"action": each["action"], "resourceType": each["resourceType"]} for each in made["permissions"]]
    assert sorted(pairs, key=str) == sorted(AUDITOR, key=str)
    assert (made["userIds"], made["countPrincipals"], made["systemRole"]) == ([user["id"]], 1, False)
    async with await logged_in(room, root, user["id"]) as otto:
        assert (await otto.post("/v1/audit/messages/list", json={"page": {"length": 1}})).status_code == 200
        assert (await otto.post("/v2/usermanagement/users/list", json={})).status_code == 403
        shown = (await otto.get(f"/v2/usermanagement/users/{user['id']}")).json()
        assert {"action": "fly", "resourceType": "kites"} in shown["permissions"]

        old = {"name": made["name"], "permissions": [{"id": "148"}], "principals": [{"id": user["id"]}], "version": 1}
        changed = await root.put(f"/v1/usermanagement/roles/{made['id']}", old, status=201)
        assert [each["action"] for each in changed["permissions"]] == ["view"]
        assert (await otto.post("/v1/audit/messages/list", json={})).status_code == 403

    await root.delete(f"/v2/usermanagement/roles/{made['id']}")
    assert (await root.get(f"/v2/usermanagement/users/{user['id']}"))["roles"] == []


async def test_a_role_is_made_of_what_there_is(root):
    """Its name once, its permissions by name, for users that there are; by who has what it gives."""
    name = named("role")
    await root.post("/v2/usermanagement/roles", {"name": name}, status=201)
    for body, status in (
        ({"name": name}, 409),
        ({"name": "aae_Queue Admin"}, 409),
        ({}, 400),
        ({"name": named("x"), "permissions": [{"action": "view"}]}, 400),
        ({"name": named("x"), "permissions": [{"id": "4711"}]}, 400),
        ({"name": named("x"), "userIds": [2**60]}, 400),
    ):
        answer = await root.call("POST", "/v2/usermanagement/roles", json=body)
        assert answer.status_code == status, answer.text


async def test_nobody_makes_a_role_of_more_than_they_have(room, root):
    """Who manages roles gives what they have; what they lack is named."""
    user = await root.post("/v2/usermanagement/users", {"username": named("mia")}, status=201)
    pairs = [{"action": "rolesmanagement", "resourceType": "rolesmanagement"}]
    body = {"name": named("managers"), "permissions": pairs, "userIds": [user["id"]]}
    await root.post("/v2/usermanagement/roles", body, status=201)

    async with await logged_in(room, root, user["id"]) as mia:
        assert (await mia.post("/v2/usermanagement/roles", json={"name": named("mine")})).status_code == 201
        beyond = await mia.post("/v2/usermanagement/roles", json={"name": named("theirs"), "permissions": AUDITOR})
        assert (beyond.status_code, "audit.read" in beyond.text) == (403, True)
        given = await mia.post("/v2/usermanagement/roles", json={"name": named("given"), "userIds": [user["id"]]})
        assert given.status_code == 403


async def test_a_basic_user_may_what_a_role_of_theirs_may_in_a_folder(room, root, ada, process):
    """Without: neither start what is there, nor see it, others' runs or secrets. With: as long as the role has it."""
    basic = (await root.rows("/v2/usermanagement/roles/list", "name", "AAE_Basic"))[0]["id"]
    user = await root.post("/v2/usermanagement/users", {"username": named("bea"), "roleIds": [basic]}, status=201)
    role = await root.post("/v2/usermanagement/roles", {"name": named("runners"), "userIds": [user["id"]]}, status=201)
    bot, folder = [
        await room.engine.database.value(statement, workspace=ada.workspace)
        for statement in (
            """select task.number from task join package on package.id = task.package_id
                where package.workspace_id = %(workspace)s and task.name = 'Read'""",
            "select number from workspace where id = %(workspace)s",
        )
    ]

    async def may(*, run: bool):
        names = [{"name": name, "enabled": run} for name in ("viewcontent", "run")]
        rights = [{"folderId": folder, "permissions": names}]
        await root.put(f"/v2/repository/role/{role['id']}/permissions", rights, status=201)

    async with await logged_in(room, root, user["id"]) as bea:

        async def deploys():
            body = {"fileId": bot, "runAsUserIds": [user["id"]], "poolIds": []}
            return (await bea.post("/v3/automations/deploy", json=body)).status_code

        assert await deploys() == 404
        for path in ("/v3/activity/list", "/v2/credentialvault/credentials/list"):
            assert (await bea.post(path, json={})).json()["list"] == []
        await may(run=True)
        assert await deploys() == 400  # no default device, which is told to who may run it
        seen = (await bea.post("/v2/repository/workspaces/public/files/list", json={})).json()["list"]
        assert str(bot) in {each["id"] for each in seen}
        await may(run=False)
        assert await deploys() == 404
        assert (await bea.get(f"/api/v1/workspaces/{ada.workspace}/process-runs")).status_code in {401, 403}


async def test_nobody_names_a_role_as_the_vendor_names_one_of_the_system(room, root):
    """Neither by this grammar nor by whichever other way: nobody could tell the two apart."""
    for name in ("AAE_Admin", "aae_pool admin"):
        refused = await root.call("POST", "/v2/usermanagement/roles", json={"name": name})
        assert refused.status_code == 409
        with pytest.raises(NameTaken):
            await actions.create_role(room.engine, root.actor, name=name, permissions=[])
    made = await actions.create_role(room.engine, root.actor, name=named("AAE"), permissions=[])
    with pytest.raises(NameTaken):
        await actions.edit_role(room.engine, root.actor, made.id, name="AAE_Basic")


async def test_roles_of_the_system_are_searched_and_sorted_by_the_vendor_s_names(root):
    """A part of the vendor's name finds them; the engine's own name does not."""
    part = {"operator": "substring", "field": "name", "value": "AAE_Bot"}
    asked = {"filter": part, "sort": [{"field": "name", "direction": "asc"}]}
    found = [row["name"] for row in await root.rows("/v2/usermanagement/roles/list", **asked)]
    assert found == ["AAE_Bot Developer", "AAE_Bot Insight Admin"]


async def test_every_refusal_names_a_permission(root, ben_user):
    """In the message and in the details, also where who asks lacks more than one."""
    body = {"name": "x", "sourceUserId": root.number, "targetUserId": ben_user.number}
    refused = await ben_user.call("POST", "/v2/repository/recover", json=body)
    assert refused.status_code == 403
    assert all("deleteuser (usermanagement)" in refused.json()[where] for where in ("message", "details"))
