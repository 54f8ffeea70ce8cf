"""From what happens to a run to who is told of it."""

import asyncio
import hashlib
import hmac
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from controlroom.dialects.robocorp.messages import GRAMMAR
from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import Room, scope_of
from controlroom.engine.deliveries import store
from controlroom.engine.deliveries.model import DeliveryState, NotSent, Tried
from controlroom.engine.events.store import By, Event, append
from controlroom.engine.runs.callbacks import Callback, CallbackEvent
from controlroom.engine.webhooks import actions as webhooks
from controlroom.engine.webhooks import redelivery
from controlroom.engine.webhooks import store as webhook_store
from controlroom.engine.webhooks.model import WebhookChange, WebhookDefinition, WebhookEvent
from controlroom.maintenance.deliverer import prune, record
from controlroom.maintenance.fan_out import Batch, fan_out
from controlroom.maintenance.loops import recipients
from controlroom.protocol import ErrorCode
from delivering import delivering, log_of, until
from receivers import receiving

RUN_EVENTS = (WebhookEvent.RUN_STARTED, WebhookEvent.RUN_COMPLETED, WebhookEvent.RUN_UNRESOLVED)


@pytest.fixture
async def process(floor):
    return await floor.process({})


@pytest.fixture
async def hook(engine, ada, workspace, receiver):
    """Makes webhooks that go to the receiver."""

    async def make(*events, **given):
        wanted = WebhookDefinition(grammar=GRAMMAR, endpoint=receiver.url, events=events or RUN_EVENTS, **given)
        return await webhooks.create(engine, ada, workspace, wanted)

    return make


async def play(floor, process, error=None, **given):
    """One run from start to end."""
    walt = await floor.worker()
    run = await floor.start(process, **given)
    assignment, robot = await walt.take()
    if error is None:
        await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment, error)
    return await floor.run(run)


async def test_a_run_is_told_from_start_to_end(deliveries, floor, hook, process, receiver, workspace):
    """In the old form, with the keys that receivers know, and signed twice."""
    _, secret = await hook()

    run = await play(floor, process)

    started, completed = sorted(await receiver.wait(2), key=lambda each: each.json["webhookEventTimestamp"])
    where = {"workspaceId": str(workspace), "processId": str(process), "processRunId": str(run.id)}
    assert (started.json["event"], started.json["action"]) == ("process_run", "started")
    assert started.json["payload"] == where | {"state": "IP"}
    assert completed.json["action"] == "completed"
    assert completed.json["payload"].pop("duration") >= 0
    payload = {name: value for name, value in completed.json["payload"].items() if name != "duration"}
    assert payload == where | {"state": "COMPL", "result": "success"}
    assert started.json["id"] != completed.json["id"]
    expected = hmac.new(secret.encode(), started.body, hashlib.sha256).hexdigest()
    assert started.headers["x-rc-signature"] == expected
    assert Webhook(secret).verify(started.body, started.headers) == started.json


async def webhook_of(engine, actor, workspace, webhook):
    return await webhook_store.get(engine.database, scope_of(actor, Permission.READ_WEBHOOKS, workspace), webhook)


async def test_a_receiver_that_is_gone_disables_its_webhook(
    deliveries, engine, ada, workspace, floor, process, hook, receiver
):
    """410 is asked once; what waits is given up, everybody sees why, and whoever enables it again begins anew."""
    receiver.reply = lambda _: 410
    made, _ = await hook(WebhookEvent.RUN_STARTED)

    await play(floor, process)
    await receiver.wait(1)

    async def disabled():
        found = await webhook_of(engine, ada, workspace, made.id)
        return None if found.is_enabled else found

    found = await until(disabled)
    assert "answered 410" in found.disabled_reason
    states = {one.state for one in await log_of(engine, ada, workspace, made.id)}
    assert states <= {DeliveryState.FAILED}
    kinds = await engine.database.all(str, "select kind from event where subject_id = %(id)s order by id", id=made.id)
    assert kinds[-1] == "webhook.disabled"
    asked = len(receiver.requests)
    await play(floor, process)
    assert len(receiver.requests) == asked

    receiver.reply = lambda _: 200
    again = await webhooks.update(engine, ada, workspace, made.id, WebhookChange(is_enabled=True))
    assert (again.is_enabled, again.disabled_reason) == (True, "")
    await play(floor, process)
    await receiver.wait(asked + 1)


async def test_an_endpoint_that_was_changed_meanwhile_is_not_disabled(engine, ada, workspace, hook):
    """The answer was of another one."""
    made, _ = await hook()

    await webhooks.disable_gone(engine, Room(), made.id, endpoint="https://old.example.com/", answer="410")

    assert (await webhook_of(engine, ada, workspace, made.id)).is_enabled


