"""Work items in the old Process API (§2.1)."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated

from litestar import get
from msgspec import Raw

from controlroom.border.asking import Body, Permission, Query, QueryParameter
from controlroom.border.bodies import decode, payload_of
from controlroom.dialects.robocorp.answers import FileRequest, Form, OwnBody
from controlroom.dialects.robocorp.old_process_api.asking import Asking
from controlroom.dialects.robocorp.old_process_api.shapes import Data, OldItem, show_item
from controlroom.dialects.robocorp.routing import post
from controlroom.engine.processes import store as processes
from controlroom.engine.runs.summaries import runs_of_items
from controlroom.engine.work_items import actions, model, store
from controlroom.engine.work_items.errors import WorkItemNotFound
from controlroom.engine.work_items.operations import Operation
from controlroom.ids import WorkItemId

_ITEM = "/work-items/{item_id:uuid}"
WithData = Annotated[bool | None, QueryParameter(name="includeData")]


class WrappedPayload(OwnBody, frozen=True):
    """A payload in its envelope."""

    payload: Raw = Raw(b"null")


@get("/work-items", needs=Permission.READ_WORK_ITEMS)
async def list_items(request: Asking, include_data: WithData = None, limit: Query[int | None] = None) -> Data[OldItem]:
    """List the items of a process, newest first."""
    await processes.get(*request.reading, request.process)
    rows = await store.list_items(*request.reading, process=request.process, limit=request.most(limit))
    return Data(await _shown(request, rows, with_data=bool(include_data)))


@get("/runs/{run_id:uuid}/work-items", needs=Permission.READ_WORK_ITEMS)
async def list_items_of_run(
    request: Asking, include_data: WithData = None, limit: Query[int | None] = None
) -> Data[OldItem]:
    """List the items of a run, newest first, which is the order that clients ask for."""
    run = await request.run()
    rows = await store.list_items(*request.reading, run=run.id, limit=request.most(limit))
    return Data(await _shown(request, rows, with_data=bool(include_data)))


@post("/work-items", needs=Permission.WRITE_WORK_ITEMS)
async def create_item(
    request: Asking, body_as_payload: Annotated[bool | None, QueryParameter(name="bodyAsPayload")] = None
) -> OldItem:
    """Put an item into the input queue; its payload is in an envelope, or the body itself if the query says so."""
    body = await request.body()
    payload = payload_of(body) if body_as_payload else decode(body or b"{}", WrappedPayload).payload
    return await _one(request, await actions.create(*request.acting, request.process, payload))


@get(_ITEM, needs=Permission.READ_WORK_ITEMS)
async def get_item(request: Asking) -> OldItem:
    """Get an item with its data, whatever `includeData` says: one item is no burden."""
    return await _one(request, await request.item())


@post(f"{_ITEM}/retry", needs=Permission.WRITE_WORK_ITEMS)
async def retry_item(request: Asking) -> OldItem:
    """Let a failed item be worked on again, in the run that it belongs to."""
    item = await request.item()
    await actions.change(*request.acting, Operation.RETRY, [item.id])
    return await _one(request, await request.item())


@post(f"{_ITEM}/files/upload", needs=Permission.WRITE_WORK_ITEMS)
async def add_file(request: Asking, data: Body[FileRequest]) -> Form:
    """Promise a file: where to post it as a form."""
    item = await request.item()
    return Form.of(request, await actions.promise_file(*request.acting, item.id, data.file_name, data.file_size))


async def _one(request: Asking, item: model.WorkItem) -> OldItem:
    shown = await _shown(request, [item], with_data=True)
    if not shown:  # deleted meanwhile
        raise WorkItemNotFound(item.id)
    return shown[0]


async def _shown(request: Asking, items: Sequence[model.WorkItem], *, with_data: bool) -> list[OldItem]:
    ids = [item.id for item in items]
    belonging = await runs_of_items(*request.reading, request.process, ids)
    payloads: dict[WorkItemId, Raw | None] = {}
    files: dict[WorkItemId, list[model.ItemFile]] = defaultdict(list)
    if with_data and ids:  # of the first, as many as fit into one answer: this API has no pages
        payloads = await store.payloads_of(*request.reading, ids, most_bytes=request.engine.limits.page_bytes)
        items = [item for item in items if item.id in payloads]
        for file in await store.list_files(*request.reading, [item.id for item in items]):
            files[file.work_item_id].append(file)
    return [
        show_item(item, of=belonging[item.id], payload=payloads.get(item.id), files=files[item.id])
        for item in items
        if item.id in belonging
    ]
