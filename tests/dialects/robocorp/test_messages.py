"""What receivers written for the vendor's webhooks read."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from standardwebhooks import Webhook

from controlroom.dialects.robocorp.messages import EVENT_NAMES, RobocorpGrammar
from controlroom.engine.messages import Occurrence
from controlroom.engine.webhooks.model import WebhookEvent
from controlroom.ids import OrganizationId, ProcessId, RunId, StepRunId, WorkspaceId, uuid7

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
GRAMMAR = RobocorpGrammar()


def occurrence(kind, **given):
    known = {
        "event_id": 7,
        "at": AT,
        "kind": kind,
        "organization_id": OrganizationId(uuid7()),
        "organization_number": 1,
        "workspace_id": WorkspaceId(uuid7()),
        "workspace_number": 2,
        "workspace_name": "Default",
        "subscription_id": uuid7(),
        "subscription_number": 3,
        "subscription_name": "ops",
        "process_id": ProcessId(uuid7()),
        "process_name": "Invoices",
        "run_id": RunId(uuid7()),
        "run_number": 4711,
        "run_no": 42,
        "run_started_at": AT - timedelta(seconds=12.5),
    }
    return Occurrence(**(known | given))


def told(kind, **given):
    [message] = GRAMMAR.messages(occurrence(kind, **given))
    assert message.name == ""
    return json.loads(message.body)


@pytest.mark.parametrize(
    ("kind", "action", "state", "result"),
    [
        ("run.started", "started", "IP", None),
        ("run.reopened", "reopened", "IP", None),
        ("run.completed", "completed", "COMPL", "success"),
        ("run.unresolved", "unresolved", "PENDING", "error"),
    ],
)
def test_runs_have_the_states_of_the_old_api(kind, action, state, result):
    """And the keys; duration and result of those that have ended."""
    message = told(kind, data={"result": "succeeded"})

    assert (message["event"], message["action"]) == ("process_run", action)
    assert message["webhookEventTimestamp"] == "2026-11-22T03:00:00Z"
    payload = message["payload"]
    assert payload["state"] == state
    assert payload.get("result") == result
    assert payload.get("duration") == (None if result is None else 12.5)


def test_a_stopped_run_that_completed_was_no_success():
    """Its items were marked done by whoever stopped it."""
    assert told("run.completed", data={"result": "stopped"})["payload"]["result"] == "error"


def test_a_failed_step_run_names_its_error():
    """In the old event, whose action END marks the end."""
    message = told(
        "step_run.failed", step_run_id=StepRunId(uuid7()), step_name="read", error_code="TIMEOUT", data={"attempt": 2}
    )

    assert (message["event"], message["action"]) == ("robot_run_event", "END")
    assert message["payload"]["seqNo"] == 4
    assert message["payload"]["data"] == {"stepName": "read", "result": "error", "errorCode": "TIMEOUT"}


def test_what_the_dialect_has_no_words_for_is_not_told():
    """Every event that webhooks may ask for has words; others have none."""
    assert set(EVENT_NAMES) == set(WebhookEvent)
    assert all(GRAMMAR.messages(occurrence(event.value)) for event in WebhookEvent)
    assert GRAMMAR.messages(occurrence("secret.read")) == []


@pytest.mark.parametrize(
    ("secret", "theirs"),
    [
        ("swordfish", b"swordfish"),
        ("whsec_c3dvcmRmaXNo", "whsec_c3dvcmRmaXNo"),
        ("whsec_!", b"whsec_!"),
        ("whsec_", b"whsec_"),
        ("schlüssel", "schlüssel".encode()),
    ],
)
def test_every_secret_signs(secret, theirs):
    """In the vendor's way by all of it; by the Standard Webhooks as their libraries take it, if it has their form."""
    body, message, now = b'{"a":1}', uuid7(), datetime.now(UTC)

    headers = GRAMMAR.headers(body, message=message, secret=secret, at=now)

    assert headers["x-rc-signature"] == hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert Webhook(theirs).verify(body, dict(headers)) == {"a": 1}


def test_a_body_is_what_receivers_have_always_got():
    """To the byte: its keys, their order, and the id by which they know a repeated message."""
    here, process, run = (UUID(int=number) for number in (1, 2, 3))
    given = {"workspace_id": here, "process_id": process, "run_id": run, "data": {"result": "succeeded"}}

    [message] = GRAMMAR.messages(occurrence("run.completed", **given))

    assert message.body.decode() == (
        f'{{"id":"{uuid5(here, "7")}","webhookEventTimestamp":"2026-11-22T03:00:00Z","event":"process_run",'
        f'"action":"completed","payload":{{"workspaceId":"{here}","processId":"{process}","processRunId":"{run}",'
        '"state":"COMPL","duration":12.5,"result":"success"}}'
    )
