"""What serves several workspaces, by the API: each shows what serves it, and none reaches into another."""

import pytest

from controlroom.engine.access.credentials import forget
from controlroom.ids import uuid7

LATER = "2999-01-01T00:00:00Z"


@pytest.fixture
async def both(room, hire, ada, cleo):
    """Somebody who owns ada's workspace and cleo's; calls by ada's."""
    person = await hire("both", ada.workspace, ada.actor.grants[ada.workspace])
    await room.engine.database.execute(
        """
        insert into access_grant (id, organization_id, credential_id, role_id, workspace_id)
        select %(id)s, %(organization)s, %(key)s, role.id, %(workspace)s from role
         where role.organization_id is null and role.name = 'owner'
        """,
        id=uuid7(),
        organization=room.organization,
        key=person.actor.id,
        workspace=cleo.workspace,
    )
    forget(room.engine)
    return person


@pytest.fixture
async def shared(ada, cleo, both, walt):
    """The address of walt, below a workspace, who serves ada's and cleo's and has a sandbox."""
    path = f"/workers/{walt.actor.worker_id}"
    await walt.engine.database.execute("update worker set sandbox = 'bwrap' where id = %(id)s", id=walt.actor.worker_id)
    await both.post(f"{path}/serving", {"workspaces": [str(ada.workspace), str(cleo.workspace)]})
    return path


async def test_each_workspace_shows_the_worker_that_serves_it(ada, cleo, both, shared):
    """In both lists it is; what else it serves is told to those who see it there."""
    assert [each["name"] for each in await ada.every("/workers")] == ["walt"]
    assert await cleo.get(shared) == await ada.get(shared)
    told = {each["id"] for each in (await both.get(f"{shared}/serving"))["workspaces"]}
    assert told == {str(ada.workspace), str(cleo.workspace)}
    assert [each["id"] for each in (await cleo.get(f"{shared}/serving"))["workspaces"]] == [str(cleo.workspace)]


async def test_a_deletion_ends_the_service_and_the_last_one_deletes(ada, cleo, shared):
    """Who deletes it in one workspace takes nothing from the other."""
    assert (await ada.call("DELETE", shared)).json()["deleted"] is True
    assert (await ada.call("GET", shared)).status_code == 404
    assert (await cleo.get(shared))["name"] == "walt"
    assert len((await ada.get("/audit-log", event_type="worker.unlinked"))["data"]) == 1
    assert (await cleo.get("/audit-log", event_type="worker.unlinked"))["data"] == []

    assert (await cleo.call("DELETE", shared)).status_code == 200
    assert (await cleo.call("GET", shared)).status_code == 404


async def test_its_name_is_of_all_whom_it_serves(ada, both, cleo, shared):
    """Renaming takes the right in every workspace; all of them have it in their record."""
    refused = await ada.call("POST", shared, json={"name": "mine"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "SERVES_OTHERS")

    assert (await both.post(shared, {"name": "ours"}))["name"] == "ours"
    for person in (ada, cleo):
        assert len((await person.get("/audit-log", event_type="worker.renamed"))["data"]) == 1


async def test_nobody_lends_or_takes_what_is_not_theirs(ada, cleo, walt, shared):
    """A workspace that one does not know does not exist; all of them dispose an admin alone; nothing is no service."""
    path = f"/workers/{walt.actor.worker_id}/serving"
    for body, status, code in (
        ({"workspaces": [str(ada.workspace)]}, 403, "SERVES_OTHERS"),
        ({"serves_all": True}, 403, "SERVES_OTHERS"),
    ):
        answer = await ada.call("POST", path, json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    await cleo.call("DELETE", shared)
    for body, status, code in (
        ({"workspaces": [str(ada.workspace), str(cleo.workspace)]}, 404, "WORKSPACE_NOT_FOUND"),
        ({"serves_all": True}, 403, "ADMIN_ONLY"),
        ({"workspaces": []}, 400, "SERVES_NOTHING"),
        ({"serves_all": True, "workspaces": [str(ada.workspace)]}, 400, "BODY_INVALID"),
    ):
        answer = await ada.call("POST", path, json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), body


async def test_a_worker_without_a_sandbox_is_not_lent(ada, cleo, both, walt):
    """It serves one workspace, and says why it is not given another."""
    body = {"workspaces": [str(ada.workspace), str(cleo.workspace)]}

    answer = await both.call("POST", f"/workers/{walt.actor.worker_id}/serving", json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "SANDBOX_MISSING")
    assert "bubblewrap" in answer.json()["error"]["message"]


async def test_a_group_serves_two_workspaces_under_one_name(ada, cleo, both):
    """No other may have its name where it serves; where a step is placed on it, it stays."""
    of_two = {"workspaces": [str(ada.workspace), str(cleo.workspace)]}
    group = await both.post("/worker-groups", {"name": "night", **of_two})
    assert "night" in {each["name"] for each in await cleo.every("/worker-groups")}
    taken = await cleo.call("POST", "/worker-groups", json={"name": "night"})
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "WORKER_GROUP_NAME_TAKEN")
    token = await both.post(f"/worker-groups/{group['id']}/link-tokens", {"name": "t", "expires_at": None, **of_two})
    path = f"/worker-groups/{group['id']}/link-tokens/{token['id']}"
    assert len((await both.get(f"{path}/serving"))["workspaces"]) == 2
    assert (await both.post(f"{path}/serving", {"workspaces": [str(cleo.workspace)]}))["serves_all"] is False
    assert (await ada.call("GET", path)).status_code == 404
    assert (await cleo.get(path))["name"] == "t"

    assert (await both.call("DELETE", f"/worker-groups/{group['id']}")).status_code == 200
    assert "night" not in {each["name"] for each in await ada.every("/worker-groups")}
    assert "night" in {each["name"] for each in await cleo.every("/worker-groups")}
    assert (await ada.post("/worker-groups", {"name": "night"}))["name"] == "night"


async def test_a_provisioner_serves_two_workspaces(ada, cleo, both):
    """It is found in both; who has one of them alone changes nothing of it but its service there."""
    of_two = {"workspaces": [str(ada.workspace), str(cleo.workspace)]}
    made = await both.post("/provisioners", {"name": "cloud", "endpoint": "https://example.com/x", **of_two})
    path = f"/provisioners/{made['id']}"

    assert (await cleo.get(path))["name"] == "cloud"
    for change in (cleo.call("POST", path, json={"name": "mine"}), cleo.call("POST", f"{path}/reveal")):
        assert (await change).json()["error"]["code"] == "SERVES_OTHERS"
    assert len((await both.get(f"{path}/serving"))["workspaces"]) == 2
    assert len((await both.post(f"{path}/serving", {"workspaces": [str(ada.workspace)]}))["workspaces"]) == 1
    assert (await cleo.call("GET", path)).status_code == 404


async def test_a_link_token_of_two_workspaces_links_for_both(ada, cleo, both):
    """The worker that comes with it serves them; one without names serves the workspace of the address."""
    of_two = {"workspaces": [str(ada.workspace), str(cleo.workspace)]}
    values = [
        (await both.post("/workers/link-tokens", {"expires_at": LATER, **body}))["link_token"] for body in (of_two, {})
    ]
    for name, value in zip(("ours", "mine"), values, strict=True):
        linked = await both.call(
            "POST", f"{both.http.base_url}/worker/v1/link", json={"link_token": value, "name": name}
        )
        assert linked.status_code == 200

    assert [each["name"] for each in await ada.every("/workers")] == ["ours", "mine"]
    assert [each["name"] for each in await cleo.every("/workers")] == ["ours"]
