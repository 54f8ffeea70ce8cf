"""Keeps the figures: of what ended, failures, uses and queues; and tells failed items which failure is theirs.

What it does: each two seconds, reads the record of events behind its cursor and adds to the figures; once a minute it
looks how much waits in each queue. Figures that are to be made anew are made aside, some thousand events at a time.
Items that failed and have not been told their failure are found by an index of their own, so that none is forgotten.
Who else may do it: any server; the cursor's row is locked and skipped. The leader does.
When it dies half-way: the transaction is undone; the cursor has not moved, and the same events are counted once. Who
reads figures adds what is behind the cursor, so that a loop that stands still makes them slow and not wrong.
What it costs: three statements each two seconds while nothing happens, two more for each two thousand events. It locks
nothing that a claim needs.
"""

from typing import Final

from controlroom.engine.access.scope import Room
from controlroom.engine.engine import Engine
from controlroom.engine.statistics import failing, keeping, queues

EVERY: Final = 2.0
LOOK_EVERY: Final = 60.0
FORGET_EVERY: Final = 3600.0
_BATCH: Final = 2000
_BATCHES: Final = 50
"""A tick of each kind, so that a loop that has much to do stays one that can be ended."""


async def keep_up(engine: Engine) -> int:
    """One tick; how many events were counted."""
    counted = 0
    for _ in range(_BATCHES):
        read = await keeping.keep_up(engine, Room(), limit=_BATCH)
        counted += read
        if read < _BATCH:
            break
    return counted


async def make_anew(engine: Engine) -> int:
    """One tick of what is made anew, if anything is; how many events were counted."""
    counted = 0
    for _ in range(_BATCHES if await keeping.is_made_anew(engine.database) else 0):
        read = await keeping.make_anew(engine, Room(), limit=_BATCH)
        counted += read
        if read == 0:
            break
    return counted


async def tell_failures(engine: Engine) -> int:
    """Tell failed items which failure they have in common with others; how many were told."""
    told = 0
    for _ in range(_BATCHES):
        now = await failing.tell(engine, Room(), limit=_BATCH)
        told += now
        if now < _BATCH:
            break
    return told


async def look(engine: Engine) -> int:
    """One look at all queues; in how many something waits or came."""
    return await queues.look(engine, Room())


async def forget(engine: Engine) -> int:
    """Delete what is older than figures are kept; how many rows."""
    return await keeping.forget_old(engine, Room())
