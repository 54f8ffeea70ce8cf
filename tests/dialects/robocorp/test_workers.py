"""Workers, their groups and link tokens by the API."""

from uuid import uuid4

import pytest

from controlroom.engine.access.model import Permission
from controlroom.engine.workers.linking import link
from controlroom.protocol import Link

LATER = "2999-01-01T00:00:00Z"


async def test_workers_are_listed_read_renamed_and_deleted(ada, walt):
    """A worker has id, name and state at least; updates go by POST and PUT."""
    [listed] = await ada.every("/workers")
    path = f"/workers/{walt.actor.worker_id}"
    assert (listed["id"], listed["name"], listed["state"]) == (str(walt.actor.worker_id), "walt", "idle")
    assert await ada.get(path) == listed

    assert (await ada.post(path, {"name": "Walter"}))["name"] == "Walter"
    assert (await ada.call("PUT", path, json={"name": "Wally"})).json()["name"] == "Wally"
    assert (await ada.call("DELETE", path)).json() == {"id": listed["id"], "deleted": True}
    assert await ada.every("/workers") == []
    for method in ("GET", "DELETE"):
        assert (await ada.call(method, path)).status_code == 404


async def test_groups_are_made_read_renamed_and_deleted(ada):
    """A group is an id and a name; names are unique."""
    groups = [await ada.post("/worker-groups", {"name": name}) for name in ("fast ones", "big ones")]
    path = f"/worker-groups/{groups[0]['id']}"

    listed = await ada.every("/worker-groups", limit=1)  # groups of the organization are among them
    assert [each for each in listed if each in groups] == groups
    assert await ada.get(path) == groups[0]
    taken = await ada.call("POST", path, json={"name": "big ones"})
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "WORKER_GROUP_NAME_TAKEN")
    assert (await ada.call("PUT", path, json={"name": "quick ones"})).json() == groups[0] | {"name": "quick ones"}
    assert (await ada.call("DELETE", path)).json() == {"id": groups[0]["id"], "deleted": True}
    assert (await ada.call("GET", path)).status_code == 404


async def test_workers_join_and_leave_groups(ada, walt):
    """Both answers tell all groups of the worker; joining goes by POST and PUT."""
    fast, big = [await ada.post("/worker-groups", {"name": name}) for name in ("fast ones", "big ones")]
    worker = {"id": str(walt.actor.worker_id)}

    one = await ada.post(f"/worker-groups/{fast['id']}/workers", {"worker": worker})
    two = (await ada.call("PUT", f"/worker-groups/{big['id']}/workers", json={"worker": worker})).json()
    [member] = await ada.every(f"/worker-groups/{big['id']}/workers")
    left = (await ada.call("DELETE", f"/worker-groups/{fast['id']}/workers/{worker['id']}")).json()

    assert one == {"worker": worker, "worker_groups": [fast]}
    assert two == {"worker": worker, "worker_groups": [fast, big]}
    assert member["id"] == worker["id"]
    assert left == {"worker": worker, "worker_groups": [big]}


async def test_the_workers_of_a_group_are_set_at_once(ada, walt, cleo):
    """Exactly those that are named; one that there is not leaves all as it was."""
    worker, group = str(walt.actor.worker_id), (await ada.post("/worker-groups", {"name": "set"}))["id"]
    path = f"/worker-groups/{group}/workers/set"
    told = await ada.post(path, {"workers": [{"id": worker}]})
    assert [each["id"] for each in told["workers"]] == [worker]
    again = await ada.post(path, {"workers": [{"id": worker}]})
    assert again == told
    wrong = await ada.call("POST", path, json={"workers": [{"id": str(uuid4())}]})
    assert wrong.status_code == 404
    assert [each["id"] for each in await ada.every(f"/worker-groups/{group}/workers")] == [worker]
    many = await ada.call("POST", path, json={"workers": [{"id": str(uuid4())} for _ in range(1001)]})
    assert (many.status_code, many.json()["error"]["code"]) == (400, "TOO_MANY_WORKERS")
    assert (await cleo.call("POST", path, json={"workers": []})).status_code == 404
    assert (await ada.post(path, {"workers": []}))["workers"] == []


async def test_a_worker_is_told_to_rest_and_to_go_on(ada, walt):
    """In the vendor's words it is busy meanwhile, and says why."""
    path = f"/workers/{walt.actor.worker_id}"
    rested = await ada.post(f"{path}/rest")
    assert (rested["state"], bool(rested["rests_since"])) == ("busy", True)
    assert await ada.post(f"{path}/rest") == rested
    went_on = await ada.post(f"{path}/go-on")
    assert (went_on["state"], went_on["rests_since"]) == ("idle", None)


