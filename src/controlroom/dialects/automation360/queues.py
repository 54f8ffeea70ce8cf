"""WLM queues (§2.23, §2.27): standing queues. v3 speaks numbers, v4 texts and nulls.

A queue is made in the caller's only workspace, else in the first of those whose queues they govern.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from controlroom.border.columns import As, Words
from controlroom.dialects.automation360.answers import Shape, moment
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.columns import Columns, nothing_is_zero
from controlroom.dialects.automation360.ids import Id, shown
from controlroom.dialects.automation360.item_models import found as model_of
from controlroom.dialects.automation360.lists import Listed, Sought, listed
from controlroom.dialects.automation360.routing import Pair, Superseded, delete, get, post, put
from controlroom.engine.access import scope
from controlroom.engine.item_models.errors import AttributeUnknown
from controlroom.engine.item_models.model import ItemModel
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import EVERYTHING, OLDEST_FIRST, Asked, Compare, Operator, equal
from controlroom.engine.queues import actions, rights, store
from controlroom.engine.queues.errors import QueueNotFound
from controlroom.engine.queues.listings import QUEUES
from controlroom.engine.queues.model import (
    AS_USUAL,
    ListedQueue,
    OrderedBy,
    ProcessingUnit,
    QueueChange,
    QueueNotes,
    QueueSettings,
)
from controlroom.engine.queues.rights import Reached, Right
from controlroom.engine.work_items.rules import RetryPolicy
from controlroom.errors import Forbidden, Invalid

T = TypeVar("T")

CREATE: Final = Pair("queue", "create")
MANAGE: Final = Pair("queue", "all")


class OrderBody(Shape, frozen=True, kw_only=True):
    """A column by which items are taken; of several the one with the lowest priority number counts first."""

    column_id: int
    priority: int = 0
    sort_direction: str = "asc"


class QueueBody(Shape, frozen=True, kw_only=True):
    """A queue as it is made, or changed: what is left out stays."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    reactivation_threshold: int | UnsetType = UNSET
    manual_processing_time: int | UnsetType = UNSET
    manual_processing_time_unit: ProcessingUnit | UnsetType = UNSET
    disallow_duplicate: bool | UnsetType = UNSET
    auto_retry_limit: int | UnsetType = UNSET
    work_item_model_id: int | UnsetType = UNSET
    work_item_processing_orders: tuple[OrderBody, ...] | UnsetType = UNSET
    display_column_ids: tuple[int, ...] | UnsetType = UNSET
    version: int | UnsetType = UNSET


class OrderV3(Shape, frozen=True):
    """A column by which items are taken."""

    id: int
    column_id: int
    priority: int
    sort_direction: str


class QueueV3(Shape, frozen=True, kw_only=True):
    """A queue."""

    id: int
    name: str
    description: str
    status: str
    reactivation_threshold: int
    consider_reactivation_threshold: bool
    manual_processing_time: int
    manual_processing_time_unit: str
    disallow_duplicate: bool
    mark_duplicate: bool
    auto_retry_limit: int
    work_item_model_id: int
    work_item_processing_orders: list[OrderV3]
    display_column_ids: list[int]
    created_by: int
    created_on: str
    updated_by: int
    updated_on: str
    tenant_id: int
    version: int


class OrderV4(Shape, frozen=True):
    """A column by which items are taken."""

    id: str
    column_id: str
    name: str
    priority: str
    sort_direction: str
    tenant_uuid: str


class QueueV4(Shape, frozen=True, kw_only=True):
    """A queue."""

    id: str
    name: str
    description: str
    status: str
    reactivation_threshold: str
    consider_reactivation_threshold: bool
    manual_processing_time: str
    manual_processing_time_unit: str
    disallow_duplicate: bool
    auto_retry_limit: str
    work_item_model_id: str
    work_item_processing_orders: list[OrderV4]
    display_column_ids: list[str]
    created_by: str
    created_on: str
    updated_by: str
    updated_on: str
    tenant_id: str
    tenant_uuid: str
    version: str
    expiry: str | None


def _status(value: Any) -> str:
    return str(value).casefold()


_COLUMNS = Columns(
    QUEUES,
    {
        "id": "number",
        "name": "name",
        "description": "description",
        "status": As("status", read=_status),
        "workItemModelId": nothing_is_zero("item_model_number"),
        "createdOn": "created_at",
        "updatedOn": "updated_at",
        "createdBy": nothing_is_zero("created_by"),
        "updatedBy": nothing_is_zero("updated_by"),
        "version": "revision",
        "tenantId": As("tenant_number", sort=""),
        "reactivationThreshold": "reactivation",
        "considerReactivationThreshold": Words(
            {"true": Compare("reactivation", Operator.GT, 0), "false": Compare("reactivation", Operator.LE, 0)},
            sort="reactivation",
        ),
        "manualProcessingTime": "by_hand",
        "manualProcessingTimeUnit": As("unit", read=lambda value: str(value).lower()),
        "disallowDuplicate": "refuses_duplicates",
        "markDuplicate": Words({"false": EVERYTHING}),
        "autoRetryLimit": "retries",
    },
    order=OLDEST_FIRST,
)


