"""What the last step of a run put out (§1.7)."""

from datetime import datetime

from msgspec import Raw

from controlroom.border.asking import Asking, Path, Permission, Query
from controlroom.dialects.robocorp.answers import Identified, Shape, shown_with
from controlroom.dialects.robocorp.routing import Page, Pages, Paging, get
from controlroom.dialects.robocorp.work_item_files import NOTHING, FileAnswer, files_of
from controlroom.engine.runs import store as runs
from controlroom.engine.work_items import model, store
from controlroom.ids import RunId, WorkItemId


class Output(Shape, frozen=True, kw_only=True):
    """What the last step of a run put out."""

    id: WorkItemId
    created_at: datetime
    process: Identified | None
    process_run: Identified | None
    payload: Raw
    files: list[FileAnswer]


@get("/outputs", needs=Permission.READ_WORK_ITEMS)
async def list_outputs(request: Asking, paging: Pages, process_run_id: Query[RunId]) -> Page[Output]:
    """List what the last step of a process run put out, oldest first."""
    return await _outputs(request, paging, process_run_id)


@get("/process-runs/{run_id:uuid}/outputs", needs=Permission.READ_WORK_ITEMS)
async def list_process_run_outputs(request: Asking, paging: Pages, run_id: Path[RunId]) -> Page[Output]:
    """Likewise, by its older address (§1.8)."""
    return await _outputs(request, paging, run_id)


async def _outputs(request: Asking, paging: Paging, run: RunId) -> Page[Output]:
    rows = await store.list_outputs(*request.reading, run, **paging.after(WorkItemId), most_bytes=paging.most)
    if not rows:
        await runs.get(*request.reading, run)
    files = await files_of(request, rows)

    return paging.page(rows, lambda item: _show(item, files=files[item.id]), size=store.size_of)


_show = shown_with(("files",), Output, model.WorkItem, payload=lambda item: item.payload or NOTHING)