async def test_a_receiver_may_ask_for_a_pause(deliveries, engine, ada, workspace, floor, process, hook, receiver):
    """`Retry-After` holds for all that the webhook has; nothing of it counts as an attempt."""
    receiver.reply = lambda _: 429
    receiver.answer_headers = {"retry-after": "3600"}
    made, _ = await hook()
    await play(floor, process)
    await receiver.wait(1)

    async def waiting():
        found = await log_of(engine, ada, workspace, made.id)
        later = [one for one in found if one.due - one.created_at > timedelta(minutes=55)]
        return found if len(found) == len(later) == 2 else None

    await until(waiting)
    before = len(receiver.requests)
    await play(floor, process)

    async def held():
        found = await log_of(engine, ada, workspace, made.id)
        later = [one for one in found if one.due - one.created_at > timedelta(minutes=55)]
        return found if len(found) == len(later) == 4 else None

    found = await until(held)
    assert len(receiver.requests) == before
    assert [one.attempts for one in found][:2] == [0, 0]

    receiver.reply = lambda _: 200
    await webhooks.test(engine, ada, workspace, made.id)
    assert (await receiver.wait(before + 1))[-1].json["event"] == "test"


async def test_an_endpoint_may_have_a_query(deliveries, engine, ada, workspace, floor, process, receiver):
    """It is called as it was written."""
    wanted = WebhookDefinition(
        grammar=GRAMMAR, endpoint=receiver.url + "?key=a%2Fb&x=1", events=(WebhookEvent.RUN_STARTED,)
    )
    await webhooks.create(engine, ada, workspace, wanted)
    await play(floor, process)
    [request] = await receiver.wait(1)
    assert request.path == "/hook?key=a%2Fb&x=1"


@pytest.fixture
def wakes_only(monkeypatch):
    """Nobody who delivers looks for something to deliver by himself."""
    for loop in ("deliverer", "fan_out"):
        monkeypatch.setattr(f"controlroom.maintenance.{loop}._POLL", 3600.0)


async def test_a_delivery_leaves_an_idle_room_at_once(wakes_only, deliveries, floor, hook, process, receiver):
    """The start of a run wakes those who deliver: they don't wait for their next look."""
    await hook(WebhookEvent.RUN_STARTED)
    await floor.start(process)
    await receiver.wait(1)


async def test_an_unresolved_run_names_the_robots_error(deliveries, floor, hook, process, receiver):
    """With the state of the old API."""
    await hook(WebhookEvent.RUN_UNRESOLVED)

    await play(floor, process, ErrorCode.ROBOT_FAILED)

    [told] = await receiver.wait(1)
    payload = told.json["payload"]
    assert (payload["state"], payload["result"], payload["errorCode"]) == ("PENDING", "error", "ROBOT_FAILED")


async def test_step_runs_are_told_to_who_asks(deliveries, floor, hook, process, receiver):
    """START and END, as the older receivers read them."""
    await hook(WebhookEvent.STEP_RUN_STARTED, WebhookEvent.STEP_RUN_COMPLETED)

    await play(floor, process)

    told = sorted((each.json for each in await receiver.wait(2)), key=lambda each: each["payload"]["seqNo"])
    assert [(each["event"], each["action"], each["payload"]["seqNo"]) for each in told] == [
        ("robot_run_event", "START", 1),
        ("robot_run_event", "END", 2),
    ]


async def test_a_callback_is_told_of_its_run_alone(deliveries, floor, process, receiver):
    """Signed by the caller's secret, of the events that the caller named."""
    callback = Callback(
        url=receiver.url, grammar=GRAMMAR, events=(CallbackEvent.RUN_COMPLETED,), secret="from the caller"
    )
    await play(floor, process, callback=callback)
    await play(floor, process)

    [told] = await receiver.wait(1)
    assert told.json["action"] == "completed"
    assert told.headers["x-rc-signature"] == hmac.new(b"from the caller", told.body, hashlib.sha256).hexdigest()


async def ended(engine, ada, workspace, subscription, count=1):
    """The deliveries of a subscription, once so many have ended."""

    async def look():
        found = await log_of(engine, ada, workspace, subscription)
        return found if sum(one.state is not DeliveryState.PENDING for one in found) >= count else None

    return await until(look)


