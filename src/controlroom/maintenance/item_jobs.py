"""Does operations on all items that a filter finds.

What it does: each second, takes the oldest open jobs and does batches of them side by side, for some seconds at most.
Who else may do it: any server; each batch is a transaction that writes how far the job is, if nobody else has. The
leader does.
When it dies half-way: the batch is undone, and the job goes on behind the one before it.
What it costs: one statement a second, by an index of what is open; a batch locks its thousand items, and no claim waits
for a locked one.
"""

import asyncio
from time import monotonic
from typing import Final

import structlog

from controlroom.engine.access.scope import Room
from controlroom.engine.engine import Engine
from controlroom.engine.work_items import jobs
from controlroom.engine.work_items.jobs import ItemJob
from controlroom.errors import ControlRoomError, Unavailable

log = structlog.get_logger(__name__)

EVERY: Final = 1.0
PRUNE_EVERY: Final = 3600.0
_AT_ONCE: Final = 2
_LONGEST: Final = 5.0
"""Seconds of a tick, so that a loop that has much to do stays one that can be ended."""


async def work(engine: Engine) -> int:
    """One tick; how many jobs were worked on."""
    found = await jobs.open_jobs(engine.database, Room(), limit=_AT_ONCE)
    await asyncio.gather(*(_do(engine, job) for job in found))
    return len(found)


async def prune(engine: Engine) -> int:
    """Forget old jobs."""
    return await jobs.prune(engine.database, Room())


async def _do(engine: Engine, job: ItemJob) -> None:
    began, at = monotonic(), job
    try:
        while monotonic() - began < _LONGEST:
            now = await jobs.work(engine, Room(), at)
            if now is None or now.is_over:
                return
            at = now
    except Unavailable:
        raise
    except ControlRoomError as why:
        await jobs.fail(engine, Room(), job, str(why))
    except Exception as bug:  # the edge of a job: the others go on, and nobody waits for it for ever
        log.exception("item job failed", job=job.number)
        await jobs.fail(engine, Room(), job, f"unexpected: {type(bug).__name__}")
