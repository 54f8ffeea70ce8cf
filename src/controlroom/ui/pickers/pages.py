"""What is suggested while one of many is typed."""

from typing import Final

from controlroom.errors import NotFound
from controlroom.ui.asking import Asking, Path, Shown
from controlroom.ui.filters import LONGEST_SOUGHT
from controlroom.ui.pickers.known import BY_KEY
from controlroom.ui.routing import page

_SHORTEST: Final = 2
"""Letters from which on something is looked for."""


@page("/suggested/{key:str}")
async def suggest(request: Asking, key: Path[str]) -> Shown:
    """Those that have what is typed, and that the asker may know of."""
    return await _suggested(request, key)


@page("/suggested/{key:str}", opt={"above_workspaces": True})
async def suggest_above(request: Asking, key: Path[str]) -> Shown:
    """Likewise on pages that are no workspace's."""
    return await _suggested(request, key)


async def _suggested(request: Asking, key: str) -> Shown:
    picker = BY_KEY.get(key)
    if picker is None:
        raise NotFound("Nothing is suggested of this kind.", code="NOT_FOUND")
    sought = request.query_params.get("q", "").strip()[:LONGEST_SOUGHT]
    found = await picker.suggested(request, sought) if len(sought) >= _SHORTEST else []
    return await request.show("pickers/suggested.html", title="Suggestions", found=found)
