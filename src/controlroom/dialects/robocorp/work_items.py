"""Work items (§1.7); their files are in `work_item_files`."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Raw, UnsetType

from controlroom.border.answers import worded
from controlroom.border.asking import Asking, Body, Path, Permission, Query, QueryParameter
from controlroom.dialects.robocorp.answers import Accepted, Identified, OwnBody, Reference, Shape, shown_as, shown_with
from controlroom.dialects.robocorp.codes import told_exception
from controlroom.dialects.robocorp.routing import OfProcess, Page, Pages, get, post, update
from controlroom.dialects.robocorp.work_item_files import NOTHING, FileAnswer, files_of
from controlroom.engine.lists.pages import Written
from controlroom.engine.lists.written import Always, Inside, Plain, Whether, Word
from controlroom.engine.queues import actions as queues
from controlroom.engine.work_items import actions, model, store
from controlroom.engine.work_items.listings import written_items
from controlroom.engine.work_items.operations import Operation
from controlroom.engine.work_items.terms import Terms, TermsChange
from controlroom.errors import Invalid
from controlroom.ids import ProcessId, QueueId, RunId, TaskId, WorkItemId

ShownState = Literal["new", "pending", "in_progress", "failed", "done"]
AskedState = Literal["new", "pending", "in_progress", "failed", "done", "held", "invalid"]
"""Items are found by two more than they are told by: those that are set aside, and those that a schema refuses."""


class ExceptionAnswer(Shape, frozen=True):
    """Why a work item failed."""

    code: str
    type: model.ExceptionType
    message: str


class WorkItemAnswer(Shape, frozen=True, kw_only=True):
    """A work item as lists tell it."""

    id: WorkItemId
    created_at: datetime
    state: ShownState
    state_updated_at: datetime | None
    process: Identified | None
    process_run: Identified | None
    step: Identified | None
    step_run: Identified | None
    exception: ExceptionAnswer | None
    held: bool
    """Set aside by somebody; its state is then `pending`."""
    priority: int
    due_at: datetime
    deadline: datetime | None
    reference: str | None


class FullWorkItem(WorkItemAnswer, frozen=True, kw_only=True):
    """A work item with its data."""

    payload: Raw
    files: list[FileAnswer]


class CreateWorkItem(OwnBody, frozen=True, kw_only=True):
    """A new item for the input queue of a process or of a bare task, or for a standing queue."""

    process: Reference | None = None
    task: Reference | None = None
    queue: Reference | None = None
    payload: Raw
    priority: int = 0
    due_at: datetime | None = None
    deadline: datetime | None = None
    reference: str | None = None


class UpdateWorkItem(OwnBody, frozen=True, kw_only=True):
    """What to change of when the item may be worked on; what is left out stays."""

    priority: int | UnsetType = UNSET
    due_at: datetime | UnsetType | None = UNSET
    deadline: datetime | UnsetType | None = UNSET
    reference: str | UnsetType | None = UNSET


class PayloadBody(OwnBody, frozen=True):
    """An item's payload."""

    payload: Raw


class BatchRequest(OwnBody, frozen=True):
    """One operation on many items."""

    batch_operation: Literal["retry", "delete", "mark_as_done", "hold", "release_hold", "complete"]
    work_item_ids: list[WorkItemId]


OPERATIONS = {"mark_as_done" if each is Operation.MARK_DONE else each.value: each for each in Operation}
STATES = worded(
    model.ItemState,
    new="draft new",
    pending="pending held",
    in_progress="in_progress",
    done="done deleted",
    failed="failed invalid",
)
"""The states in the dialect's words, which has none for items that are held, refused or not yet published."""


@get("/work-items", needs=Permission.READ_WORK_ITEMS)
async def list_work_items(
    request: Asking,
    paging: Pages,
    process_id: OfProcess = None,
    process_run_id: Query[RunId | None] = None,
    item_state: Annotated[AskedState | None, QueryParameter(name="state")] = None,
    queue_id: Query[QueueId | None] = None,
    include_data: Query[bool] = False,  # noqa: FBT002 - a query's word
) -> Page[WorkItemAnswer]:
    """List work items, newest first: without their data, or with `include_data=true` as each is told by itself."""
    which: dict[str, Any] = {
        "process": process_id,
        "run": process_run_id,
        "queue": queue_id,
        "state": item_state and model.ItemState(item_state),
        **paging.before(WorkItemId),
    }
    if not include_data:
        return paging.page(await store.list_items(*request.reading, **which), _show, size=store.size_of)
    rows = await store.list_written(*request.reading, _WRITTEN, **which, most_bytes=paging.most)
    if isinstance(rows, Written):
        return paging.written(rows)
    items = [row for row in rows if isinstance(row, model.ListedItem)]
    files = await files_of(request, [item for item in items if item.has_files])
    return paging.page(rows, lambda row: _tell(row, files), size=store.size_of)


