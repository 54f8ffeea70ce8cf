"""The folder of something in a form: chosen where there are few, else named by its path or its number."""

import re
from typing import Final

from controlroom.engine.repository import nodes
from controlroom.engine.repository.model import Node, Right
from controlroom.engine.repository.rights import rights_of
from controlroom.ui.asking import Asking
from controlroom.ui.pickers.picker import FEW, SUGGESTED, Offer, PickRefused

_NUMBER: Final = re.compile(r"#?([1-9][0-9]{0,17})(?:\s.*)?", re.ASCII | re.DOTALL)
_ROOT: Final = "Directly in it"


async def offered(request: Asking, node: Node, chosen: str) -> Offer:
    """The folders into which something may be moved or copied; by number and path."""
    found = await nodes.folders(request.db, node, limit=FEW + 1)
    rights = await rights_of(request.db, request.actor)
    fit = [each for each in found if Right.UPDATE in rights.of(each) and node.id not in each.above]
    if len(found) <= FEW:
        return Offer("", [(str(each.number), _path(each)) for each in fit], value=chosen)
    held = await nodes.find(request.db, node.organization_id, chosen) if chosen.isdecimal() else None
    value = chosen if held is None else f"#{held.number} {_path(held)}"
    return Offer("", [("", f"#{each.number} {_path(each)}") for each in fit[:SUGGESTED]], is_typed=True, value=value)


async def chosen(request: Asking, node: Node, text: str) -> str | None:
    """The number of the folder that a form names; None for none. Raises PickRefused for a path that leads nowhere."""
    if not text:
        return None
    if numbered := _NUMBER.fullmatch(text):
        return numbered[1]
    path = [] if text == _ROOT else [each.strip() for each in text.split("/") if each.strip()]
    for found in await nodes.folders(request.db, node, limit=1, at=path):
        return str(found.number)
    raise PickRefused(f"there is no folder “{text[:100]}”")


def _path(node: Node) -> str:
    return " / ".join(node.path) or _ROOT
