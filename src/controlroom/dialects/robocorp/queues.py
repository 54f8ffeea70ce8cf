"""Standing queues, schemas of queues, and queue consumers (our own management API)."""

from datetime import datetime
from typing import Any

from msgspec import UNSET, Raw, UnsetType, convert, field
from msgspec.structs import replace

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Reference, Shape, shown_as
from controlroom.dialects.robocorp.item_models import model_of
from controlroom.dialects.robocorp.placements import PlacementBody, placement_of, show_placement
from controlroom.dialects.robocorp.processes import RetryBody
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.dialects.robocorp.schedule_rules import DAYS, Day, show_time, times_of
from controlroom.engine.access.scope import scope_of
from controlroom.engine.queues import actions, store
from controlroom.engine.queues.model import (
    AS_USUAL,
    Consumer,
    ConsumerChange,
    ConsumerDefinition,
    OrderedBy,
    Queue,
    QueueChange,
    QueueSettings,
    QueueStatus,
    Window,
)
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.ids import ItemModelId, QueueConsumerId, QueueId, TaskId

_NULL = Raw(b"null")
_LEFT_OUT = Raw(b"")  # Why: the decoder knows no union of anything and nothing


class OrderBody(OwnBody, frozen=True):
    """An attribute by which items of one priority are taken."""

    attribute: str
    descending: bool = False


class QueueAnswer(Shape, frozen=True, kw_only=True):
    """A queue; `standing` is false for the input queue of a step."""

    id: QueueId
    name: str
    schema: Raw | None
    standing: bool
    description: str
    status: QueueStatus
    item_model_id: ItemModelId | None
    retry: RetryBody | None
    refuses_duplicates: bool
    shown: tuple[str, ...]
    ordering: list[OrderBody]
    revision: int
    created_at: datetime


class CreateQueue(OwnBody, frozen=True, kw_only=True):
    """A new standing queue; with a JSON schema, or that of its item model, it refuses payloads that do not fit."""

    name: str
    schema: Raw = field(default_factory=lambda: _NULL)  # Why so: what draws the document hashes defaults
    description: str = ""
    item_model: Reference | None = None
    retry: RetryBody | None = None
    refuses_duplicates: bool = False
    shown: tuple[str, ...] = ()
    ordering: tuple[OrderBody, ...] = ()


class UpdateQueue(OwnBody, frozen=True, kw_only=True):
    """What to change; a schema of null is none. With a revision, only while it is the one there."""

    name: str | UnsetType = UNSET
    schema: Raw = field(default_factory=lambda: _LEFT_OUT)
    description: str | UnsetType = UNSET
    item_model: Reference | UnsetType | None = UNSET
    retry: RetryBody | UnsetType | None = UNSET
    refuses_duplicates: bool | UnsetType = UNSET
    shown: tuple[str, ...] | UnsetType = UNSET
    ordering: tuple[OrderBody, ...] | UnsetType = UNSET
    revision: int | UnsetType = UNSET


class WindowBody(OwnBody, frozen=True):
    """Hours of some days; past midnight if it ends before it begins."""

    days: tuple[Day, ...]
    begins: str
    ends: str


class ConsumerTask(Shape, frozen=True):
    """The task that a consumer opens runs of."""

    id: TaskId
    name: str
    package_name: str


class ConsumerAnswer(Shape, frozen=True, kw_only=True):
    """Opens runs of a task for the due items of a queue."""

    id: QueueConsumerId
    task: ConsumerTask
    placement: PlacementBody
    windows: list[WindowBody]
    time_zone: str
    priority: int
    max_runs: int
    batch: int
    paused: bool
    created_at: datetime


class CreateConsumer(OwnBody, frozen=True, kw_only=True):
    """A new consumer. Without windows it works at all hours."""

    task: Reference
    placement: PlacementBody = PlacementBody()
    windows: tuple[WindowBody, ...] = ()
    time_zone: str = "UTC"
    priority: int = 0
    max_runs: int = 1
    batch: int = 100
    paused: bool = False


