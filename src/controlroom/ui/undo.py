"""What takes back what was just done: a verb that the next page offers beside what it says, as a form.

It travels in a cookie, signed for the one who did it: no other page, and no program on another port of the machine,
has a button of ours that is called Undo do something else.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

import msgspec
from msgspec import Struct

from controlroom.engine.access.model import Actor
from controlroom.keys import Keys
from controlroom.ui.cookies import Header, kept

COOKIE: Final = "undo"
_SECONDS: Final = 30
_LONGEST: Final = 3000
"""What browsers keep of one cookie is 4096 bytes."""


class Undo(Struct, frozen=True):
    """The opposite verb, and what its form says."""

    action: str
    fields: dict[str, str] = {}


def offered(keys: Keys, actor: Actor, undo: Undo, origin: str) -> list[Header]:
    """The header that has the next page offer it; nothing for what is too long to be kept."""
    body = urlsafe_b64encode(msgspec.json.encode(undo)).decode().rstrip("=")
    value = f"{body}.{_seal(keys, actor, body)}"
    return [kept(COOKIE, value, origin=origin, seconds=_SECONDS)] if len(value) < _LONGEST else []


def found(keys: Keys, actor: Actor, cookie: str) -> Undo | None:
    """What a cookie offers to who did it; None for one that is not ours, or not theirs."""
    body, _, seal = cookie.partition(".")
    if not cookie.isascii() or not hmac.compare_digest(seal, _seal(keys, actor, body)):
        return None
    return msgspec.json.decode(urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=Undo)


def _seal(keys: Keys, actor: Actor, body: str) -> str:
    return keys.lookup(f"undo:{actor.id}:{body}").hex()  # no token begins so
