"""Users of the organization: made with roles and licences, shown, changed, deleted."""

import pytest

from controlroom.ids import uuid7


def named(name: str) -> str:
    return f"{name}-{uuid7()}"


async def role_id(root, name: str) -> str:
    [found] = await root.rows("/v2/usermanagement/roles/list", "name", name)
    return found["id"]


async def test_a_user_is_made_with_roles_and_licences(root):
    """201 with all that was said; ids, versions and numbers are texts in v2 and numbers in v1."""
    basic = await role_id(root, "AAE_Basic")
    name = named("nora")
    body = {
        "username": name,
        "password": "correct horse battery",
        "firstName": "Nora",
        "domain": "CORP",
        "roleIds": [int(basic)],
        "licenseFeatures": ["RUNTIME", "DEVELOPMENT"],
        "enableAutoLogin": True,
    }
    made = await root.post("/v2/usermanagement/users", body, status=201)

    assert (made["username"], made["firstName"], made["domain"], made["lastName"]) == (name, "Nora", "CORP", "")
    assert made["roles"] == [{"id": basic, "name": "AAE_Basic"}]
    assert sorted(made["licenseFeatures"]) == ["DEVELOPMENT", "RUNTIME"]
    assert (made["enableAutoLogin"], made["passwordSet"], made["disabled"]) == (True, True, False)
    assert (made["version"], made["createdBy"], made["appType"]) == ("1", str(root.number), None)
    assert {"action": "myschedule", "resourceType": "taskscheduling"} in made["permissions"]
    assert "password" not in made
    old = await root.get(f"/v1/usermanagement/users/{made['id']}")
    assert (old["id"], old["version"], old["roles"][0]["id"]) == (int(made["id"]), 1, int(basic))
    again = await root.call("POST", "/v2/usermanagement/users", json=body)
    assert again.status_code == 409


async def test_the_first_admin_is_AAE_Admin_with_an_unattended_licence(root):  # noqa: N802
    """Without any set-up; and has every permission that there is a name for."""
    shown = await root.get(f"/v2/usermanagement/users/{root.number}")

    assert [role["name"] for role in shown["roles"]] == ["AAE_Admin"]
    assert shown["licenseFeatures"] == ["RUNTIME"]
    pairs = {(each["resourceType"], each["action"]) for each in shown["permissions"]}
    assert {("repositorymanager", "run"), ("usermanagement", "createuser"), ("migration", "manage")} <= pairs


async def test_users_are_listed_by_what_they_are_called(root):
    """With totals; a field that users do not have is 400; `GET /v1/users` leads from page to page."""
    names = [named("lena") for _ in range(3)]
    for name in names:
        await root.post("/v1/usermanagement/users", {"username": name, "disabled": name is names[2]}, status=201)

    both = {
        "operator": "and",
        "operands": [
            {"operator": "substring", "field": "username", "value": names[0][:40]},
            {"operator": "eq", "field": "disabled", "value": "false"},
        ],
    }
    found = await root.post("/v2/usermanagement/users/list", {"filter": both, "sort": [], "page": None})
    assert [row["username"] for row in found["list"]] == [names[0]]
    assert (found["page"]["totalFilter"], found["page"]["total"] >= 3) == (1, True)
    [row] = await root.rows("/v1/usermanagement/users/list", "username", names[1])
    assert isinstance(row["id"], int)
    wrong = {"filter": {"operator": "eq", "field": "shoeSize", "value": "1"}}
    assert (await root.call("POST", "/v2/usermanagement/users/list", json=wrong)).status_code == 400

    seen, address = [], "/v1/users?length=2"
    while address:
        answer = await root.call("GET", address)
        assert answer.status_code == 200
        assert not [key for key in answer.json() if key.lower().startswith(("next", "pages"))]
        seen += [row["username"] for row in answer.json()["users"]]
        address = answer.links.get("next", {}).get("url")
    assert len(seen) == len(set(seen))
    assert set(names) <= set(seen)


async def test_a_user_is_changed_and_deleted(root):
    """What is left out stays; the roles are those that are given; 204, then 404, and the name is free."""
    basic, pools = await role_id(root, "AAE_Basic"), await role_id(root, "AAE_Pool Admin")
    body = {"username": named("olga"), "roleIds": [basic], "licenseFeatures": ["RUNTIME"], "description": "d"}
    made = await root.post("/v2/usermanagement/users", body, status=201)
    address = f"/v2/usermanagement/users/{made['id']}"

    changed = await root.put(address, {"roleIds": [pools], "email": "o@example.com", "disabled": True})
    assert [role["id"] for role in changed["roles"]] == [pools]
    assert (changed["description"], changed["email"], changed["disabled"]) == ("d", "o@example.com", True)
    assert (changed["licenseFeatures"], changed["version"]) == (["RUNTIME"], "2")
    changed = await root.put(address, {"licenseFeatures": [], "roles": [{"id": basic, "name": "AAE_Basic"}]})
    assert (changed["licenseFeatures"], [role["id"] for role in changed["roles"]]) == ([], [basic])
    assert (await root.call("PUT", address, json={"roleIds": [2**60]})).status_code == 400
    assert (await root.call("PUT", address, json={"licenseFeatures": ["FLYING"]})).status_code == 400

    await root.delete(address)
    assert (await root.call("GET", address)).status_code == 404
    assert (await root.call("GET", "/v2/usermanagement/users/nobody")).status_code == 404
    await root.post("/v2/usermanagement/users", body, status=201)


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_who_may_not_see_users_is_told_the_permission(ben_user, nobody, version):
    """By its name here, in message and details; but everybody may see themselves."""
    for caller in (ben_user, nobody):
        for method, path, pair in (
            ("POST", "users/list", "usermanagement (usermanagement)"),
            ("POST", "users", "createuser (usermanagement)"),
            ("GET", f"users/{caller.number - 1}", ""),
            ("POST", "roles/list", "rolesview (rolesmanagement)"),
            ("POST", "roles", "rolesmanagement (rolesmanagement)"),
        ):
            body = {"username": "x", "name": "x"} if method == "POST" else None
            answer = await caller.call(method, f"/{version}/usermanagement/{path}", json=body)
            assert answer.status_code in ({403} if pair else {403, 404}), f"{path}: {answer.text}"
            assert pair in answer.json()["message"]
        assert (await caller.get(f"/{version}/usermanagement/users/{caller.number}"))["permissions"] is not None
