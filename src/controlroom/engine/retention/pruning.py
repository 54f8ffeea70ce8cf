"""What goes when: old runs, consoles, artifacts, events; and objects that nothing names any more."""

from datetime import datetime, timedelta
from typing import Final

from controlroom.engine.access.scope import Room, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.packages import commits
from controlroom.engine.retention import references, store
from controlroom.engine.retention.model import Retention
from controlroom.engine.retention.store import Place
from controlroom.engine.runs.actions import erase
from controlroom.ids import WorkspaceId
from controlroom.objects.store import ROW_WITHIN
from controlroom.postgres.backup_lock import may_delete

_RUNS: Final = 20
"""Runs a transaction: with their items and step runs thousands of rows."""
_ROWS: Final = 1000
_EVENTS: Final = 5000
_BLOBS: Final = 500
FIRST: Final = Place(0, 0)


async def prune_workspace(engine: Engine, room: Room, workspace: WorkspaceId, kept: Retention) -> int:
    """Delete all of a workspace that is too old, in small transactions; how many runs and items were touched."""
    total = 0
    if kept.run_days:
        since = timedelta(days=kept.run_days)
        while done := await _erase_runs(engine, room, workspace, since):
            total += done
        async with scoped(engine.database, room) as tx:
            await store.prune_occurrences(tx, workspace, kept=since)
        total += await _in_batches(engine, room, store.prune_stray_items, workspace, since)
    if kept.assistant_run_days:
        since = timedelta(days=kept.assistant_run_days)
        total += await _in_batches(engine, room, store.prune_assistant_runs, workspace, since)
    if kept.console_days:
        total += await _in_batches(engine, room, store.prune_console, workspace, timedelta(days=kept.console_days))
    if kept.artifact_days:
        since = timedelta(days=kept.artifact_days)
        total += await _in_batches(engine, room, store.prune_artifacts, workspace, since)
        total += await _in_batches(engine, room, store.prune_assistant_artifacts, workspace, since)
    return total


async def prune_uploads(engine: Engine, room: Room) -> int:
    """Forget old uploads; how many."""
    kept = max(timedelta(days=engine.limits.upload_days), ROW_WITHIN)
    total = 0
    while True:
        async with scoped(engine.database, room) as tx:
            done = await store.prune_uploads(tx, kept=kept, limit=_ROWS)
        total += done
        if done < _ROWS:
            return total


async def prune_commits(engine: Engine, room: Room) -> int:
    """Forget what git packages held at commits that nobody has asked for lately; how many."""
    return await commits.prune(engine.database, room)


async def prune_events(
    engine: Engine, room: Room, kept: dict[WorkspaceId, Retention], after: Place
) -> tuple[int, Place]:
    """Delete what is too old of the next some thousand events; how many, and where to go on (`FIRST`: all was seen)."""
    days = {workspace: retention.event_days for workspace, retention in kept.items()}
    bounded = [each for each in [*days.values(), engine.limits.event_days] if each]
    if not bounded:
        return 0, FIRST
    async with scoped(engine.database, room) as tx:
        done = await store.prune_events(
            tx,
            after,
            days=days,
            usual_days=engine.limits.event_days,
            least_days=min(bounded),
            limit=_EVENTS,
        )
    if done is None or done.is_young:
        return (0 if done is None else done.deleted), FIRST
    return done.deleted, Place(done.xid, done.id)


async def free_objects(engine: Engine, room: Room) -> int:
    """Delete objects that were put a day ago or earlier and that no row names; how many.

    An object that is put again meanwhile stays: whoever puts it is about to name it (`objects.store.ROW_WITHIN`).
    """
    now: datetime = await engine.database.value("select clock_now()")
    before = now - ROW_WITHIN
    freed, batch = 0, []
    async for digest, _, put_at in engine.objects.hashes():
        if put_at < before:
            batch.append(digest)
        if len(batch) == _BLOBS:
            freed += await _free(engine, room, batch, before)
            batch = []
    freed += await _free(engine, room, batch, before)
    await engine.objects.sweep_incoming(before)
    return freed


async def _free(engine: Engine, room: Room, batch: list[str], before: datetime) -> int:
    if not batch:
        return 0
    async with scoped(engine.database, room) as tx:
        if not await may_delete(tx):  # a backup reads them: the next sweep has them
            return 0
        unnamed = await references.unnamed(tx, batch)
        return sum([await engine.objects.delete(digest, untouched_since=before) for digest in unnamed])


async def _erase_runs(engine: Engine, room: Room, workspace: WorkspaceId, kept: timedelta) -> int:
    async with scoped(engine.database, room) as tx:
        runs = await store.lock_old_runs(tx, workspace, kept=kept, limit=_RUNS)
        for run in runs:
            await erase(tx, run)
    return len(runs)


async def _in_batches(engine: Engine, room: Room, prune: store.Prune, workspace: WorkspaceId, kept: timedelta) -> int:
    total = 0
    while True:
        async with scoped(engine.database, room) as tx:
            done = await prune(tx, workspace, kept=kept, limit=_ROWS)
        total += done
        if done < _ROWS:
            return total
