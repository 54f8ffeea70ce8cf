"""Tasks that are kept ready to be called (our own management API)."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, Identified, Named, OwnBody, Reference, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post
from controlroom.engine.allocations import actions, store
from controlroom.engine.allocations.model import Allocation
from controlroom.ids import AllocationId, TaskId, UserId


class PutAllocation(OwnBody, frozen=True, kw_only=True):
    """A task to be kept ready, for so many calls at once; as whom it is run."""

    task: Reference
    most: Annotated[int, Meta(ge=1, le=actions.MOST_CALLS)] = 1
    run_as: Reference | None = None


class AllocationAnswer(Shape, frozen=True, kw_only=True):
    """A task that is kept ready."""

    id: AllocationId
    task: Named
    package_name: str
    most: int
    run_as: Identified | None
    created_at: datetime


@get("/allocations", needs=Permission.READ_PROCESSES)
async def list_allocations(request: Asking, paging: Pages) -> Page[AllocationAnswer]:
    """List the tasks that are kept ready, oldest first."""
    return paging.page(await store.list_allocations(*request.reading, **paging.after(AllocationId)), _show)


@post("/allocations")
async def put_allocation(request: Asking, data: Body[PutAllocation]) -> AllocationAnswer:
    """Keep a task ready; one that is kept so already is kept as is said here."""
    user = None if data.run_as is None else UserId(data.run_as.id)
    made = await actions.allocate(*request.acting, TaskId(data.task.id), run_as=user, most=data.most)
    return _show(made)


@get("/allocations/{allocation_id:uuid}", needs=Permission.READ_PROCESSES)
async def get_allocation(request: Asking, allocation_id: Path[AllocationId]) -> AllocationAnswer:
    """Get how a task is kept ready."""
    return _show(await store.get(*request.reading, allocation_id))


@delete("/allocations/{allocation_id:uuid}")
async def delete_allocation(request: Asking, allocation_id: Path[AllocationId]) -> Deleted:
    """Keep a task ready no longer; calls that run go on."""
    return await Deleted.after(allocation_id, actions.release(*request.acting, allocation_id))


_show = shown_as(
    AllocationAnswer,
    Allocation,
    task=lambda row: Named(row.task_id, row.task_name),
    run_as=lambda row: None if row.run_as is None else Identified(row.run_as),
)
