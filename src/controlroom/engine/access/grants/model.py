"""Grants: a role, to a principal, in a scope."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from controlroom.ids import GrantId, RoleId, WorkspaceId


class PrincipalKind(StrEnum):
    """To whom a role can be granted."""

    USER = "user"
    GROUP = "group"
    CREDENTIAL = "credential"
    """One that stands for itself: an API key of a workspace, which its grants can lead out of it."""
    ROLE = "role"
    """All who hold the role in the organization, by themselves or by a group. What it is granted is not handed on
    by roles that it is granted in turn."""


class Principal(Struct, frozen=True):
    """Somebody of the organization who can hold a role."""

    kind: PrincipalKind
    id: UUID


class Grant(Struct, frozen=True, kw_only=True):
    """A grant as lists show it."""

    id: GrantId
    number: int
    workspace_id: WorkspaceId | None
    """None: in the whole organization."""
    role_id: RoleId
    role_name: str
    principal_kind: PrincipalKind
    principal_id: UUID
    principal_name: str
    created_at: datetime


class HeldGrant(Struct, frozen=True, kw_only=True):
    """A role that somebody holds, told with its holder."""

    id: GrantId
    number: int
    role_id: RoleId
    role_name: str
    workspace_id: WorkspaceId | None
    """None: in the organization, and so in each of its workspaces."""
    workspace_number: int | None
    workspace_name: str | None
    created_at: datetime


class WantedGrant(Struct, frozen=True):
    """A role that somebody shall hold, in a workspace or (None) in the organization."""

    role: RoleId
    workspace: WorkspaceId | None
