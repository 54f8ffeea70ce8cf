"""What takes its time with queues: a table that is put into one, an export, an import. A loop does it, row by row.

A job that was accepted is done, whichever server dies: a table goes on behind the last rows that were committed, an
export is made anew, and an import names what it has made already.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final

from msgspec import Struct

from controlroom.engine.access.model import Actor
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import EACH, Of, Room, Scope, ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.nouns import InOrganization, Missing, Noun
from controlroom.engine.queues import feeding
from controlroom.engine.queues.rights import Reached, governed, user_of
from controlroom.ids import OrganizationId, QueueId, QueueJobId, UserId, WorkspaceId, uuid7
from controlroom.objects.store import Blob
from controlroom.postgres.database import Statements

QUEUE_JOB: Final = Noun[QueueJobId](
    "queue job", partial(Missing, "queue job"), "queue_job", InOrganization("queue_job.organization_id")
)
KEPT: Final = timedelta(days=7)
"""How long the file of a job that has ended is kept."""


class JobKind(StrEnum):
    """What is done."""

    LOAD = "load"
    """The rows of a table become items."""
    ITEM_EXPORT = "item_export"
    """Items become a table."""
    QUEUE_EXPORT = "queue_export"
    QUEUE_IMPORT = "queue_import"


class JobState(StrEnum):
    """How far it is."""

    WAITING = "waiting"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


class ExportWish(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is exported."""

    queues: tuple[QueueId, ...] = ()
    items: tuple[int, ...] = ()
    """Numbers of items; of a queue export none."""
    words: dict[str, str] = {}
    """What whoever asked calls the standings of items."""
    with_items: bool = False
    copies: bool = False
    """Of an import: a queue whose name is there is made beside it; else it is passed over."""


class QueueJob(Struct, frozen=True, kw_only=True):
    """A job. `hash` names its file: the one that came, or that was made."""

    id: QueueJobId
    number: int
    organization_id: OrganizationId
    workspace_id: WorkspaceId | None
    queue_id: QueueId | None
    queue_number: int | None
    queue_name: str | None
    kind: JobKind
    state: JobState
    name: str
    request: ExportWish
    sealed: bytes | None
    hash: str | None
    size: int | None
    rows_read: int
    rows_put: int
    rows_refused: int
    error: str
    created_by: UserId | None
    created_by_number: int | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


JOB: Final = """
    select job.id, job.number, job.organization_id, job.workspace_id, job.queue_id, queue.number as queue_number,
           queue.name as queue_name, job.kind, job.state, job.name, job.request, job.sealed, job.hash, job.size,
           job.rows_read, job.rows_put, job.rows_refused, job.error, job.created_by,
           (select app_user.number from app_user where app_user.id = job.created_by) as created_by_number,
           job.created_at, job.started_at, job.ended_at
      from queue_job as job left join queue on queue.id = job.queue_id
"""


# ---------------------------------------------------------------------------------------------------- asking for them
async def load(engine: Engine, reached: Reached, name: str, table: Blob) -> QueueJob:
    """Have the rows of a table put into a queue. Raises QueueIsDraft, QueueNotFound."""
    job = QueueJobId(uuid7())
    async with scoped(engine.database, reached.scope) as tx:
        await feeding.hold(tx, reached.scope, reached.queue)
        await insert(
            tx, reached.actor, job, JobKind.LOAD, name=name, queue=reached.queue, place=reached.scope, blob=table
        )
        await record(engine, tx, reached.actor, reached.scope, "queue.file_uploaded", reached.queue, name=name)
        return await get(tx, reached.actor, job)


async def export_items(engine: Engine, reached: Reached, items: Sequence[int], *, words: Mapping[str, str]) -> QueueJob:
    """Have items of a queue written into a table: those of these numbers, or all. `words` are for how they stand."""
    job, wish = QueueJobId(uuid7()), ExportWish(items=tuple(items), words=dict(words))
    async with scoped(engine.database, reached.scope) as tx:
        await insert(tx, reached.actor, job, JobKind.ITEM_EXPORT, wish=wish, queue=reached.queue, place=reached.scope)
        await record(engine, tx, reached.actor, reached.scope, "queue.exported", reached.queue, items=len(items))
        return await get(tx, reached.actor, job)


async def insert(
    tx: ScopedTx,
    actor: Actor,
    job: QueueJobId,
    kind: JobKind,
    *,
    name: str = "",
    wish: ExportWish | None = None,
    queue: QueueId | None = None,
    place: Scope | None = None,
    blob: Blob | None = None,
    sealed: bytes | None = None,
) -> None:
    """Write down what is to be done; a loop takes it up."""
    await tx.execute(
        """
        insert into queue_job (id, organization_id, workspace_id, queue_id, kind, name, request, hash, size, sealed,
                               created_by)
        values (%(job)s, %(organization)s, %(workspace)s, %(queue)s, %(kind)s, %(name)s, %(request)s, %(hash)s,
                %(size)s, %(sealed)s, %(by)s)
        """,
        job=job,
        organization=actor.organization_id,
        workspace=None if place is None else place.workspace,
        queue=queue,
        kind=kind,
        name=name[:255],
        request=wish or ExportWish(),
        hash=None if blob is None else blob.hash,
        size=None if blob is None else blob.size,
        sealed=sealed,
        by=user_of(actor),
    )


