"""What workers and the room itself do with console output."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Final

from controlroom.engine.access.model import WorkerActor
from controlroom.engine.console import store
from controlroom.engine.console.errors import BatchInvalid, ConsoleGap, Overtaken
from controlroom.engine.console.rules import Contents, check_batch
from controlroom.engine.console.store import EndedConsole
from controlroom.engine.engine import Engine
from controlroom.engine.wakes import Topic
from controlroom.ids import StepRunId

_LATEST: Final = 253402300799.0  # the end of the year 9999: the last that Python can tell

_REST: Final = timedelta(seconds=30)
"""How long an attempt rests before its chunks are compacted. Why: longer than any statement may take, so that no append
that saw the attempt alive comes after its archive."""


async def append(
    engine: Engine,
    worker: WorkerActor,
    step_run: StepRunId,
    attempt: int,
    *,
    first: int,
    count: int,
    at: float,
    body: bytes,
) -> None:
    """Add whole lines to the console of an attempt; readable, and as safe as the database, when it returns.

    A batch may be sent again. Raises ConsoleGap for one that does not begin where the last one ended, Overtaken for an
    attempt that is no longer the worker's, BatchInvalid.
    """
    check_batch(body, first=first, count=count, limit=engine.limits.console_batch_bytes)
    if not 0 <= at <= _LATEST:
        raise BatchInvalid("has a time in Unix seconds")
    for is_again in (False, True):
        appended = await store.append(
            engine.database,
            workspace=worker.workspace_id,
            worker=worker.worker_id,
            step_run=step_run,
            attempt=attempt,
            first=first,
            count=count,
            at=at,
            body=body,
        )
        if not appended.is_alive:
            raise Overtaken
        if appended.is_added:
            engine.wakes.wake(Topic.CONSOLE, step_run)
            return
        if appended.is_known:
            return
        if appended.have != first or is_again:
            raise ConsoleGap(appended.have)
        # the same batch, or one in its place, came at the same moment: the second look sees it


async def compact(engine: Engine, console: EndedConsole) -> bool:
    """Join the chunks of an ended attempt to one object; whether it was this call that did so.

    The object is put first, then one transaction puts its row in the place of the chunks: readers see either.
    """
    contents = Contents()
    blob = await engine.objects.put(_content(engine, console, contents))
    async with engine.database.transaction() as tx:
        return await store.archive(tx, console, lines=contents.lines, digest=blob.hash, contents=contents.entries)


async def compact_ended(engine: Engine, *, limit: int, rest: timedelta = _REST) -> int:
    """Compact the consoles of up to `limit` attempts that have ended; how many."""
    ended = await store.ended_consoles(engine.database, rest=rest, limit=limit)
    return sum([await compact(engine, console) for console in ended])


async def _content(engine: Engine, console: EndedConsole, contents: Contents) -> AsyncGenerator[bytes, None]:
    while chunks := await store.chunks_from(engine.database, console, contents.lines):
        for chunk in chunks:
            contents.add(line_count=chunk.line_count, at=chunk.at.timestamp(), length=len(chunk.body))
            yield chunk.body
