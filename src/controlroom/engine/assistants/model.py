"""Assistants: tasks that people run on their own machines."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType

from controlroom.ids import (
    AssistantArtifactId,
    AssistantId,
    AssistantRunId,
    OrganizationId,
    PackageId,
    PackageVersionId,
    TaskId,
    UserId,
    WorkspaceId,
)


class AssistantRunState(StrEnum):
    """Where a run is; `rules.EDGES` says from where to where."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


class AssistantError(StrEnum):
    """Why a run failed: what the machine says, and LOST when it says nothing any more."""

    START_FAILURE = "START_FAILURE"
    UNZIP_FAILURE = "UNZIP_FAILURE"
    SETUP_FAILURE = "SETUP_FAILURE"
    ROBOT_FAILURE = "ROBOT_FAILURE"
    UPLOAD_FAILURE = "UPLOAD_FAILURE"
    UNKNOWN = "UNKNOWN"
    LOST = "LOST"


class Assistant(Struct, frozen=True, kw_only=True):
    """A task that people may run by themselves."""

    id: AssistantId
    number: int
    workspace_id: WorkspaceId
    name: str
    task_id: TaskId
    task_name: str
    package_id: PackageId
    created_at: datetime


class AssistantChange(Struct, frozen=True, kw_only=True):
    """What an assistant shall be; what is left out stays."""

    name: str | UnsetType = UNSET
    task: tuple[PackageId, str] | UnsetType = UNSET
    """A package, and the name of its task."""


class AssistantRun(Struct, frozen=True, kw_only=True):
    """One run of an assistant on somebody's machine."""

    id: AssistantRunId
    number: int
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    assistant_id: AssistantId
    assistant_name: str
    user_id: UserId
    user_name: str
    package_version_id: PackageVersionId
    state: AssistantRunState
    error_code: AssistantError | None
    started_at: datetime
    ended_at: datetime | None

    @property
    def duration(self) -> timedelta | None:
        """From start to end; None while it runs."""
        return None if self.ended_at is None else self.ended_at - self.started_at


class Started(Struct, frozen=True, kw_only=True):
    """A run that has begun, and what its machine needs: the task, and the hash of the package's zip."""

    run: AssistantRun
    package_id: PackageId
    task_name: str
    sha256: str
    folder: str | None
    """Where the robot lies in the zip; None for zips of which nobody said it."""


class AssistantArtifact(Struct, frozen=True, kw_only=True):
    """A file that a run left: `size` in bytes, `hash` names the blob."""

    id: AssistantArtifactId
    number: int
    assistant_run_id: AssistantRunId
    name: str
    size: int
    hash: str
    created_at: datetime
