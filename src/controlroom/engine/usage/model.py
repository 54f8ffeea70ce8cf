"""Who uses what: credentials by permission and day, and what would miss a secret, an asset, a package or a worker."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from controlroom.ids import ProcessId


class DayOfUse(Struct, frozen=True, kw_only=True):
    """How often a credential was used for a permission on a day (of UTC)."""

    day: date
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
