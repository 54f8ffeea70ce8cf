"""Tables of a queue: the rows of a CSV file become items of it, and items become a CSV file; a loop does it."""

from typing import Final

from litestar.params import FromPath
from litestar.response import Stream

from controlroom.border.forms import form_of
from controlroom.engine.queues import jobs, rights, store
from controlroom.engine.queues.jobs import KEPT, JobKind, JobState, QueueJob
from controlroom.engine.queues.rights import Reached, Right, governed
from controlroom.engine.queues.store import QUEUE
from controlroom.engine.references import resolve
from controlroom.errors import NotFound
from controlroom.ids import QueueId, QueueJobId
from controlroom.ui.asking import Asking, Path, Permission, Shown
from controlroom.ui.queues.pages_queue import crumbs_of, queue_of
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import page, verb
from controlroom.ui.stored import stored

_READS: Final = Permission.READ_WORK_ITEMS
_LATEST: Final = 30
KINDS: Final = {JobKind.LOAD: "put in", JobKind.ITEM_EXPORT: "taken out"}


@page("/queues/{number:str}/tables", needs=_READS)
async def show_tables(request: Asking, number: Path[str]) -> Shown:
    """What was put in and taken out lately, and how far it is."""
    return await _show(request, await resolve(*request.reading, QUEUE, number))


@verb("/queues/{number:str}/tables/load", request_max_body_size=None, may=Permission.WRITE_WORK_ITEMS)
async def load(request: Asking, number: Path[str]) -> Shown:
    """Put the rows of a table in: it is streamed, kept, and read in a moment."""
    request.scope_for(Permission.WRITE_WORK_ITEMS)  # before a file is taken from who may not
    found = await queue_of(request, number)
    form = form_of(request.headers.get("content-type") or "", request.stream(), file="table")
    blob = await request.engine.objects.put(form.content(), max_size=request.engine.limits.file_bytes)
    name = form.file_name.replace("\\", "/").rpartition("/")[2]
    if not name:
        return await _show(request, found, refused="Choose a file")

    async def begin(reached: Reached) -> QueueJob:
        return await jobs.load(request.engine, reached, name, blob)

    _, refused = await tried(rights.at(request.db, request.actor, str(found), Right.ADD, begin))
    if refused:
        return await _show(request, found, refused=refused)
    return request.done(f"{request.base}/queues/{number}/tables", f"The rows of {name} are put in.")


@verb("/queues/{number:str}/tables/export", may=Permission.WRITE_WORK_ITEMS)
async def export(request: Asking, number: Path[str]) -> Shown:
    """Have all items of the queue written into a table: work and a file of the room, so not for who only reads."""
    found = await queue_of(request, number)

    async def begin(reached: Reached) -> QueueJob:
        return await jobs.export_items(request.engine, reached, (), words={})

    await rights.at(request.db, request.actor, str(found), Right.ADD, begin)
    return request.done(f"{request.base}/queues/{number}/tables", "The table is being made.")


@page("/queues/{number:str}/tables/{job:uuid}", needs=_READS)
async def fetch(request: Asking, number: Path[str], job: FromPath[QueueJobId]) -> Stream:
    """The table of an export, for who asked for it, and who governs queues."""
    found = await resolve(*request.reading, QUEUE, number)
    made = await jobs.get(request.db, request.actor, job)
    if made.queue_id != found or made.hash is None or made.size is None or not has_table(made):
        raise NotFound("There is nothing to be downloaded.", code="NO_TABLE")
    return stored(request, made.hash, size=made.size, name=made.name, media_type="text/csv")


def has_table(job: QueueJob) -> bool:
    """Whether there is something to download."""
    return job.kind is JobKind.ITEM_EXPORT and job.state is JobState.COMPLETED and job.hash is not None


async def _show(request: Asking, found: QueueId, *, refused: str = "") -> Shown:
    seen = request.scope_for(_READS)
    queue = await store.get(request.db, seen, found)
    latest = await jobs.latest_of_queue(request.db, seen, found, limit=_LATEST)
    governs = bool(governed(request.actor))
    return await request.show(
        "queues/tables.html",
        title=f"Tables of {queue.name}",
        at="workers",
        crumbs=crumbs_of(request, queue.name, queue.number, "Tables"),
        status=REFUSED if refused else 200,
        queue=queue,
        here=f"{request.base}/queues/{queue.number}/tables",
        latest=[(each, has_table(each) and (governs or each.created_by == request.actor.id)) for each in latest],
        is_at_work=any(each.ended_at is None for each in latest),
        most_latest=_LATEST,
        kinds=KINDS,
        kept=KEPT,
        most=request.engine.limits.file_bytes,
        may_put=queue.is_standing and request.actor.may(Permission.WRITE_WORK_ITEMS, request.workspace),
        refused=refused,
    )
