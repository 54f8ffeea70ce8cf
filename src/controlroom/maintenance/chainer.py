"""Starts the processes that are chained to runs that have ended.

What it does: each second, reads the record of events behind its cursor, writes a row for each chain of a run that has
ended, and starts a run for each such row.
Who else may do it: any server; the cursor's row and the rows of ends are locked and skipped. The leader does.
When it dies half-way: the transaction is undone; the cursor has not moved, or the row is still pending.
What it costs: three statements a second while nothing happens; two more for each thousand events.
"""

from typing import Final

from controlroom.engine.access.scope import Room
from controlroom.engine.chains.following import follow_next, notice_ends
from controlroom.engine.engine import Engine

EVERY: Final = 1.0
_BATCH: Final = 5000
_AT_ONCE: Final = 1000


async def follow(engine: Engine) -> int:
    """One tick; how many ends of runs were followed."""
    while await notice_ends(engine, Room(), limit=_BATCH) == _BATCH:
        pass
    followed = 0
    while followed < _AT_ONCE and await follow_next(engine, Room()):
        followed += 1
    return followed
