"""Secrets: named sets of values that only robots, and those who may reveal, ever see."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from controlroom.ids import SecretId


class Secret(Struct, frozen=True, kw_only=True):
    """A secret as lists show it: never its values."""

    id: SecretId
    number: int
    name: str
    description: str
    created_at: datetime
    updated_at: datetime


class SecretKeys(Struct, frozen=True, kw_only=True):
    """A secret with the names of its values."""

    secret: Secret
    keys: list[str]


class SecretValues(Struct, frozen=True, kw_only=True):
    """A secret opened. Prints without its values."""

    name: str
    description: str
    values: dict[str, Any]

    def __repr__(self) -> str:
        return f"SecretValues(name={self.name!r}, values=‹secret›)"  # noqa: RUF001 - how a secret prints everywhere in the room
