"""Who uses what: credentials by permission and day, and what would miss a secret, an asset, a package or a worker."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from controlroom.ids import ProcessId, UserId, WorkspaceId


class DayOfUse(Struct, frozen=True, kw_only=True):
    """How often a credential was used for a permission on a day (of UTC)."""

    day: date
    permission: str
    count: int
    last_at: datetime


class CredentialKind(StrEnum):
    """What somebody shows to be let in."""

    WORKSPACE_KEY = "workspace_key"
    """An API key."""
    USER_KEY = "user_key"
    """By which a program logs in as its user."""
    USER_CREDENTIAL = "user_credential"
    """A pair by which a user's programs sign."""
    PERSONAL_TOKEN = "personal_token"  # noqa: S105 - a kind, not a token
    SERVICE_TOKEN = "service_token"  # noqa: S105 - likewise
    LINK_TOKEN = "link_token"  # noqa: S105 - likewise
    SESSION = "session"
    """All log-ins of a user by password together, and what stands for them for a while: calls of tasks, assistants."""
    PROCESS_SECRET = "process_secret"  # noqa: S105 - likewise
    """Of a process."""
    WORKER = "worker"
    """A worker's lasting token."""
    GONE = "gone"
    """It was revoked since."""


class UseOfCredential(Struct, frozen=True, kw_only=True):
    """How often one credential was used for a permission on a day (of UTC)."""

    day: date
    kind: CredentialKind
    id: UUID
    """The credential's; of sessions the user's, of a worker's or a process's secret that of these."""
    name: str
    """What it is called, or whose it is."""
    user_id: UserId | None
    workspace_id: WorkspaceId | None
    """Where the permission was asked for; None: in all in which they have it, or in the organization."""
    permission: str
    count: int
    last_at: datetime


class UserKind(StrEnum):
    """What uses something."""

    PROCESS = "process"
    """Its robots have read it."""
    STEP = "step"
    """Of a process: it is set so."""
    PACKAGE = "package"
    """It is fetched with it."""
    ASSISTANT = "assistant"
    CONSUMER = "consumer"
    """Of a queue."""
    OTHERS = "others"
    """People and programs have read it."""


class UsedBy(Struct, frozen=True, kw_only=True):
    """What uses something: by its setting, or as it was seen to."""

    kind: UserKind
    id: UUID | None
    """None for others."""
    name: str
    process_id: ProcessId | None
    """Of a step."""
    count: int | None
    """How often in the last 400 days; None: it is set so, whether it was used or not."""
    last_at: datetime | None
