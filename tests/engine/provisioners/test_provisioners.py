"""Workers on demand: asked for, linked, used, stopped; and what happens when none comes."""

import base64
import hashlib
import hmac
import time
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from controlroom.engine.access.credentials import authenticate_worker
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import scope_of
from controlroom.engine.access.tokens import read_step_run_token
from controlroom.engine.deliveries import store as delivery_store
from controlroom.engine.deliveries.model import DeliveryState
from controlroom.engine.processes.model import OnDemand, Placement, Workers
from controlroom.engine.provisioners import actions as provisioners
from controlroom.engine.provisioners.errors import ProvisionerInUse, ProvisionerInvalid, ProvisionerNameTaken
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import claims, leases, reports, store
from controlroom.engine.runs.model import RunState, StepRunState, StopRequest
from controlroom.engine.workers import linking
from controlroom.errors import Forbidden, NotFound, Unauthenticated
from controlroom.ids import WorkerId
from controlroom.maintenance.provisioner import provide
from controlroom.protocol import Claim, ErrorCode, Finish, Link, OpenSession, SandboxKind
from delivering import log_of, until
from engine.runs.conftest import expire_leases, payloads

SECRET = "shared with the provisioner"


def check_hmac(request, secret=SECRET):
    """What the open provisioners check, written from the description of the signature."""
    headers = request.headers
    timestamp = headers["x-rc-timestamp"]
    assert abs(time.time() - int(timestamp)) < 15 * 60
    names = headers["x-rc-signed-headers"]
    path = request.path.partition("?")[0]
    lines = [request.method, path, ""]  # as the public provisioners do, which know no query
    lines += [f"{name}:{headers[name]}" for name in names.split(";")]
    lines += [names, base64.b64encode(hashlib.sha256(request.body).digest()).decode()]
    inner = base64.b64encode(hashlib.sha256("\n".join(lines).encode()).digest()).decode()
    expected = hmac.new(secret.encode(), f"sha256\n{timestamp}\n{inner}".encode(), hashlib.sha256).hexdigest()
    return headers["x-rc-signature"] == expected


@pytest.fixture
async def provisioner(engine, ada, workspace, receiver):
    """Somebody who starts workers."""
    made, _ = await provisioners.create(
        engine,
        ada,
        workspace,
        name="cluster",
        endpoint=receiver.url,
        secret=SECRET,
        max_lifetime=timedelta(hours=1),
    )
    return made


@pytest.fixture
async def process(floor, provisioner):
    """A process whose step runs on demand."""
    return await floor.process({"placement": Placement((OnDemand(provisioner.id),))})


async def step_runs(floor, run):
    return await store.list_step_runs(floor.engine.database, floor.scope, run.id, limit=99)


async def come(engine, started):
    """The worker that was asked for, linked and at work."""
    link = Link(link_token=started["runtimeLinkToken"], name="pod", worker_id=WorkerId(UUID(started["runtimeId"])))
    linked = await linking.link(engine, link)
    actor = await authenticate_worker(engine, linked.token)
    info = OpenSession(slots=1, version="1", platform="test", sandbox=SandboxKind.OFF)
    return actor, await leases.open_session(engine, actor, info)


