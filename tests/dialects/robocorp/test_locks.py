"""Locks by the management API: what processes and starts want, who holds what, and who waits for whom."""

import pytest

from controlroom.engine.access.scope import Room
from controlroom.engine.runs.dispatch import dispatch
from controlroom.ids import RunId

DB = {"name": "db", "of": "workspace"}


async def own(person) -> list[dict]:
    """The locks of the person's workspace, asked for page by page; those of the organization are everybody's."""
    return [each for each in await person.every("/locks", limit=1) if each["of"] == "workspace"]


@pytest.fixture
def start(room, ada, process):
    """Starts a process run, and lets it line up."""

    async def start(**body) -> str:
        run = (await ada.post(f"/processes/{process}/process-runs", body))["id"]
        await dispatch(room.engine, Room(), RunId(run))
        return run

    return start


async def test_a_process_run_tells_for_whom_it_waits(room, ada, ben, process, walt, start):
    """From its start until it has ended; one that wants no locks shows nothing of them."""
    without = await start()
    assert "locks" not in await ada.get(f"/process-runs/{without}")
    await walt.take()

    changed = await ada.post(f"/processes/{process}", {"locks": [DB]})
    assert changed["locks"] == [DB]
    first, second = await start(), await start(locks=[{"name": "disk"}])

    waits = await ben.get(f"/process-runs/{second}")
    assert (waits["state"], waits["blocked_by"]) == ("new", [first])
    db, disk = waits["locks"]
    assert (db["name"], db["of"], db["state"], disk["state"]) == ("db", "workspace", "waiting", "waiting")
    assert [(each["id"], each["run_no"]) for each in db["blocked_by"]] == [(first, 2)]
    assert (disk["blocked_by"], disk["blocked_elsewhere"]) == ([], 0)
    listed = {run["id"]: run for run in await ben.every("/process-runs")}
    assert (listed[second]["blocked_by"], listed[first]["blocked_by"]) == ([first], [])
    assert "locks" not in listed[without]

    stop = {"set_remaining_work_items_as_done": True, "terminate_ongoing_activity_runs": True}
    await ben.post(f"/process-runs/{first}/stop", stop)
    ended = await ben.get(f"/process-runs/{first}")
    assert [(lock["name"], lock["state"], lock["since"]) for lock in ended["locks"]] == [("db", "released", None)]
    await dispatch(room.engine, Room(), RunId(second))
    assert [lock["state"] for lock in (await ben.get(f"/process-runs/{second}"))["locks"]] == ["held", "held"]


async def test_locks_are_listed_set_and_deleted(ada, process, start):
    """With those who hold them and those who wait, page by page; a capacity lets more of them in."""
    line = [await start(locks=[DB]) for _ in range(3)]
    made = await ada.post("/locks", {"name": "slots / 1", "capacity": 7})
    assert (made["capacity"], made["declared"], made["held"]) == (7, True, 0)

    db, slots = await own(ada)
    assert (db["name"], db["declared"], db["capacity"], db["held"], db["waiting"]) == ("db", False, 1, 1, 2)
    assert [each["id"] for each in (*db["holders"], *db["waiters"])] == line
    assert db["holders"][0]["process"] == {"id": str(process), "name": "Invoices"}
    assert slots["name"] == "slots / 1"

    assert (await ada.post("/locks", {"name": "db", "capacity": 2}))["capacity"] == 2
    assert (await ada.call("DELETE", "/locks?name=db")).status_code == 409
    gone = await ada.call("DELETE", "/locks", params={"name": "slots / 1"})
    assert gone.json() == {"name": "slots / 1", "of": "workspace", "deleted": True}
    assert (await ada.call("DELETE", "/locks", params={"name": "slots / 1"})).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "", "capacity": 1}, 400, "NAME_INVALID"),
        ({"name": "db", "capacity": 0}, 400, "LOCK_INVALID"),
        ({"name": "db", "capacity": "1"}, 400, "INVALID_BODY"),
        ({"name": "db", "capacity": 1, "of": "world"}, 400, "INVALID_BODY"),
        ({"name": "db", "capacity": 1, "of": "organization"}, 403, "ADMIN_ONLY"),
    ],
)
async def test_what_is_no_lock_is_refused(ada, body, status, code):
    """With the code that says why; locks of an organization are for its admins."""
    answer = await ada.call("POST", "/locks", json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_lock_that_the_organization_has_not_is_named_in_vain(ada, process):
    """Neither a process nor a start gets by with it."""
    wish = {"locks": [{"name": "nobody's", "of": "organization"}]}

    for path in (f"/processes/{process}", f"/processes/{process}/process-runs"):
        answer = await ada.call("POST", path, json=wish)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "LOCK_NOT_FOUND")


async def test_outsiders_see_no_locks(ada, cleo, start):
    """The names of a workspace are its own."""
    await start(locks=[DB])

    assert await own(cleo) == []
    address = f"{cleo.http.base_url}/api/v1/workspaces/{ada.workspace}/locks"
    for method in ("GET", "POST", "DELETE"):
        body = {"json": {"name": "db", "capacity": 9}} if method == "POST" else {"params": {"name": "db"}}
        assert (await cleo.call(method, address, **body)).status_code == 404
