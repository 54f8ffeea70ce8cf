"""Opens runs for the due items of standing queues.

What it does: each second, finds the consumers whose queue has due items and for whom a worker is free, and opens one
run for each, the most urgent first.
Who else may do it: any server; consumers and items are locked and skipped. The leader does.
When it dies half-way: run and claimed items are one commit; what is not committed waits for the next tick.
What it costs: one statement a second, of a few index probes for each consumer that is not paused.
"""

from typing import Final

from controlroom.engine.access.scope import Room
from controlroom.engine.engine import Engine
from controlroom.engine.queues.consuming import consume
from controlroom.engine.queues.store import ready

EVERY: Final = 1.0
_AT_ONCE: Final = 100


async def open_runs(engine: Engine) -> int:
    """One tick; how many runs were opened."""
    consumers = await ready(engine.database, Room(), limit=_AT_ONCE)
    return sum([await consume(engine, Room(), consumer) for consumer in consumers])
