"""A second grammar: two messages of a run that ended, one of a step run, none of all else; it signs in its own way."""

import hashlib
import hmac
import json

import msgspec
import pytest
from msgspec import Raw

from controlroom.engine.deliveries.model import DeliveryState, NewDelivery
from controlroom.engine.deliveries.occurrences import MOST_OUTPUT_BYTES, MOST_OUTPUTS
from controlroom.engine.deliveries.store import insert
from controlroom.engine.messages import Message
from controlroom.engine.runs import outputs
from controlroom.engine.runs.callbacks import Callback, CallbackEvent, CallbackInvalid
from controlroom.engine.webhooks import actions as webhooks
from controlroom.engine.webhooks import redelivery
from controlroom.engine.webhooks.errors import WebhookInvalid
from controlroom.engine.webhooks.model import WebhookChange, WebhookDefinition, WebhookEvent
from controlroom.maintenance.fan_out import fan_out
from controlroom.maintenance.loops import recipients
from controlroom.protocol import ErrorCode
from delivering import log_of, until
from engine.webhooks.test_webhooks import caught_up, play, soon

ENDS = (WebhookEvent.RUN_STARTED, WebhookEvent.RUN_COMPLETED, WebhookEvent.RUN_UNRESOLVED)


class Toy:
    """Speaks numbers; an ended run is first over, then well or ill."""

    role_names = ()
    wants_outputs = frozenset({"step_run.completed", "run.completed"})

    def messages(self, occurrence):
        match occurrence.kind:
            case "run.completed":
                names = ("run.over", "run.well")
            case "run.unresolved":
                names = ("run.over", "run.ill")
            case "step_run.completed":
                names = ("step.over",)
            case _:
                return []
        return [Message(self._body(name, occurrence), name) for name in names]

    def _body(self, name, occurrence):
        said = {
            "name": name,
            "id": occurrence.message_id(name),
            "organization": occurrence.organization_number,
            "workspace": occurrence.workspace_number,
            "process": occurrence.process_number,
            "run": occurrence.run_number,
            "step_run": occurrence.step_run_number,
            "worker": occurrence.worker_name,
            "to": occurrence.subscription_name,
            "error": occurrence.error_code,
            "outputs": occurrence.outputs,
        }
        return msgspec.json.encode(said)

    def headers(self, body, *, message, secret, at):  # noqa: ARG002 - its signature has no time
        headers = {"Toy-Message": str(message)}
        return headers if secret is None else headers | {"Authorization": signed(body, secret)}


def signed(body, secret):
    return hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()


@pytest.fixture(autouse=True)
def toy(engine):
    """The grammar, served beside the other one."""
    engine.grammars["toy"] = Toy()
    yield engine.grammars["toy"]
    del engine.grammars["toy"]


@pytest.fixture
async def process(floor):
    return await floor.process({})


@pytest.fixture
async def hook(engine, ada, workspace, receiver):
    """Makes webhooks of the toy grammar."""

    async def make(**given):
        wanted = WebhookDefinition(grammar="toy", endpoint=receiver.url, events=ENDS, name="ops", **given)
        return await webhooks.create(engine, ada, workspace, wanted)

    return make


def names_of(requests):
    return sorted(request.json["name"] for request in requests)


async def test_one_event_may_have_several_messages(deliveries, engine, ada, workspace, floor, hook, process, receiver):
    """Each a delivery of its own, with an id of its own; what has no words is not told."""
    webhook, secret = await hook()
    run = await play(floor, process)

    told = await receiver.wait(2)
    await caught_up(engine)

    assert names_of(told) == ["run.over", "run.well"]
    assert all(each.json["run"] == run.number and each.json["to"] == "ops" for each in told)
    assert all(each.json["id"] == each.headers["toy-message"] for each in told)
    assert len({each.json["id"] for each in told}) == 2
    for each in told:
        assert each.headers["authorization"] == signed(each.body, secret)
        assert "x-rc-signature" not in each.headers
    log = await log_of(engine, ada, workspace, webhook.id)
    assert sorted(each.message_name for each in log) == ["run.over", "run.well"]
    assert {each.event_kind for each in log} == {"run.completed"}


