"""Lockers: how secrets of the organization are shared."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from controlroom.ids import LockerId, OrganizationId, RoleId, UserId


class LockerRight(StrEnum):
    """What a member may do with a locker."""

    PARTICIPATE = "participate"
    """Put secrets of their own into it."""
    MANAGE = "manage"
    """That, call it otherwise, say which roles use it, see all that is in it, and take it out."""
    OWN = "own"
    """That, say who its members are, and delete it."""


class LockerMember(Struct, frozen=True, kw_only=True):
    """Somebody who looks after a locker."""

    user_id: UserId
    user_number: int
    username: str
    rights: list[LockerRight]


class Consumer(Struct, frozen=True, kw_only=True):
    """A role whose holders use what is in a locker."""

    role_id: RoleId
    role_number: int
    role_name: str


class Locker(Struct, frozen=True, kw_only=True):
    """A locker as lists show it."""

    id: LockerId
    number: int
    name: str
    description: str
    revision: int
    """Raised by each update."""
    created_by: UserId | None
    created_by_number: int | None
    created_at: datetime
    updated_by: UserId | None
    updated_by_number: int | None
    updated_at: datetime
    members: list[LockerMember]
    secret_count: int


class Asker(Struct, frozen=True, kw_only=True):
    """Who asks for lockers and secrets of an organization."""

    organization: OrganizationId
    user: UserId | None
    """None: a credential that is nobody's."""
    governs: bool
    """Whether all are theirs to see and to change."""
    reveals: bool
    """Whether they get all values."""


class Standing(Struct, frozen=True, kw_only=True):
    """What somebody is to a locker."""

    rights: frozenset[LockerRight]
    consumes: bool
    governs: bool

    @classmethod
    def of(cls, asker: Asker, rights: Iterable[LockerRight], *, consumes: bool) -> "Standing":
        """The standing of who asks."""
        return cls(rights=frozenset(rights), consumes=consumes, governs=asker.governs)

    @property
    def is_none(self) -> bool:
        """Whether they may not even know of it."""
        return not (self.governs or self.consumes or self.rights)

    @property
    def manages(self) -> bool:
        """Whether they see all that is in it."""
        return self.governs or not self.rights.isdisjoint({LockerRight.MANAGE, LockerRight.OWN})
