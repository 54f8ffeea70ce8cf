"""Projects: workspaces in which a tool builds tables by jobs, from the files of one package."""

from datetime import datetime
from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType

from controlroom.ids import ConnectionId, OrganizationId, PackageId, ProcessId, WorkspaceId
from controlroom.protocol import PackageRef


class ProjectState(StrEnum):
    """Whether a project is there, as lists tell it."""

    ACTIVE = "active"
    DELETED = "deleted"


class Project(Struct, frozen=True, kw_only=True):
    """A workspace as a project. Its id, number and name are the workspace's; what it names is told by number, too."""

    id: WorkspaceId
    number: int
    organization_id: OrganizationId
    organization_number: int
    name: str
    description: str
    subdirectory: str
    """Of the package: where dbt_project.yml lies. Empty: where it was found."""
    package_id: PackageId | None
    """The package that holds its files; None: it has none yet."""
    package_number: int | None
    docs_process_id: ProcessId | None
    docs_process_number: int | None
    freshness_process_id: ProcessId | None
    freshness_process_number: int | None
    connection_id: ConnectionId | None
    """What its targets lead to that name no other."""
    connection_number: int | None
    state: ProjectState
    revision: int
    created_at: datetime
    updated_at: datetime


class ProjectChange(Struct, frozen=True, kw_only=True):
    """What of a project is to be otherwise; what is left out stays."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    subdirectory: str | UnsetType = UNSET
    package_id: PackageId | UnsetType | None = UNSET
    docs_process_id: ProcessId | UnsetType | None = UNSET
    freshness_process_id: ProcessId | UnsetType | None = UNSET
    connection_id: ConnectionId | UnsetType | None = UNSET
    revision: int | None = None
    """Only while it is the one there."""


# ---------------------------------------------------------------------------------------------------- its source
class Ready(Struct, frozen=True, tag="ready"):
    """The files are there. `package.folder` is where dbt_project.yml lies in the zip."""

    package: PackageRef
    commit: str | None
    """Of git; None for a zip that was pushed."""
    note: str = ""
    """What whoever asked should know of it."""


class NotYet(Struct, frozen=True, tag="not_yet"):
    """They are being fetched: ask again, with the same moment."""


class Unobtainable(Struct, frozen=True, tag="unobtainable"):
    """They cannot be had."""

    why: str


SourceAnswer = Ready | NotYet | Unobtainable
