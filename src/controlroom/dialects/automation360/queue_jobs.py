"""Files of WLM queues (§2.23, §2.27): a table that is put into one, and exports and imports, which take their time.

Each is answered as soon as it is written down; how far it is tells its status. `requestId` is the id of the job,
`downloadFileId` its number. The archive of queues is a zip, encrypted by AES where there is a password.
"""

from typing import Any, Final

from litestar.response import Stream
from msgspec import Struct

from controlroom.border.forms import form_of
from controlroom.border.lenient import read
from controlroom.dialects.automation360 import bodies
from controlroom.dialects.automation360.answers import Shape, moment, moment_or_none
from controlroom.dialects.automation360.asking import Asking, Body
from controlroom.dialects.automation360.ids import Id
from controlroom.dialects.automation360.item_words import WORD_OF
from controlroom.dialects.automation360.queues import MANAGE, at, reach, reach_all
from controlroom.dialects.automation360.routing import Pair, Superseded, get, post
from controlroom.engine.access.scope import Of
from controlroom.engine.queues import archives, jobs
from controlroom.engine.queues.jobs import QUEUE_JOB, JobKind, JobState, QueueJob
from controlroom.engine.queues.rights import Reached, Right
from controlroom.engine.references import resolve
from controlroom.errors import Invalid, NotFound

_ADD: Final = Pair("queue", "addworkitem")
_STATES: Final = {
    JobState.WAITING: "IN_PROGRESS",
    JobState.IN_PROGRESS: "IN_PROGRESS",
    JobState.COMPLETED: "COMPLETED",
    JobState.FAILED: "FAILED",
}
_ORDER_STATES: Final = {
    JobState.WAITING: "file_uploaded",
    JobState.IN_PROGRESS: "in_progress",
    JobState.COMPLETED: "completed",
    JobState.FAILED: "failed",
}
_TYPES: Final = {
    JobKind.LOAD: "WORKITEM_IMPORT",
    JobKind.ITEM_EXPORT: "WORKITEM_EXPORT",
    JobKind.QUEUE_EXPORT: "QUEUE_EXPORT",
    JobKind.QUEUE_IMPORT: "QUEUE_IMPORT",
}


class Uploaded(Shape, frozen=True):
    """The file is there, and is being put in."""

    result: str


class WorkOrder(Shape, frozen=True, kw_only=True):
    """A table that is being put into a queue."""

    id: str
    name: str
    type: str
    status: str
    queue_id: str
    queue_name: str
    file_path: str
    unique_id: str
    uploaded_file_name: str
    start_index: str
    connection_string: str
    execution_started_on: str | None
    total_records: str
    created_by: str
    created_on: str
    updated_by: str
    updated_on: str
    tenant_uuid: str


class Requested(Shape, frozen=True):
    """What was asked for is written down."""

    request_id: str


class ExportQueues(Shape, frozen=True, kw_only=True):
    """Queues that go into an archive; with a password it is encrypted by that."""

    export_name: str = "queues"
    include_work_items: bool = False
    queue_ids: tuple[int, ...] = ()
    encrypted_password: str = ""


class _Ids(Struct, frozen=True):
    ids: tuple[int, ...] = ()


class _Named(Struct, frozen=True):
    workitem_ids: _Ids = _Ids()
    ids: tuple[int, ...] = ()


class Status(Shape, frozen=True, kw_only=True):
    """How far it is."""

    request_id: str
    type: str
    status: str
    download_file_name: str
    download_file_id: str
    error_message: str


# ---------------------------------------------------------------------------------------------------- tables in
@post(
    "/v3/wlm/queues/{queue:str}/file",
    pair=_ADD,
    number_codes=True,
    deprecated=Superseded("/v4/wlm/queues/{id}/file"),
)
async def upload_items(request: Asking, queue: Id) -> Uploaded:
    """Put the rows of a CSV file into a queue; it is done behind the answer."""
    await _load(request, queue)
    return Uploaded("Success")


@post("/v4/wlm/queues/{queue:str}/file", pair=_ADD, number_codes=True)
async def upload_items_v4(request: Asking, queue: Id) -> WorkOrder:
    """Put the rows of a CSV file into a queue; it is done behind the answer."""
    return _order(await _load(request, queue))


async def _load(request: Asking, queue: str) -> QueueJob:
    await reach(request, queue, Right.ADD)  # before a file is taken from who may not
    form = form_of(request.headers.get("content-type") or "", request.stream(), file="upload")
    table = await request.engine.objects.put(form.content(), max_size=request.engine.limits.file_bytes)

    async def load(reached: Reached) -> QueueJob:
        return await jobs.load(request.engine, reached, form.file_name or "workitems.csv", table)

    return await at(request, queue, Right.ADD, load)


# ---------------------------------------------------------------------------------------------------- queues
@post("/v3/wlm/queues/export", status=202, pair=MANAGE, number_codes=True)
async def export_queues(request: Asking, data: Body[ExportQueues]) -> Requested:
    """Write queues into an archive, with the items that wait if that is asked for."""
    reached = await reach_all(request, data.queue_ids, Right.MANAGE)
    job = await archives.export_queues(
        request.engine,
        request.actor,
        data.export_name,
        reached,
        with_items=data.include_work_items,
        password=data.encrypted_password,
    )
    return Requested(str(job.id))


