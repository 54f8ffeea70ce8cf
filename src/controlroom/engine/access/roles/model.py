"""Roles: named sets of permissions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.model import Role
from controlroom.ids import RoleId

ADMIN: Final = RoleId(UUID("00000000-0000-7000-8000-000000000001"))
"""The system's role of those who govern an organization."""

OF_MEMBERS: Final[Mapping[Role, RoleId]] = {
    Role.OWNER: RoleId(UUID("00000000-0000-7000-8000-000000000002")),
    Role.OPERATOR: RoleId(UUID("00000000-0000-7000-8000-000000000003")),
    Role.VIEWER: RoleId(UUID("00000000-0000-7000-8000-000000000004")),
}
"""The system's roles of which a member of a workspace has one."""

BASIC: Final = RoleId(UUID("00000000-0000-7000-8000-000000000005"))
LOCKER_ADMIN: Final = RoleId(UUID("00000000-0000-7000-8000-000000000006"))
POOL_ADMIN: Final = RoleId(UUID("00000000-0000-7000-8000-000000000007"))
QUEUE_ADMIN: Final = RoleId(UUID("00000000-0000-7000-8000-000000000008"))
DEVELOPER: Final = RoleId(UUID("00000000-0000-7000-8000-000000000009"))
INSIGHTS_ADMIN: Final = RoleId(UUID("00000000-0000-7000-8000-00000000000a"))
PROCESS_ADMIN: Final = RoleId(UUID("00000000-0000-7000-8000-00000000000b"))
PROCESS_USER: Final = RoleId(UUID("00000000-0000-7000-8000-00000000000c"))
VALIDATOR: Final = RoleId(UUID("00000000-0000-7000-8000-00000000000d"))
RUNNER: Final = RoleId(UUID("00000000-0000-7000-8000-00000000000e"))
"""The system's role of users as whom robots run."""


class NamedRole(Struct, frozen=True, kw_only=True):
    """A role as its row has it."""

    id: RoleId
    number: int
    name: str
    description: str
    permissions: list[str]
    """Permissions by name; with a colon a grammar's own, kept as given; `*`: all of a workspace."""
    is_system: bool
    """Of the system: everybody has it, nobody changes it."""
    created_at: datetime
    updated_at: datetime
    revision: int
    """Raised by each update."""
