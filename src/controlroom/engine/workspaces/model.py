"""Where everything of a team lives."""

from datetime import datetime

from msgspec import Struct

from controlroom.ids import OrganizationId, WorkspaceId


class Organization(Struct, frozen=True, kw_only=True):
    """Whose workspaces they are."""

    id: OrganizationId
    number: int
    name: str


class Founded(Organization, frozen=True, kw_only=True):
    """An organization, and since when it is there."""

    created_at: datetime


class Workspace(Struct, frozen=True, kw_only=True):
    """A workspace, with the organization that it belongs to."""

    id: WorkspaceId
    number: int
    name: str
    organization: Organization
    created_at: datetime


class FirstStart(Struct, frozen=True, kw_only=True):
    """What the first start made, as the ready file tells it. None: deleted, or changed by its owner since."""

    workspace_id: WorkspaceId
    api_key: str | None
    username: str
    password: str | None
    user_credentials: str | None
    """`ID:SECRET`, as programs take it."""
