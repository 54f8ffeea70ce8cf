"""What workers and the room itself do with console output."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import Room, scope_of_worker, scoped
from controlroom.engine.console import store
from controlroom.engine.console.errors import BatchInvalid, ConsoleGap, Overtaken
from controlroom.engine.console.rules import Contents, check_batch
from controlroom.engine.console.store import EndedConsole
from controlroom.engine.console.unfinished import UnfinishedLine, tell
from controlroom.engine.engine import Engine
from controlroom.engine.vault.masks import NOTHING, Masks, hide, masks_of
from controlroom.engine.wakes import Topic
from controlroom.ids import StepRunId
from controlroom.keys import Keys

_LATEST: Final = 253402300799.0  # the end of the year 9999: the last that Python can tell

_TRIES: Final = 5
"""Looks at a batch that another one, or a reading of the vault, comes before; then the worker sends it again."""

_STEP_RUNS: Final = 1000
"""Of how many step runs a process remembers what to mask."""

# Why by the keys: they are the control room's own, one object a process; tests have several rooms in one process.
_masks: WeakKeyDictionary[Keys, dict[StepRunId, Masks]] = WeakKeyDictionary()

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
    unfinished: bytes = b"",
) -> None:
    """Add whole lines to the console of an attempt; readable, and as safe as the database, when it returns.

    `unfinished` is what stands after them in a line without end: shown, not stored. A batch may be sent again. Raises
    ConsoleGap for one that does not begin where the last one ended, Overtaken for an attempt that is no longer the
    worker's, BatchInvalid.
    """
    check_batch(body, first=first, count=count, unfinished=unfinished, limit=engine.limits.console_batch_bytes)
    if not 0 <= at <= _LATEST:
        raise BatchInvalid("has a time in Unix seconds")
    told = UnfinishedLine(attempt, first + count, datetime.fromtimestamp(at, UTC), unfinished.decode())
    known = _masks.setdefault(engine.keys, {})
    for is_last in (False,) * _TRIES + (True,):
        masks = known.get(step_run, NOTHING)
        appended = await store.append(
            engine.database,
            scope_of_worker(worker),
            worker=worker.worker_id,
            step_run=step_run,
            attempt=attempt,
            first=first,
            count=count,
            at=at,
            body=await hide(engine.aside, masks, body),
            masks=masks.count,
        )
        if not appended.is_alive:
            raise Overtaken
        if appended.is_added:
            engine.wakes.wake(Topic.CONSOLE, step_run)
            tell(engine, step_run, told, masks)
            return
        if appended.is_known:
            return
        if count == 0 and appended.have == first and appended.is_masked:
            tell(engine, step_run, told, masks)
            return
        if appended.have != first or is_last:
            raise ConsoleGap(appended.have)
        if not appended.is_masked:  # it has read a secret since
            _remember(known, step_run, await masks_of(engine.database, scope_of_worker(worker), engine.keys, step_run))
            continue
        # the same batch, or one in its place, came at the same moment: the second look sees it


def _remember(known: dict[StepRunId, Masks], step_run: StepRunId, masks: Masks) -> None:
    while len(known) >= _STEP_RUNS:
        del known[next(iter(known))]
    known[step_run] = masks


async def compact(engine: Engine, room: Room, console: EndedConsole) -> bool:
    """Join the chunks of an ended attempt to one object; whether it was this call that did so.

    The object is put first, then one transaction puts its row in the place of the chunks: readers see either.
    """
    contents = Contents()
    blob = await engine.objects.put(_content(engine, room, console, contents))
    async with scoped(engine.database, room) as tx:
        return await store.archive(tx, console, lines=contents.lines, digest=blob.hash, contents=contents.entries)


async def compact_ended(engine: Engine, room: Room, *, limit: int, rest: timedelta = _REST) -> int:
    """Compact the consoles of up to `limit` attempts that have ended; how many."""
    ended = await store.ended_consoles(engine.database, room, rest=rest, limit=limit)
    return sum([await compact(engine, room, console) for console in ended])


async def _content(
    engine: Engine, room: Room, console: EndedConsole, contents: Contents
) -> AsyncGenerator[bytes, None]:
    while chunks := await store.chunks_from(engine.database, room, console, contents.lines):
        for chunk in chunks:
            contents.add(line_count=chunk.line_count, at=chunk.at.timestamp(), length=len(chunk.body))
            yield chunk.body
