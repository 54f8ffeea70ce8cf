"""Secrets of the organization: attributes with values, an owner, and perhaps a locker that shares them."""

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from controlroom.engine.vault.lockers.model import Standing
from controlroom.ids import AttributeId, LockerId, SecretValueId, SharedSecretId, UserId


class Attribute(Struct, frozen=True, kw_only=True):
    """What a secret has a value of."""

    id: AttributeId
    number: int
    name: str
    description: str
    is_user_provided: bool
    """Each user gives a value of their own; else the owner gives one for all."""
    is_masked: bool
    """Its value is shown only to who asks for this one."""
    is_password: bool
    revision: int
    created_by_number: int | None
    created_at: datetime
    updated_by_number: int | None
    updated_at: datetime


class SharedSecret(Struct, frozen=True, kw_only=True):
    """A secret of the organization as lists show it: never its values."""

    id: SharedSecretId
    number: int
    name: str
    description: str
    owner_id: UserId
    owner_number: int
    owner_name: str
    locker_id: LockerId | None
    locker_number: int | None
    locker_name: str | None
    revision: int
    created_by: UserId | None
    created_by_number: int | None
    created_at: datetime
    updated_by: UserId | None
    updated_by_number: int | None
    updated_at: datetime
    attributes: list[Attribute]
    is_completed: bool
    """Every attribute has its value; one that users provide, of each who consumes the secret (else of its owner)."""


class AttributeDefinition(Struct, frozen=True, kw_only=True):
    """What an attribute shall be."""

    name: str
    description: str = ""
    is_user_provided: bool = False
    is_masked: bool = False
    is_password: bool = False
    id: AttributeId | None = None
    """Which of those there it is; None: the one of its name, else a new one."""


class SecretChange(Struct, frozen=True, kw_only=True):
    """What a secret shall be; what is left out stays."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    attributes: list[AttributeDefinition] | UnsetType = UNSET
    """All of them: others are gone, with their values."""


class SecretStanding(Struct, frozen=True, kw_only=True):
    """What somebody is to a secret."""

    is_owner: bool
    locker: Standing
    """Likewise to its locker; nothing where it is in none."""
    reveals: bool
    """Whether they get all values."""

    @property
    def is_none(self) -> bool:
        """Whether they may not even know of it: what others have put into a locker, a mere participant does not see."""
        return not (self.is_owner or self.sees_all)

    @property
    def sees_all(self) -> bool:
        """Whether they see it for the sake of its locker."""
        return self.locker.governs or self.locker.consumes or self.locker.manages


class SealedValue(Struct, frozen=True, kw_only=True):
    """A value, encrypted."""

    id: SecretValueId
    number: int
    attribute_id: AttributeId
    attribute_number: int
    attribute_name: str
    is_masked: bool
    is_password: bool
    user_id: UserId | None
    """Whose it is; None: everybody's."""
    user_number: int | None
    username: str | None
    sealed: bytes
    revision: int
    created_by_number: int | None
    created_at: datetime
    updated_by_number: int | None
    updated_at: datetime


class SecretValue(Struct, frozen=True, kw_only=True):
    """A value as somebody gets it. Prints without it."""

    row: SealedValue
    value: str | None
    """None: it is there, and not shown."""

    def __repr__(self) -> str:
        return f"SecretValue(attribute={self.row.attribute_name!r}, value=‹secret›)"  # noqa: RUF001 - as everywhere
