"""Webhooks: who outside is told what happens to runs."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from controlroom.ids import ProcessId, WebhookId, WorkspaceId


class WebhookEvent(StrEnum):
    """What a webhook may be told of: kinds of the record of events."""

    RUN_STARTED = "run.started"
    RUN_COMPLETED = "run.completed"
    RUN_UNRESOLVED = "run.unresolved"
    RUN_REOPENED = "run.reopened"
    STEP_RUN_STARTED = "step_run.started"
    STEP_RUN_COMPLETED = "step_run.completed"
    STEP_RUN_FAILED = "step_run.failed"
    STEP_RUN_PAUSED = "step_run.paused"
    STEP_RUN_RESUMED = "step_run.resumed"


TEST_EVENT = "webhook.tested"
"""What a test is, in the delivery log."""


class Webhook(Struct, frozen=True, kw_only=True):
    """A webhook as lists show it: without its secret."""

    id: WebhookId
    number: int
    workspace_id: WorkspaceId
    process_id: ProcessId | None
    """None: it is told of every process of the workspace."""
    process_name: str | None
    name: str
    grammar: str
    messages: list[str]
    """The names of the grammar's messages that it wants; none: all that there are of its events."""
    endpoint: str
    events: list[WebhookEvent]
    is_enabled: bool
    disabled_reason: str
    """Why the room disabled it; empty where it did not."""
    created_at: datetime


class SealedWebhook(Webhook, frozen=True, kw_only=True):
    """A webhook with its encrypted secret."""

    sealed: bytes


class WebhookDefinition(Struct, frozen=True, kw_only=True):
    """A webhook as its author wants it."""

    endpoint: str
    grammar: str
    """In whose words it is told: a name of `Engine.grammars`."""
    events: tuple[WebhookEvent, ...]
    messages: tuple[str, ...] = ()
    """Which of the grammar's messages, by name; none: all that there are of its events."""
    process: ProcessId | None = None
    name: str = ""
    secret: str | None = None
    """None: one is made."""
    is_enabled: bool = True


class WebhookChange(Struct, frozen=True, kw_only=True):
    """What to change of a webhook; None leaves it."""

    endpoint: str | None = None
    events: tuple[WebhookEvent, ...] | None = None
    messages: tuple[str, ...] | None = None
    name: str | None = None
    secret: str | None = None
    is_enabled: bool | None = None