async def test_the_log_tells_what_was_sent_and_answered(
    deliveries, engine, ada, workspace, floor, hook, process, receiver
):
    """With body, status and the receiver's words."""
    webhook, _ = await hook(WebhookEvent.RUN_STARTED)
    run = await floor.start(process)

    [delivery] = await ended(engine, ada, workspace, webhook.id)

    assert (delivery.state, delivery.attempts, delivery.last_status) == (DeliveryState.DELIVERED, 1, 200)
    assert (delivery.last_answer, delivery.run_id) == ("noted", run.id)
    found = await store.get(engine.database, scope_of(ada, Permission.READ_WEBHOOKS, workspace), delivery.id)
    assert found.body == receiver.requests[0].body


async def test_a_failed_delivery_is_tried_again_with_the_same_id(
    deliveries, engine, ada, workspace, floor, hook, process, receiver
):
    """Later and later; receivers know it by its id."""
    receiver.reply = lambda _: 500 if len(receiver.requests) < 3 else 200
    webhook, _ = await hook(WebhookEvent.RUN_STARTED)
    await floor.start(process)
    for tried in (1, 2):
        await receiver.wait(tried)
        await until(lambda tried=tried: soon(engine, webhook.id, tried))

    [delivery] = await ended(engine, ada, workspace, webhook.id)

    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 3)
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1


async def soon(engine, subscription, tried):
    """Make a delivery that failed so often due now; whether it had failed."""
    return await engine.database.execute(
        """
        update delivery set due = clock_now()
         where subscription_id = %(id)s and attempts = %(tried)s and last_error <> ''
           and due > clock_now() and due < attempted_at + interval '30 seconds'  -- later ones are leases
        """,
        id=subscription,
        tried=tried,
    )


async def test_what_cannot_be_delivered_is_given_up_visibly(
    deliveries, engine, ada, workspace, floor, hook, process, receiver
):
    """When its day is over: the log says why, the record of events has it; by hand it is delivered after all."""
    receiver.reply = lambda _: 500
    webhook, _ = await hook(WebhookEvent.RUN_STARTED)
    await floor.start(process)
    await receiver.wait(1)
    await engine.database.execute(
        "update delivery set give_up_at = clock_now() where subscription_id = %(id)s", id=webhook.id
    )
    await until(lambda: soon(engine, webhook.id, 1))

    [given_up] = await ended(engine, ada, workspace, webhook.id)
    assert (given_up.state, given_up.last_error) == (DeliveryState.FAILED, "The receiver answered 500.")
    told = await engine.database.value(
        "select data ->> 'error' from event where kind = 'delivery.given_up' and subject_id = %(id)s", id=given_up.id
    )
    assert told == given_up.last_error

    receiver.reply = lambda _: 204
    await redelivery.redeliver(engine, ada, workspace, given_up.id)
    [delivered] = await ended(engine, ada, workspace, webhook.id)
    assert (delivered.state, delivered.last_status) == (DeliveryState.DELIVERED, 204)
    assert receiver.requests[-1].body == receiver.requests[0].body


async def test_private_addresses_are_given_up_at_once(engine, ada, workspace, floor, process, receiver):
    """Unless the operator allows them; nothing is sent."""
    wanted = WebhookDefinition(grammar=GRAMMAR, endpoint=receiver.url, events=(WebhookEvent.RUN_STARTED,))
    webhook, _ = await webhooks.create(engine, ada, workspace, wanted)
    async with delivering(engine, allow=()):
        await floor.start(process)

        [refused] = await ended(engine, ada, workspace, webhook.id)

    assert (refused.state, refused.attempts) == (DeliveryState.FAILED, 1)
    assert "outgoing_allow" in refused.last_error
    assert receiver.requests == []


async def test_a_dead_receiver_delays_nobody(deliveries, engine, ada, workspace, floor, hook, process, receiver):
    """Hundreds of messages for one that never answers, and the other has its own at once."""
    silence = asyncio.Event()

    async def wait(_):
        await silence.wait()
        return 200

    async with receiving(reply=wait) as dead:
        wanted = WebhookDefinition(grammar=GRAMMAR, endpoint=dead.url, events=(WebhookEvent.RUN_STARTED,))
        blocked, _ = await webhooks.create(engine, ada, workspace, wanted)
        for _ in range(40):
            await webhooks.test(engine, ada, workspace, blocked.id)
        await dead.wait(1)
        await hook(WebhookEvent.RUN_STARTED)
        await floor.start(process)

        await receiver.wait(1)

        assert len(dead.requests) <= 16
        await webhooks.delete(engine, ada, workspace, blocked.id)
        silence.set()


