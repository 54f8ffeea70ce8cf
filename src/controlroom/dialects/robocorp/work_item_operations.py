"""One operation on all work items that a filter finds (our own management API)."""

from datetime import datetime
from typing import Literal

from controlroom.border.asking import Asking, Body
from controlroom.dialects.robocorp.answers import Identified, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.codes import asked_codes
from controlroom.dialects.robocorp.routing import post
from controlroom.dialects.robocorp.work_items import OPERATIONS, aware
from controlroom.engine.runs import reruns
from controlroom.engine.work_items import bulk, model
from controlroom.engine.work_items.bulk import ItemFilter
from controlroom.errors import Invalid
from controlroom.ids import ProcessId, QueueId, RunId, StepId


class FilterBody(OwnBody, frozen=True, kw_only=True):
    """Which work items: all conditions must hold, and there must be one."""

    process_id: ProcessId | None = None
    process_run_id: RunId | None = None
    step_id: StepId | None = None
    queue_id: QueueId | None = None
    state: Literal["new", "pending", "held", "in_progress", "failed", "invalid", "done"] | None = None
    exception_type: model.ExceptionType | None = None
    exception_code: str | None = None
    reference: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


class BulkRequest(OwnBody, frozen=True, kw_only=True):
    """An operation on all that the filter finds. With `preview` it is only told how many there are."""

    operation: Literal["retry", "mark_as_done", "delete", "hold", "release_hold", "complete", "rerun"]
    filter: FilterBody
    preview: bool = False


class BulkPreview(Shape, frozen=True, kw_only=True):
    """How many items the filter finds, and how many of those the operation would touch now."""

    matched: int
    would_touch: int


class BulkAnswer(Shape, frozen=True, kw_only=True):
    """How many items were touched; for `rerun` the run that has their copies."""

    touched: int
    process_run: Identified | None = None


@post("/work-items/bulk")
async def run_work_item_bulk_operation(request: Asking, data: Body[BulkRequest]) -> BulkPreview | BulkAnswer:
    """Do something to all work items that a filter finds, in batches; or tell how many that would be."""
    which = _filter_of(data.filter)
    if data.operation == "rerun":
        if which.process is None:
            raise Invalid("rerun needs the process_id of the inputs that are to be run again.", code="INVALID_BODY")
        found = await reruns.preview(*request.acting, which.process, which)
        if data.preview:
            return BulkPreview(matched=found.matched, would_touch=found.touched)
        run = await reruns.rerun(*request.acting, which.process, which)
        return BulkAnswer(
            touched=0 if run is None else found.touched, process_run=None if run is None else Identified(run.id)
        )
    operation = OPERATIONS[data.operation]
    if data.preview:
        found = await bulk.preview(*request.acting, operation, which)
        return BulkPreview(matched=found.matched, would_touch=found.touched)
    return BulkAnswer(touched=len(await bulk.apply(*request.acting, operation, which)))


_filter_of = shown_as(
    ItemFilter,
    FilterBody,
    run="process_run_id",
    state=("state", model.ItemState),
    exception_codes=("exception_code", asked_codes),
    created_after=aware("created_after"),
    created_before=aware("created_before"),
)
