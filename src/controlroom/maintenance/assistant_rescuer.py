"""Ends the runs of assistants whose machine is silent.

What it does: takes runs of which nothing was heard for four minutes, one transaction each, and fails them with LOST.
Who else may do it: any server; rows are locked and skipped. The leader does.
When it dies half-way: the transaction is undone, the run is still silent, the next tick takes it.
What it costs: one index probe each fifteen seconds while nobody is silent.
"""

from typing import Final

from controlroom.engine.access.scope import Room
from controlroom.engine.assistants.actions import lose_silent
from controlroom.engine.engine import Engine

EVERY: Final = 15.0
"""Seconds between two looks. Why so rare: minutes of silence are waited for in any case."""

_AT_ONCE: Final = 1000


async def rescue(engine: Engine) -> int:
    """One pass; how many runs were ended."""
    ended = 0
    while ended < _AT_ONCE and await lose_silent(engine, Room()):
        ended += 1
    return ended