@post("/v3/wlm/queues", status=201, pair=CREATE, number_codes=True)
async def create_queue(request: Asking, data: Body[QueueBody]) -> QueueV3:
    """Create a queue. Without a work item model it is a draft, and takes no items."""
    if data.name is UNSET:
        raise Invalid("`name` is missing", code="INVALID_BODY")
    places = rights.governed(request.actor)
    if not places:
        missing = Permission.GOVERN_QUEUES
        raise Forbidden(f"this needs {missing.value}", code="PERMISSION_MISSING", permission=missing)
    settings = await _settings(request, data, AS_USUAL, None)
    made = await actions.create(request.engine, request.actor, places[0], name=data.name, settings=settings)
    return show(
        await row_of(request, Reached(made.id, scope.Of(request.actor.organization_id, places[:1]), request.actor))
    )


@post("/v3/wlm/queues/list", number_codes=True)
async def list_queues(request: Asking, data: Sought = None) -> Listed[QueueV3]:
    """List the queues that the caller sees."""
    seen = await rights.visible(request.db, request.actor)
    only = seen.filter("id", "workspace_id")
    return await listed(request, data, _COLUMNS, ListedQueue, show, within=scope.within(seen.places), only=only)


@get("/v3/wlm/queues/{queue:str}", number_codes=True, deprecated=Superseded("/v4/wlm/queues/{id}"))
async def get_queue(request: Asking, queue: Id) -> QueueV3:
    """Get a queue."""
    return show(await row_of(request, await reach(request, queue, Right.SEE)))


@get("/v4/wlm/queues/{queue:str}", number_codes=True)
async def get_queue_v4(request: Asking, queue: Id) -> QueueV4:
    """Get a queue."""
    return _show_v4(request, await row_of(request, await reach(request, queue, Right.SEE)))


@put("/v3/wlm/queues/{queue:str}", pair=MANAGE, number_codes=True)
async def update_queue(request: Asking, queue: Id, data: Body[QueueBody]) -> QueueV3:
    """Change a queue; with `version`, only if nobody has changed it since."""

    async def update(reached: Reached) -> ListedQueue:
        before = await store.get(request.db, reached.scope, reached.queue)
        model = None if before.item_model_id is None else (await row_of(request, reached)).item_model_number
        settings = await _settings(request, data, actions.settings_of(before), model)
        change = QueueChange(name=data.name or UNSET, settings=settings, revision=data.version)
        await actions.update(request.engine, reached.actor, reached.workspace, reached.queue, change)
        return await row_of(request, reached)

    return show(await at(request, queue, Right.MANAGE, update))


@delete("/v3/wlm/queues/{queue:str}", pair=MANAGE, number_codes=True)
async def delete_queue(request: Asking, queue: Id) -> None:
    """Delete a queue on which no automation works, with its work items."""

    async def delete_it(reached: Reached) -> None:
        await actions.delete(request.engine, reached.actor, reached.workspace, reached.queue, with_items=True)

    await at(request, queue, Right.OWN, delete_it)


@post("/v3/wlm/queues/delete", status=204, pair=MANAGE, number_codes=True)
async def delete_queues(request: Asking, data: Body[list[int]]) -> None:
    """Delete several queues, all of them or none."""
    if data:
        await actions.delete_all(request.engine, await reach_all(request, data, Right.OWN))


# ---------------------------------------------------------------------------------------------------- finding
async def reach(request: Asking, queue: str | int, right: Right) -> Reached:
    """The queue with the number, for who has the right on it."""
    return await rights.reach(request.db, request.actor, numbered(queue), right)


async def reach_all(request: Asking, queues: Iterable[int], right: Right) -> list[Reached]:
    """Likewise of several, each once."""
    numbers = list(dict.fromkeys(map(numbered, queues)))
    return await rights.reach_all(request.db, request.actor, numbers, right)


async def at(request: Asking, queue: str | int, right: Right, do: Callable[[Reached], Awaitable[T]]) -> T:
    """Do something with the queue with the number, wherever it moves meanwhile."""
    return await rights.at(request.db, request.actor, numbered(queue), right, do)


def numbered(text: str | int) -> str:
    """A number as it names a thing; what is none names nothing."""
    plain = str(text).strip()
    return plain if plain.isascii() and plain.isdigit() else "0"


async def row_of(request: Asking, reached: Reached) -> ListedQueue:
    """The queue as lists show it."""
    asked = Asked(filter=equal(id=reached.queue), length=1)
    found = await pages.rows(request.db, ListedQueue, QUEUES, scope.within(reached.scope), asked)
    if not found:
        raise QueueNotFound(reached.queue)
    return found[0]


