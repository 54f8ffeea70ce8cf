"""Deletes what is older than it is kept, and frees objects that nothing names any more.

What it does: every ten minutes, workspace by workspace, erases runs (of processes and of assistants) that ended too
long ago, then consoles and artifacts of younger ones, then events and uploads, and forgets deleted lockers that nobody
can have again; every six hours it looks through all objects.
Who else may do it: any server; rows are locked and skipped, and deleting twice does no harm. The leader does.
When it dies half-way: some batches are done, each a small transaction; the next tick does the rest.
What it costs: seven index probes a workspace while nothing is too old; nothing that it deletes is ever claimed, so that
no claim waits for it. Looking through the objects lists them once, and asks the database once for each 500.
"""

from typing import Final

from controlroom.engine.access.scope import Room, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.retention import pruning, store
from controlroom.engine.retention.pruning import FIRST, prune_workspace
from controlroom.engine.vault.lockers.restoring import forget
from controlroom.postgres.backup_lock import may_delete

EVERY: Final = 600.0
SWEEP_EVERY: Final = 6 * 3600.0
_PASSES: Final = 200
"""Passes over events a tick: a million of them."""
_ROOM: Final = Room()


class Pruner:
    """The pruner of one server; it remembers how far it has come through the events."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._place = FIRST

    async def prune(self) -> int:
        """One tick; how many runs, items, events, uploads and notes of lockers went."""
        async with self._engine.database.transaction() as tx:
            if not await may_delete(tx):  # a backup is under way: later
                return 0
        wanted = await store.of_workspaces(self._engine.database, _ROOM)
        kept = {workspace: overrides.over(self._engine.limits) for workspace, overrides in wanted.items()}
        total = sum([await prune_workspace(self._engine, _ROOM, workspace, each) for workspace, each in kept.items()])
        for _ in range(_PASSES):
            deleted, self._place = await pruning.prune_events(self._engine, _ROOM, kept, self._place)
            total += deleted
            if self._place == FIRST:
                break
        total += await pruning.prune_commits(self._engine, _ROOM)
        async with scoped(self._engine.database, _ROOM) as tx:
            total += await forget(tx, _ROOM)
        return total + await pruning.prune_uploads(self._engine, _ROOM)

    async def sweep(self) -> int:
        """Free objects; how many."""
        return await pruning.free_objects(self._engine, _ROOM)
