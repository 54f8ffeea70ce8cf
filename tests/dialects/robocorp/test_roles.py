"""Roles, groups of users and grants, as people manage them."""

from uuid import uuid4

import pytest

from controlroom.engine.access.credentials import forget
from controlroom.engine.access.grants.actions import grant
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.roles.model import ADMIN


@pytest.fixture
async def governor(room, ada):
    """Ada, with a key that governs the organization."""
    await grant(room.engine, room.admin, Principal(PrincipalKind.CREDENTIAL, ada.actor.id), ADMIN, None)
    forget(room.engine)
    return ada


@pytest.fixture
async def dora(ada) -> dict:
    """A person who views ada's workspace."""
    return await ada.post("/users", {"username": f"dora-{uuid4()}", "role": "viewer", "password": "long enough"})


async def test_the_roles_that_can_be_granted_are_listed(ada):
    """The system's are there, with permissions in this API's words."""
    roles = {role["name"]: role for role in await ada.every("/roles")}

    assert {"admin", "owner", "operator", "viewer"} <= roles.keys()
    assert roles["owner"]["permissions"] == ["*"]
    assert "Processes.trigger_processes" in roles["operator"]["permissions"]
    assert await ada.get(f"/roles/{roles['viewer']['id']}") == roles["viewer"]
    refused = await ada.call("POST", f"/roles/{roles['viewer']['id']}", json={"name": "guest"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "PERMISSION_MISSING")


async def test_a_role_is_made_granted_changed_and_taken_back(governor, dora, stranger):
    """Who has it may do what it says now, until it is taken back."""
    body = {"name": f"keeper {uuid4()}", "permissions": ["ApiKeys.read_api_keys", "automation360:BOTS.run"]}
    role = await governor.post("/roles", body)
    assert role["permissions"] == ["ApiKeys.read_api_keys", "automation360:BOTS.run"]
    login = {"username": dora["username"], "password": "long enough"}
    token = (await stranger.post("/api/v1/login", json=login)).json()["token"]
    headers, url = {"Authorization": f"Bearer {token}"}, f"/api/v1/workspaces/{governor.workspace}"
    assert (await stranger.get(f"{url}/api-keys", headers=headers)).status_code == 403

    given = await governor.post(
        "/grants", {"role": {"id": role["id"]}, "principal": {"type": "user", "id": dora["id"]}}
    )
    assert (given["role"]["name"], given["principal"]["name"]) == (role["name"], dora["username"])
    assert given["scope"] == "workspace"
    assert (await stranger.get(f"{url}/api-keys", headers=headers)).status_code == 200
    assert given in await governor.every("/grants")
    again = await governor.call("POST", "/grants", json={"role": {"id": role["id"]}, "principal": given_to(given)})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "GRANT_EXISTS")

    await governor.post(f"/roles/{role['id']}", {"permissions": ["ApiKeys.write_api_keys"]})
    assert (await stranger.get(f"{url}/api-keys", headers=headers)).status_code == 403
    in_use = await governor.call("DELETE", f"/roles/{role['id']}")
    assert (in_use.status_code, in_use.json()["error"]["code"]) == (409, "ROLE_IN_USE")
    await governor.call("DELETE", f"/grants/{given['id']}")
    assert (await governor.call("DELETE", f"/roles/{role['id']}")).json() == {"id": role["id"], "deleted": True}
    assert (await governor.call("GET", f"/grants/{given['id']}")).status_code == 404


def given_to(granted: dict) -> dict:
    return {"type": granted["principal"]["type"], "id": granted["principal"]["id"]}


async def test_a_group_gives_its_members_what_it_is_granted(governor, dora, stranger):
    """A user comes in, may more, and is out again; so is what the group had when it is deleted."""
    group = await governor.post("/user-groups", {"name": f"Finance {uuid4()}"})
    [operator] = [role for role in await governor.every("/roles") if role["name"] == "operator"]
    principal = {"type": "group", "id": group["id"]}
    await governor.post("/grants", {"role": {"id": operator["id"]}, "principal": principal, "scope": "organization"})
    await governor.post(f"/user-groups/{group['id']}/members", {"user": {"id": dora["id"]}})

    assert [each["username"] for each in await governor.every(f"/user-groups/{group['id']}/members")] == [
        dora["username"]
    ]
    wide = await governor.every("/grants", scope="organization")
    assert ("group", group["name"]) in {(each["principal"]["type"], each["principal"]["name"]) for each in wide}
    login = {"username": dora["username"], "password": "long enough"}
    session = (await stranger.post("/api/v1/login", json=login)).json()
    headers, url = {"Authorization": f"Bearer {session['token']}"}, f"/api/v1/workspaces/{governor.workspace}"
    assert (await stranger.post(f"{url}/assets", json={"name": "rates"}, headers=headers)).status_code == 200

    renamed = await governor.post(f"/user-groups/{group['id']}", {"name": f"Sales {uuid4()}"})
    assert renamed["member_count"] == 1
    of_group = f"/user-groups/{group['id']}/members"
    await governor.call("DELETE", f"{of_group}/{dora['id']}")
    told = await governor.post(f"{of_group}/set", {"users": [{"id": dora["id"]}]})
    assert [each["username"] for each in told["members"]] == [dora["username"]]
    unknown = {"users": [{"id": str(uuid4())}]}
    assert (await governor.call("POST", f"{of_group}/set", json=unknown)).status_code == 404
    assert await governor.every(of_group) == told["members"]
    assert await governor.post(f"{of_group}/set", {"users": []}) == {"members": []}
    assert (await stranger.post(f"{url}/assets", json={"name": "more"}, headers=headers)).status_code == 403
    await governor.call("DELETE", f"/user-groups/{group['id']}")
    assert (await governor.call("GET", f"/user-groups/{group['id']}")).status_code == 404


async def test_what_is_the_organization_s_takes_a_right_there(ada, ben, cleo, dora):
    """An owner of a workspace gives roles in it, and no more; who sees no workspace sees nothing below it."""
    roles = {role["name"]: role["id"] for role in await ada.every("/roles")}
    body = {"role": {"id": roles["viewer"]}, "principal": {"type": "user", "id": dora["id"]}, "scope": "organization"}
    for method, path, sent in (
        ("POST", "/roles", {"name": "mine", "permissions": []}),
        ("POST", "/user-groups", {"name": "mine"}),
        ("POST", "/grants", body),
        ("GET", "/grants?scope=organization", None),
    ):
        for person in (ada, ben):
            refused = await person.call(method, path, json=sent)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "PERMISSION_MISSING"), path
        hidden = await cleo.call(method, f"{ada.http.base_url}/api/v1/workspaces/{ada.workspace}{path}", json=sent)
        assert hidden.status_code == 404, path
    beyond = await ben.call("POST", "/grants", json=body | {"scope": "workspace", "role": {"id": roles["owner"]}})
    assert beyond.status_code == 403
