"""Notifications: people who are told when a run of a process ends."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from controlroom.ids import NotificationId, ProcessId, WorkspaceId


class NotificationKind(StrEnum):
    """By which way."""

    EMAIL = "email"
    CHAT = "chat"
    """A webhook in Slack's form, which most chats take."""


class NotificationEvent(StrEnum):
    """Of what: kinds of the record of events."""

    RUN_COMPLETED = "run.completed"
    RUN_UNRESOLVED = "run.unresolved"


class ByEmail(Struct, frozen=True, tag="email"):
    """By mail to these addresses."""

    recipients: tuple[str, ...]


class ByChat(Struct, frozen=True, tag="chat"):
    """By a chat's webhook. Its address is a secret: it is stored encrypted, and never shown again."""

    endpoint: str


Way = ByEmail | ByChat


class Notification(Struct, frozen=True, kw_only=True):
    """Whom to tell of a process, and of what."""

    id: NotificationId
    number: int
    workspace_id: WorkspaceId
    process_id: ProcessId
    kind: NotificationKind
    events: list[NotificationEvent]
    recipients: list[str]
    """Addresses of mail; empty for a chat."""
    is_enabled: bool
    disabled_reason: str
    """Why the room disabled it; empty where it did not."""
    created_at: datetime


class SealedNotification(Notification, frozen=True, kw_only=True):
    """A notification with its encrypted address."""

    sealed: bytes | None


class Mail(Struct, frozen=True):
    """A mail as its delivery keeps it."""

    recipients: tuple[str, ...]
    subject: str
    text: str


class ChatMessage(Struct, frozen=True):
    """A message in Slack's form."""

    text: str
