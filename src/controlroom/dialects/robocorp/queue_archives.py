"""Archives of queues: queues leave a workspace as a file, and come from one (our own management API)."""

from datetime import datetime
from typing import Literal

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.border.links import download_url
from controlroom.dialects.robocorp.answers import Download, OwnBody, Reference, Shape, UploadForm, shown_with
from controlroom.dialects.robocorp.routing import Page, Pages, get, post
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.queues import archives
from controlroom.engine.queues.jobs import JobKind, JobState, QueueJob
from controlroom.ids import QueueJobId


class QueueArchiveAnswer(Shape, frozen=True, kw_only=True):
    """An export or import of queues."""

    id: QueueJobId
    kind: JobKind
    state: JobState
    """An import waits until its archive has come."""
    name: str
    size: int | None
    """Of the archive, in bytes."""
    made: int
    """Queues that an import has made."""
    passed_over: int
    """Queues of an import whose names were there."""
    error: str
    """Why it has failed."""
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    """The archive is kept for seven days from then on."""
    download: Download | None
    """Of an export that is completed; the link is good for an hour."""


class PromisedQueueImport(QueueArchiveAnswer, frozen=True, kw_only=True):
    """An import that waits for its archive."""

    upload: UploadForm


class ExportQueues(OwnBody, frozen=True, kw_only=True):
    """Queues of the workspace that go into an archive; with a password it is encrypted by that."""

    queues: tuple[Reference, ...]
    name: str = "queues"
    items: bool = False
    """With what waits in them."""
    password: str = ""


class ImportQueues(OwnBody, frozen=True, kw_only=True):
    """An archive that is about to be uploaded: the answer says where."""

    name: str = "queues.zip"
    existing: Literal["skip", "copy"] = "skip"
    """What becomes of a queue whose name is there: it is passed over, or made beside it under another name."""
    password: str = ""


@get("/queue-archives", needs=Permission.READ_WORK_ITEMS)
async def list_queue_archives(request: Asking, paging: Pages) -> Page[QueueArchiveAnswer]:
    """List exports and imports of queues, oldest first: your own, or all for who governs the workspace's queues."""
    rows = await archives.list_archives(*request.reading, request.actor, **paging.after(QueueJobId))
    return paging.page(rows, lambda each: _show(request, each))


@get("/queue-archives/{archive_id:uuid}", needs=Permission.READ_WORK_ITEMS)
async def get_queue_archive(request: Asking, archive_id: Path[QueueJobId]) -> QueueArchiveAnswer:
    """Get an export or import of queues: how far it is, and where its archive is fetched."""
    return _show(request, await archives.get_archive(*request.reading, request.actor, archive_id))


@post("/queue-archives/export")
async def export_queues(request: Asking, data: Body[ExportQueues]) -> QueueArchiveAnswer:
    """Have queues written into an archive; it is made in a moment."""
    named = list(dict.fromkeys(str(each.id) for each in data.queues))
    made = await archives.export_of_workspace(
        *request.acting, data.name, named, with_items=data.items, password=data.password
    )
    return _show(request, made)


@post("/queue-archives/import")
async def import_queues(request: Asking, data: Body[ImportQueues]) -> PromisedQueueImport:
    """Have queues made of an archive; they are as soon as it has been uploaded."""
    job, promised = await archives.promise_import(
        *request.acting, data.name, copies=data.existing == "copy", password=data.password
    )
    return _show(request, job).widened(PromisedQueueImport, upload=UploadForm.of(request, promised))


def _show(request: Asking, job: QueueJob) -> QueueArchiveAnswer:
    return _shown(job, download=_download(request, job))


def _download(request: Asking, job: QueueJob) -> Download | None:
    if not archives.has_archive(job):
        return None
    return Download(download_url(request, DownloadKind.QUEUE_ARCHIVE, job.id, file_name=job.name))


_shown = shown_with(("download",), QueueArchiveAnswer, QueueJob, made="rows_put", passed_over="rows_refused")
