"""Work items of WLM queues (§2.23, §2.27). What is asked and told by hand is the engine's standing in other words.

A list tells no `json`; one item does. Every key is always there. A `json` that is an array is refused, as is one that
lacks a column; a value that is none of its column's type is taken as DATA_ERROR, to be mended.
"""

from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from controlroom.border.columns import As
from controlroom.border.lenient import LEFT_OUT
from controlroom.dialects.automation360.answers import Shape, moment, moment_or_none
from controlroom.dialects.automation360.asking import Asking, Body
from controlroom.dialects.automation360.columns import Columns, nothing_is_zero
from controlroom.dialects.automation360.ids import Id, shown
from controlroom.dialects.automation360.item_words import STATUSES, standing_of
from controlroom.dialects.automation360.lists import Listed, Sought, listed
from controlroom.dialects.automation360.queues import at, numbered, reach
from controlroom.dialects.automation360.routing import Pair, Superseded, delete, get, post, put
from controlroom.engine.access.scope import within
from controlroom.engine.item_models.errors import AttributeMissing
from controlroom.engine.lists.model import OLDEST_FIRST, equal
from controlroom.engine.queues import feeding, items
from controlroom.engine.queues.items import ItemChange
from controlroom.engine.queues.listings import QUEUE_ITEMS
from controlroom.engine.queues.model import MOST_SHOWN, ItemStanding, QueueItem
from controlroom.engine.queues.rights import Reached, Right
from controlroom.errors import Invalid
from controlroom.ids import as_uuid

_ADD: Final = Pair("queue", "addworkitem")
_CHANGE: Final = Pair("queue", "all")
_MOST: Final = 1000


def _step_run(execution: Any) -> Any:
    """Of an execution's id: the step run's id, and its number behind it."""
    found = as_uuid(str(execution).partition("_")[0])
    if found is None:
        raise ValueError(execution)
    return found


_COLUMNS = Columns(
    QUEUE_ITEMS,
    {
        "id": As("number", sort="id"),
        "status": As("standing", read=standing_of),
        "computedStatus": As("standing", read=standing_of),
        "queueId": As("queue_number", sort=""),
        "startTime": "begun_at",
        "endTime": "ended_at",
        "deferredUntil": "deferred_until",
        "totalPausedTime": As("paused_seconds", sort=""),
        "hashCode": As("hash", sort=""),
        "createdOn": "created_at",
        "updatedOn": "updated_at",
        "createdBy": nothing_is_zero("created_by"),
        "updatedBy": nothing_is_zero("updated_by"),
        "retryCount": "retries",
        "version": "version",
        "result": "result",
        "comment": "comment",
        "error": "error",
        "deviceId": nothing_is_zero("worker_number"),
        "deviceUserId": nothing_is_zero("run_as_number"),
        "automationId": nothing_is_zero("consumer_number"),
        "jobExecutionId": As("step_run_id", read=_step_run),
        **{f"col{column}": f"col{column}" for column in range(1, MOST_SHOWN + 1)},
    },
    most=_MOST,
    order=OLDEST_FIRST,
)


class AddItems(Shape, frozen=True):
    """Work items, each as `{json: {column: value}}`, or as the columns alone."""

    work_items: list[Raw]


class ItemV3(Shape, frozen=True, kw_only=True):
    """A work item."""

    id: int
    queue_id: int
    automation_id: int
    device_id: int
    device_user_id: int
    status: str
    start_time: str | None
    end_time: str | None
    col1: str
    col2: str
    col3: str
    json: Raw
    result: str
    comment: str
    error: str
    total_paused_time: int
    deferred_until: str | None
    job_execution_id: str
    retry_count: int
    hash_code: int
    version: int
    created_by: int
    created_on: str
    updated_by: int
    updated_on: str


class ItemV4(Shape, frozen=True, kw_only=True):
    """A work item."""

    id: str
    queue_id: str
    automation_id: str
    device_id: str
    device_user_id: str
    status: str
    start_time: str | None
    end_time: str | None
    col1: str
    col2: str
    col3: str
    col4: str
    col5: str
    col6: str
    col7: str
    col8: str
    col9: str
    col10: str
    json: Raw
    result: str
    comment: str
    error: str
    total_paused_time: str
    last_paused_time: str | None
    deferred_until: str | None
    job_execution_id: str
    retry_count: str
    hash_code: str
    version: str
    created_by: str
    created_on: str
    updated_by: str
    updated_on: str
    tenant_uuid: str


class Items(Struct, frozen=True):
    """Work items."""

    list: list[ItemV3]


class UpdateItem(Shape, frozen=True, kw_only=True):
    """What to change of a work item; with `version`, only if nobody has changed it since."""

    version: int | UnsetType = UNSET
    status: str = ""
    result: str | UnsetType = UNSET
    comment: str | UnsetType = UNSET
    json: Raw = LEFT_OUT


