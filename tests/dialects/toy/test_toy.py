"""One more grammar beside the others: what it takes is in this folder, and nothing of it in the engine."""

from uuid import uuid4

import pytest

from controlroom.app import asgi
from controlroom.border.dispatcher import Mount
from controlroom.engine.access.model import Permission
from controlroom.engine.packages.actions import push
from dialects.toy import app
from live import client_of, serving

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
async def toy(room):
    """Calls the toy's grammar, and any other of the same server, with somebody's key."""
    mounted = asgi(room.room, Mount(app.PREFIX, app.application(room.engine)))
    async with (
        serving(mounted, room.room.settings.limits, room.room.origins) as url,
        client_of(url) as client,
    ):

        async def call(key, path, **body):
            return await client.post(f"{app.PREFIX}{path}", json=body, headers={"Authorization": f"Toy {key}"})

        call.client = client
        yield call


async def _start(person, process, count):
    """Start runs; their numbers in the toy, in order."""
    for _ in range(count):
        await person.post(f"/processes/{process}/process-runs", {})


async def test_the_list_has_offsets_and_totals(toy, ada, process):
    """A part of it in the order that was asked for, and how many there are in all; by a tree of conditions."""
    await _start(ada, process, 4)

    newest = (await toy(ada.key, "/runs/list", length=2)).json()
    oldest = (await toy(ada.key, "/runs/list", newest_first=False, offset=3, length=2)).json()
    numbers = [run["nr"] for run in (await toy(ada.key, "/runs/list")).json()["list"]]
    either = {"op": "or", "of": [{"op": "is", "field": "nr", "value": number} for number in numbers[1:3]]}
    both = {"op": "and", "of": [either, {"op": "is", "field": "job", "value": "Invoices"}]}
    found = (await toy(ada.key, "/runs/list", where=both, newest_first=False)).json()

    assert (newest["total"], [run["nr"] for run in newest["list"]]) == (4, numbers[:2])
    assert oldest == {"list": newest["list"][:1], "total": 4}
    assert ([run["nr"] for run in found["list"]], found["total"]) == (numbers[2:0:-1], 2)


async def test_a_run_is_stopped_by_its_number(toy, ada, process):
    """And is the same run in every other grammar."""
    await _start(ada, process, 1)
    [run] = (await toy(ada.key, "/runs/list")).json()["list"]

    first = await toy(ada.key, f"/runs/{run['nr']}/stop")
    again = await toy(ada.key, f"/runs/{run['nr']}/stop")

    [told] = await ada.every("/process-runs")
    [shown] = (await toy(ada.key, "/runs/list")).json()["list"]
    assert (first.json(), again.json()) == ({"stopping": True}, {"stopping": False})
    assert told["state"] == shown["status"] != run["status"]


async def test_who_has_a_place_in_several_workspaces_sees_the_runs_of_all(
    toy, room, ada, cleo, process, stranger, robot_content
):
    """The grammar names no workspace: a run is found in whichever it is, and stopped there by who may."""
    await _start(ada, process, 2)
    await push(room.engine, cleo.actor, cleo.workspace, "robot", await room.engine.objects.put_bytes(robot_content))
    step = {"name": "read", "task": {"package_name": "robot", "name": "Read"}}
    await _start(cleo, (await cleo.post("/processes", {"name": "Theirs", "steps": [step]}))["id"], 1)
    dora = await ada.post("/users", {"username": f"dora-{uuid4()}", "role": "operator", "password": PASSWORD})
    await cleo.post("/members", {"username": dora["username"], "role": "viewer"})
    login = await stranger.post("/api/v1/login", json={"username": dora["username"], "password": PASSWORD})
    session = login.json()["token"]

    listed = (await toy(session, "/runs/list")).json()
    stopped = [await toy(session, f"/runs/{run['nr']}/stop") for run in listed["list"]]

    assert (listed["total"], [run["job"] for run in listed["list"]]) == (3, ["Theirs", "Invoices", "Invoices"])
    assert [answer.status_code for answer in stopped] == [404, 200, 200]  # a viewer stops nothing


async def test_an_outsider_sees_nothing(toy, ada, cleo, process):
    """Neither in the list nor by a number, and is told so in the grammar's own form."""
    await _start(ada, process, 1)
    [run] = (await toy(ada.key, "/runs/list")).json()["list"]

    listed = await toy(cleo.key, "/runs/list")
    stopped = await toy(cleo.key, f"/runs/{run['nr']}/stop")

    assert listed.json() == {"list": [], "total": 0}
    assert (stopped.status_code, stopped.json()["toy"]) == (404, "RUN_NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/runs/list", {"where": {"op": "is", "field": "colour", "value": "red"}}, 400, "FIELD_UNKNOWN"),
        ("/runs/list", {"where": {"op": "xor", "of": []}}, 400, "INVALID_BODY"),
        ("/runs/list", {"offset": -1}, 400, "POSITION_WRONG"),
        ("/runs/0/stop", {}, 404, "RUN_NOT_FOUND"),
        ("/runs/latest/stop", {}, 404, "RUN_NOT_FOUND"),
    ],
)
async def test_what_cannot_be_is_refused_in_its_own_form(toy, ada, path, body, status, code):
    """Kinds of failure become statuses by the table that all grammars share; the body is the grammar's."""
    answer = await toy(ada.key, path, **body)

    assert (answer.status_code, answer.json()["toy"]) == (status, code)


async def test_a_route_asks_for_its_permission(toy, hire, workspace):
    """Who may read runs may not stop them; who shows no credential of this grammar is nobody."""
    reader = await hire("reader", workspace, frozenset({Permission.READ_RUNS}))

    assert (await toy(reader.key, "/runs/list")).status_code == 200
    assert (await toy(reader.key, "/runs/1/stop")).json()["toy"] == "PERMISSION_MISSING"
    assert (await toy("unknown", "/runs/list")).status_code == 401


async def test_the_other_grammars_are_there_beside_it(toy, ada, workspace):
    """The same server answers in each, whatever is mounted."""
    path, headers = f"/api/v1/workspaces/{workspace}", {"Authorization": f"RC-WSKEY {ada.key}"}

    assert (await toy.client.get(path, headers=headers)).json()["id"] == str(workspace)
    assert (await toy.client.get(f"{app.PREFIX}/nothing", headers=headers)).json()["toy"] == "NOT_FOUND"
