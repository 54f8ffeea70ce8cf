"""The verbs of workers and their groups.

How workers come is in `linking`; what they do is in `runs`: `claims`, `leases`, `reports`. What is changed here serves
workspaces (`service`): the right to change it is needed in all of them, and a deletion ends the service in one.
"""

from collections.abc import Collection, Sequence
from typing import Final

from controlroom.engine.access.credentials import forget_workers
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.scope import Of, Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.wakes import Topic
from controlroom.engine.workers import serving, store
from controlroom.engine.workers.errors import (
    SandboxMissing,
    WorkerGroupInUse,
    WorkerGroupNameTaken,
    WorkerGroupNotFound,
)
from controlroom.engine.workers.model import Serves, TheseWorkspaces, Worker, WorkerGroup
from controlroom.engine.workers.service import (
    held,
    require_everywhere,
    tell,
    tell_in,
    tell_service,
    wished,
    without,
    written,
)
from controlroom.engine.workers.serving import Served, Service
from controlroom.engine.workers.store import WORKER, WORKER_GROUP
from controlroom.errors import Invalid
from controlroom.ids import WorkerGroupId, WorkerId, WorkspaceId, uuid7

MOST_MEMBERS: Final = 1000
"""Workers that a group is given at once."""


# ---------------------------------------------------------------------------------------------------- workers
async def rename(engine: Engine, actor: Actor, workspace: WorkspaceId, worker: WorkerId, name: str) -> Worker:
    """Name a worker. Raises ServesOthers."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    name = checked_name(name, what="worker's name")
    async with scoped(engine.database, scope) as tx:
        service = await held(tx, scope, WORKER, worker)
        require_everywhere(actor, service)
        await store.rename(tx, worker, name)
        await tell(engine, tx, actor, service, "worker.renamed", worker, name=name)
        return await store.get(tx, scope, worker)


async def rest(engine: Engine, actor: Actor, workspace: WorkspaceId, worker: WorkerId) -> Worker:
    """Have a worker take nothing more, until `go_on`: what it runs, it runs to its end. Raises ServesOthers.

    Its claims find nothing from the commit on, and no placement waits for it. A worker that rests goes on resting.
    """
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        service = await held(tx, scope, WORKER, worker)
        require_everywhere(actor, service)
        if await store.rest(tx, worker):
            await tell(engine, tx, actor, service, "worker.rested", worker)
            _wake_everywhere(engine, tx, service)  # who was placed on it first may be had by the next place
        return await store.get(tx, scope, worker)


async def go_on(engine: Engine, actor: Actor, workspace: WorkspaceId, worker: WorkerId) -> Worker:
    """Let a worker that was told to rest take work again. Raises ServesOthers."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        service = await held(tx, scope, WORKER, worker)
        require_everywhere(actor, service)
        if await store.go_on(tx, worker):
            await tell(engine, tx, actor, service, "worker.went_on", worker)
            _wake_everywhere(engine, tx, service)
        return await store.get(tx, scope, worker)


def _wake_everywhere(engine: Engine, tx: ScopedTx, service: Service) -> None:
    """After the commit, those who ask for work look again."""
    for each in service.workspaces:
        tx.after_commit(
            lambda each=each: engine.wakes.wake(  # type: ignore[misc]
                Topic.STEP_RUNS_AWAIT, each, service.organization_id
            )
        )


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, worker: WorkerId) -> None:
    """End what a worker does for the workspace, where it was the last: unlink it; its token is refused from now on.

    Other servers know it within 5 s. What it still runs there is lost like that of any worker that falls silent.
    """
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        left = without(service := await held(tx, scope, WORKER, worker), workspace)
        if left is None:
            await store.delete(tx, worker)
        else:
            await serving.change(tx, WORKER, worker, left)
            await store.part(tx, worker=worker)
        await tell_in(engine, tx, actor, service.organization_id, (workspace,), "worker.unlinked", worker)
        _serves_others(engine, tx, worker)


async def unlink(engine: Engine, actor: Actor, worker: WorkerId) -> None:
    """Unlink a worker from all that it serves, for who may change workers there. Raises ServesOthers."""
    scope = scope_of(actor, Permission.WRITE_WORKERS)
    async with scoped(engine.database, scope) as tx:
        service = await held(tx, scope, WORKER, worker)
        require_everywhere(actor, service)
        await store.delete(tx, worker)
        await tell(engine, tx, actor, service, "worker.unlinked", worker)
        _serves_others(engine, tx, worker)