# ---------------------------------------------------------------------------------------------------- reading
async def _settings(request: Asking, data: QueueBody, before: QueueSettings, model_number: int | None) -> QueueSettings:
    """The settings of a queue after a change of what is given."""
    number = model_number if data.work_item_model_id is UNSET else data.work_item_model_id or None
    model = None if number is None else await model_of(request, number)
    notes = QueueNotes(
        by_hand=_or(data.manual_processing_time, before.notes.by_hand),
        unit=_or(data.manual_processing_time_unit, before.notes.unit),
        reactivation=_or(data.reactivation_threshold, before.notes.reactivation),
    )
    settings = replace(
        before,
        description=_or(data.description, before.description),
        item_model=None if model is None else model.id,
        refuses_duplicates=_or(data.disallow_duplicate, before.refuses_duplicates),
        notes=notes,
        is_draft=model is None,
    )
    if data.auto_retry_limit is not UNSET:
        settings = replace(settings, retry=_retry(data.auto_retry_limit))
    if model is None or data.display_column_ids is not UNSET:
        shown_ids = () if data.display_column_ids is UNSET else data.display_column_ids
        settings = replace(settings, shown=tuple(_name(model, each) for each in shown_ids))
    if model is None or data.work_item_processing_orders is not UNSET:
        orders = () if data.work_item_processing_orders is UNSET else data.work_item_processing_orders
        ordered = [
            OrderedBy(_name(model, each.column_id), _is_descending(each))
            for each in sorted(orders, key=lambda order: order.priority)
        ]
        settings = replace(settings, ordering=tuple(ordered))
    return settings


def _or(given: T | UnsetType, before: T) -> T:
    return before if isinstance(given, UnsetType) else given


def _retry(limit: int) -> RetryPolicy | None:
    """How often an item that failed is tried again; not at all is for the step to say."""
    if not 0 <= limit < 1000:  # noqa: PLR2004 - as many attempts as a queue may have
        raise Invalid("autoRetryLimit is 0 to 999", code="QUEUE_INVALID")
    return RetryPolicy(max_attempts=limit + 1) if limit else None


def _name(model: ItemModel | None, number: int) -> str:
    for each in () if model is None else model.attributes:
        if each.number == number:
            return each.name
    raise AttributeUnknown(number)


def _is_descending(order: OrderBody) -> bool:
    direction = order.sort_direction.casefold()
    if direction not in {"asc", "desc"}:
        raise Invalid("sortDirection is asc or desc", code="INVALID_BODY")
    return direction == "desc"


# ---------------------------------------------------------------------------------------------------- showing
def show(queue: ListedQueue) -> QueueV3:
    """A queue in numbers."""
    return QueueV3(
        id=queue.number,
        name=queue.name,
        description=queue.description,
        status=queue.status.value.upper(),
        reactivation_threshold=queue.notes.reactivation,
        consider_reactivation_threshold=queue.notes.reactivation > 0,
        manual_processing_time=queue.notes.by_hand,
        manual_processing_time_unit=queue.notes.unit.value.upper(),
        disallow_duplicate=queue.refuses_duplicates,
        mark_duplicate=False,  # what is there already is refused, or taken
        auto_retry_limit=_limit(queue),
        work_item_model_id=queue.item_model_number or 0,
        work_item_processing_orders=[
            OrderV3(each.number, each.number, place, _direction(each.is_descending))
            for place, each in enumerate(queue.ordering, 1)
        ],
        display_column_ids=queue.shown,
        created_by=queue.created_by_number or 0,
        created_on=moment(queue.created_at),
        updated_by=queue.updated_by_number or 0,
        updated_on=moment(queue.updated_at),
        tenant_id=queue.tenant_number,
        version=queue.revision,
    )


def _show_v4(request: Asking, queue: ListedQueue) -> QueueV4:
    tenant = str(request.actor.organization_id)
    return QueueV4(
        id=str(queue.number),
        name=queue.name,
        description=queue.description,
        status=queue.status.value.upper(),
        reactivation_threshold=str(queue.notes.reactivation),
        consider_reactivation_threshold=queue.notes.reactivation > 0,
        manual_processing_time=str(queue.notes.by_hand),
        manual_processing_time_unit=queue.notes.unit.value.upper(),
        disallow_duplicate=queue.refuses_duplicates,
        auto_retry_limit=str(_limit(queue)),
        work_item_model_id=shown(queue.item_model_number or 0),
        work_item_processing_orders=[
            OrderV4(str(each.number), str(each.number), each.name, str(place), _direction(each.is_descending), tenant)
            for place, each in enumerate(queue.ordering, 1)
        ],
        display_column_ids=[str(each) for each in queue.shown],
        created_by=shown(queue.created_by_number or 0),
        created_on=moment(queue.created_at),
        updated_by=shown(queue.updated_by_number or 0),
        updated_on=moment(queue.updated_at),
        tenant_id=str(queue.tenant_number),
        tenant_uuid=tenant,
        version=str(queue.revision),
        expiry=None,
    )


def _limit(queue: ListedQueue) -> int:
    return 0 if queue.retry is None else queue.retry.max_attempts - 1


def _direction(is_descending: bool) -> str:  # noqa: FBT001 - a word of it
    return "desc" if is_descending else "asc"
