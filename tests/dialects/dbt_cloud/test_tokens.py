"""Tokens, permission sets, groups and users: what a program may do by what it was given, and where."""

import pytest

from controlroom.dialects.dbt_cloud.permission_sets import ROLES
from controlroom.engine.access.grants.model import WantedGrant
from controlroom.engine.access.model import Role
from controlroom.engine.access.roles import store as roles
from controlroom.engine.access.service_tokens import actions
from controlroom.engine.access.users.actions import create_user
from controlroom.engine.workspaces.actions import create as create_workspace
from controlroom.ids import uuid7


@pytest.fixture
async def boss(room, as_):
    """Calls with a token that may do everything in the account."""
    wanted = [WantedGrant(ROLES["account_admin"], None)]
    _, value = await actions.create(room.engine, room.admin, name="boss", wanted=wanted)
    return as_(value)


@pytest.fixture
async def user(room, workspace) -> int:
    """The number of somebody with a place in the account."""
    who = {"username": f"grace {uuid7()}", "password": None, "role": Role.VIEWER}
    made = await create_user(room.engine, room.admin, workspace, **who)
    return await room.engine.database.value("select number from app_user where id = %(id)s", id=made.id)


async def token(boss, *sets, project=None, name="airflow"):
    grants = [{"permission_set": each, "project_id": project} for each in sets]
    return await boss.post("v3:service-tokens/", {"name": name, "permission_grants": grants})


async def test_each_permission_set_is_a_role_with_its_name(room):
    """As the migration has written them: its permissions, and the word by which the set is known."""
    for name, role in ROLES.items():
        found = await roles.get(room.engine.database, room.organization, role)
        assert found is not None, name
        assert f"dbt_cloud:{name}" in found.permissions


async def test_a_token_is_made_shown_once_changed_and_deleted(boss, as_):
    """With what it holds; what it is asked for afterwards tells no value."""
    made = await token(boss, "job_admin", project=boss.project)
    assert made["token_string"].startswith("dbtc_")
    [grant] = made["permission_grants"]
    assert (grant["permission_set"], grant["project_id"], grant["all_projects"]) == ("job_admin", boss.project, False)
    assert (await boss.get(f"v3:service-tokens/{made['id']}"))["token_string"] is None
    assert made["id"] in [each["id"] for each in (await boss.listed("v3:service-tokens/", name="airflow"))["data"]]

    told = await boss.post(f"v3:service-tokens/{made['id']}/permissions/", [{"permission_set": "metadata_only"}])
    assert [(each["permission_set"], each["all_projects"]) for each in told] == [("metadata_only", True)]
    listed = await boss.listed(f"v3:service-tokens/{made['id']}/permissions/")
    assert [each["permission_set"] for each in listed["data"]] == ["metadata_only"]
    renamed = await boss.call("PUT", f"v3:service-tokens/{made['id']}/", json={"name": "dagster", "state": 1})
    assert renamed.json()["data"]["name"] == "dagster"
    who = await as_(made["token_string"]).get("/api/v2/whoami/")
    assert (who["user"]["id"], who["user"]["first_name"]) == (made["id"], "dagster")
    assert (await boss.delete(f"v3:service-tokens/{made['id']}/"))["state"] == 2
    assert (await as_(made["token_string"]).call("GET", "/api/v2/accounts/")).status_code == 401


async def test_what_cannot_be_kept_is_refused(boss, as_, cloud):
    """An unknown set, a project that is not there, limits by environment; and by who may not make tokens at all."""
    for grant in (
        {"permission_set": "nonsense"},
        {"permission_set": "admin", "project_id": 1},
        {"permission_set": "developer", "writable_environment_categories": ["staging"]},
    ):
        answer = await boss.call("POST", "v3:service-tokens/", json={"name": "x", "permission_grants": [grant]})
        assert (answer.status_code, answer.json()["data"] is not None) == (400, True), grant
    assert (await boss.call("POST", "v3:service-tokens", json={})).status_code == 400
    made = await token(boss, "job_admin")
    for caller in (cloud, as_(made["token_string"])):
        refused = await caller.call("POST", "v3:service-tokens/", json={"name": "x", "permission_grants": []})
        assert (refused.status_code, "api_keys.write" in refused.json()["status"]["user_message"]) == (403, True)


