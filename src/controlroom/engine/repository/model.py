"""The repository: all that a team keeps, as one tree: workspaces, folders, packages, their tasks, and plain files.

Beside the tree of an organization each user has one of their own, which nobody else sees and nothing is run from.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from controlroom.ids import OrganizationId, UserId, WorkspaceId


class NodeKind(StrEnum):
    """What something in the repository is."""

    ROOT = "root"
    """Of an organization's tree (its id is the organization's), or of one user's (the user's)."""
    WORKSPACE = "workspace"
    FOLDER = "folder"
    PACKAGE = "package"
    """Shows as a folder that has the package's tasks in it."""
    TASK = "task"
    FILE = "file"


class Right(StrEnum):
    """What can be done with what lies in a folder."""

    VIEW = "view"
    RUN = "run"
    UPDATE = "update"
    """Make, edit and move what is in it, and give it new content."""
    DOWNLOAD = "download"
    DELETE = "delete"
    CLONE = "clone"
    """Take a copy of one's own to edit."""


class Node(Struct, frozen=True, kw_only=True):
    """Something in the repository, whatever it is."""

    id: UUID
    number: int
    organization_id: OrganizationId
    workspace_id: WorkspaceId | None
    owner_id: UserId | None
    """Who alone sees it; None: it belongs to a workspace, or is the root of all."""
    parent_id: UUID | None
    parent_number: int | None
    container_id: UUID
    """The folder whose rights hold for it: itself, if it is one."""
    above: list[UUID]
    """What it lies in, from its workspace or owner on, itself last."""
    kind: NodeKind
    is_folder: bool
    name: str
    path: list[str]
    """Names from the workspace on, itself last; of the root none."""
    content_type: str
    description: str
    has_errors: bool
    size: int
    version: int
    """The latest one; 0: there is none."""
    locked_by: UserId | None
    locked_by_number: int | None
    created_at: datetime
    created_by: UUID | None
    updated_at: datetime
    updated_by: UUID | None
    copied_from: UUID | None


class ListedNode(Struct, frozen=True, kw_only=True):
    """Something in the repository as lists show it: people and other things by their numbers."""

    id: UUID
    number: int
    parent_number: int | None
    parent_id: UUID | None
    container_id: UUID
    workspace_id: WorkspaceId | None
    workspace_number: int | None
    owner_id: UserId | None
    owner_number: int | None
    kind: NodeKind
    is_folder: bool
    name: str
    path: str
    content_type: str
    description: str
    has_errors: bool
    size: int
    version: int
    labelled_version: int
    """The version that bears the label of the listing; 0: none does."""
    folder_count: int
    locked_by_number: int | None
    created_at: datetime
    created_by_number: int | None
    updated_at: datetime
    updated_by_number: int | None
    is_copy: bool
    """It was checked out."""


class Content(Struct, frozen=True, kw_only=True):
    """The bytes of one version of a file or a package."""

    version: int
    hash: str
    size: int
    folder: str = ""
    """Where the robot lies in a package's zip."""


class StoredVersion(Struct, frozen=True, kw_only=True):
    """A version of a file, as its history tells it."""

    version: int
    hash: str
    size: int
    created_at: datetime
    created_by_name: str | None
    labels: list[str]


class Dependency(Struct, frozen=True, kw_only=True):
    """What is needed, and by what."""

    node: Node
    needed_by: UUID
    needed_by_number: int
