"""Workers (§1.7)."""

from datetime import datetime

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.workers import actions, model, store
from controlroom.ids import WorkerId


class WorkerAnswer(Shape, frozen=True, kw_only=True):
    """A worker. The vendor tells the first three fields; the others are ours.

    One that rests is busy in the vendor's words: it takes no work. Why is in `trouble` and `rests_since`.
    """

    id: WorkerId
    name: str
    state: model.WorkerState
    slots: int
    version: str
    platform: str
    sandbox: str
    sandbox_note: str
    serves_all: bool
    trouble: str
    rests_since: datetime | None
    seen_at: datetime | None
    created_at: datetime


class WorkerName(Shape, frozen=True):
    """What to call it."""

    name: str


@get("/workers", needs=Permission.READ_WORKERS)
async def list_workers(request: Asking, paging: Pages) -> Page[WorkerAnswer]:
    """List workers, oldest first."""
    return paging.page(await store.list_workers(*request.reading, **paging.after(WorkerId)), show)


@get("/workers/{worker_id:uuid}", needs=Permission.READ_WORKERS)
async def get_worker(request: Asking, worker_id: Path[WorkerId]) -> WorkerAnswer:
    """Get a worker."""
    return show(await store.get(*request.reading, worker_id))


@update("/workers/{worker_id:uuid}")
async def update_worker(request: Asking, worker_id: Path[WorkerId], data: Body[WorkerName]) -> WorkerAnswer:
    """Rename a worker."""
    return show(await actions.rename(*request.acting, worker_id, data.name))


@post("/workers/{worker_id:uuid}/rest")
async def rest_worker(request: Asking, worker_id: Path[WorkerId]) -> WorkerAnswer:
    """Have a worker take nothing more: what it runs goes on to its end."""
    return show(await actions.rest(*request.acting, worker_id))


@post("/workers/{worker_id:uuid}/go-on")
async def let_worker_go_on(request: Asking, worker_id: Path[WorkerId]) -> WorkerAnswer:
    """Let a worker that rests take work again."""
    return show(await actions.go_on(*request.acting, worker_id))


@delete("/workers/{worker_id:uuid}")
async def delete_worker(request: Asking, worker_id: Path[WorkerId]) -> Deleted:
    """Delete a worker: its token opens nothing any more."""
    return await Deleted.after(worker_id, actions.delete(*request.acting, worker_id))


show = shown_as(
    WorkerAnswer,
    model.Worker,
    state=lambda worker: model.WorkerState.BUSY if worker.state is model.WorkerState.RESTING else worker.state,
    trouble=lambda worker: worker.trouble if worker.state is not model.WorkerState.OFFLINE else "",
)
"""A worker as this dialect writes it."""
