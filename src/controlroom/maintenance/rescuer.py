"""Ends or repeats step runs whose worker is lost, and shows silent workers as offline.

What it does: takes step runs whose lease has run out, one transaction each: a robot that had not begun is given to
another worker, one that had is failed with WORKER_LOST and its item goes by the retry policy.
Who else may do it: any server; rows are locked and skipped. The leader does.
When it dies half-way: the transaction is undone, the lease is still over, the next tick takes it.
What it costs: one index probe each two seconds while nobody is lost.
"""

from typing import Final

from controlroom.engine.access.scope import Room, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.runs.endings import lock_expired, lose
from controlroom.engine.runs.leases import mark_silent_offline

_AT_ONCE: Final = 1000
_ROOM: Final = Room()


async def rescue(engine: Engine) -> int:
    """One pass; how many step runs were rescued."""
    rescued = 0
    while rescued < _AT_ONCE:
        async with scoped(engine.database, _ROOM) as tx:
            leased = await lock_expired(tx, _ROOM)
            if leased is None:
                break
            await lose(engine, tx, leased, "The worker was silent for too long.")
        rescued += 1
    await mark_silent_offline(engine.database, _ROOM)
    return rescued