async def test_the_messages_of_an_event_fail_and_are_tried_again_each_by_itself(
    deliveries, engine, ada, workspace, floor, hook, process, receiver
):
    """One that its receiver refuses keeps the other neither back nor from being delivered."""
    refusals = []

    def reply(request):
        if request.json["name"] == "run.ill" and len(refusals) < 2:
            refusals.append(request)
            return 500
        return 200

    receiver.reply = reply
    webhook, _ = await hook()
    await play(floor, process, ErrorCode.ROBOT_FAILED)
    await receiver.wait(2)

    for tried in (1, 2):
        await until(lambda tried=tried: soon(engine, webhook.id, tried))

    await receiver.wait(4)

    async def delivered():
        log = await log_of(engine, ada, workspace, webhook.id)
        return log if all(each.state is DeliveryState.DELIVERED for each in log) else None

    log = await until(delivered)
    assert {each.message_name: each.attempts for each in log} == {"run.over": 1, "run.ill": 3}
    assert names_of(receiver.requests) == ["run.ill", "run.ill", "run.ill", "run.over"]
    assert {each.json["error"] for each in receiver.requests} == {"ROBOT_FAILED"}


async def test_a_webhook_may_want_some_of_the_messages(deliveries, engine, floor, hook, process, receiver):
    """By their names; it is told of no others, and may change its mind."""
    await hook(messages=("run.ill",))
    await play(floor, process)
    await play(floor, process, ErrorCode.ROBOT_FAILED)

    told = await receiver.wait(1)
    await caught_up(engine)

    assert names_of(told) == ["run.ill"]


async def test_what_a_webhook_wants_can_be_changed(engine, ada, workspace, hook):
    """And stays where it is not."""
    made, _ = await hook(messages=("run.ill",))

    kept = await webhooks.update(engine, ada, workspace, made.id, WebhookChange(name="others"))
    changed = await webhooks.update(engine, ada, workspace, made.id, WebhookChange(messages=()))

    assert (kept.messages, changed.messages) == (["run.ill"], [])


async def test_a_message_is_written_once_for_a_receiver(engine, ada, workspace, floor, hook, process):
    """However often an event is read: unique are event, subscription and name together."""
    webhook, _ = await hook()
    await play(floor, process)

    async def fanned_out():
        await fan_out(engine, recipients(engine))
        return await log_of(engine, ada, workspace, webhook.id)

    written = await until(fanned_out)
    event = await engine.database.value("select told_event_id from delivery where id = %(id)s", id=written[0].id)
    again = [
        NewDelivery(
            workspace_id=workspace,
            kind=each.kind,
            subscription_id=webhook.id,
            event_id=event,
            event_kind=each.event_kind,
            message_id=each.message_id,
            message_name=each.message_name,
            body=b"{}",
            destination=each.destination,
        )
        for each in written
    ]

    assert await insert(engine.database, again) == []
    other = msgspec.structs.replace(again[0], message_name="run.other")
    assert len(await insert(engine.database, [other, other])) == 1
    await webhooks.delete(engine, ada, workspace, webhook.id)


async def test_two_grammars_tell_the_same_event_in_their_words(
    deliveries, engine, ada, workspace, floor, hook, process, receiver
):
    """Each webhook has the grammar that its maker named."""
    await hook()
    wanted = WebhookDefinition(grammar="robocorp", endpoint=receiver.url, events=(WebhookEvent.RUN_COMPLETED,))
    await webhooks.create(engine, ada, workspace, wanted)
    await play(floor, process)

    told = await receiver.wait(3)

    assert sorted(each.json.get("name", each.json.get("event")) for each in told) == [
        "process_run",
        "run.over",
        "run.well",
    ]
    assert len({each.json["id"] for each in told}) == 3


async def test_a_grammar_that_is_not_served_is_refused(engine, ada, workspace, receiver):
    """Nobody would ever be told."""
    wanted = WebhookDefinition(grammar="klingon", endpoint=receiver.url, events=ENDS)

    with pytest.raises(WebhookInvalid):
        await webhooks.create(engine, ada, workspace, wanted)


async def test_a_grammar_without_a_test_says_so(engine, ada, workspace, hook):
    """It has no words for it."""
    made, _ = await hook()

    with pytest.raises(WebhookInvalid):
        await webhooks.test(engine, ada, workspace, made.id)


async def test_a_callback_may_be_of_step_runs(deliveries, engine, floor, process, receiver):
    """With headers of the caller, without a secret, and with what came out of the step run."""
    callback = Callback(
        url=receiver.url,
        grammar="toy",
        events=(CallbackEvent.STEP_RUN_COMPLETED,),
        headers={"X-Api-Key": "swordfish", "Content-Type": "text/plain"},
    )
    walt = await floor.worker()
    run = await floor.start(process, callback=callback)
    assignment, robot = await walt.take()
    for payload in (b'{"total": 1, "of": "a"}', b'{"total": 2}', b'"no object"'):
        await outputs.output(engine, robot, assignment.work_item_id, Raw(payload))
    await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment, None)

    [told] = await receiver.wait(1)

    assert told.json["name"] == "step.over"
    assert told.headers["x-api-key"] == "swordfish"
    assert told.headers["content-type"] == "application/json"
    assert "authorization" not in told.headers
    assert told.json["run"] == (await floor.run(run)).number
    assert isinstance(told.json["step_run"], int)
    assert told.json["worker"]
    assert told.json["outputs"] == {"values": {"total": 2, "of": "a"}, "is_whole": True}


