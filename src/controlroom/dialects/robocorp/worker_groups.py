"""Worker groups and who is in them (§1.7); the list of a group's workers is our own."""

from collections.abc import Sequence

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, Identified, Named, OwnBody, Reference, Shape
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.dialects.robocorp.serving import Serving
from controlroom.dialects.robocorp.workers import WorkerAnswer
from controlroom.dialects.robocorp.workers import show as show_worker
from controlroom.engine.workers import actions, model, store
from controlroom.ids import WorkerGroupId, WorkerId


class GroupName(Shape, frozen=True):
    """What to call it."""

    name: str


class NewGroup(Serving, frozen=True, kw_only=True):
    """What to call it, and what it serves."""

    name: str


class Member(Shape, frozen=True):
    """A worker that shall be in the group."""

    worker: Identified


class Members(OwnBody, frozen=True):
    """The workers that shall be in the group, and no others."""

    workers: Sequence[Reference]


class WorkersOfGroup(Shape, frozen=True):
    """A group, and the workers that are in it now."""

    worker_group: Identified
    workers: list[Named]


class GroupsOfWorker(Shape, frozen=True):
    """A worker, and all groups that it is in now."""

    worker: Identified
    worker_groups: list[Named]


@get("/worker-groups", needs=Permission.READ_WORKERS)
async def list_worker_groups(request: Asking, paging: Pages) -> Page[Named]:
    """List worker groups, oldest first."""
    return paging.page(await store.list_groups(*request.reading, **paging.after(WorkerGroupId)), _show)


@post("/worker-groups")
async def create_worker_group(request: Asking, data: Body[NewGroup]) -> Named:
    """Create a worker group, of the workspace unless others are named."""
    return _show(await actions.create_group(*request.acting, data.name, serves=data.wished()))


@get("/worker-groups/{group_id:uuid}", needs=Permission.READ_WORKERS)
async def get_worker_group(request: Asking, group_id: Path[WorkerGroupId]) -> Named:
    """Get a worker group."""
    return _show(await store.get_group(*request.reading, group_id))


@update("/worker-groups/{group_id:uuid}")
async def update_worker_group(request: Asking, group_id: Path[WorkerGroupId], data: Body[GroupName]) -> Named:
    """Rename a worker group."""
    return _show(await actions.rename_group(*request.acting, group_id, data.name))


@delete("/worker-groups/{group_id:uuid}")
async def delete_worker_group(request: Asking, group_id: Path[WorkerGroupId]) -> Deleted:
    """Delete a worker group that no step is placed on; its workers stay."""
    return await Deleted.after(group_id, actions.delete_group(*request.acting, group_id))


@get("/worker-groups/{group_id:uuid}/workers", needs=Permission.READ_WORKERS)
async def list_workers_of_group(request: Asking, paging: Pages, group_id: Path[WorkerGroupId]) -> Page[WorkerAnswer]:
    """List the workers of a group, oldest first."""
    await store.get_group(*request.reading, group_id)
    return paging.page(await store.list_members(*request.reading, group_id, **paging.after(WorkerId)), show_worker)


@update("/worker-groups/{group_id:uuid}/workers")
async def add_worker_to_group(request: Asking, group_id: Path[WorkerGroupId], data: Body[Member]) -> GroupsOfWorker:
    """Put a worker into a group."""
    worker = WorkerId(data.worker.id)
    groups = await actions.add_member(*request.acting, group_id, worker)
    return _show_groups(worker, groups)


@post("/worker-groups/{group_id:uuid}/workers/set")
async def set_workers_of_group(request: Asking, group_id: Path[WorkerGroupId], data: Body[Members]) -> WorkersOfGroup:
    """Have exactly these workers in a group: all of the change, or nothing of it."""
    wanted = [WorkerId(each.id) for each in data.workers]
    workers = await actions.set_members(*request.acting, group_id, wanted)
    return WorkersOfGroup(Identified(group_id), [Named(each.id, each.name) for each in workers])


@delete("/worker-groups/{group_id:uuid}/workers/{worker_id:uuid}")
async def remove_worker_from_group(
    request: Asking, group_id: Path[WorkerGroupId], worker_id: Path[WorkerId]
) -> GroupsOfWorker:
    """Take a worker out of a group."""
    groups = await actions.remove_member(*request.acting, group_id, worker_id)
    return _show_groups(worker_id, groups)


def _show(group: model.WorkerGroup) -> Named:
    return Named(group.id, group.name)


def _show_groups(worker: WorkerId, groups: Sequence[model.WorkerGroup]) -> GroupsOfWorker:
    return GroupsOfWorker(Identified(worker), [_show(group) for group in groups])
