"""Workers come, wait for work, keep their leases and go."""

import asyncio
import time

import msgspec
import pytest

from controlroom.border import long_polls
from controlroom.dialects.worker_api.sessions import LONGEST_WAIT_SECONDS
from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import scope_of
from controlroom.engine.allocations import actions as allocations
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import StopRequest
from controlroom.engine.wakes import Topic
from controlroom.engine.workers import actions as workers
from controlroom.engine.workers import store
from controlroom.engine.workers.model import WorkerState
from controlroom.ids import TaskId
from controlroom.protocol import Claim, Heartbeat, Link, OpenSession, Order, SandboxKind, Session


@pytest.fixture
def wakes_only(monkeypatch):
    """Requests that are held hear what wakes them and look for nothing by themselves, for as long as it takes."""
    monkeypatch.setattr(long_polls, "LOOK_EVERY", 3600.0)
    monkeypatch.setattr("controlroom.dialects.worker_api.sessions.HEARTBEAT_HOLD_SECONDS", 60.0)


def _seen(person):
    return scope_of(person.actor, Permission.READ_WORKERS, person.workspace)


async def test_a_linked_worker_opens_a_session_and_closes_it(room, ada, walt):
    """With a session the worker is idle, after its good-bye offline."""
    worker = await store.get(room.engine.database, _seen(ada), walt.linked.worker_id)
    assert (worker.state, worker.slots, worker.name) == (WorkerState.IDLE, 2, "walt")

    answer = await walt.call("DELETE", f"/sessions/{walt.session}")

    assert (answer.status_code, answer.json()) == (200, {})
    worker = await store.get(room.engine.database, _seen(ada), walt.linked.worker_id)
    assert worker.state is WorkerState.OFFLINE


async def test_a_worker_that_rests_says_why(room, ada, walt):
    """A worker that can't work is resting and tells its trouble; when that is over it is idle."""

    async def told(trouble: str) -> tuple[WorkerState, str]:
        answer = await walt.call("POST", "/heartbeats", Heartbeat(walt.session, (), 0, trouble=trouble))
        assert answer.status_code == 200
        worker = await store.get(room.engine.database, _seen(ada), walt.linked.worker_id)
        return worker.state, worker.trouble

    assert await told("the disk is full") == (WorkerState.RESTING, "the disk is full")
    assert await told("x\0" * 600) == (WorkerState.RESTING, "x" * 500)
    assert await told("") == (WorkerState.IDLE, "")


