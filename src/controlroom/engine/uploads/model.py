"""Uploads that were promised: a row, and a signed link on which the bytes may come."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.scope import Of
from controlroom.ids import OrganizationId, UploadId, WorkspaceId


class UploadKind(StrEnum):
    """What the bytes are for; `target_id` is the work item, asset, package, step run, assistant run or queue job."""

    WORK_ITEM_FILE = "work_item_file"
    ASSET = "asset"
    PACKAGE = "package"
    ARTIFACT = "artifact"
    ASSISTANT_ARTIFACT = "assistant_artifact"
    QUEUE_ARCHIVE = "queue_archive"


class UploadState(StrEnum):
    """Where an upload is. One whose link has expired is failed."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"


class Upload(Struct, frozen=True, kw_only=True):
    """A promised upload."""

    id: UploadId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    kind: UploadKind
    target_id: UUID
    name: str
    content_type: str
    folder: str
    """Of a package: the folder of its robot that was chosen; else empty."""
    by_kind: str
    by_id: UUID | None
    """Who promised it, as events record him."""
    size: int | None
    """The announced length in bytes; None if none was announced."""
    state: UploadState
    reason: str
    """Why it failed; else empty."""
    hash: str | None
    """The content, once completed."""
    created_at: datetime

    @property
    def scope(self) -> Of:
        """What its link opens: the workspace of its target."""
        return Of(self.organization_id, (self.workspace_id,))
