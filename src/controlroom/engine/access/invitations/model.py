"""Invitations: a link by which somebody comes into a workspace, once."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.access.model import Role
from controlroom.ids import InvitationId, OrganizationId, UserId, WorkspaceId

PREFIX: Final = "cri_"
"""What the token of one begins with."""


class Invitation(Struct, frozen=True, kw_only=True):
    """An invitation that nobody has followed yet, without its token."""

    id: InvitationId
    number: int
    workspace_id: WorkspaceId
    role: Role
    email: str
    created_by: UserId | None
    invited_by: str
    """The name of who invites; empty for a program."""
    created_at: datetime
    expires_at: datetime
    is_over: bool
    """Whether it has expired."""


class OpenInvitation(Invitation, frozen=True, kw_only=True):
    """An invitation as whoever has its token sees it."""

    organization_id: OrganizationId
    organization_name: str
    workspace_name: str