async def test_a_one_time_token_links_a_worker(ada, room):
    """The answer has the value, which a worker then uses."""
    made = await ada.post("/workers/link-tokens", {"expires_at": LATER})

    linked = await link(room.engine, Link(made["link_token"], "walt"))

    assert set(made) == {"id", "expires_at", "link_token"}
    assert (await ada.get(f"/workers/{linked.worker_id}"))["state"] == "offline"


async def test_a_groups_tokens_are_managed_and_revealed(ada, room):
    """The value of a group's token is told when it is made and by reveal, never by get or list."""
    group = await ada.post("/worker-groups", {"name": "fast ones"})
    tokens = f"/worker-groups/{group['id']}/link-tokens"
    made = await ada.post(tokens, {"name": "rack 4", "expires_at": None})
    value = made.pop("link_token")
    path = f"{tokens}/{made['id']}"

    assert made == {"id": made["id"], "name": "rack 4", "expires_at": None, "worker_group": {"id": group["id"]}}
    assert await ada.every(tokens) == [made]
    assert await ada.get(path) == made
    assert (await ada.post(f"{path}/reveal"))["link_token"] == value
    changed = (await ada.call("PUT", path, json={"name": "rack 5", "expires_at": LATER})).json()
    assert (changed["name"], changed["expires_at"]) == ("rack 5", LATER)
    for name in ("one", "two"):
        await link(room.engine, Link(value, name))
    assert len(await ada.every(f"/worker-groups/{group['id']}/workers")) == 2
    assert (await ada.call("DELETE", path)).json() == {"id": made["id"], "deleted": True}
    assert (await ada.call("GET", path)).status_code == 404


async def test_a_token_is_found_in_its_own_group_only(ada):
    """Another group's address does not lead to it, nor to an effect."""
    fast, big = [await ada.post("/worker-groups", {"name": name}) for name in ("fast ones", "big ones")]
    made = await ada.post(f"/worker-groups/{fast['id']}/link-tokens", {"name": "x", "expires_at": None})
    wrong = f"/worker-groups/{big['id']}/link-tokens/{made['id']}"

    for method, path, body in (
        ("GET", wrong, None),
        ("DELETE", wrong, None),
        ("POST", wrong, {"name": "y", "expires_at": None}),
        ("POST", f"{wrong}/reveal", None),
    ):
        assert (await ada.call(method, path, json=body)).status_code == 404
    assert len(await ada.every(f"/worker-groups/{fast['id']}/link-tokens")) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/workers/link-tokens", {"expires_at": "tomorrow"}),
        ("/workers/link-tokens", {"expires_at": "2999-01-01T00:00:00"}),
        ("/worker-groups", {"name": ""}),
        ("/worker-groups", {"name": None}),
        ("/worker-groups", {"name": "a\nb"}),
    ],
)
async def test_wrong_requests_are_refused(ada, path, body):
    """A time has a zone, a name can be read."""
    answer = await ada.call("POST", path, json=body)
    assert answer.status_code == 400, answer.text


async def test_reading_and_writing_need_their_permissions(hire, workspace, walt):
    """Who may read workers sees them and no token's value, and changes nothing."""
    reader = await hire("reader", workspace, frozenset({Permission.READ_WORKERS}))
    nobody = await hire("nobody", workspace, frozenset({Permission.READ_ASSETS}))
    worker = f"/workers/{walt.actor.worker_id}"

    assert len(await reader.every("/workers")) == 1
    assert (await nobody.call("GET", "/workers")).json()["error"]["permission"] == "Workers.read_workers"
    for method, path, body in (
        ("POST", worker, {"name": "x"}),
        ("DELETE", worker, None),
        ("POST", "/worker-groups", {"name": "x"}),
        ("POST", "/workers/link-tokens", {}),
    ):
        answer = await reader.call(method, path, json=body)
        assert (answer.status_code, answer.json()["error"]["permission"]) == (403, "Workers.write_workers")


async def test_outsiders_see_no_workers(cleo, ada, walt):
    """Another workspace has neither worker nor group."""
    group = await ada.post("/worker-groups", {"name": "fast ones"})
    assert await cleo.every("/workers") == []
    for path in (f"/workers/{walt.actor.worker_id}", f"/worker-groups/{group['id']}"):
        assert (await cleo.call("GET", path)).status_code == 404
        assert (await cleo.call("DELETE", path)).status_code == 404
