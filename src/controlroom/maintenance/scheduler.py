"""Starts what schedules are due for.

What it does: each second, decides what became of every occurrence that is due (one transaction a schedule), starts what
has waited for the end of a run, and stops runs that no robot has begun in time.
Who else may do it: any server; schedules are locked and skipped, and an occurrence's row is unique. The leader does.
When it dies half-way: the transaction is undone, the schedule is still due, the next tick takes it; an occurrence that
is noticed later than its grace goes by the schedule's rule for missed ones.
What it costs: three index probes a second while nothing is due; about twelve statements a run started.
"""

from typing import Final

from controlroom.engine.engine import Engine
from controlroom.engine.schedules.firing import cancel_late, fire_next, start_waiting

EVERY: Final = 1.0
_AT_ONCE: Final = 1000


async def fire_due(engine: Engine) -> int:
    """One tick; how many schedules were looked at and runs stopped."""
    fired = 0
    while fired < _AT_ONCE and await fire_next(engine) is not None:
        fired += 1
    waited = 0
    while waited < _AT_ONCE and await start_waiting(engine) is not None:
        waited += 1
    return fired + waited + await cancel_late(engine, limit=_AT_ONCE)
