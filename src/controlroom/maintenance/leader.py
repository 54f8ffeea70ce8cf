"""Which of several servers runs the loops that one at a time suffices for.

What it does: holds an advisory lock in an otherwise empty transaction, and looks every two seconds whether it is still
there.
Who else may do it: every server tries; PostgreSQL gives the lock to one.
When it dies half-way: its connection ends, the lock is free, and another server has it within two seconds. Two leaders
for a moment (a partition) do no harm: every loop is safe to run twice.
What it costs: one connection and a statement each two seconds.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from controlroom.errors import Unavailable
from controlroom.maintenance.loop import Loop, run_forever
from controlroom.postgres.database import Database

log = structlog.get_logger(__name__)

_LOCK: Final = 0x636F6E74726F6C  # "control": any number that nobody else in this database uses
_LOOK_EVERY: Final = 2.0


async def lead(database: Database, loops: Sequence[Loop], *, observe: Callable[[str, float, bool], None]) -> None:
    """Run the loops whenever this server is the leader; until cancelled."""
    while True:
        with suppress(Unavailable):
            async with database.transaction() as tx:
                if await tx.value("select pg_try_advisory_xact_lock(%(lock)s)", lock=_LOCK):
                    log.info("leading", loops=[loop.name for loop in loops])
                    async with _running(loops, observe):
                        while True:
                            # Whether the connection lives. Why not a select: its snapshot would stay, and an index
                            # that is built beside the writers (by a next release's migrations, say) waits for the
                            # end of every transaction that has one, so for ours.
                            await tx.execute("show transaction_isolation")
                            await asyncio.sleep(_LOOK_EVERY)
        await asyncio.sleep(_LOOK_EVERY)


@asynccontextmanager
async def _running(loops: Sequence[Loop], observe: Callable[[str, float, bool], None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(run_forever(loop, observe=observe), name=loop.name) for loop in loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
