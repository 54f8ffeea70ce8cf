"""API keys, members and users, as people manage them."""

import pytest

from controlroom.engine.access.credentials import flush_uses


async def test_a_key_is_made_used_changed_and_deleted(room, ada, stranger):
    """Its value opens what its permissions say, from the answer that shows it until it is deleted."""
    made = await ada.post("/api-keys", {"name": "ci", "permissions": ["Processes.read_processes", "read_robots"]})
    headers = {"Authorization": f"RC-WSKEY {made['value']}"}
    url = f"/api/v1/workspaces/{ada.workspace}/assets"
    assert made["permissions"] == ["Processes.read_processes", "Tasks.read_task_packages"]
    assert (await stranger.get(url, headers=headers)).status_code == 403

    changed = await ada.post(f"/api-keys/{made['id']}", {"permissions": ["Assets.read_asset_storage_assets"]})
    assert (changed["name"], changed["permissions"]) == ("ci", ["Assets.read_asset_storage_assets"])
    assert (await stranger.get(url, headers=headers)).status_code == 200

    await flush_uses(room.engine)
    shown = await ada.get(f"/api-keys/{made['id']}")
    assert shown["use_count"] == 2
    assert "value" not in shown

    assert (await ada.call("DELETE", f"/api-keys/{made['id']}")).json() == {"id": made["id"], "deleted": True}
    assert (await stranger.get(url, headers=headers)).status_code == 401


async def test_the_list_tells_who_made_a_key_and_how_it_was_used(room, ada, stranger):
    """Creator, time, uses and last use; never the value. What happened to it is in the audit log."""
    dora = {"username": f"dora {ada.workspace}", "password": "long enough"}
    user = await ada.post("/users", dora | {"role": "owner"})
    session = (await stranger.post("/api/v1/login", json=dora)).json()["token"]
    url = f"/api/v1/workspaces/{ada.workspace}"
    headers = {"Authorization": f"Bearer {session}"}
    body = {"name": "ci", "permissions": ["read_runs"]}
    made = (await stranger.post(f"{url}/api-keys", json=body, headers=headers)).json()

    [before] = [key for key in await ada.every("/api-keys") if key["id"] == made["id"]]
    for _ in range(3):
        await stranger.get(f"{url}/process-runs", headers={"Authorization": f"RC-WSKEY {made['value']}"})
    await flush_uses(room.engine)
    after = await ada.get(f"/api-keys/{made['id']}")
    await ada.post(f"/api-keys/{made['id']}", {"name": "ci 2"})
    await ada.call("DELETE", f"/api-keys/{made['id']}")

    assert (before["created_by"], before["use_count"], before["last_used_at"]) == (user["id"], 0, None)
    assert (after["use_count"], "value" in after) == (3, False)
    assert after["created_at"] == before["created_at"] < after["last_used_at"]
    happened = [each for each in await ada.every("/audit-log") if each["subject_id"] == made["id"]]
    assert [each["event_type"] for each in happened] == ["api_key.deleted", "api_key.updated", "api_key.created"]
    assert [each["actor"]["name"] for each in happened] == ["ada", "ada", dora["username"]]


async def test_a_value_is_shown_again_and_that_is_recorded(room, ada, ben):
    """To those who may reveal; ben may not."""
    made = await ada.post("/api-keys", {"name": "ci", "permissions": []})

    assert await ada.post(f"/api-keys/{made['id']}/reveal") == {"id": made["id"], "value": made["value"]}

    assert (await ben.call("POST", f"/api-keys/{made['id']}/reveal")).status_code == 403
    seen_by = await room.engine.database.value(
        "select actor_id from event where kind = 'api_key.revealed' and subject_id = %(id)s", id=made["id"]
    )
    assert seen_by == ada.actor.id


async def test_nobody_gives_more_than_they_have(ada, ben, hire, stranger):
    """A key that may only write keys cannot make itself a stronger one; unknown permissions are named."""
    made = await ada.post("/api-keys", {"name": "keeper", "permissions": ["ApiKeys.write_api_keys"]})
    url = f"/api/v1/workspaces/{ada.workspace}/api-keys"
    headers = {"Authorization": f"RC-WSKEY {made['value']}"}

    more = await stranger.post(url, json={"name": "more", "permissions": ["Vault.read_secrets"]}, headers=headers)
    unknown = await ada.call("POST", "/api-keys", json={"name": "x", "permissions": ["Everything.please"]})

    assert more.status_code == 403
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (400, "UNKNOWN_PERMISSION")


async def test_outsiders_see_no_keys(ada, ben, cleo):
    """Neither ada's keys nor that there are any."""
    made = await ada.post("/api-keys", {"name": "ci", "permissions": []})

    assert (await cleo.http.get(f"/api/v1/workspaces/{ada.workspace}/api-keys")).status_code == 404
    assert (await cleo.call("GET", f"/api-keys/{made['id']}")).status_code == 404
    assert (await ben.call("GET", "/api-keys")).status_code == 403


async def test_people_come_change_and_go(ada, ben):
    """A user is made with a role, changed, disabled, given credentials, and taken out of the workspace."""
    dora = await ada.post(
        "/users", {"username": f"dora {ada.workspace}", "role": "operator", "password": "long enough"}
    )
    path = f"/users/{dora['id']}"
    assert [member["role"] for member in (await ada.get("/members"))["data"]] == ["operator"]
    assert (await ben.call("POST", f"{path}/disable")).status_code == 403

    assert (await ada.post(f"/members/{dora['id']}", {"role": "viewer"}))["role"] == "viewer"
    pair = await ada.post(f"{path}/credentials", {"name": "laptop"})
    listed = (await ada.get(f"{path}/credentials"))["data"]
    assert pair["credentials"].startswith(f"{pair['identifier']}:")
    assert [credential["name"] for credential in listed] == ["laptop"]
    assert "credentials" not in listed[0]
    assert (await ada.call("DELETE", f"{path}/credentials/{pair['id']}")).status_code == 200
    await ada.post(f"{path}/password", {"password": "another one"})
    await ada.post(f"{path}/disable")
    assert (await ada.get("/users"))["data"][0]["disabled_at"] is not None
    await ada.post(f"{path}/enable")

    assert (await ada.call("DELETE", f"/members/{dora['id']}")).status_code == 200
    assert (await ada.call("POST", f"{path}/disable")).status_code == 404
    again = await ada.post("/members", {"username": dora["username"], "role": "operator"})
    assert again["id"] == dora["id"]


@pytest.mark.parametrize("body", [None, {}, {"username": 1}, {"username": "x", "role": "king"}, []])
async def test_malformed_people_are_refused(ada, body):
    """Each with a clear error, and nobody is made."""
    answer = await ada.call("POST", "/users", json=body)

    assert answer.status_code == 400, answer.text
    assert (await ada.get("/members"))["data"] == []


async def test_who_is_of_no_workspace_is_the_organizations(ada):
    """A user without a role in the workspace takes the right to govern the organization's users; nobody is made."""
    answer = await ada.call("POST", "/users", json={"username": "x"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "PERMISSION_MISSING"), answer.text
    assert (await ada.get("/members"))["data"] == []
