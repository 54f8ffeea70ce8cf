"""Numbers: this grammar's ids. Each is the engine's `number` of the thing, and no mapping is kept.

    located = await find(request, WORKER, device)     # `device: Id` of the path, or a body's int; raises the noun's 404
    located.id, located.scope.workspace

Requests carry them as numbers or as text (`border/lenient.py` takes both for an `int`); what is told is a text by
`shown` where the vendor has a string (v2, v4, activities), and the number itself in v1 and WLM v3 (§1.7).
"""

from typing import TypeAlias, TypeVar

from controlroom.border.asking import Path
from controlroom.dialects.automation360.asking import Asking
from controlroom.engine.access.scope import Scope
from controlroom.engine.nouns import Noun, Ways
from controlroom.engine.references import Located, locate
from controlroom.errors import NotFound

T = TypeVar("T")

Id: TypeAlias = Path[str]
"""A number of the path: a text until it is looked up, so that what is none is unknown (404) and not malformed."""

_LARGEST = 2**63 - 1


async def find(request: Asking, noun: Noun[T], number: str | int, seen: Scope | None = None) -> Located[T]:
    """What has this number, of what the caller sees (by the route's `needs`, or `seen`). Raises the noun's NotFound."""
    return await locate(request.db, request.seen if seen is None else seen, noun, str(number).strip(), Ways.NUMBER)


def number_of(text: str | int) -> int:
    """A number of the path for a statement that takes one; raises NotFound for what is none."""
    plain = str(text).strip()
    if not (plain.isascii() and plain.isdigit()) or int(plain[:20]) > _LARGEST:
        raise NotFound(f"there is nothing with the id {plain[:100]}")
    return int(plain)


def shown(number: int | None) -> str:
    """A number as text; none is an empty one."""
    return "" if number is None else str(number)