async def test_a_worker_is_asked_for_runs_and_is_stopped(
    deliveries, engine, ada, workspace, floor, provisioner, process, receiver
):
    """The request is signed as provisioners check it; the worker with that id gets the step run, and nobody else."""
    wanda = await floor.worker("wanda")
    run = await floor.start(process)
    assert [one.state for one in await step_runs(floor, run)] == [StepRunState.NEW]
    assert await provide(engine) >= 1
    [request] = await receiver.wait(1)

    started = request.json
    assert check_hmac(request)
    assert not check_hmac(request, "another secret")
    assert set(started) == {"type", "workspaceId", "runtimeId", "runtimeLinkToken", "maxLifetimeSeconds"}
    assert (started["type"], started["workspaceId"], started["maxLifetimeSeconds"]) == ("start", str(workspace), 3600)
    assert await wanda.claim() == []

    actor, session = await come(engine, msgspec.json.decode(request.body))
    assert str(actor.worker_id) == started["runtimeId"]
    claim = Claim(session=session.session, free=1, wait_seconds=0)
    [assignment] = (await claims.claim(engine, actor, claim)).assignments
    await provide(engine)
    robot = read_step_run_token(engine.keys, assignment.token)
    await floor.drain(robot, assignment.work_item_id)
    await reports.finish(engine, actor, assignment.step_run_id, assignment.attempt, Finish(exit_code=0))
    await leases.close_session(engine, actor, session.session)
    assert (await floor.run(run)).state is RunState.COMPLETED

    await provide(engine)
    stop = (await receiver.wait(2))[1]
    assert check_hmac(stop)
    assert stop.json == {"type": "stop", "workspaceId": str(workspace), "runtimeId": started["runtimeId"]}
    await provide(engine)
    gone = "select deleted_at is not null from worker where id = %(id)s"
    assert await engine.database.value(gone, id=actor.worker_id)


@pytest.mark.parametrize("status", [400, 404, 410])
async def test_a_stop_that_means_nothing_to_a_provisioner_is_no_failed_delivery(
    deliveries, engine, ada, workspace, floor, provisioner, process, receiver, status
):
    """The public one for Kubernetes answers each with 400, for its pods end by themselves."""
    receiver.reply = lambda request: 200 if request.json["type"] == "start" else status
    run = await floor.start(process)
    await provide(engine)
    await receiver.wait(1)
    await runs.stop(engine, ada, workspace, run.id, StopRequest(terminate=True, remaining_done=False))
    await provide(engine)
    await receiver.wait(2)

    async def told():
        found = await log_of(engine, ada, workspace, provisioner.id)
        return [one.last_status for one in found if one.state is DeliveryState.DELIVERED] if len(found) == 2 else None

    assert await until(lambda: both(told)) == [status, 200]


async def both(told):
    found = await told()
    return found if found is not None and len(found) == 2 else None


async def test_a_provisioners_address_may_have_a_query(deliveries, engine, ada, workspace, floor, receiver):
    """As functions of clouds want their key; the signature leaves it out."""
    made, _ = await provisioners.create(
        engine, ada, workspace, name="function", endpoint=receiver.url + "?code=a%2Fb&x=1", secret=SECRET
    )
    await floor.start(await floor.process({"placement": Placement((OnDemand(made.id),))}))
    await provide(engine)

    [request] = await receiver.wait(1)
    assert request.path == "/hook?code=a%2Fb&x=1"
    assert check_hmac(request)


async def test_the_log_does_not_keep_link_tokens(
    deliveries, engine, ada, workspace, floor, provisioner, process, receiver
):
    """Who reads deliveries cannot link a worker."""
    await floor.start(process)
    await provide(engine)
    await receiver.wait(1)

    [delivery] = await log_of(engine, ada, workspace, provisioner.id)
    found = await delivery_store.get(engine.database, scope_of(ada, Permission.READ_WEBHOOKS, workspace), delivery.id)
    assert b"LinkToken" not in found.body


@pytest.mark.parametrize("status", [400, 403])
async def test_a_refusal_fails_the_step_run(
    deliveries, engine, ada, workspace, floor, provisioner, process, receiver, status
):
    """At once, with a message that says who refused, and its item; the run ends unresolved."""
    receiver.reply = lambda _: status
    run = await floor.start(process)
    await provide(engine)
    await receiver.wait(1)

    failed = await until(lambda: failed_step_run(floor, run))

    assert failed.error_code is ErrorCode.WORKER_LOST
    assert "cluster starts no worker" in failed.error_message
    assert str(status) in failed.error_message
    assert (await floor.run(run)).state is RunState.UNRESOLVED
    assert len(receiver.requests) == 1


