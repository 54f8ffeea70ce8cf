"""Positions in lists, as texts that a caller sends back: after which row a page begins."""

import base64
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypedDict, TypeVar, cast

import msgspec
from msgspec import Meta

from controlroom.errors import Invalid

Position = TypeVar("Position")

Kind = type[Position] | Callable[[Any], Position]
"""What a position must be: a type, as which it is read, or what makes it of the values that it has."""

RowNumber = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""A number that the database can hold."""


class After(TypedDict, Generic[Position]):
    """Where a list goes on, and how many rows of it are asked for."""

    after: Position | None
    limit: int


class Before(TypedDict, Generic[Position]):
    """Likewise, of one that begins with the newest."""

    before: Position | None
    limit: int


def cursor_of(position: object) -> str:
    """A position as a text."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(position)).rstrip(b"=").decode()


def position_of(cursor: str, kind: Kind[Position]) -> Position:
    """The position of a text, as what it must be: a cursor may be made up. Raises Invalid `INVALID_CURSOR`."""
    try:
        return _read(msgspec.msgpack.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))), kind)
    except (msgspec.MsgspecError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as broken:
        raise Invalid("The cursor is none of ours: follow `next` as it is.", code="INVALID_CURSOR") from broken


def _read(position: Any, kind: Kind[Position]) -> Position:
    """A type of ids is what stands behind its name."""
    plain = getattr(kind, "__supertype__", kind)
    if not isinstance(plain, type):
        return cast("Callable[[Any], Position]", kind)(position)
    found: Position = msgspec.convert(position, RowNumber if plain is int else plain)
    return found
