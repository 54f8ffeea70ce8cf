"""Service tokens: keys of programs that stand for themselves and not for a person."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.access.grants.model import HeldGrant
from controlroom.ids import OrganizationId, ServiceTokenId, UserId

PREFIX: Final = "dbtc_"
"""As programs, and those that look for leaked secrets, know such tokens where they come from."""


class ServiceToken(Struct, frozen=True, kw_only=True):
    """A service token, without its value: nobody sees that again."""

    id: ServiceTokenId
    number: int
    organization_id: OrganizationId
    organization_number: int
    name: str
    grants: list[HeldGrant]
    created_by: UserId | None
    """None: nobody who is a user."""
    created_at: datetime
    used_at: datetime | None
    use_count: int
    expires_at: datetime | None
    disabled_at: datetime | None
