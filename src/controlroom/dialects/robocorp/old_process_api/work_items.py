"""Work items in the old Process API (§2.1)."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated

from litestar import get
from msgspec import Raw

from controlroom.border.asking import Asking, Body, Path, Permission, Query, QueryParameter
from controlroom.border.bodies import decode, payload_of
from controlroom.dialects.robocorp.answers import FileRequest, Form, OwnBody
from controlroom.dialects.robocorp.links import older_form
from controlroom.dialects.robocorp.old_process_api.lists import Data, asked_limit
from controlroom.dialects.robocorp.old_process_api.runs import run_of
from controlroom.dialects.robocorp.old_process_api.shapes import OldItem, show_item
from controlroom.dialects.robocorp.routing import post
from controlroom.engine.processes import store as processes
from controlroom.engine.runs.summaries import runs_of_items
from controlroom.engine.work_items import actions, store
from controlroom.engine.work_items.errors import WorkItemNotFound
from controlroom.engine.work_items.model import ItemFile, WorkItem
from controlroom.engine.work_items.operations import Operation
from controlroom.ids import ProcessId, RunId, WorkItemId
from controlroom.postgres.keyset import fitting, until_full

_ITEM = "/work-items/{item_id:uuid}"
WithData = Annotated[bool | None, QueryParameter(name="includeData")]


class WrappedPayload(OwnBody, frozen=True):
    """A payload in its envelope."""

    payload: Raw = Raw(b"null")


@get("/work-items", needs=Permission.READ_WORK_ITEMS)
async def list_items(
    request: Asking, process_id: Path[ProcessId], include_data: WithData = None, limit: Query[int | None] = None
) -> Data[OldItem]:
    """List the items of a process, newest first."""
    await processes.get(*request.reading, process_id)
    most = asked_limit(request.engine.limits, limit)
    rows = await store.list_items(*request.reading, process=process_id, limit=most)
    return Data(await _shown(request, process_id, rows, with_data=bool(include_data)))


@get("/runs/{run_id:uuid}/work-items", needs=Permission.READ_WORK_ITEMS)
async def list_items_of_run(
    request: Asking,
    process_id: Path[ProcessId],
    run_id: Path[RunId],
    include_data: WithData = None,
    limit: Query[int | None] = None,
) -> Data[OldItem]:
    """List the items of a run, newest first, which is the order that clients ask for."""
    await run_of(request, process_id, run_id)
    rows = await store.list_items(*request.reading, run=run_id, limit=asked_limit(request.engine.limits, limit))
    return Data(await _shown(request, process_id, rows, with_data=bool(include_data)))


@post("/work-items", needs=Permission.WRITE_WORK_ITEMS)
async def create_item(
    request: Asking,
    process_id: Path[ProcessId],
    body_as_payload: Annotated[bool | None, QueryParameter(name="bodyAsPayload")] = None,
) -> OldItem:
    """Put an item into the input queue; its payload is in an envelope, or the body itself if the query says so."""
    body = await request.body()
    payload = payload_of(body) if body_as_payload else decode(body or b"{}", WrappedPayload).payload
    return await _one(request, process_id, await actions.create(*request.acting, process_id, payload))


@get(_ITEM, needs=Permission.READ_WORK_ITEMS)
async def get_item(request: Asking, process_id: Path[ProcessId], item_id: Path[WorkItemId]) -> OldItem:
    """Get an item with its data, whatever `includeData` says: one item is no burden."""
    return await _one(request, process_id, await _found(request, process_id, item_id))


@post(f"{_ITEM}/retry", needs=Permission.WRITE_WORK_ITEMS)
async def retry_item(request: Asking, process_id: Path[ProcessId], item_id: Path[WorkItemId]) -> OldItem:
    """Let a failed item be worked on again, in the run that it belongs to."""
    await _found(request, process_id, item_id)
    await actions.change(*request.acting, Operation.RETRY, [item_id])
    return await _one(request, process_id, await _found(request, process_id, item_id))


@post(f"{_ITEM}/files/upload", needs=Permission.WRITE_WORK_ITEMS)
async def add_file(
    request: Asking, process_id: Path[ProcessId], item_id: Path[WorkItemId], data: Body[FileRequest]
) -> Form:
    """Promise a file: where to post it as a form."""
    await _found(request, process_id, item_id)
    return older_form(request, await actions.promise_file(*request.acting, item_id, data.file_name, data.file_size))


async def _found(request: Asking, process: ProcessId, item: WorkItemId) -> WorkItem:
    """An item of this very process; raises WorkItemNotFound."""
    found = await store.get(*request.reading, item)
    if found.process_id != process:
        raise WorkItemNotFound(item)
    return found


async def _one(request: Asking, process: ProcessId, item: WorkItem) -> OldItem:
    shown = await _shown(request, process, [item], with_data=True)
    if not shown:  # deleted meanwhile
        raise WorkItemNotFound(item.id)
    return shown[0]


async def _shown(request: Asking, process: ProcessId, items: Sequence[WorkItem], *, with_data: bool) -> list[OldItem]:
    ids = [item.id for item in items]
    belonging = await runs_of_items(*request.reading, process, ids)
    payloads: dict[WorkItemId, Raw | None] = {}
    files: dict[WorkItemId, list[ItemFile]] = defaultdict(list)
    if with_data and ids:
        payloads = await _payloads(request, ids)
        items = [item for item in items if item.id in payloads]
        for file in await store.list_files(*request.reading, [item.id for item in items]):
            files[file.work_item_id].append(file)
    return [
        show_item(item, of=belonging[item.id], payload=payloads.get(item.id), files=files[item.id])
        for item in items
        if item.id in belonging
    ]


async def _payloads(request: Asking, ids: Sequence[WorkItemId]) -> dict[WorkItemId, Raw | None]:
    """Payloads of the first of the items, as many as fit into one answer: this API has no pages."""

    async def fetch(last: tuple[WorkItemId, Raw | None] | None, wanted: int) -> list[tuple[WorkItemId, Raw | None]]:
        begin = 0 if last is None else ids.index(last[0]) + 1
        told = await store.payloads_of(*request.reading, ids[begin : begin + wanted])
        return [(item, told.get(item)) for item in ids[begin : begin + wanted]]

    def size(row: tuple[WorkItemId, Raw | None]) -> int:
        return 0 if row[1] is None else len(memoryview(row[1]))

    most = request.engine.limits.page_bytes
    found = await until_full(fetch, size, limit=len(ids), most=most)
    return dict(fitting(found, size, most=most))
