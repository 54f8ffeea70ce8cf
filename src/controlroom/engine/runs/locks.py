"""The locks of runs: when a run lines up for them, gets them and gives them back. `locks.rules.may_take` decides.

A run that wants locks gets no step runs before it holds all of them, so that no worker ever sees one of a run that
waits. Locks are taken by its dispatch alone, and given back by what ends it, both under the lock of its row; so a start
waits for nobody, and whoever starts several runs at once holds up no line.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx
from controlroom.engine.engine import Engine
from controlroom.engine.locks import store
from controlroom.engine.locks.model import LockName, LockState
from controlroom.engine.locks.rules import may_take
from controlroom.engine.wakes import Topic
from controlroom.ids import OrganizationId, RunId, WorkspaceId
from controlroom.postgres.database import Statements


class Locking(Protocol):
    """A run whose row is locked."""

    @property
    def id(self) -> RunId:
        """Which one."""

    @property
    def workspace_id(self) -> WorkspaceId:
        """Whose."""

    @property
    def organization_id(self) -> OrganizationId:
        """The tenant."""


async def ask(engine: Engine, tx: ScopedTx, scope: Scope, run: RunId, locks: Sequence[LockName]) -> None:
    """Let a new run line up; its dispatch comes right behind the commit."""
    await store.ask(tx, run, workspace=scope.workspace, organization=scope.organization, locks=locks)
    await _set(tx, run, LockState.WAITING)
    tx.after_commit(lambda: engine.wakes.wake_here(Topic.RUN, run))


async def ask_again(tx: ScopedTx, run: Locking) -> None:
    """Let a run line up that had given its locks back: behind all who wait."""
    locks = await tx.all(LockName, _WANTED, run=run.id)
    await store.ask(tx, run.id, workspace=run.workspace_id, organization=run.organization_id, locks=locks)
    await _set(tx, run.id, LockState.WAITING)


_WANTED: Final = """
    select lock.name, coalesce(lock.of, 'workspace') as of
      from run cross join jsonb_to_recordset(run.parameters -> 'locks') as lock (name text, of text)
     where run.id = %(run)s
"""


async def take(tx: ScopedTx, run: Locking) -> list[str] | None:
    """All locks that a waiting run wants, if it may have them now: their names. None: it waits on."""
    if not may_take(await store.places(tx, run.id)):
        return None
    taken = await store.take(tx, run.id)
    await _set(tx, run.id, LockState.HELD)
    return taken


async def give_back(engine: Engine, tx: ScopedTx, run: Locking) -> None:
    """What a run holds or waits for is free for others; those that can have it are dispatched after the commit."""
    freed = await store.give_back(tx, run.id)
    await _set(tx, run.id, LockState.RELEASED)
    for each in freed:
        tx.after_commit(lambda each=each: engine.wakes.wake_here(Topic.RUN, each))  # type: ignore[misc]


async def wanted_by(db: Statements, scope: Scope, run: RunId) -> list[LockName]:
    """The locks that a run wants, also when it has ended."""
    return await db.all(LockName, f"{_WANTED} and run.workspace_id = {SEEN} order by 1, 2", run=run, **scope.params)


async def _set(tx: ScopedTx, run: RunId, state: LockState) -> None:
    await tx.execute("update run set lock_state = %(state)s where id = %(run)s", run=run, state=state)
