"""The health of the room: its parts, loops, lag, database, objects, sandboxes, versions, and its backups."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from controlroom import __version__
from controlroom.border.health import Check
from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import scope_of
from controlroom.engine.statistics.room_state import making_backup, room_state
from controlroom.engine.workers import store as workers
from controlroom.errors import ControlRoomError, NotFound
from controlroom.ui.asking import Asking, Crumb, Shown
from controlroom.ui.rights import admins
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(at="health", name="Health", path="/admin/health", icon="health", is_for_admins=True, is_above=True)
_ABOVE: Final = {"above_workspaces": True}
_PATIENCE: Final = 5.0
_MOST_WORKERS: Final = 200


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
    files = await asyncio.to_thread(around.backups.files) if around.backups else []
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
        most_workers=_MOST_WORKERS,
        version=__version__,
        objects=around.objects,
        backups=files,
        folder=str(around.backups.folder) if around.backups else "",
        is_backing_up=around.backups is not None and around.backups.is_running,
        backup_failure=around.backups.failure if around.backups else "",
    )


@verb("/admin/health/backup", opt=_ABOVE, may=admins)
async def back_up(request: Asking) -> Shown:
    """Make a backup now, beside all else; it is in the list when it is whole. The master key is not in it."""
    backups = request.around.backups
    if backups is None:
        raise NotFound("This server has no folder for backups.", code="NO_BACKUPS")
    name = f"room-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}.backup"
    async with making_backup(*request.governing, name):
        backups.begin(name)
    return request.done("/admin/health", "A backup is being made; it is in the list when it has been read back.")


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