async def serve(engine: Engine, actor: Actor, workspace: WorkspaceId, worker: WorkerId, wanted: Serves) -> Served:
    """Say which workspaces a worker serves from now on. Raises ServesOthers, SandboxMissing, ServesNothing.

    What it runs for a workspace that it serves no more is lost.
    """
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await held(tx, scope, WORKER, worker)
        require_everywhere(actor, before)
        after = await written(tx, WORKER, worker, wished(actor, wanted))
        if len(after.workspaces) > 1 and not await store.may_serve_several(tx, worker):
            raise SandboxMissing
        await store.part(tx, worker=worker)
        await tell_service(engine, tx, actor, "worker", worker, before, after)
        _serves_others(engine, tx, worker)
        return await serving.named(tx, after)


def _serves_others(engine: Engine, tx: ScopedTx, worker: WorkerId) -> None:
    """After the commit nobody remembers what the worker served; it asks anew, and leaves what it may not have."""
    tx.after_commit(lambda: forget_workers(engine))
    tx.after_commit(lambda: engine.wakes.wake(Topic.SERVICE, worker))
    tx.after_commit(lambda: engine.wakes.wake(Topic.ORDERS, worker))


# ---------------------------------------------------------------------------------------------------- groups
async def create_group(
    engine: Engine, actor: Actor, workspace: WorkspaceId, name: str, *, serves: Serves | None = None
) -> WorkerGroup:
    """A group without workers, for the workspace unless others are named. Raises WorkerGroupNameTaken."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    name = checked_name(name, what="worker group's name")
    group = WorkerGroupId(uuid7())
    wanted = wished(actor, serves or TheseWorkspaces((workspace,)))
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        await store.insert_group(tx, scope.organization, group, name, wanted)
        service = await serving.now(tx, WORKER_GROUP, group)
        await _check_name(tx, group, name, service)
        await tell(engine, tx, actor, service, "worker_group.created", group, name=name)
        return await store.get_group(tx, Of(scope.organization, tuple(service.workspaces)), group)


async def rename_group(
    engine: Engine, actor: Actor, workspace: WorkspaceId, group: WorkerGroupId, name: str
) -> WorkerGroup:
    """Name a group. Raises WorkerGroupNameTaken, ServesOthers."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    name = checked_name(name, what="worker group's name")
    async with scoped(engine.database, scope) as tx:
        service = await held(tx, scope, WORKER_GROUP, group)
        require_everywhere(actor, service)
        await _check_name(tx, group, name, service)
        await store.rename_group(tx, group, name)
        await tell(engine, tx, actor, service, "worker_group.renamed", group, name=name)
        return await store.get_group(tx, scope, group)


async def delete_group(engine: Engine, actor: Actor, workspace: WorkspaceId, group: WorkerGroupId) -> None:
    """Take a group out of the workspace, where no step may be placed on it; out of the last one: delete it.

    Its workers stay, its link tokens go with it. Raises WorkerGroupInUse.
    """
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        await _lock_group(tx, scope, group)
        left = without(service := await held(tx, scope, WORKER_GROUP, group), workspace)
        await check_unused(tx, group, (workspace,))
        if left is None:
            await store.delete_group(tx, group)
        else:
            await serving.change(tx, WORKER_GROUP, group, left)
            await store.part(tx, group=group)
        await tell_in(engine, tx, actor, service.organization_id, (workspace,), "worker_group.deleted", group)


