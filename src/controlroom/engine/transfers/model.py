"""Exports of bots and files to an archive, imports of one, and promotions: an export that another room imports."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from controlroom.ids import OrganizationId, UserId


class TransferKind(StrEnum):
    """What is done."""

    EXPORT = "export"
    IMPORT = "import"
    PROMOTION = "promotion"


class TransferState(StrEnum):
    """How far it is."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


class Wanted(Struct, frozen=True):
    """Something of the repository, and which version of it; None: the latest, or the one with the label."""

    id: UUID
    version: int | None = None


class ExportWish(Struct, frozen=True, kw_only=True):
    """What goes into an archive; what that needs comes along."""

    files: list[Wanted]
    label: str | None = None
    with_values: bool = False


class ImportWish(Struct, frozen=True, kw_only=True):
    """What becomes of an archive."""

    overwrites: bool
    """What is there already gets what the archive has as its next version; else it is passed over."""
    is_public: bool
    """Into the workspaces that the archive names; else into the user's own tree."""
    with_values: bool = False


class Target(Struct, frozen=True, kw_only=True):
    """Another room, and how it is spoken to."""

    url: str
    username: str
    overwrites: bool


class Sealed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is stored encrypted."""

    password: str | None = None
    key: str | None = None
    """Of the user at the other room."""


class Transfer(Struct, frozen=True, kw_only=True):
    """An export or import as who asked for it sees it."""

    id: UUID
    number: int
    organization_id: OrganizationId
    user_id: UserId
    kind: TransferKind
    state: TransferState
    name: str
    hash: str | None
    size: int | None
    reason: str
    done: int
    created_at: datetime
    ended_at: datetime | None


class Claimed(Struct, frozen=True, kw_only=True):
    """One that a server has in hand."""

    id: UUID
    organization_id: OrganizationId
    user_id: UserId
    kind: TransferKind
    name: str
    wish: bytes
    sealed: bytes | None
    hash: str | None
    attempts: int
    lease_id: UUID
    created_at: datetime