# ---------------------------------------------------------------------------------------------------- reading
async def get(db: Statements | ScopedTx, actor: Actor, job: QueueJobId) -> QueueJob:
    """A job of the organization, for who asked for it, and for who governs queues somewhere. Raises NotFound."""
    return await _get(db, Of(actor.organization_id, ()), job, by=None if governed(actor) else user_of(actor))


async def _get(db: Statements, scope: Of, job: QueueJobId, *, by: UserId | None) -> QueueJob:
    found = await db.one_or_none(
        QueueJob,
        f"""{JOB} where job.id = %(job)s and job.organization_id = %(organization)s
             and (%(by)s::uuid is null or job.created_by = %(by)s)""",
        job=job,
        organization=scope.organization,
        by=by,
    )
    if found is None:
        raise QUEUE_JOB.missing(str(job))
    return found


async def list_of_queue(
    db: Statements, scope: Scope, queue: QueueId, *, after: QueueJobId | None = None, limit: int
) -> list[QueueJob]:
    """The jobs of a queue, in the order in which they were asked for."""
    return await db.all(
        QueueJob,
        f"""{JOB} where job.workspace_id in {EACH} and job.queue_id = %(queue)s
             and (%(after)s::uuid is null or job.id > %(after)s) order by job.id limit %(limit)s""",
        queue=queue,
        after=after,
        limit=limit,
        **scope.each,
    )


async def latest_of_queue(db: Statements, scope: Scope, queue: QueueId, *, limit: int) -> list[QueueJob]:
    """The last jobs of a queue, the newest first."""
    return await db.all(
        QueueJob,
        f"""{JOB} where job.workspace_id in {EACH} and job.queue_id = %(queue)s
             order by job.id desc limit %(limit)s""",
        queue=queue,
        limit=limit,
        **scope.each,
    )


# ---------------------------------------------------------------------------------------------------- doing
async def waiting(db: Statements, _room: Room, *, limit: int) -> list[QueueJob]:
    """Jobs that have not ended, the oldest first; without imports whose archives are still to come."""
    return await db.all(
        QueueJob,
        f"""{JOB} where job.state in ('waiting', 'in_progress') and (job.kind <> 'queue_import' or job.hash is not null)
             order by job.id limit %(limit)s""",
        limit=limit,
    )


async def take(tx: ScopedTx, job: QueueJob) -> bool:
    """Keep others from a job until the transaction ends; False if somebody has gone on with it or ended it meanwhile.

    Before the first row is written: two servers may each think that they lead, and what the second one read is old.
    """
    return bool(
        await tx.value(
            """
            select true from queue_job
             where id = %(job)s and state in ('waiting', 'in_progress') and rows_read = %(expected)s
               for no key update
            """,
            job=job.id,
            expected=job.rows_read,
        )
    )


async def advance(tx: ScopedTx, job: QueueJob, *, read: int, put: int, refused: int) -> None:
    """Write that rows of a job that the transaction has taken are done."""
    await tx.execute(
        """
        update queue_job
           set state = 'in_progress', started_at = coalesce(started_at, clock_now()), rows_read = rows_read + %(read)s,
               rows_put = rows_put + %(put)s, rows_refused = rows_refused + %(refused)s
         where id = %(job)s
        """,
        job=job.id,
        read=read,
        put=put,
        refused=refused,
    )


async def end(tx: ScopedTx, job: QueueJob, *, made: Blob | None = None, name: str = "", error: str = "") -> bool:
    """Write that a job has ended, with the file that it has made or why it failed; False if it had ended before."""
    return bool(
        await tx.execute(
            """
            update queue_job
               set state = case when %(error)s = '' then 'completed' else 'failed' end, ended_at = clock_now(),
                   started_at = coalesce(started_at, clock_now()), error = %(error)s, sealed = null,
                   hash = coalesce(%(hash)s, hash), size = coalesce(%(size)s::bigint, size),
                   name = case when %(name)s = '' then name else %(name)s end
             where id = %(job)s and state in ('waiting', 'in_progress')
            """,
            job=job.id,
            error=error[:1000],
            hash=None if made is None else made.hash,
            size=None if made is None else made.size,
            name=name[:255],
        )
    )


async def prune(db: Statements, _room: Room) -> int:
    """Let go the files of jobs that ended a while ago; the rows tell what was done."""
    return await db.execute(
        "update queue_job set hash = null where hash is not null and ended_at < clock_now() - %(kept)s::interval",
        kept=KEPT,
    )
