"""Assets as a robot reads and writes them: by name, the content as it is."""

from typing import Final

from controlroom.border.credentials import header_of
from controlroom.border.verbs import Answer, Call, Verb, content_of
from controlroom.engine.access.scope import scope_of_robot
from controlroom.engine.assets import actions as assets
from controlroom.engine.assets.errors import AssetEmpty

_ASSET: Final = "/robot/v1/assets/{name:path}"
_BYTES: Final = "application/octet-stream"


async def _get(call: Call) -> Answer:
    """The content of an asset, as what it is said to be."""
    found = await assets.read(call.engine, call.robot, scope_of_robot(call.robot), call.named["name"])
    if found.content is None:
        raise AssetEmpty(found.name)
    return await content_of(
        call.engine.objects.stream(found.content.hash), size=found.content.size, kind=found.content.content_type
    )


async def _put(call: Call) -> bytes:
    """Give an asset the body as its content; it is made if there is none of the name."""
    kind = header_of(call.scope, b"content-type") or _BYTES
    name = call.named["name"]
    await assets.put(call.engine, call.robot, call.workspace, name, content_type=kind, content=call.pieces())
    return b"{}"


VERBS: Final = (Verb("GET", _ASSET, _get), Verb("PUT", _ASSET, _put))