class UpdateStatus(Shape, frozen=True, kw_only=True):
    """Work items, and the status that they shall have; `deferredUntil` lets them wait."""

    status: str
    ids: tuple[int, ...] = ()
    deferred_type: str = ""
    deferred_until: datetime | None = None


class Named(Shape, frozen=True):
    """Work items by their ids."""

    workitem_ids: tuple[int, ...] = ()


# ---------------------------------------------------------------------------------------------------- routes
@post("/v3/wlm/queues/{queue:str}/workitems", pair=_ADD, number_codes=True)
async def add_items(request: Asking, queue: Id, data: Body[AddItems]) -> Items:
    """Put work items into a queue, all of them or none."""
    payloads = [payload_of(each) for each in data.work_items]

    async def put_in(reached: Reached) -> list[QueueItem]:
        places = feeding.places_of(reached.actor, reached.scope)
        made = await feeding.put_all(request.engine, reached.actor, places, reached.queue, payloads)
        return await items.get_all(request.db, places, reached.queue, made)

    return Items([show(each) for each in await at(request, queue, Right.ADD, put_in)])


@post("/v3/wlm/queues/{queue:str}/workitems/list", number_codes=True)
async def list_items(request: Asking, queue: Id, data: Sought = None) -> Listed[ItemV3]:
    """List the work items of a queue, oldest first; at most 1,000 at once, without `json`."""
    reached = await reach(request, queue, Right.SEE)
    only = equal(queue_id=reached.queue)
    return await listed(request, data, _COLUMNS, QueueItem, show, within=within(reached.scope), only=only)


@get("/v3/wlm/queues/{queue:str}/workitems/{item:str}", number_codes=True)
async def get_item(request: Asking, queue: Id, item: Id) -> ItemV3:
    """Get a work item, with its `json`."""

    async def read(reached: Reached) -> QueueItem:
        [found] = await items.named(request.db, reached.scope, reached.queue, [numbered(item)])
        return await items.get(request.db, reached.scope, reached.queue, found)

    return show(await at(request, queue, Right.SEE, read))


@put(
    "/v3/wlm/queues/{queue:str}/workitems/{item:str}",
    pair=_CHANGE,
    number_codes=True,
    deprecated=Superseded("/v4/wlm/queues/{id}/workitems/{workItemId}"),
)
async def update_item(request: Asking, queue: Id, item: Id, data: Body[UpdateItem]) -> ItemV3:
    """Change status, result, comment or `json` of a work item."""
    return show(await _update(request, queue, item, data))


@put("/v4/wlm/queues/{queue:str}/workitems/{item:str}", pair=_CHANGE, number_codes=True)
async def update_item_v4(request: Asking, queue: Id, item: Id, data: Body[UpdateItem]) -> ItemV4:
    """Change status, result, comment or `json` of a work item."""
    return show_v4(await _update(request, queue, item, data), str(request.actor.organization_id))


@delete("/v3/wlm/queues/{queue:str}/workitems/{item:str}", pair=_CHANGE, number_codes=True)
async def delete_item(request: Asking, queue: Id, item: Id) -> None:
    """Delete a work item that nobody works on."""
    await _delete(request, queue, [numbered(item)])


@post("/v3/wlm/queues/{queue:str}/workitems/delete", pair=_CHANGE, number_codes=True)
async def delete_items(request: Asking, queue: Id, data: Body[Named]) -> Named:
    """Delete work items that nobody works on: all of them or none."""
    await _delete(request, queue, [str(each) for each in data.workitem_ids])
    return data


@post("/v3/wlm/queues/{queue:str}/workitems/updateStatus", pair=_CHANGE, number_codes=True)
async def update_status(request: Asking, queue: Id, data: Body[UpdateStatus]) -> Items:
    """Hold, let go or complete many work items: all of them or, if one is not fit for it, none."""
    standing = _standing(data.status)
    if data.deferred_until is not None and standing is ItemStanding.HELD:
        standing = ItemStanding.READY  # what waits for a time is not held by anybody

    async def change(reached: Reached) -> list[QueueItem]:
        named = await items.named(request.db, reached.scope, reached.queue, [str(each) for each in data.ids])
        await items.change_all(request.engine, reached, named, standing, due=data.deferred_until)
        return await items.get_all(request.db, reached.scope, reached.queue, named)

    return Items([show(each) for each in await at(request, queue, Right.MANAGE, change)])


