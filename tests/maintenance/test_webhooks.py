"""From what happens to a run to who is told of it."""

import hashlib
import hmac
import time

import pytest
from standardwebhooks import Webhook

from controlroom.engine.runs.model import Callback
from controlroom.engine.webhooks import actions as webhooks
from controlroom.engine.webhooks.model import WebhookDefinition, WebhookEvent
from controlroom.protocol import ErrorCode

RUN_EVENTS = (WebhookEvent.RUN_STARTED, WebhookEvent.RUN_COMPLETED, WebhookEvent.RUN_UNRESOLVED)


@pytest.fixture
async def process(floor):
    return await floor.process({})


@pytest.fixture
async def hook(engine, ada, workspace, receiver):
    """Makes webhooks that go to the receiver."""

    async def make(*events, **given):
        wanted = WebhookDefinition(endpoint=receiver.url, events=events or RUN_EVENTS, **given)
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


async def test_a_delivery_leaves_an_idle_room_at_once(deliveries, floor, hook, process, receiver):
    """Within a tenth of a second of the start, and not at the next look."""
    await hook(WebhookEvent.RUN_STARTED)
    began = time.perf_counter()

    await floor.start(process)

    await receiver.wait(1)
    assert time.perf_counter() - began < 0.5  # a second is the polling; a tenth is usual, a busy machine takes longer


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
    await play(floor, process, callback=Callback(receiver.url, "from the caller", ("completed",)))
    await play(floor, process)

    [told] = await receiver.wait(1)
    assert told.json["action"] == "completed"
    assert told.headers["x-rc-signature"] == hmac.new(b"from the caller", told.body, hashlib.sha256).hexdigest()
