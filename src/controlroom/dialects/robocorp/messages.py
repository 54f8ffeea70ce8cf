"""What webhooks and callbacks of this dialect are sent (§9.1, §9.2), and how it is signed.

The bodies keep every key that receivers of the older events read; `id` and `webhookEventTimestamp` stand beside them.
What the vendor sent under the newer names of events is not known: the old form, with what happened as its action, is
ours to decide. Signatures are the vendor's `x-rc-signature`, and the headers of the Standard Webhooks beside it.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from controlroom.border.standard_webhooks import standard_headers
from controlroom.engine.messages import Message, Occurrence
from controlroom.engine.webhooks.model import TEST_EVENT, WebhookEvent

GRAMMAR: Final = "robocorp"
"""By what name it is stored with those that are told in it."""

EVENT_NAMES: Final[Mapping[WebhookEvent, str]] = {
    WebhookEvent.RUN_STARTED: "process_run.started",
    WebhookEvent.RUN_COMPLETED: "process_run.completed",
    WebhookEvent.RUN_UNRESOLVED: "process_run.unresolved",
    WebhookEvent.RUN_REOPENED: "process_run.reopened",
    WebhookEvent.STEP_RUN_STARTED: "step_run.started",
    WebhookEvent.STEP_RUN_COMPLETED: "step_run.completed",
    WebhookEvent.STEP_RUN_FAILED: "step_run.failed",
    WebhookEvent.STEP_RUN_PAUSED: "step_run.paused",
    WebhookEvent.STEP_RUN_RESUMED: "step_run.resumed",
}
"""The vendor's three names (§1.7), and ours in the same form."""

_STATES: Final = {
    WebhookEvent.RUN_STARTED: "IP",
    WebhookEvent.RUN_REOPENED: "IP",
    WebhookEvent.RUN_COMPLETED: "COMPL",
    WebhookEvent.RUN_UNRESOLVED: "PENDING",
}
"""The states of the old API (§10.1)."""

_ACTIONS: Final = {
    WebhookEvent.STEP_RUN_STARTED: "START",
    WebhookEvent.STEP_RUN_COMPLETED: "END",
    WebhookEvent.STEP_RUN_FAILED: "END",
    WebhookEvent.STEP_RUN_PAUSED: "PAUSE",
    WebhookEvent.STEP_RUN_RESUMED: "RESUME",
}
"""The vendor had the first two words."""

_ENDS: Final = frozenset({WebhookEvent.RUN_COMPLETED, WebhookEvent.RUN_UNRESOLVED})


class RobocorpGrammar:
    """A `messages.Grammar`. Of an event it has one message, without a name."""

    role_names: Final = ()
    wants_outputs: Final = ()

    def messages(self, occurrence: Occurrence) -> list[Message]:
        """See `Grammar.messages`."""
        if occurrence.kind == TEST_EVENT:
            event, action, payload = "test", "test", _where(occurrence)
        elif (kind := _KINDS.get(occurrence.kind)) is None:
            return []
        elif kind in _STATES:
            event, action, payload = "process_run", occurrence.kind.partition(".")[2], _of_run(kind, occurrence)
        else:
            action = _ACTIONS[kind]
            event, payload = "robot_run_event", _of_step_run(action, occurrence)
        body = {
            "id": occurrence.message_id(),
            "webhookEventTimestamp": occurrence.at,
            "event": event,
            "action": action,
            "payload": payload,
        }
        return [Message(msgspec.json.encode(body))]

    def headers(self, body: bytes, *, message: UUID, secret: str | None, at: datetime) -> Mapping[str, str]:
        """See `Grammar.headers`."""
        if secret is None:  # all whom this dialect makes have one
            return {}
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return {"x-rc-signature": signature, **standard_headers(body, message=message, secret=secret, at=at)}


_KINDS: Final = {event.value: event for event in WebhookEvent}


def _where(occurrence: Occurrence) -> dict[str, Any]:
    return {"workspaceId": occurrence.workspace_id, "processId": occurrence.process_id}


def _of_run(kind: WebhookEvent, occurrence: Occurrence) -> dict[str, Any]:
    payload = _where(occurrence) | {"processRunId": occurrence.run_id, "state": _STATES[kind]}
    if kind in _ENDS:
        succeeded = occurrence.data.get("result") == "succeeded" and kind is WebhookEvent.RUN_COMPLETED
        started = occurrence.run_started_at or occurrence.at
        payload["duration"] = round((occurrence.at - started).total_seconds(), 3)
        payload["result"] = "success" if succeeded else "error"
        if not succeeded and occurrence.error_code is not None:
            payload["errorCode"] = occurrence.error_code
    return payload


def _of_step_run(action: str, occurrence: Occurrence) -> dict[str, Any]:
    attempt = int(occurrence.data.get("attempt", 1))
    data: dict[str, Any] = {"stepName": occurrence.step_name}
    if action == "END":
        data["result"] = "success" if occurrence.kind == WebhookEvent.STEP_RUN_COMPLETED else "error"
        if occurrence.error_code is not None:
            data["errorCode"] = occurrence.error_code
    return _where(occurrence) | {
        "processRunId": occurrence.run_id,
        "robotRunId": occurrence.step_run_id,
        "seqNo": 2 * attempt - (action == "START"),
        "data": data,
        "timeStamp": occurrence.at,
        "eventType": action,
    }