# ---------------------------------------------------------------------------------------------------- verbs
async def _update(request: Asking, queue: str, item: str, data: UpdateItem) -> QueueItem:
    change = ItemChange(
        standing=_standing(data.status) if data.status else UNSET,
        payload=_changed(data.json),
        result=data.result,
        comment=data.comment,
        version=data.version,
    )

    async def update(reached: Reached) -> QueueItem:
        [found] = await items.named(request.db, reached.scope, reached.queue, [numbered(item)])
        return await items.change(request.engine, reached, found, change)

    return await at(request, queue, Right.MANAGE, update)


async def _delete(request: Asking, queue: str, texts: list[str]) -> None:
    async def delete_them(reached: Reached) -> None:
        named = await items.named(request.db, reached.scope, reached.queue, texts)
        await items.delete_all(request.engine, reached, named)

    await at(request, queue, Right.MANAGE, delete_them)


def _standing(status: str) -> ItemStanding:
    try:
        return ItemStanding(standing_of(status))
    except ValueError as unknown:
        raise Invalid(f"there is no status {status[:100]!r}", code="INVALID_BODY") from unknown


# ---------------------------------------------------------------------------------------------------- payloads
def payload_of(item: Raw) -> dict[str, Raw]:
    """The columns of an item, wrapped in `json` or bare."""
    columns = _object(item)
    wrapped = {name.casefold(): value for name, value in columns.items()}.get("json")
    if wrapped is None:
        return columns
    kind = bytes(wrapped).lstrip()[:1]
    if kind == b"[":
        raise AttributeMissing("of each name")
    return columns if kind == b'"' else _object(wrapped)


def _object(found: Raw) -> dict[str, Raw]:
    try:
        return msgspec.json.decode(found, type=dict[str, Raw])
    except msgspec.ValidationError as wrong:
        raise Invalid("a work item is an object of columns", code="INVALID_BODY") from wrong


def _changed(payload: Raw) -> dict[str, Raw] | UnsetType:
    """The columns that a change brings; lists tell an empty object, which comes back and changes nothing."""
    if bytes(payload).strip() in {b"null", b"", b'""'}:
        return UNSET
    if bytes(payload).lstrip()[:1] == b"[":
        raise AttributeMissing("of each name")
    return _object(payload) or UNSET


# ---------------------------------------------------------------------------------------------------- showing
_EMPTY: Final = Raw(b"{}")


def show(item: QueueItem) -> ItemV3:
    """A work item in numbers."""
    return ItemV3(
        id=item.number,
        queue_id=item.queue_number,
        automation_id=item.consumer_number or 0,
        device_id=item.worker_number or 0,
        device_user_id=item.run_as_number or 0,
        status=STATUSES[item.standing],
        start_time=moment_or_none(item.begun_at),
        end_time=moment_or_none(item.ended_at),
        col1=item.col1 or "",
        col2=item.col2 or "",
        col3=item.col3 or "",
        json=_EMPTY if item.payload is None else item.payload,
        result=item.result,
        comment=item.comment,
        error=_error(item),
        total_paused_time=round(item.paused_seconds),
        deferred_until=moment_or_none(item.deferred_until),
        job_execution_id=_execution(item),
        retry_count=item.retries,
        hash_code=item.hash,
        version=item.version,
        created_by=item.created_by_number or 0,
        created_on=moment(item.created_at),
        updated_by=item.updated_by_number or 0,
        updated_on=moment(item.updated_at),
    )


def show_v4(item: QueueItem, tenant: str) -> ItemV4:
    """A work item in texts."""
    return ItemV4(
        id=str(item.number),
        queue_id=str(item.queue_number),
        automation_id=shown(item.consumer_number or 0),
        device_id=shown(item.worker_number or 0),
        device_user_id=shown(item.run_as_number or 0),
        status=STATUSES[item.standing],
        start_time=moment_or_none(item.begun_at),
        end_time=moment_or_none(item.ended_at),
        **{f"col{column}": getattr(item, f"col{column}") or "" for column in range(1, MOST_SHOWN + 1)},
        json=_EMPTY if item.payload is None else item.payload,
        result=item.result,
        comment=item.comment,
        error=_error(item),
        total_paused_time=str(round(item.paused_seconds)),
        last_paused_time=moment_or_none(item.paused_at),
        deferred_until=moment_or_none(item.deferred_until),
        job_execution_id=_execution(item),
        retry_count=str(item.retries),
        hash_code=str(item.hash),
        version=str(item.version),
        created_by=shown(item.created_by_number or 0),
        created_on=moment(item.created_at),
        updated_by=shown(item.updated_by_number or 0),
        updated_on=moment(item.updated_at),
        tenant_uuid=tenant,
    )


def _error(item: QueueItem) -> str:
    return item.fault or item.exception_message


def _execution(item: QueueItem) -> str:
    """The id of the execution that has, or had, the item (DESIGN §14)."""
    if item.step_run_id is None or item.step_run_number is None:
        return ""
    return f"{item.step_run_id}_{item.step_run_number:016x}"