async def test_sets_open_what_they_name(boss, as_, process, room):
    """A job runner triggers and does not edit; who has metadata alone reads and does not trigger."""
    job = await room.engine.database.value("select number from process where id = %(id)s", id=process)
    runner = as_((await token(boss, "job_runner", project=boss.project))["token_string"])
    reader = as_((await token(boss, "metadata_only", project=boss.project))["token_string"])
    nothing = as_((await token(boss, "billing_admin"))["token_string"])

    assert (await runner.call("POST", f"jobs/{job}/", json={"name": "x"})).status_code in {403, 404}
    assert (await runner.call("DELETE", f"jobs/{job}/")).status_code in {403, 404}
    assert (await reader.call("POST", f"jobs/{job}/run/", json={"cause": "x"})).status_code in {403, 404}
    assert (await reader.call("GET", "jobs/")).status_code == 200
    assert (await nothing.call("GET", "jobs/")).status_code == 403
    assert (await nothing.call("GET", "")).status_code == 200


async def test_groups_hold_sets_and_users_are_in_them(boss, user):
    """Made, given permission sets, users put in, all of it told of users and of groups, and deleted."""
    made = await boss.post(
        "v3:groups/", {"name": f"Analysts {uuid7()}", "group_permissions": [{"permission_set": "job_viewer"}]}
    )
    assert [each["permission_set"] for each in made["group_permissions"]] == ["job_viewer"]
    given = {"permission_set": "developer", "project_id": boss.project, "all_projects": False}
    told = await boss.post(f"v3:group-permissions/{made['id']}/", [given])
    assert [(each["permission_set"], each["project_id"]) for each in told] == [("developer", boss.project)]
    assert user in [each["id"] for each in await boss.get("v3:users/", order_by="email")]
    await boss.post("v3:assign-groups/", {"user_id": user, "desired_group_ids": [made["id"]]})
    [licence] = (await boss.get(f"users/{user}/"))["permissions"]
    assert [each["id"] for each in licence["groups"]] == [made["id"]]
    assert (await boss.get(f"v3:groups/{made['id']}"))["id"] == made["id"]
    await boss.post("v3:assign-groups/", {"user_id": user, "desired_group_ids": []})
    assert (await boss.delete(f"v3:groups/{made['id']}/"))["state"] == 2
    assert (await boss.call("GET", f"v3:groups/{made['id']}/")).status_code == 404


async def test_a_personal_token_is_its_users(boss, as_, user):
    """Made, told once, made anew, deleted; by it the program is the user."""
    below = f"v3:users/{user}/account-apikeys/"
    made = await boss.post(below, {"name": "laptop"})
    assert made["token_string"].startswith("dbtu_")
    assert (await as_(made["token_string"]).get("/api/v2/whoami"))["user"]["id"] == user
    assert (await boss.get(f"{below}{made['id']}"))["token_string"] is None
    anew = await boss.post(f"{below}{made['id']}/")
    assert (await as_(made["token_string"]).call("GET", "/api/v2/whoami")).status_code == 401
    assert (await as_(anew["token_string"]).call("GET", "/api/v2/whoami")).status_code == 200
    await boss.delete(f"{below}{made['id']}/")
    assert made["id"] not in [each["id"] for each in await boss.get(below)]


async def test_the_audit_log_is_told_newest_first_between_times(boss):
    """With who did it; for who may read it in all of the account."""
    made = await token(boss, "readonly")
    listed = await boss.listed("v3:audit-logs", logged_at_start="2026-01-01T00:00:00Z", limit=100)
    times = [each["created_at"] for each in listed["data"]]
    assert times == sorted(times, reverse=True)
    mine = [each for each in listed["data"] if each["routing_key"] == "v1.events.service_token.created"]
    assert mine[0]["actor_name"] == "boss"
    assert mine[0]["actor_id"] == (await boss.get("/api/v2/whoami/"))["user"]["id"]
    assert listed["extra"]["pagination"]["total_count"] >= len(listed["data"])
    assert (await boss.listed("v3:audit-logs/", logged_at_end="2026-01-01"))["data"] == []
    assert made["token_string"] not in str(listed)


async def test_a_token_of_one_project_sees_no_other(room, boss, as_):
    """Lists are empty of it, and what is there is unknown."""
    other = await create_workspace(room.engine, room.admin, f"other {uuid7()}")
    number = await room.engine.database.value("select number from workspace where id = %(id)s", id=other.id)
    reader = as_((await token(boss, "job_admin", project=number))["token_string"])

    assert (await reader.listed("jobs/"))["data"] == []
    assert (await reader.call("GET", f"v3:projects/{boss.project}/")).status_code == 404