async def failed_step_run(floor, run):
    await provide(floor.engine)
    found = await step_runs(floor, run)
    return found[0] if found[0].state is StepRunState.FAILED else None


async def test_an_error_of_the_provisioner_is_tried_again(
    deliveries, engine, ada, workspace, floor, provisioner, process, receiver
):
    """With the same worker id, and the token still works."""
    receiver.reply = lambda _: 500 if len(receiver.requests) == 1 else 200
    await floor.start(process)
    await provide(engine)
    await receiver.wait(1)

    async def due():
        return await engine.database.execute(
            """
            update delivery set due = clock_now()
             where subscription_id = %(id)s and last_status = 500 and due > clock_now()
            """,
            id=provisioner.id,
        )

    await until(due)
    first, second = await receiver.wait(2)
    assert first.json == second.json


async def test_a_worker_that_does_not_come_fails_the_step_run(
    deliveries, engine, ada, workspace, floor, provisioner, process, receiver
):
    """After half an hour; its token is worth nothing then."""
    run = await floor.start(process)
    await provide(engine)
    [request] = await receiver.wait(1)
    await engine.database.execute("update provisioning set link_by = clock_now() - interval '1 second'")

    failed = await failed_step_run(floor, run)

    assert failed.error_message == "No worker of the provisioner cluster came within 30 minutes."
    with pytest.raises(Unauthenticated):
        await come(engine, request.json)


async def test_a_worker_that_went_before_the_robot_began_is_replaced(
    deliveries, engine, ada, workspace, floor, provisioner, process, receiver
):
    """By another one; after the third the step run fails."""
    run = await floor.start(process)
    await provide(engine)
    for asked in (1, 2, 3):
        requests = await receiver.wait(2 * asked - 1)
        start = next(one.json for one in reversed(requests) if one.json["type"] == "start")
        actor, session = await come(engine, start)
        await claims.claim(engine, actor, Claim(session=session.session, free=1, wait_seconds=0))
        await leases.close_session(engine, actor, session.session)
        await provide(engine)
        await receiver.wait(2 * asked)

    [failed] = await step_runs(floor, run)
    assert (failed.state, failed.error_code) == (StepRunState.FAILED, ErrorCode.WORKER_LOST)


@pytest.fixture
async def walt(floor):
    """A worker who is there, and idle."""
    return await floor.worker()


@pytest.fixture
async def first_on_walt(floor, walt, provisioner):
    """A process whose step runs are for walt, and for a worker on demand while he is not idle."""
    places = (Workers((walt.actor.worker_id,)), OnDemand(provisioner.id))
    return await floor.process({"placement": Placement(places), "max_parallel": 2, "one_item_per_step_run": True})


async def test_nobody_is_asked_for_while_somebody_of_an_earlier_place_is_idle(
    deliveries, engine, floor, walt, first_on_walt, receiver
):
    """Of two step runs the idle worker takes one; for the other, then, a worker is started, who gets that one alone."""
    run = await floor.start(first_on_walt, payloads(1, 2))
    await provide(engine)
    assert [one.state for one in await step_runs(floor, run)] == [StepRunState.AWAITING_WORKER] * 2
    assert receiver.requests == []

    await walt.take()
    await provide(engine)
    [request] = await receiver.wait(1)
    actor, session = await come(engine, request.json)
    claim = Claim(session=session.session, free=2, wait_seconds=0)
    [assignment] = (await claims.claim(engine, actor, claim)).assignments

    assert assignment.step_run_id not in walt.held


