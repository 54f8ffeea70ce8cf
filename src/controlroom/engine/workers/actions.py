"""The verbs of workers and their groups.

How workers come is in `linking`; what they do is in `runs`: `claims`, `leases`, `reports`.
"""

from controlroom.engine.access.credentials import forget
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Scope, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.wakes import Topic
from controlroom.engine.workers import store
from controlroom.engine.workers.errors import (
    WorkerGroupInUse,
    WorkerGroupNameTaken,
    WorkerGroupNotFound,
    WorkerNotFound,
)
from controlroom.engine.workers.model import Worker, WorkerGroup
from controlroom.ids import WorkerGroupId, WorkerId, WorkspaceId
from controlroom.postgres.database import Tx
from controlroom.postgres.errors import UniqueViolation


async def rename(engine: Engine, actor: Actor, workspace: WorkspaceId, worker: WorkerId, name: str) -> Worker:
    """Name a worker."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    name = checked_name(name, what="worker's name")
    async with scoped(engine.database, scope) as tx:
        if not await store.rename(tx, scope, worker, name):
            await ensure_seen(tx, scope)
            raise WorkerNotFound(worker)
        await record(engine, tx, actor, scope, "worker.renamed", worker, name=name)
        return await store.get(tx, scope, worker)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, worker: WorkerId) -> None:
    """Unlink a worker: its token is refused from now on (by other servers within 5 s).

    What it still runs is lost like that of any worker that falls silent.
    """
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        if not await store.delete(tx, scope, worker):
            await ensure_seen(tx, scope)
            raise WorkerNotFound(worker)
        await record(engine, tx, actor, scope, "worker.unlinked", worker)
        tx.after_commit(lambda: forget(engine))
        tx.after_commit(lambda: engine.wakes.wake(Topic.ORDERS, worker))


async def create_group(engine: Engine, actor: Actor, workspace: WorkspaceId, name: str) -> WorkerGroup:
    """A group without workers. Raises WorkerGroupNameTaken."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    name = checked_name(name, what="worker group's name")
    async with scoped(engine.database, scope) as tx:
        try:
            group = await store.insert_group(tx, scope, name)
        except UniqueViolation as taken:
            raise WorkerGroupNameTaken(name) from taken
        if group is None:
            await ensure_seen(tx, scope)
            raise WorkerGroupNotFound(name)
        await record(engine, tx, actor, scope, "worker_group.created", group, name=name)
        return await store.get_group(tx, scope, group)


async def rename_group(
    engine: Engine, actor: Actor, workspace: WorkspaceId, group: WorkerGroupId, name: str
) -> WorkerGroup:
    """Name a group. Raises WorkerGroupNameTaken."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    name = checked_name(name, what="worker group's name")
    async with scoped(engine.database, scope) as tx:
        try:
            is_seen = await store.rename_group(tx, scope, group, name)
        except UniqueViolation as taken:
            raise WorkerGroupNameTaken(name) from taken
        if not is_seen:
            await ensure_seen(tx, scope)
            raise WorkerGroupNotFound(group)
        await record(engine, tx, actor, scope, "worker_group.renamed", group, name=name)
        return await store.get_group(tx, scope, group)


async def delete_group(engine: Engine, actor: Actor, workspace: WorkspaceId, group: WorkerGroupId) -> None:
    """Delete a group that no step is placed on; its workers stay, its link tokens do not. Raises WorkerGroupInUse."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        await _lock_group(tx, scope, group)
        if processes := await store.processes_placed_on(tx, group):
            raise WorkerGroupInUse(group, processes)
        await store.delete_group(tx, scope, group)
        await record(engine, tx, actor, scope, "worker_group.deleted", group)


async def add_member(
    engine: Engine, actor: Actor, workspace: WorkspaceId, group: WorkerGroupId, worker: WorkerId
) -> list[WorkerGroup]:
    """Put a worker into a group, if it is not there; all groups of the worker."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        await _lock_group(tx, scope, group)
        await store.get(tx, scope, worker)
        await store.add_member(tx, group, worker)
        await record(engine, tx, actor, scope, "worker_group.worker_added", group, worker_id=str(worker))
        tx.after_commit(lambda: engine.wakes.wake(Topic.STEP_RUNS_AWAIT, workspace))
        return await store.groups_of(tx, scope, worker)


async def remove_member(
    engine: Engine, actor: Actor, workspace: WorkspaceId, group: WorkerGroupId, worker: WorkerId
) -> list[WorkerGroup]:
    """Take a worker out of a group, if it is there; the groups that it is still in."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        await _lock_group(tx, scope, group)
        await store.get(tx, scope, worker)
        await store.remove_member(tx, group, worker)
        await record(engine, tx, actor, scope, "worker_group.worker_removed", group, worker_id=str(worker))
        return await store.groups_of(tx, scope, worker)


async def _lock_group(tx: Tx, scope: Scope, group: WorkerGroupId) -> None:
    if not await store.lock_group(tx, scope, group):
        await ensure_seen(tx, scope)
        raise WorkerGroupNotFound(group)
