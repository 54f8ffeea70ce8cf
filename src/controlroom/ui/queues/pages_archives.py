"""Archives of queues: queues leave the workspace as a file, for another room or for safe keeping, and come from one."""

from typing import Final

from litestar.params import FromPath
from litestar.response import Stream

from controlroom.border.forms import form_of
from controlroom.engine.queues import archives, rights
from controlroom.engine.queues.archives import has_archive
from controlroom.engine.queues.jobs import KEPT, JobKind
from controlroom.errors import NotFound
from controlroom.ids import QueueJobId
from controlroom.ui.asking import Asking, Fields, Permission, Shown
from controlroom.ui.pickers.known import QUEUES
from controlroom.ui.pickers.picker import PickRefused
from controlroom.ui.queues.pages import GOVERNS
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.routing import page, verb
from controlroom.ui.stored import stored
from controlroom.ui.workers.pages import may_govern

_READS: Final = Permission.READ_WORK_ITEMS
_LATEST: Final = 30
_NAME: Final = "queues"
"""What an archive is called that was given no name."""
KINDS: Final = {JobKind.QUEUE_EXPORT: "export", JobKind.QUEUE_IMPORT: "import"}


@page("/queues/archives", needs=_READS)
async def show_archives(request: Asking) -> Shown:
    """What was exported and imported lately, and how far it is."""
    return await _show(request, Fields([("queue", each) for each in request.query_params.getall("queue", [])]))


@verb("/queues/archives/export", may=GOVERNS)
async def export(request: Asking) -> Shown:
    """Have queues written into an archive; it is made in a moment."""
    fields = await request.fields()
    try:
        chosen = await QUEUES.several(request, fields.texts("queue"), fields.raw("others"))
    except PickRefused as wrong:
        return await _show(request, fields, refused=said(wrong))
    if not chosen:
        return await _show(request, fields, refused="No queue is chosen")
    _, refused = await tried(
        archives.export_of_workspace(
            *request.acting,
            fields.text("name") or _NAME,
            chosen,
            with_items=fields.has("items"),
            password=fields.raw("password"),
        )
    )
    if refused:
        return await _show(request, fields, refused=refused)
    return request.done(f"{request.base}/queues/archives", "The archive is being made.")


@verb("/queues/archives/import", request_max_body_size=None, may=GOVERNS)
async def import_archive(request: Asking) -> Shown:
    """Have the queues of an archive made in this workspace: it is streamed, kept, and read in a moment."""
    rights.governing(request.actor, request.workspace)  # before a file is taken from who may not
    form = form_of(request.headers.get("content-type") or "", request.stream(), file="archive")
    blob = await request.engine.objects.put(form.content(), max_size=request.engine.limits.file_bytes)
    name = form.file_name.replace("\\", "/").rpartition("/")[2]
    if not name:
        return await _show(request, Fields([]), not_taken="Choose an archive")
    _, refused = await tried(
        archives.import_queues(
            request.engine,
            request.actor,
            name,
            blob,
            copies=form.field("existing") == "copy",
            password=form.field("password"),
            into=request.workspace,
        )
    )
    if refused:
        return await _show(request, Fields([]), not_taken=refused)
    return request.done(f"{request.base}/queues/archives", "The archive is being read.")


@page("/queues/archives/{job:uuid}", needs=_READS)
async def fetch(request: Asking, job: FromPath[QueueJobId]) -> Stream:
    """The archive of an export, for who asked for it, and who governs the queues of the workspace."""
    made = await archives.get_archive(request.db, request.scope_for(_READS), request.actor, job)
    if made.hash is None or made.size is None or not has_archive(made):
        raise NotFound("There is nothing to be downloaded.", code="NO_ARCHIVE")
    return stored(request, made.hash, size=made.size, name=made.name, media_type="application/zip")


async def _show(request: Asking, fields: Fields, *, refused: str = "", not_taken: str = "") -> Shown:
    governs = may_govern(request)
    latest = await archives.latest_archives(request.db, request.scope_for(_READS), request.actor, limit=_LATEST)
    return await request.show(
        "queues/archives.html",
        title="Archives of queues",
        at="workers",
        crumbs=request.way(("Workers and queues", "/workers"), ("Queues", "/queues"), "Archives"),
        status=REFUSED if refused or not_taken else 200,
        here=f"{request.base}/queues/archives",
        latest=[(each, has_archive(each)) for each in latest],
        is_at_work=any(each.ended_at is None for each in latest),
        most_latest=_LATEST,
        kinds=KINDS,
        kept=KEPT,
        most=request.engine.limits.file_bytes,
        queues=await QUEUES.offered(request) if governs else None,
        fields=fields,
        may_govern=governs,
        refused=refused,
        not_taken=not_taken,
    )
