"""Secrets as a robot reads them: by name, as JSON."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from controlroom.border.verbs import Call, Verb
from controlroom.engine.vault import actions as vault


class SecretAnswer(Struct, frozen=True):
    """A secret, opened."""

    name: str
    values: dict[str, Any]


async def _get(call: Call) -> bytes:
    """The values of a secret; they are masked in the robot's console from now on."""
    found = await vault.read(call.engine, call.robot, call.workspace, call.named["name"])
    return msgspec.json.encode(SecretAnswer(found.name, found.values))


VERBS: Final = (Verb("GET", "/robot/v1/secrets/{name:name}", _get),)
