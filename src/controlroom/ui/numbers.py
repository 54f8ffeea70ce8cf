"""Addresses have the numbers of things. Who comes by an id or a name, as programs tell them, is led on."""

from typing import Final
from uuid import UUID

from controlroom.errors import Invalid, NotFound
from controlroom.ids import as_uuid
from controlroom.ui.asking import Asking
from controlroom.ui.entrance import Moved

_DIGITS: Final = 18
"""Of a number of 63 bits, at least."""


def typed_number(text: str) -> int:
    """The number of something in the repository, as people type it: `1234`, `#1234`. Raises Invalid."""
    plain = text.removeprefix("#")
    if not (plain.isdecimal() and plain.isascii() and len(plain) <= _DIGITS):
        raise Invalid(f"{text[:40]} is no number of something in the repository", code="NUMBER_INVALID")
    return int(plain)


def ensure_number(request: Asking, named: str, number: int) -> None:
    """Go on if the address has the number; raises Moved to the address that has it."""
    if named == str(number):
        return
    template = request.scope["path_template"].split("/")
    place = next(place for place, part in enumerate(template) if part.startswith(("{number", "{named")))
    parts = request.scope["path"].split("/")
    path = "/".join([*parts[:place], str(number), *parts[place + 1 :]])
    query = request.scope["query_string"].decode("latin-1")
    raise Moved(f"{path}?{query}" if query else path)


def id_of(named: str) -> UUID:
    """The id in the address of a verb for what is deleted: its number finds it no more. Raises NotFound."""
    if (found := as_uuid(named)) is None:
        raise NotFound("There is nothing of this id.", code="ID_UNKNOWN")
    return found
