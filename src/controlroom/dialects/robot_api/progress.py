"""How far a step run is, as its robot says."""

from typing import Final

from controlroom.border.verbs import Call, Verb
from controlroom.engine.runs import progress


async def _tell(call: Call) -> bytes:
    """Keep what the robot says, in place of what it said before."""
    await progress.tell(*call.working, await call.json(progress.Told))
    return b"{}"


VERBS: Final = (Verb("PUT", "/robot/v1/progress", _tell),)
