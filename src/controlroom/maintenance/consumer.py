"""Opens runs for the due items of standing queues.

What it does: each second, and as soon as a run has ended, finds the consumers whose queue has due items and for whom a
worker is free, and opens one run for each, the most urgent first; soon again where it has opened some.
Who else may do it: any server; consumers and items are locked and skipped. The leader does.
When it dies half-way: run and claimed items are one commit; what is not committed waits for the next tick.
What it costs: one statement a second, at most twenty where runs end so often, of a few index probes for each consumer
that is not paused.
"""

import asyncio
from typing import Final

from controlroom.engine.access.scope import Room
from controlroom.engine.engine import Engine
from controlroom.engine.queues.consuming import consume
from controlroom.engine.queues.store import ready
from controlroom.engine.wakes import Topic

EVERY: Final = 1.0
_AT_ONCE: Final = 100


class Consumer:
    """What opens runs in one server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.woken = asyncio.Event()
        engine.wakes.on(Topic.RUN_ENDED, lambda _: self.woken.set())

    async def tick(self) -> int:
        """One tick; how many runs were opened. Where one was, there may soon be room for another."""
        opened = await open_runs(self._engine)
        if opened:
            self.woken.set()
        return opened


async def open_runs(engine: Engine) -> int:
    """A run for each consumer that is ready; how many were opened."""
    consumers = await ready(engine.database, Room(), limit=_AT_ONCE)
    return sum([await consume(engine, Room(), consumer) for consumer in consumers])