async def test_a_worker_is_told_what_it_shall_keep_ready(room, ada, process, walt, stray):
    """What is allocated where it serves, and to a worker from elsewhere nothing."""
    task = await room.engine.database.value("select task_id from step where process_id = %(id)s", id=process)
    await allocations.allocate(room.engine, ada.actor, ada.workspace, TaskId(task), run_as=None, most=2)

    answers = [await worker.call("GET", "/kept") for worker in (walt, stray)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [[kept["count"] for kept in answer.json()["kept"]] for answer in answers] == [[2], []]


async def test_a_wrong_link_token_is_refused_as_documented(stranger):
    """Errors have code and message, twice the message."""
    answer = await stranger.post("/worker/v1/link", content=msgspec.json.encode(Link("crl_x", "walt")))

    assert answer.status_code == 401
    body = answer.json()
    assert body["error"] == {"code": "LINK_TOKEN_INVALID", "message": body["message"]}


@pytest.mark.parametrize("credential", [None, "Bearer crw_nonsense", "Bearer", "RC-WSKEY x", "Basic eDp5"])
async def test_nobody_without_a_workers_token_is_served(stranger, credential):
    """Everything but `link` asks for a worker's token, before anything else."""
    headers = {"authorization": credential} if credential else {}
    for method, path in (
        ("POST", "/sessions"),
        ("POST", "/claims"),
        ("POST", "/heartbeats"),
        ("GET", f"/packages/{'0' * 64}"),
        ("PUT", "/step-runs/00000000-0000-0000-0000-000000000000/attempts/1/artifacts/x"),
    ):
        answer = await stranger.request(method, f"/worker/v1{path}", headers=headers, content=b"nonsense")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_api_key_is_no_workers_token(ada, room, stranger):
    """What opens the public API does not open this one."""
    answer = await stranger.post("/worker/v1/claims", headers={"authorization": f"Bearer {ada.key}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"session": 1}', b'{"session":"x","free":1,"wait_seconds":0}'])
async def test_a_malformed_body_is_told_so(walt, body):
    """What is no message of the protocol is answered with 400 and what is wrong with it."""
    answer = await walt.call("POST", "/claims", body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "message"}


async def test_work_that_waits_is_given_at_once(walt, start):
    """A claim brings what waits, with the robot's item."""
    run = await start()

    [assignment] = await walt.claim()

    assert (assignment.run_id, assignment.task, assignment.attempt) == (run.id, "Read", 1)
    assert assignment.work_item_id is not None
    assert await walt.claim(running=(assignment.step_run_id,)) == []


@pytest.mark.usefixtures("wakes_only")
async def test_a_waiting_claim_is_answered_when_work_comes(walt, start, watches):
    """A held claim brings work as soon as it is there, not when the wait is over."""
    claim = asyncio.create_task(walt.claim(wait=30))
    await watches.reach(Topic.STEP_RUNS_AWAIT, walt.linked.workspace_id, 1)

    await start()
    [assignment] = await claim

    assert assignment.task == "Read"


async def test_a_waiting_claim_finds_the_work_of_which_nobody_told_it(room, walt, start, watches, monkeypatch):
    """A wake-up is a hint that may be lost: the held claim looks by itself, and finds nothing before there is some."""
    monkeypatch.setattr(long_polls, "LOOK_EVERY", 0.1)
    claim = asyncio.create_task(walt.claim(wait=30))
    await watches.reach(Topic.STEP_RUNS_AWAIT, walt.linked.workspace_id, 1)
    monkeypatch.setattr(room.engine.wakes, "_deliver", lambda *_: None)

    await start()
    [assignment] = await claim

    assert assignment.task == "Read"


async def test_of_two_that_wait_one_gets_the_work(walt, wanda, start, watches):
    """One step run is claimed once."""
    claims = [asyncio.create_task(one.claim(wait=2)) for one in (walt, wanda)]
    await watches.reach(Topic.STEP_RUNS_AWAIT, walt.linked.workspace_id, 2)

    await start()

    assert sorted(len(taken) for taken in await asyncio.gather(*claims)) == [0, 1]


async def test_a_claim_that_does_not_want_to_wait_is_answered_empty(walt):
    """With nothing to do and no wait, the answer is empty at once."""
    assert await walt.claim(wait=0) == []
    assert await walt.claim(wait=-1) == []


async def test_a_caller_that_goes_away_frees_its_poll_and_claims_nothing(room, walt, wanda, start, watches):
    """Nobody waits for a worker that has hung up, and work that comes later goes to another one."""
    content = msgspec.json.encode(Claim(session=walt.session, free=1, wait_seconds=30))
    lost = asyncio.create_task(walt.http.post("/worker/v1/claims", content=content))
    await watches.reach(Topic.STEP_RUNS_AWAIT, walt.linked.workspace_id, 1)

    lost.cancel()
    await watches.reach(Topic.STEP_RUNS_AWAIT, walt.linked.workspace_id, 0)
    await start()

    assert len(await wanda.claim(wait=5)) == 1


async def test_a_claim_of_an_older_session_is_superseded(walt):
    """After a worker was started anew, the earlier process gets nothing any more."""
    info = OpenSession(slots=1, version="2", platform="test", sandbox=SandboxKind.OFF)
    await walt.ask("/sessions", info, Session)

    answer = await walt.call("POST", "/claims", Claim(session=walt.session, free=1, wait_seconds=0))

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "SUPERSEDED")


@pytest.mark.usefixtures("wakes_only")
async def test_a_heartbeat_is_held_until_an_order_differs(room, ada, walt, start, watches):
    """A stop of the run reaches the worker by the heartbeat that waits; obeyed orders are not told again."""
    run = await start()
    [assignment] = await walt.claim()
    assert await walt.beat(assignment) == [Order.CONTINUE]
    beat = asyncio.create_task(walt.beat(assignment, hold=60))
    await watches.reach(Topic.ORDERS, walt.linked.worker_id, 1)

    await runs.stop(room.engine, ada.actor, ada.workspace, run.id, StopRequest(terminate=True, remaining_done=False))

    assert await beat == [Order.TERMINATE]
    obeyed = asyncio.create_task(walt.beat(assignment, order=Order.TERMINATE, hold=8))
    await watches.reach(Topic.ORDERS, walt.linked.worker_id, 1)
    obeyed.cancel()
    await watches.reach(Topic.ORDERS, walt.linked.worker_id, 0)


async def test_what_is_not_the_workers_is_to_be_abandoned(walt, wanda, assignment):
    """A step run that another worker has, or nobody, is told at once, whatever the hold."""
    assert await wanda.beat(assignment, hold=8) == [Order.ABANDON]


async def test_an_unlinked_worker_is_told_while_it_waits(room, ada, walt, watches):
    """A deleted worker's held heartbeat ends with a refusal, and so does all that it says later."""
    content = Heartbeat(walt.session, (), 8)
    beat = asyncio.create_task(walt.call("POST", "/heartbeats", content))
    await watches.reach(Topic.ORDERS, walt.linked.worker_id, 1)

    await workers.delete(room.engine, ada.actor, ada.workspace, walt.linked.worker_id)

    assert (await beat).status_code == 409
    assert (await walt.call("POST", "/heartbeats", content)).status_code == 401


async def test_a_server_that_stops_answers_those_who_wait(room, walt, watches):
    """Held requests end when the server asks for it, and none is held afterwards: neither waits out its time."""
    claim = asyncio.create_task(walt.claim(wait=30))
    await watches.reach(Topic.STEP_RUNS_AWAIT, walt.linked.workspace_id, 1)
    began = time.monotonic()

    room.room.holds.release()
    try:
        assert await claim == []
        assert await walt.claim(wait=30) == []
        assert time.monotonic() - began < LONGEST_WAIT_SECONDS
    finally:
        room.room.holds._is_stopping = False


async def test_the_api_is_documented(stranger):
    """The OpenAPI document names every call of the protocol; the page beside it loads nothing from elsewhere."""
    document = (await stranger.get("/worker/v1/openapi.json")).json()
    page = (await stranger.get("/worker/v1/docs")).text

    paths = {path.removeprefix("/worker/v1").split("/")[1] for path in document["paths"]}
    assert paths == {"link", "sessions", "claims", "code", "heartbeats", "kept", "packages", "step-runs"}
    for operation in ("link", "claim", "putArtifact"):
        assert operation in page
    assert "src=" not in page
    assert "@import" not in page