@post("/v3/wlm/queues/import", status=202, pair=Pair("queue", "create"), number_codes=True)
async def import_queues(request: Asking) -> Requested:
    """Make the queues of an archive, which is the part `upload` of a form with `actionIfExists`."""
    form = form_of(request.headers.get("content-type") or "", request.stream(), file="upload")
    archive = await request.engine.objects.put(form.content(), max_size=request.engine.limits.file_bytes)
    action = form.field("actionIfExists").strip().upper() or "SKIP"
    if action not in {"SKIP", "COPY"}:
        raise Invalid("actionIfExists is SKIP or COPY", code="INVALID_BODY")
    job = await archives.import_queues(
        request.engine,
        request.actor,
        form.file_name or "queues.zip",
        archive,
        copies=action == "COPY",
        password=form.field("encryptedPassword"),
    )
    return Requested(str(job.id))


@get("/v3/wlm/queues/export/download/status/{job:str}", number_codes=True)
async def get_queue_export(request: Asking, job: Id) -> Status:
    """Get how far an export or import of queues is."""
    return _status(await _found(request, job, JobKind.QUEUE_EXPORT, JobKind.QUEUE_IMPORT))


@get("/v3/wlm/queues/export/download/{file:str}", number_codes=True)
async def download_queues(request: Asking, file: Id) -> Stream:
    """Get the archive of an export, by its `downloadFileId`."""
    return await _given(request, await _found(request, file, JobKind.QUEUE_EXPORT), "application/zip")


# ---------------------------------------------------------------------------------------------------- items
@post("/v3/wlm/queues/{queue:str}/workitems/export", number_codes=True)
async def export_items(request: Asking, queue: Id) -> list[str]:
    """Write work items of a queue into a CSV file: those that are named, or all; its request id."""
    numbers = await _named(request)

    async def export(reached: Reached) -> QueueJob:
        return await jobs.export_items(request.engine, reached, numbers, words=WORD_OF)

    return [str((await at(request, queue, Right.SEE, export)).id)]


@get("/v3/wlm/queues/workitems/export/download/status/{job:str}", number_codes=True)
async def get_item_export(request: Asking, job: Id) -> Status:
    """Get how far an export of work items is."""
    return _status(await _found(request, job, JobKind.ITEM_EXPORT))


@get("/v3/wlm/queues/workitems/export/download/{file:str}", number_codes=True)
async def download_items(request: Asking, file: Id) -> Stream:
    """Get the CSV file of an export, by its `downloadFileId`."""
    return await _given(request, await _found(request, file, JobKind.ITEM_EXPORT), "text/csv")


async def _named(request: Asking) -> list[int]:
    """The ids of `{workitem_ids: {ids: […]}}`, as JSON or as the part of a form, as the document has it."""
    content_type = request.headers.get("content-type") or ""
    body = await request.body()
    if "multipart/form-data" in content_type:

        async def once() -> Any:
            yield body

        form = form_of(content_type, once(), file="workitem_ids")
        body = b"".join([piece async for piece in form.content()])
    if not body.strip():
        return []
    found: _Named = read(body, _Named)
    return list(found.workitem_ids.ids or found.ids)


async def _found(request: Asking, text: str, *kinds: JobKind) -> QueueJob:
    nowhere = Of(request.actor.organization_id, ())
    found = await jobs.get(request.db, request.actor, await resolve(request.db, nowhere, QUEUE_JOB, text.strip()))
    if found.kind not in kinds:
        raise NotFound(f"there is no request {text[:100]}", code="QUEUE_JOB_NOT_FOUND")
    return found


async def _given(request: Asking, job: QueueJob, media_type: str) -> Stream:
    if job.state is not JobState.COMPLETED or job.hash is None or job.size is None:
        raise NotFound("there is nothing to be downloaded", code="NO_ARCHIVE")
    return await bodies.given(request.engine, job.hash, size=job.size, name=job.name, media_type=media_type)


# ---------------------------------------------------------------------------------------------------- showing
def _status(job: QueueJob) -> Status:
    has_file = job.state is JobState.COMPLETED and job.hash is not None and job.kind is not JobKind.QUEUE_IMPORT
    return Status(
        request_id=str(job.id),
        type=_TYPES[job.kind],
        status=_STATES[job.state],
        download_file_name=job.name if has_file else "",
        download_file_id=str(job.number) if has_file else "",
        error_message=job.error,
    )


def _order(job: QueueJob) -> WorkOrder:
    changed = job.ended_at or job.started_at or job.created_at
    return WorkOrder(
        id=str(job.number),
        name=job.name,
        type="csv",
        status=_ORDER_STATES[job.state],
        queue_id=str(job.queue_number or 0),
        queue_name=job.queue_name or "",
        file_path="",
        unique_id=str(job.id),
        uploaded_file_name=job.name,
        start_index=str(job.rows_read),
        connection_string="",
        execution_started_on=moment_or_none(job.started_at),
        total_records=str(job.rows_put),
        created_by=str(job.created_by_number or 0),
        created_on=moment(job.created_at),
        updated_by=str(job.created_by_number or 0),
        updated_on=moment(changed),
        tenant_uuid=str(job.organization_id),
    )
