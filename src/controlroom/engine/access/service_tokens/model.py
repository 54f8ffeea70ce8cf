"""Service tokens: keys of programs that stand for themselves and not for a person."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.ids import GrantId, OrganizationId, RoleId, ServiceTokenId, UserId, WorkspaceId

PREFIX: Final = "dbtc_"
"""As programs, and those that look for leaked secrets, know such tokens where they come from."""


class TokenGrant(Struct, frozen=True, kw_only=True):
    """A role that a service token holds."""

    id: GrantId
    number: int
    role_id: RoleId
    role_name: str
    workspace_id: WorkspaceId | None
    """None: in the organization, and so in each of its workspaces."""
    workspace_number: int | None
    workspace_name: str | None
    created_at: datetime


class ServiceToken(Struct, frozen=True, kw_only=True):
    """A service token, without its value: nobody sees that again."""

    id: ServiceTokenId
    number: int
    organization_id: OrganizationId
    organization_number: int
    name: str
    grants: list[TokenGrant]
    created_by: UserId | None
    """None: nobody who is a user."""
    created_at: datetime
    used_at: datetime | None
    use_count: int
    expires_at: datetime | None
    disabled_at: datetime | None


class WantedGrant(Struct, frozen=True):
    """A role, in a workspace or (None) in the organization."""

    role: RoleId
    workspace: WorkspaceId | None
