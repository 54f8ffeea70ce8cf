"""Ids in what is told, read by the names of the things: as far as who reads may know of them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from controlroom.engine.access.scope import Scope
from controlroom.engine.provisioners import places
from controlroom.engine.usage.names import names_of
from controlroom.ui.asking import Asking

_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST: Final = 500
"""Ids that are looked up for one page."""


def ids_in(value: Any) -> Iterator[UUID]:
    """All ids that stand in texts, within whatever they lie."""
    match value:
        case str():
            yield from map(UUID, _ID.findall(value))
        case UUID():
            yield value
        case Mapping():
            for each in value.values():
                yield from ids_in(each)
        case list() | tuple():
            for each in value:
                yield from ids_in(each)


async def known_to(request: Asking, scope: Scope, ids: Iterable[UUID], *, governs: bool = False) -> dict[str, str]:
    """The names of what ids mean, by the ids as texts."""
    wanted = list(dict.fromkeys(ids))[:_MOST]
    found = await names_of(request.db, scope, wanted, governs=governs)
    found |= await places.named(request.db, scope, wanted)
    return {str(id_): name for id_, name in found.items()}


def named(text: str, known: Mapping[str, str]) -> str:
    """A text with names in place of ids, as far as they are known. Pure."""
    return _ID.sub(lambda found: known.get(found[0], found[0]), text)