async def made_by(floor, run, *payloads):
    """A worker works on the run's item, which ends the run, and makes outputs."""
    walt = await floor.worker("wanda")
    assignment, robot = await walt.take()
    for payload in payloads:
        await outputs.output(floor.engine, robot, assignment.work_item_id, Raw(payload))
    await floor.drain(robot, assignment.work_item_id)
    await walt.finish(assignment, None)
    await floor.run(run)


async def test_the_outputs_of_a_run_are_those_of_its_last_step(deliveries, floor, receiver):
    """What an earlier step hands on is none; no other run's are told, and none twice."""
    process = await floor.process({}, {})
    asked = Callback(url=receiver.url, grammar="toy", events=(CallbackEvent.RUN_COMPLETED,))
    for total in (b"1", b"2"):
        run = await floor.start(process, callback=asked)
        await made_by(floor, run, b'{"half": true}')
        await made_by(floor, run, b'{"total": ' + total + b"}")

    told = await receiver.wait(4)

    assert sorted(each.json["outputs"]["values"]["total"] for each in told) == [1, 1, 2, 2]
    assert all(each.json["outputs"]["values"].keys() == {"total"} for each in told)


async def test_what_is_too_much_to_be_told_is_said_to_be_cut(deliveries, floor, process, receiver):
    """The first outputs are told, by their number and by what they weigh."""
    asked = Callback(url=receiver.url, grammar="toy", events=(CallbackEvent.STEP_RUN_COMPLETED,))
    long = b'{"long": "' + b"a" * MOST_OUTPUT_BYTES + b'"}'
    many = [b'{"of %d": 1}' % number for number in range(MOST_OUTPUTS + 1)]
    for made in (many, [b'{"short": 1}', long, b'{"later": 1}']):
        await made_by(floor, await floor.start(process, callback=asked), *made)

    told = [each.json["outputs"] for each in await receiver.wait(2)]

    assert sorted(len(each["values"]) for each in told) == [1, MOST_OUTPUTS]
    assert {"short": 1} in [each["values"] for each in told]
    assert not any(each["is_whole"] for each in told)


async def test_a_callback_is_in_no_run_readable(engine, floor, process, receiver):
    """Neither its secret nor its headers: both are sealed."""
    callback = Callback(
        url=receiver.url, grammar="toy", events=(), secret="from the caller", headers={"X-Api-Key": "swordfish"}
    )

    run = await floor.start(process, callback=callback)

    kept = json.dumps(await engine.database.value("select parameters from run where id = %(id)s", id=run.id))
    assert "swordfish" not in kept
    assert "from the caller" not in kept


async def test_a_callback_in_no_grammar_starts_nothing(floor, process, receiver):
    """Nobody would ever be told."""
    with pytest.raises(CallbackInvalid, match="klingon"):
        await floor.start(process, callback=Callback(url=receiver.url, grammar="klingon", events=()))


async def test_a_callback_with_wrong_headers_starts_nothing(engine, floor, process, receiver):
    """It says which."""
    callback = Callback(url=receiver.url, grammar="toy", events=(), headers={"Host": "elsewhere"})

    with pytest.raises(CallbackInvalid, match="Host"):
        await floor.start(process, callback=callback)

    assert await engine.database.value("select count(*) from run where process_id = %(id)s", id=process) == 0


async def test_a_message_is_delivered_again_by_its_own(
    deliveries, engine, ada, workspace, floor, hook, process, receiver
):
    """By hand, without the others of its event."""
    webhook, _ = await hook()
    await play(floor, process)
    await receiver.wait(2)

    async def delivered():
        log = await log_of(engine, ada, workspace, webhook.id)
        return log if all(each.state is DeliveryState.DELIVERED for each in log) else None

    [well] = [each for each in await until(delivered) if each.message_name == "run.well"]
    await redelivery.redeliver(engine, ada, workspace, well.id)

    assert names_of(await receiver.wait(3)) == ["run.over", "run.well", "run.well"]
