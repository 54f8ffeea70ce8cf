"""A form that the engine refuses is shown again, with what is wrong and all that was typed."""

from collections.abc import Awaitable
from typing import TypeVar

from controlroom.errors import Conflict, ControlRoomError, Invalid, NotFound

T = TypeVar("T")

REFUSED = 422
"""How a form is answered that is shown again."""


async def tried(verb: Awaitable[T]) -> tuple[T | None, str]:
    """What a verb has made, or why it refused: in words, without a full stop."""
    try:
        return await verb, ""
    except (Invalid, Conflict, NotFound) as refused:
        return None, said(refused)


def said(refused: ControlRoomError) -> str:
    """Why the engine refused, as the beginning of a sentence."""
    message = refused.message.rstrip(".")
    return message[:1].upper() + message[1:]