async def serve_with_group(
    engine: Engine, actor: Actor, workspace: WorkspaceId, group: WorkerGroupId, wanted: Serves
) -> Served:
    """Say in which workspaces steps may be placed on a group. Raises WorkerGroupInUse, …NameTaken, ServesOthers."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        await _lock_group(tx, scope, group)
        before = await held(tx, scope, WORKER_GROUP, group)
        require_everywhere(actor, before)
        after = await written(tx, WORKER_GROUP, group, wished(actor, wanted))
        await check_unused(tx, group, [each for each in before.workspaces if each not in after.workspaces])
        await _check_name(tx, group, await store.name_of_group(tx, group), after)
        await store.part(tx, group=group)
        await tell_service(engine, tx, actor, "worker_group", group, before, after)
        return await serving.named(tx, after)


async def add_member(
    engine: Engine, actor: Actor, workspace: WorkspaceId, group: WorkerGroupId, worker: WorkerId
) -> list[WorkerGroup]:
    """Put a worker into a group, if it is not there; all groups of the worker. Raises ServesOthers.

    The right is needed wherever both serve: there steps that are placed on the group are the worker's, too.
    """
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        common = await _common(tx, actor, scope, group, worker)
        await store.add_member(tx, group, worker)
        await tell(engine, tx, actor, common, "worker_group.worker_added", group, worker_id=str(worker))
        _wake_everywhere(engine, tx, common)
        return await store.groups_of(tx, scope, worker)


async def remove_member(
    engine: Engine, actor: Actor, workspace: WorkspaceId, group: WorkerGroupId, worker: WorkerId
) -> list[WorkerGroup]:
    """Take a worker out of a group, if it is there; the groups that it is still in. Raises ServesOthers."""
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    async with scoped(engine.database, scope) as tx:
        common = await _common(tx, actor, scope, group, worker)
        await store.remove_member(tx, group, worker)
        await tell(engine, tx, actor, common, "worker_group.worker_removed", group, worker_id=str(worker))
        return await store.groups_of(tx, scope, worker)


async def set_members(
    engine: Engine, actor: Actor, workspace: WorkspaceId, group: WorkerGroupId, wanted: Collection[WorkerId]
) -> list[Worker]:
    """Have these workers in a group, and none else that serves the workspace: all of it, or nothing of it.

    Raises NotFound for a worker that the workspace does not have, ServesOthers.
    """
    scope = scope_of(actor, Permission.WRITE_WORKERS, workspace)
    if len(wanted) > MOST_MEMBERS:
        raise Invalid(f"a group is given at most {MOST_MEMBERS} workers at once", code="TOO_MANY_WORKERS")
    async with scoped(engine.database, scope) as tx:
        await _lock_group(tx, scope, group)
        before = set(await store.member_ids(tx, scope, group))
        for worker in sorted(before ^ {*wanted}):  # in one order: two who set groups at once wait for one another
            common = await _common(tx, actor, scope, group, worker)
            if worker in before:
                await store.remove_member(tx, group, worker)
                await tell(engine, tx, actor, common, "worker_group.worker_removed", group, worker_id=str(worker))
            else:
                await store.add_member(tx, group, worker)
                await tell(engine, tx, actor, common, "worker_group.worker_added", group, worker_id=str(worker))
                _wake_everywhere(engine, tx, common)
        return await store.list_members(tx, scope, group, limit=MOST_MEMBERS)


async def _common(tx: ScopedTx, actor: Actor, scope: Scope, group: WorkerGroupId, worker: WorkerId) -> Service:
    """What a group and a worker both serve, both locked, if the actor may change workers there."""
    await _lock_group(tx, scope, group)
    of_group = await held(tx, scope, WORKER_GROUP, group)
    of_worker = await held(tx, scope, WORKER, worker)
    common = Service(
        organization_id=scope.organization,
        serves_all=of_group.serves_all and of_worker.serves_all,
        workspaces=[each for each in of_group.workspaces if each in of_worker.workspaces],
    )
    require_everywhere(actor, common)
    return common


async def _lock_group(tx: ScopedTx, scope: Scope, group: WorkerGroupId) -> None:
    if not await store.lock_group(tx, scope, group):
        await ensure_seen(tx, scope)
        raise WorkerGroupNotFound(group)


async def _check_name(tx: ScopedTx, group: WorkerGroupId, name: str, service: Service) -> None:
    await serving.hold_names(tx, WORKER_GROUP, service.organization_id)
    if await serving.is_taken(tx, WORKER_GROUP, name, service, besides=group):
        raise WorkerGroupNameTaken(name)


async def check_unused(tx: ScopedTx, group: WorkerGroupId, workspaces: Sequence[WorkspaceId]) -> None:
    """Nothing in these workspaces is placed on a locked group. Raises WorkerGroupInUse."""
    if not workspaces:
        return
    processes = await store.processes_placed_on(tx, group, workspaces)
    queues = await store.queues_placed_on(tx, group, workspaces)
    if processes or queues:
        raise WorkerGroupInUse(group, processes, queues)
