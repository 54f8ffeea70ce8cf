"""Worker groups and who is in them (§1.7); the list of a group's workers is our own."""

from collections.abc import Sequence
from uuid import UUID

from litestar.params import FromPath, JSONBody
from msgspec import Struct

from controlroom.dialects.robocorp.answers import Deleted, Identified, Named
from controlroom.dialects.robocorp.asking import Asker, InWorkspace, Pages, TheEngine
from controlroom.dialects.robocorp.paging import Page
from controlroom.dialects.robocorp.routing import delete, get, post, update
from controlroom.dialects.robocorp.workers import WorkerAnswer
from controlroom.dialects.robocorp.workers import show as show_worker
from controlroom.engine.access.model import Permission
from controlroom.engine.workers import actions, store
from controlroom.engine.workers.model import WorkerGroup
from controlroom.ids import WorkerGroupId, WorkerId


class GroupName(Struct, frozen=True):
    """What to call it."""

    name: str


class Member(Struct, frozen=True):
    """A worker that shall be in the group."""

    worker: Identified


class GroupsOfWorker(Struct, frozen=True):
    """A worker, and all groups that it is in now."""

    worker: Identified
    worker_groups: list[Named]


@get("/worker-groups", operation_id="listWorkerGroups")
async def list_groups(engine: TheEngine, actor: Asker, paging: Pages, workspace_id: InWorkspace) -> Page[Named]:
    """List worker groups, oldest first."""
    actor.require(Permission.READ_WORKERS, workspace_id)
    rows = await store.list_groups(engine.database, workspace_id, after=paging.after(_group_id), limit=paging.fetch)
    return paging.page(rows, _show, lambda group: group.id)


@post("/worker-groups", operation_id="createWorkerGroup")
async def create_group(engine: TheEngine, actor: Asker, workspace_id: InWorkspace, data: JSONBody[GroupName]) -> Named:
    """Create a worker group."""
    return _show(await actions.create_group(engine, actor, workspace_id, data.name))


@get("/worker-groups/{group_id:uuid}", operation_id="getWorkerGroup")
async def get_group(
    engine: TheEngine, actor: Asker, workspace_id: InWorkspace, group_id: FromPath[WorkerGroupId]
) -> Named:
    """Get a worker group."""
    actor.require(Permission.READ_WORKERS, workspace_id)
    return _show(await store.get_group(engine.database, workspace_id, group_id))


@update("/worker-groups/{group_id:uuid}", operation_id="updateWorkerGroup")
async def update_group(
    engine: TheEngine,
    actor: Asker,
    workspace_id: InWorkspace,
    group_id: FromPath[WorkerGroupId],
    data: JSONBody[GroupName],
) -> Named:
    """Rename a worker group."""
    return _show(await actions.rename_group(engine, actor, workspace_id, group_id, data.name))


@delete("/worker-groups/{group_id:uuid}", operation_id="deleteWorkerGroup")
async def delete_group(
    engine: TheEngine, actor: Asker, workspace_id: InWorkspace, group_id: FromPath[WorkerGroupId]
) -> Deleted:
    """Delete a worker group that no step is placed on; its workers stay."""
    await actions.delete_group(engine, actor, workspace_id, group_id)
    return Deleted(group_id)


@get("/worker-groups/{group_id:uuid}/workers", operation_id="listWorkersOfGroup")
async def list_members(
    engine: TheEngine, actor: Asker, paging: Pages, workspace_id: InWorkspace, group_id: FromPath[WorkerGroupId]
) -> Page[WorkerAnswer]:
    """List the workers of a group, oldest first."""
    actor.require(Permission.READ_WORKERS, workspace_id)
    await store.get_group(engine.database, workspace_id, group_id)
    rows = await store.list_members(
        engine.database, workspace_id, group_id, after=paging.after(_worker_id), limit=paging.fetch
    )
    return paging.page(rows, show_worker, lambda worker: worker.id)


@update("/worker-groups/{group_id:uuid}/workers", operation_id="addWorkerToGroup")
async def add_member(
    engine: TheEngine,
    actor: Asker,
    workspace_id: InWorkspace,
    group_id: FromPath[WorkerGroupId],
    data: JSONBody[Member],
) -> GroupsOfWorker:
    """Put a worker into a group."""
    worker = WorkerId(data.worker.id)
    groups = await actions.add_member(engine, actor, workspace_id, group_id, worker)
    return _show_groups(worker, groups)


@delete("/worker-groups/{group_id:uuid}/workers/{worker_id:uuid}", operation_id="removeWorkerFromGroup")
async def remove_member(
    engine: TheEngine,
    actor: Asker,
    workspace_id: InWorkspace,
    group_id: FromPath[WorkerGroupId],
    worker_id: FromPath[WorkerId],
) -> GroupsOfWorker:
    """Take a worker out of a group."""
    groups = await actions.remove_member(engine, actor, workspace_id, group_id, worker_id)
    return _show_groups(worker_id, groups)


def _show(group: WorkerGroup) -> Named:
    return Named(group.id, group.name)


def _show_groups(worker: WorkerId, groups: Sequence[WorkerGroup]) -> GroupsOfWorker:
    return GroupsOfWorker(Identified(worker), [_show(group) for group in groups])


def _group_id(text: str) -> WorkerGroupId:
    return WorkerGroupId(UUID(text))


def _worker_id(text: str) -> WorkerId:
    return WorkerId(UUID(text))


handlers = [
    list_groups,
    create_group,
    get_group,
    update_group,
    delete_group,
    list_members,
    add_member,
    remove_member,
]