@post("/work-items")
async def create_work_item(request: Asking, data: Body[CreateWorkItem]) -> FullWorkItem:
    """Put an item into the input queue of a process or a task, or into a standing queue; it starts no run by itself."""
    terms = _terms_of(data)
    match data.process, data.task, data.queue:
        case Reference(process), None, None:
            item = await actions.create(*request.acting, ProcessId(process), data.payload, terms=terms)
        case None, Reference(task), None:
            item = await actions.create_for_task(*request.acting, TaskId(task), data.payload, terms=terms)
        case None, None, Reference(queue):
            item = await queues.put(*request.acting, QueueId(queue), data.payload, terms=terms)
        case _:
            raise Invalid("A work item is for a process, a task or a queue.", code="INVALID_BODY")
    return _show_full(item, files=[])


@update("/work-items/{item_id:uuid}", needs=Permission.WRITE_WORK_ITEMS)
async def update_work_item(request: Asking, item_id: Path[WorkItemId], data: Body[UpdateWorkItem]) -> FullWorkItem:
    """Change priority, due time, deadline or reference of an item that nobody works on."""
    item = await actions.set_terms(*request.acting, item_id, _change_of(data))
    return _show_full(item, files=(await files_of(request, [item]))[item.id])


@get("/work-items/{item_id:uuid}", needs=Permission.READ_WORK_ITEMS)
async def get_work_item(request: Asking, item_id: Path[WorkItemId]) -> FullWorkItem:
    """Get a work item with its data."""
    item = await store.get(*request.reading, item_id)
    return _show_full(item, files=(await files_of(request, [item]))[item.id])


@update("/work-items/{item_id:uuid}/payload")
async def update_work_item_payload(request: Asking, item_id: Path[WorkItemId], data: Body[PayloadBody]) -> PayloadBody:
    """Replace the payload of an item that nobody works on."""
    await actions.set_payload(*request.acting, item_id, data.payload)
    return data


@post("/work-items/batch")
async def run_work_item_batch_operation(request: Asking, data: Body[BatchRequest]) -> Accepted:
    """Retry, delete or resolve many items: all of them or, if one is not fit for it, none."""
    await actions.change(*request.acting, OPERATIONS[data.batch_operation], data.work_item_ids)
    return Accepted(accepted=True)


def aware(field: str) -> tuple[str, Callable[[datetime], datetime]]:
    """A moment of a body, which must say its offset. Raises Invalid."""

    def checked(at: datetime) -> datetime:
        if at.tzinfo is None:
            raise Invalid(f"{field} needs an offset, like 2030-01-31T12:00:00Z", code="INVALID_BODY")
        return at

    return field, checked


_terms_of = shown_as(Terms, CreateWorkItem, due=aware("due_at"), deadline=aware("deadline"))
_change_of = shown_as(TermsChange, UpdateWorkItem, due=aware("due_at"), deadline=aware("deadline"))
show_exception = shown_as(ExceptionAnswer, model.ItemException)
"""Why an item failed, as this dialect writes it."""


def _tell(row: model.WrittenItem | model.ListedItem, files: Mapping[WorkItemId, list[FileAnswer]]) -> Any:
    return row.text if isinstance(row, model.WrittenItem) else _show_full(row, files=files[row.id])


def _exception(item: model.WorkItem) -> ExceptionAnswer | None:
    return None if item.exception is None else show_exception(told_exception(item.exception))


def _is_held(item: model.WorkItem) -> bool:
    return item.state is model.ItemState.HELD


_show = shown_as(
    WorkItemAnswer,
    model.WorkItem,
    state=("state", STATES.__getitem__),
    exception=_exception,
    held=_is_held,
    due_at="due",
)
_show_full = shown_with(
    ("files",),
    FullWorkItem,
    model.WorkItem,
    state=("state", STATES.__getitem__),
    exception=_exception,
    held=_is_held,
    due_at="due",
    payload=lambda item: item.payload or NOTHING,
)

_WRITTEN = written_items(
    {
        "id": Plain("id"),
        "created_at": Plain("created_at"),
        "state": Word("state", {state.value: word for state, word in STATES.items()}),
        "state_updated_at": Plain("state_at"),
        "process": Inside("process_id", {"id": Plain("process_id")}),
        "process_run": Inside("run_id", {"id": Plain("run_id")}),
        "step": Inside("step_id", {"id": Plain("step_id")}),
        "step_run": Inside("step_run_id", {"id": Plain("step_run_id")}),
        "exception": Inside(
            "exception_type",
            {"code": Plain("exception_code"), "type": Plain("exception_type"), "message": Plain("exception_message")},
        ),
        "held": Whether("state", model.ItemState.HELD.value),
        "priority": Plain("priority"),
        "due_at": Plain("due"),
        "deadline": Plain("deadline"),
        "reference": Plain("reference"),
        "payload": Plain("payload", bytes(NOTHING).decode()),
        "files": Always("[]"),
    }
)
"""A full work item, as the database writes it for long lists; a test holds it to what `_show_full` says."""
