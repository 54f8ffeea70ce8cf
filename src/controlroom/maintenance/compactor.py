"""Joins the console chunks of ended attempts to one object each.

What it does: each tick, for up to 50 attempts that ended half a minute ago or earlier, copies their lines to an object
and puts one row in the place of the chunks.
Who else may do it: any number of servers at once; the first to write the row wins, the others have copied in vain.
When it dies half-way: the chunks are still there, and the next tick begins that attempt anew; the object that was
perhaps written already has the same name then, or is swept.
What it costs: one index probe for each attempt that has chunks, each tick; reading and writing every line once.
"""

from typing import Final

from controlroom.engine.access.scope import Room
from controlroom.engine.console.actions import compact_ended
from controlroom.engine.engine import Engine

EVERY: Final = 10.0
"""Seconds between two ticks. Chunks are as good to read as the archive: there is no hurry."""

_ATTEMPTS: Final = 50


async def compact(engine: Engine) -> int:
    """One tick; how many consoles were compacted."""
    return await compact_ended(engine, Room(), limit=_ATTEMPTS)
