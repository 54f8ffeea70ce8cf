"""Does what takes its time with queues: tables that are put in, exports, imports.

What it does: each second, takes up to some open jobs, the oldest first, and does them side by side.
Who else may do it: any server; each step is a transaction that writes how far the job is, if nobody else has. The
leader does.
When it dies half-way: a table and an import go on behind what was committed, an export is made anew.
What it costs: one statement a second, by an index of what is open.
"""

import asyncio
from datetime import timedelta
from typing import Final, assert_never

import structlog

from controlroom.engine.access.scope import Room
from controlroom.engine.engine import Engine
from controlroom.engine.queues import archives, carrying, jobs, loading
from controlroom.engine.queues.jobs import JobKind, QueueJob
from controlroom.errors import ControlRoomError, Unavailable

log = structlog.get_logger(__name__)

EVERY: Final = 1.0
PRUNE_EVERY: Final = 3600.0
_AT_ONCE: Final = 4


async def work(engine: Engine) -> int:
    """One tick; how many jobs were worked on."""
    found = await jobs.waiting(engine.database, Room(), limit=_AT_ONCE)
    await asyncio.gather(*(_do(engine, job) for job in found))
    return len(found)


async def prune(engine: Engine) -> int:
    """Let go the files of old jobs, and give up imports whose archives have not come."""
    life = timedelta(seconds=engine.limits.link_seconds)
    given_up = await archives.give_up(engine.database, Room(), link_life=life)
    return given_up + await jobs.prune(engine.database, Room())


async def _do(engine: Engine, job: QueueJob) -> None:
    room = Room()
    try:
        match job.kind:
            case JobKind.LOAD:
                await loading.load(engine, room, job)
            case JobKind.ITEM_EXPORT:
                await carrying.export_items(engine, room, job)
            case JobKind.QUEUE_EXPORT:
                await carrying.export_queues(engine, room, job)
            case JobKind.QUEUE_IMPORT:
                await carrying.import_queues(engine, room, job)
            case _:
                assert_never(job.kind)
    except Unavailable:
        raise
    except ControlRoomError as why:
        await loading.fail(engine, room, job, why)
    except Exception as bug:  # the edge of a job: the others go on, and nobody waits for it for ever
        log.exception("queue job failed", job=job.number)
        await loading.fail(engine, room, job, ControlRoomError(f"unexpected: {type(bug).__name__}"))