async def test_a_worker_that_is_not_needed_after_all_is_stopped(
    deliveries, engine, floor, walt, first_on_walt, receiver
):
    """Who was asked for is stopped when an earlier place has taken the step run; if that is lost, one is asked anew."""
    await floor.start(first_on_walt, payloads(1, 2))
    taken, robot = await walt.take()
    await provide(engine)
    await receiver.wait(1)
    await floor.drain(robot, taken.work_item_id)
    await walt.finish(taken)

    [second] = await walt.claim()
    await provide(engine)
    assert [one.json["type"] for one in await receiver.wait(2)] == ["start", "stop"]

    await expire_leases(floor)
    await provide(engine)
    again = (await receiver.wait(3))[2].json
    actor, session = await come(engine, again)
    claim = Claim(session=session.session, free=1, wait_seconds=0)
    [assignment] = (await claims.claim(engine, actor, claim)).assignments
    assert (assignment.step_run_id, assignment.attempt) == (second.step_run_id, 2)


async def test_where_nobody_is_started_the_earlier_places_are_waited_for(
    deliveries, engine, floor, walt, first_on_walt, provisioner, receiver
):
    """A provisioner that refuses fails nothing that another place may still take, and is not asked again."""
    receiver.reply = lambda _: 400
    run = await floor.start(first_on_walt, payloads(1, 2))
    taken, robot = await walt.take()
    await provide(engine)
    await receiver.wait(1)
    await until(lambda: _has_refused(engine))
    await provide(engine)

    await floor.drain(robot, taken.work_item_id)
    await walt.finish(taken)
    assert len(await walt.claim()) == 1
    assert await floor.engine.database.value(
        "select data ->> 'reason' from event where run_id = %(run)s and kind = 'step_run.worker_refused'", run=run.id
    )


async def _has_refused(engine) -> bool:
    return await engine.database.value("select exists (select from delivery where state = 'failed')")


async def test_stopping_a_run_stops_its_worker(
    deliveries, engine, ada, workspace, floor, provisioner, process, receiver
):
    """Also one that has not come yet."""
    run = await floor.start(process)
    await provide(engine)
    await receiver.wait(1)

    await runs.stop(engine, ada, workspace, run.id, StopRequest(terminate=True, remaining_done=False))
    await provide(engine)

    assert (await receiver.wait(2))[1].json["type"] == "stop"


async def test_a_deleted_provisioner_fails_what_waits_for_it(engine, ada, workspace, floor, provisioner, process):
    """A run that began before does not wait for ever."""
    run = await floor.start(process)
    with pytest.raises(ProvisionerInUse):
        await provisioners.delete(engine, ada, workspace, provisioner.id)
    await engine.database.execute("update step set placement = '{}' where process_id = %(id)s", id=process)
    await provisioners.delete(engine, ada, workspace, provisioner.id)

    failed = await failed_step_run(floor, run)
    assert failed.error_message == "The provisioner that the step is placed on was deleted."


async def test_what_a_provisioner_may_be(engine, ada, ben, workspace, provisioner):
    """A name of its own, an address, a lifetime that makes sense; for those who may write workers."""
    make = provisioners.create
    with pytest.raises(ProvisionerNameTaken):
        await make(engine, ada, workspace, name="cluster", endpoint="https://example.com/hook")
    with pytest.raises(ProvisionerInvalid):
        await make(engine, ada, workspace, name="x", endpoint="https://example.com/", secret="")
    with pytest.raises(ProvisionerInvalid):
        await make(engine, ada, workspace, name="x", endpoint="https://example.com/", max_lifetime=timedelta(days=99))
    with pytest.raises(Forbidden):
        await make(engine, ben, workspace, name="x", endpoint="https://example.com/hook")
    assert await provisioners.reveal(engine, ada, workspace, provisioner.id) == SECRET


async def test_outsiders_see_no_provisioner(engine, cleo: Actor, workspace, provisioner):
    """Neither that there is one, nor its secret, nor what it was asked."""
    for nothing in (
        provisioners.reveal(engine, cleo, workspace, provisioner.id),
        provisioners.delete(engine, cleo, workspace, provisioner.id),
        log_of(engine, cleo, workspace, provisioner.id),
    ):
        with pytest.raises(NotFound):
            await nothing