class UpdateConsumer(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays."""

    task: Reference | UnsetType = UNSET
    placement: PlacementBody | UnsetType = UNSET
    windows: tuple[WindowBody, ...] | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    max_runs: int | UnsetType = UNSET
    batch: int | UnsetType = UNSET
    paused: bool | UnsetType = UNSET


@get("/queues", needs=Permission.READ_PROCESSES)
async def list_queues(request: Asking, paging: Pages) -> Page[QueueAnswer]:
    """List the standing queues, oldest first."""
    rows = await store.list_queues(*request.reading, **paging.after(QueueId), most_bytes=paging.most)
    return paging.page(rows, _show, size=store.size_of)


@post("/queues")
async def create_queue(request: Asking, data: Body[CreateQueue]) -> QueueAnswer:
    """Create a standing queue."""
    settings = _settings(data, AS_USUAL)
    return _show(await actions.create(*request.acting, name=data.name, schema=_schema(data.schema), settings=settings))


@get("/queues/{queue_id:uuid}", needs=Permission.READ_PROCESSES)
async def get_queue(request: Asking, queue_id: Path[QueueId]) -> QueueAnswer:
    """Get a queue, also the input queue of a step."""
    return _show(await store.get(*request.reading, queue_id))


@update("/queues/{queue_id:uuid}")
async def update_queue(request: Asking, queue_id: Path[QueueId], data: Body[UpdateQueue]) -> QueueAnswer:
    """Change a standing queue, or the schema of any."""
    given = {name for name in QueueSettings.__struct_fields__ if getattr(data, name, UNSET) is not UNSET}
    settings: QueueSettings | UnsetType = UNSET
    if given:
        seen = scope_of(request.actor, Permission.READ_PROCESSES, request.workspace)
        settings = _settings(data, actions.settings_of(await store.get(request.db, seen, queue_id)))
    change = QueueChange(
        name=data.name,
        schema=UNSET if data.schema == _LEFT_OUT else _schema(data.schema),
        settings=settings,
        revision=data.revision,
    )
    return _show(await actions.update(*request.acting, queue_id, change))


@delete("/queues/{queue_id:uuid}")
async def delete_queue(request: Asking, queue_id: Path[QueueId]) -> Deleted:
    """Delete a standing queue in which nothing waits, with its consumers."""
    return await Deleted.after(queue_id, actions.delete(*request.acting, queue_id))


@get("/queues/{queue_id:uuid}/consumers", needs=Permission.READ_PROCESSES)
async def list_queue_consumers(request: Asking, paging: Pages, queue_id: Path[QueueId]) -> Page[ConsumerAnswer]:
    """List the consumers of a queue, oldest first."""
    await store.get(*request.reading, queue_id)
    rows = await store.list_consumers(*request.reading, queue_id, **paging.after(QueueConsumerId))
    return paging.page(rows, _show_consumer)


@post("/queues/{queue_id:uuid}/consumers")
async def create_queue_consumer(request: Asking, queue_id: Path[QueueId], data: Body[CreateConsumer]) -> ConsumerAnswer:
    """Let runs of a task be opened for the due items of a standing queue, while workers are free."""
    return _show_consumer(await actions.add_consumer(*request.acting, queue_id, _definition_of(data)))


@update("/queues/{queue_id:uuid}/consumers/{consumer_id:uuid}")
async def update_queue_consumer(
    request: Asking, queue_id: Path[QueueId], consumer_id: Path[QueueConsumerId], data: Body[UpdateConsumer]
) -> ConsumerAnswer:
    """Change a consumer: pause it, give it another task, placement or hours."""
    return _show_consumer(await actions.change_consumer(*request.acting, queue_id, consumer_id, _change_of(data)))


@delete("/queues/{queue_id:uuid}/consumers/{consumer_id:uuid}")
async def delete_queue_consumer(
    request: Asking, queue_id: Path[QueueId], consumer_id: Path[QueueConsumerId]
) -> Deleted:
    """Delete a consumer; runs that it opened go on."""
    return await Deleted.after(consumer_id, actions.remove_consumer(*request.acting, queue_id, consumer_id))


def _windows(bodies: tuple[WindowBody, ...]) -> tuple[Window, ...]:
    return tuple(
        Window(tuple(DAYS.index(day) for day in body.days), *times_of((body.begins, body.ends))) for body in bodies
    )


def _show_window(window: Window) -> WindowBody:
    return WindowBody(tuple(DAYS[day] for day in window.days), show_time(window.begins), show_time(window.ends))


def _settings(data: CreateQueue | UpdateQueue, before: QueueSettings) -> QueueSettings:
    """The settings of a queue after what was given."""
    given: dict[str, Any] = {}
    for name in ("description", "refuses_duplicates", "shown"):
        if getattr(data, name) is not UNSET:
            given[name] = getattr(data, name)
    if data.retry is not UNSET:
        given["retry"] = None if data.retry is None else convert(data.retry, RetryPolicy, from_attributes=True)
    if data.ordering is not UNSET:
        given["ordering"] = tuple(OrderedBy(each.attribute, each.descending) for each in data.ordering)
    if data.item_model is not UNSET:
        given["item_model"] = None if data.item_model is None else model_of(data.item_model)
        given["is_draft"] = False
    return replace(before, **given)


def _schema(asked: Raw) -> Raw | None:
    return None if asked == _NULL else asked


_definition_of = shown_as(
    ConsumerDefinition, CreateConsumer, placement=("placement", placement_of), windows=("windows", _windows)
)
_change_of = shown_as(
    ConsumerChange, UpdateConsumer, placement=("placement", placement_of), windows=("windows", _windows)
)
_show_order = shown_as(OrderBody, OrderedBy, descending="is_descending")
_show = shown_as(
    QueueAnswer,
    Queue,
    retry=lambda queue: None if queue.retry is None else convert(queue.retry, RetryBody, from_attributes=True),
    ordering=lambda queue: [_show_order(each) for each in queue.ordering],
)
_show_consumer = shown_as(
    ConsumerAnswer,
    Consumer,
    task=lambda consumer: ConsumerTask(consumer.task_id, consumer.task_name, consumer.package_name),
    placement=("placement", show_placement),
    windows=lambda consumer: [_show_window(window) for window in consumer.windows],
)
