"""What webhooks of this grammar are sent (§5), and how it is signed: the bare hex digest of the bytes sent.

`started` when a worker has taken the run, `completed` when it has ended in any way, `errored` beside it when it has
failed. What a run has left is readable before its end is told, so that all three may be followed by reading.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from controlroom.engine.messages import Message, Occurrence
from controlroom.engine.webhooks.model import TEST_EVENT, WebhookEvent

GRAMMAR: Final = "dbt_cloud"
"""By what name it is stored with those that are told in it."""

STARTED: Final = "job.run.started"
COMPLETED: Final = "job.run.completed"
ERRORED: Final = "job.run.errored"

EVENTS: Final[Mapping[str, tuple[WebhookEvent, ...]]] = {
    STARTED: (WebhookEvent.STEP_RUN_STARTED,),
    COMPLETED: (WebhookEvent.RUN_COMPLETED, WebhookEvent.RUN_UNRESOLVED),
    ERRORED: (WebhookEvent.RUN_COMPLETED, WebhookEvent.RUN_UNRESOLVED),
}
"""Of which events of the record each is made."""

_ENDS: Final = frozenset(event.value for event in EVENTS[COMPLETED])
_RUNNING: Final = ("Running", 3)
_STATUSES: Final = {"succeeded": ("Success", 10), "stopped": ("Cancelled", 30), "timed_out": ("Cancelled", 30)}
_FAILED: Final = ("Errored", 20)
_REASONS: Final = {"schedule": "Scheduled", "chain": "Triggered by another job", "user": "Started by a user"}


class DbtCloudGrammar:
    """A `messages.Grammar`."""

    role_names: Final = ()
    wants_outputs: Final = ()

    def messages(self, occurrence: Occurrence) -> list[Message]:
        """See `Grammar.messages`. Only runs of jobs are told."""
        if occurrence.kind == TEST_EVENT:
            return [_message(STARTED, occurrence, _RUNNING)]
        if occurrence.target_number is None:
            return []
        if occurrence.kind == WebhookEvent.STEP_RUN_STARTED:
            return [_message(STARTED, occurrence, _RUNNING)]
        if occurrence.kind not in _ENDS:
            return []
        status = _STATUSES.get(str(occurrence.data.get("result")), _FAILED)
        names = (ERRORED, COMPLETED) if status is _FAILED else (COMPLETED,)
        return [_message(name, occurrence, status) for name in names]

    def headers(self, body: bytes, *, message: UUID, secret: str | None, at: datetime) -> Mapping[str, str]:  # noqa: ARG002 - of the protocol
        """See `Grammar.headers`: no scheme stands before the digest, receivers compare the whole header."""
        if secret is None:
            return {}
        return {"authorization": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def subscription_id(number: int) -> str:
    """How a webhook is called."""
    return f"wsu_{number}"


def event_id(message: UUID) -> str:
    """How a message is called: the same for all receivers."""
    return f"wev_{message.hex}"


def _message(name: str, occurrence: Occurrence, status: tuple[str, int]) -> Message:
    started = occurrence.run_started_at or occurrence.step_run_started_at or occurrence.at
    data: dict[str, Any] = {
        "jobId": _text(occurrence.process_number),
        "jobName": occurrence.process_name or "",
        "runId": _text(occurrence.run_number),
        "environmentId": _text(occurrence.target_number),
        "environmentName": occurrence.target_name or "",
        "dbtVersion": occurrence.tool_version or "",
        "projectName": occurrence.workspace_name,
        "projectId": str(occurrence.workspace_number),
        "runStatus": status[0],
        "runStatusCode": status[1],
        "runStatusMessage": occurrence.error_message or "None",
        "runReason": occurrence.run_cause or _REASONS.get(occurrence.run_started_by or "", "Started by the API"),
        "runStartedAt": _seconds(started),
    }
    if name == COMPLETED:
        data["runFinishedAt"] = _seconds(occurrence.at)
    elif name == ERRORED:
        data["runErroredAt"] = _seconds(occurrence.at)
    body = {
        "accountId": occurrence.organization_number,
        "webhookId": subscription_id(occurrence.subscription_number),
        "webhooksID": subscription_id(occurrence.subscription_number),
        "eventId": event_id(occurrence.message_id(name)),
        "timestamp": occurrence.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z",
        "eventType": name,
        "webhookName": occurrence.subscription_name,
        "data": data,
    }
    return Message(msgspec.json.encode(body), name)


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _seconds(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