async def test_a_disabled_webhook_is_told_nothing(deliveries, engine, ada, workspace, floor, hook, process, receiver):
    """Neither what happens then, nor afterwards what happened meanwhile."""
    webhook, _ = await hook(WebhookEvent.RUN_STARTED)
    await webhooks.update(engine, ada, workspace, webhook.id, WebhookChange(is_enabled=False))
    await floor.start(process)
    await caught_up(engine)
    await webhooks.update(engine, ada, workspace, webhook.id, WebhookChange(is_enabled=True))
    run = await floor.start(process)

    [told] = await receiver.wait(1)
    await caught_up(engine)
    assert told.json["payload"]["processRunId"] == str(run.id)
    assert len(await log_of(engine, ada, workspace, webhook.id)) == 1


async def caught_up(engine):
    """Wait until all events have been fanned out."""
    last = await engine.database.value("select max(id) from event")

    async def look():
        return await engine.database.value(
            "select id >= %(last)s from event_cursor where reader = 'deliveries'", last=last
        )

    await until(look)


async def test_a_late_commit_is_not_skipped(engine, ada, workspace, floor, hook, process):
    """Events of a transaction that began first and ends last are told, and so are those that overtook it."""
    await until(lambda: read_up(engine))
    webhook, _ = await hook(WebhookEvent.RUN_STARTED)
    async with engine.database.transaction() as late:
        await append(
            late,
            By("system"),
            Event(kind="run.started", organization_id=ada.organization_id, workspace_id=workspace, process_id=process),
        )
        await late.write_collected()
        run = await floor.start(process)
        assert await fan_out(engine, recipients(engine)) == Batch(0, has_more=True)

    assert await until(lambda: fanned_out(engine)) == 2
    told = await log_of(engine, ada, workspace, webhook.id)
    assert {each.run_id for each in told} == {None, run.id}


async def test_events_that_nobody_is_told_of_are_not_followed(engine, ada, workspace):
    """Each released work item leaves one: the fan-out does not read on for them, however many come."""
    await until(lambda: read_up(engine))
    async with engine.database.transaction() as tx:
        done = Event(kind="work_item.done", organization_id=ada.organization_id, workspace_id=workspace)
        await append(tx, By("system"), *[done] * 3)

    assert await fan_out(engine, recipients(engine)) == Batch(0, has_more=False)


async def read_up(engine):
    """Read on; whether there was nothing more."""
    return not (await fan_out(engine, recipients(engine))).has_more


async def test_two_servers_tell_once(engine, ada, workspace, floor, hook, process, receiver):
    """Each event one message, however many deliver."""
    webhook, _ = await hook(WebhookEvent.RUN_STARTED)
    async with delivering(engine), delivering(engine), delivering(engine):
        runs = [await floor.start(process) for _ in range(30)]
        await ended(engine, ada, workspace, webhook.id, len(runs))

    told = [request.json["payload"]["processRunId"] for request in receiver.requests]
    assert sorted(told) == sorted(str(run.id) for run in runs)


async def test_what_a_killed_server_had_in_hand_is_sent_again(engine, ada, workspace, floor, hook, process):
    """When the lease is over, and not before; a late outcome of the first attempt changes nothing."""
    webhook, _ = await hook(WebhookEvent.RUN_STARTED)
    await floor.start(process)
    await until(lambda: fanned_out(engine))

    async def claimed():  # of all that is due in the room: an earlier test's may come due meanwhile
        claim = {"known": {}, "places": 100, "limit": 1000, "lease": timedelta(seconds=45)}
        found = await store.claim(engine.database, Room(), **claim)
        return [each for each in found if each.subscription_id == webhook.id]

    [lost] = await claimed()
    assert await claimed() == []
    await engine.database.execute("update delivery set due = clock_now() where id = %(id)s", id=lost.id)

    async with delivering(engine):
        [delivery] = await ended(engine, ada, workspace, webhook.id)
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 2)

    assert await record(engine, [Tried(lost, NotSent("late"))]) == 0
    assert (await log_of(engine, ada, workspace, webhook.id))[0].state is DeliveryState.DELIVERED


async def fanned_out(engine):
    return (await fan_out(engine, recipients(engine))).deliveries


async def test_old_deliveries_are_pruned(deliveries, engine, ada, workspace, floor, hook, process):
    """Two weeks after their end; what is pending stays."""
    webhook, _ = await hook(WebhookEvent.RUN_STARTED)
    await floor.start(process)
    await ended(engine, ada, workspace, webhook.id)
    assert await prune(engine) == 0

    await engine.database.execute("update delivery set ended_at = ended_at - interval '15 days'")
    assert await prune(engine) >= 1
    assert await log_of(engine, ada, workspace, webhook.id) == []
