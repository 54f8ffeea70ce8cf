"""People of an organization: who is a member where, and with what they sign."""

from datetime import datetime

from msgspec import Struct

from controlroom.engine.access.model import Held, Role
from controlroom.ids import OrganizationId, UserCredentialId, UserId, WorkspaceId


class Member(Struct, frozen=True, kw_only=True):
    """A user's place in a workspace."""

    user_id: UserId
    number: int
    """The user's."""
    workspace_id: WorkspaceId
    username: str
    first_name: str
    last_name: str
    email: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None
    logged_in_at: datetime | None

    @property
    def full_name(self) -> str:
        """First and last name; the user name of who has told none."""
        return f"{self.first_name} {self.last_name}".strip() or self.username


class UserCredential(Struct, frozen=True, kw_only=True):
    """A pair of identifier and secret that signs a user's requests; the secret is shown once, by `create`."""

    id: UserCredentialId
    number: int
    user_id: UserId
    name: str
    identifier: str
    created_at: datetime
    used_at: datetime | None


class Account(Struct, frozen=True, kw_only=True):
    """What decides about who may change a user: what they may do, where."""

    id: UserId
    organization_id: OrganizationId
    username: str
    held: Held
