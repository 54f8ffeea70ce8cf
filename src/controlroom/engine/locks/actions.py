"""What people do with locks: say how many may hold one at once."""

from collections.abc import Sequence
from uuid import UUID

from controlroom.engine.access.errors import WorkspaceNotFound
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Of, Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.locks import standings, store
from controlroom.engine.locks.errors import LockInUse, LockNotFound
from controlroom.engine.locks.model import Lock, LockName, LockOf
from controlroom.engine.locks.rules import checked, checked_capacity
from controlroom.engine.wakes import Topic
from controlroom.errors import Forbidden
from controlroom.ids import WorkspaceId


async def declare(engine: Engine, actor: Actor, workspace: WorkspaceId, lock: LockName, capacity: int) -> Lock:
    """Say how many runs may hold a lock at once; who can have it now gets it. Who holds it keeps it.

    Those of the organization are for who may make its workspaces. Raises Invalid `NAME_INVALID`, `LOCK_INVALID`.
    """
    scope = _scope(actor, workspace, lock)
    checked(lock)
    checked_capacity(capacity)
    owner = _owner(scope, lock)
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        await store.enter_line(tx, owner, lock.name)
        await store.declare(tx, scope.organization, owner, lock.name, capacity)
        for run in await store.runs_in_line(tx, owner, lock.name):
            tx.after_commit(lambda run=run: engine.wakes.wake_here(Topic.RUN, run))  # type: ignore[misc]
        is_of = lock.of.value
        await record(engine, tx, actor, scope, "lock.declared", name=lock.name, of=is_of, capacity=capacity)
        declared = await standings.get(tx, scope, lock, seen=seen_by(actor))
    if declared is None:  # the workspace went meanwhile
        raise WorkspaceNotFound
    return declared


async def forget(engine: Engine, actor: Actor, workspace: WorkspaceId, lock: LockName) -> None:
    """Undo that: a workspace's lock has one holder then, one of the organization is gone.

    Raises LockNotFound, LockInUse.
    """
    scope = _scope(actor, workspace, lock)
    owner = _owner(scope, lock)
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        await store.enter_line(tx, owner, lock.name)
        if not await store.forget(tx, owner, lock.name):
            raise LockNotFound(lock.name, lock.of)
        if await store.is_wanted(tx, owner, lock.name):
            raise LockInUse(lock.name)
        await record(engine, tx, actor, scope, "lock.forgotten", name=lock.name, of=lock.of.value)


async def hold_declared(tx: ScopedTx, scope: Scope, locks: Sequence[LockName]) -> None:
    """Raise LockNotFound for a lock of the organization that nobody has declared; the others stay until the commit."""
    shared = [lock.name for lock in locks if lock.of is LockOf.ORGANIZATION]
    if not shared:
        return
    declared = await store.hold_declared(tx, scope.organization, shared)
    for name in shared:
        if name not in declared:
            raise LockNotFound(name, LockOf.ORGANIZATION)


def seen_by(actor: Actor) -> Of:
    """The workspaces of whose runs somebody is told where locks are shared; perhaps none."""
    having = tuple(each for each in actor.grants if actor.may(Permission.READ_RUNS, each))
    return Of(actor.organization_id, having)


def _scope(actor: Actor, workspace: WorkspaceId, lock: LockName) -> Scope:
    if lock.of is LockOf.WORKSPACE:
        return scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    if not actor.is_inside(workspace):
        raise WorkspaceNotFound
    if not actor.uses(Permission.WRITE_WORKSPACES, None):
        raise Forbidden("only an admin of the organization declares its locks", code="ADMIN_ONLY")
    return Of(actor.organization_id, (workspace,))


def _owner(scope: Scope, lock: LockName) -> UUID:
    return scope.organization if lock.of is LockOf.ORGANIZATION else scope.workspace
