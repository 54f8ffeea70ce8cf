"""The health of the room: its parts, loops, lag, database, objects, sandboxes, versions, and its backups."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from controlroom import __version__
from controlroom.border.health import Check
from controlroom.engine.access.model import Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import scope_of, scoped
from controlroom.engine.statistics.room_state import room_state
from controlroom.engine.workers import store as workers
from controlroom.errors import Conflict, ControlRoomError, Forbidden, NotFound
from controlroom.ui.around import BackupFile, Backups
from controlroom.ui.asking import Asking, Crumb, Shown
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(at="health", name="Health", path="/admin/health", icon="health", is_for_admins=True, is_above=True)
_ABOVE: Final = {"above_workspaces": True}
_PATIENCE: Final = 5.0
_MOST_WORKERS: Final = 200
_running: set[str] = set()
"""Folders in which this process makes a backup just now."""


@page("/admin/health", opt=_ABOVE)
async def show_health(request: Asking) -> Shown:
    """All of it, asked now."""
    around = request.around
    state = await room_state(*request.governing)  # first: who may not see it has nothing asked
    parts = await _asked(around.checks)
    known = []
    if any(request.actor.may(Permission.READ_WORKERS, each) for each in request.actor.grants):
        scope = scope_of(request.actor, Permission.READ_WORKERS)
        known = await workers.list_workers(request.db, scope, limit=_MOST_WORKERS)
    files = await asyncio.to_thread(_files, around.backups) if around.backups else []
    ticks = around.ticks.last if around.ticks else []
    bad = [name for name, said in parts.items() if said != "ok"]
    failing = [tick.loop for tick in ticks if not tick.went_well]
    return await request.show(
        "health/health.html",
        title="Health",
        at="health",
        crumbs=[Crumb("Health")],
        mark="bad" if bad or failing else "ok",
        parts=parts,
        bad=bad,
        failing=failing,
        state=state,
        ticks=ticks,
        workers=known,
        version=__version__,
        objects=around.objects,
        backups=files,
        folder=str(around.backups.folder) if around.backups else "",
        is_backing_up=around.backups is not None and str(around.backups.folder) in _running,
    )


@verb("/admin/health/backup", opt=_ABOVE)
async def back_up(request: Asking) -> Shown:
    """Make a backup now, beside all else; it is in the list when it is whole. The master key is not in it."""
    if not request.actor.is_admin:
        raise Forbidden("only an admin makes backups", code="ADMIN_ONLY")
    backups = request.around.backups
    if backups is None:
        raise NotFound("This server has no folder for backups.", code="NO_BACKUPS")
    if str(backups.folder) in _running:
        raise Conflict("A backup is being made already.", code="BACKUP_RUNS")
    file = backups.folder / f"room-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}.backup"
    async with scoped(request.db, request.actor.organization_id) as tx:
        of = request.actor.organization_id
        await record(request.engine, tx, request.actor, of, "backup.started", None, name=file.name)
    _running.add(str(backups.folder))
    task = asyncio.create_task(backups.make(file), name="backup")
    task.add_done_callback(lambda done: _ended(backups, done))
    return request.done("/admin/health", "A backup is being made; it is in the list when it has been read back.")


def _ended(backups: Backups, done: asyncio.Task[int]) -> None:
    _running.discard(str(backups.folder))
    if not done.cancelled() and (failed := done.exception()) is not None:
        (backups.folder / "last-failure.txt").write_text(f"{datetime.now(UTC).isoformat()} {failed}")


async def _asked(checks: Mapping[str, Check]) -> dict[str, str]:
    async def state(check: Check) -> str:
        try:
            async with asyncio.timeout(_PATIENCE):
                await check()
        except TimeoutError:
            return "no answer in time"
        except ControlRoomError as error:
            return error.message
        return "ok"

    return dict(zip(checks, await asyncio.gather(*map(state, checks.values())), strict=True))


def _files(backups: Backups) -> list[BackupFile]:
    """Those that are whole, the newest first."""
    found = []
    for file in backups.folder.glob("*.backup") if backups.folder.is_dir() else []:
        told = _stat(file)
        if told is not None:
            found.append(told)
    return sorted(found, key=lambda each: each.made_at, reverse=True)


def _stat(file: Path) -> BackupFile | None:
    try:
        stat = file.stat()
    except OSError:  # taken away meanwhile
        return None
    return BackupFile(file.name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))
