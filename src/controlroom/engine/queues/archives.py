"""Archives of queues: asked for, sent, and seen. A loop makes them, and queues of them (`carrying`).

An archive that is to come by a link is a job that waits for its file: what was wished for is written down before, and
the queues are made as soon as it has come. One that never comes is given up.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from controlroom.engine.access.model import Actor
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import EACH, SEEN, Of, Room, Scope, ScopedTx, by, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.queues import rights
from controlroom.engine.queues.jobs import JOB, QUEUE_JOB, ExportWish, JobKind, JobState, QueueJob, get, insert
from controlroom.engine.queues.rights import Reached, Right, governed, user_of
from controlroom.engine.uploads import actions as uploads
from controlroom.engine.uploads import store as upload_store
from controlroom.engine.uploads.model import Upload, UploadKind
from controlroom.errors import Forbidden, Invalid
from controlroom.ids import QueueJobId, UploadId, WorkspaceId, uuid7
from controlroom.objects.store import Blob
from controlroom.postgres.database import Statements

_LONGEST_PASSWORD: Final = 1024
_MOST_QUEUES: Final = 1000
_GRACE: Final = timedelta(hours=1)
"""How much longer than its link an archive is waited for; bytes that began to come in time are let in for less."""


# ---------------------------------------------------------------------------------------------------- asking for them
async def export_queues(
    engine: Engine, actor: Actor, name: str, queues: Sequence[Reached], *, with_items: bool, password: str
) -> QueueJob:
    """Have queues written into an archive, encrypted where there is a password.

    It is the job of their workspace, if they lie in one.
    """
    if not 1 <= len(queues) <= _MOST_QUEUES:
        raise Invalid(f"1 to {_MOST_QUEUES:,} queues at once", code="QUEUE_INVALID")
    job = QueueJobId(uuid7())
    wish = ExportWish(queues=tuple(each.queue for each in queues), with_items=with_items)
    place = queues[0].scope if len({each.workspace for each in queues}) == 1 else None
    async with scoped(engine.database, actor.organization_id) as tx:
        sealed = _sealed(engine, job, password)
        await insert(tx, actor, job, JobKind.QUEUE_EXPORT, name=name, wish=wish, place=place, sealed=sealed)
        for each in queues:
            await record(engine, tx, actor, each.scope, "queue.exported", each.queue)
        return await get(tx, actor, job)


async def export_of_workspace(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    name: str,
    queues: Sequence[str],
    *,
    with_items: bool,
    password: str,
) -> QueueJob:
    """Likewise, queues of one workspace, by texts that name them. Raises as `rights.reach`; Invalid for another's."""
    reached = await rights.reach_all(engine.database, actor, queues, Right.MANAGE)
    if any(each.workspace != workspace for each in reached):
        raise Invalid("one of the queues is of another workspace", code="QUEUE_INVALID")
    return await export_queues(engine, actor, name, reached, with_items=with_items, password=password)


async def import_queues(
    engine: Engine,
    actor: Actor,
    name: str,
    archive: Blob,
    *,
    copies: bool,
    password: str,
    into: WorkspaceId | None = None,
) -> QueueJob:
    """Have queues made of an archive, in a workspace whose queues the actor governs: the first, if none is named.

    Raises Forbidden.
    """
    place = _place(actor, into)
    async with scoped(engine.database, place) as tx:
        job = await _put_import(engine, tx, actor, place, name, copies=copies, password=password, archive=archive)
        await record(engine, tx, actor, place, "queue.imported", job, name=name)
        return await get(tx, actor, job)


async def promise_import(
    engine: Engine, actor: Actor, workspace: WorkspaceId, name: str, *, copies: bool, password: str
) -> tuple[QueueJob, Upload]:
    """Likewise, of an archive that is to come by the link of an upload. Raises as `rights.governing`."""
    place = rights.governing(actor, workspace)
    async with scoped(engine.database, place) as tx:
        job = await _put_import(engine, tx, actor, place, name, copies=copies, password=password)
        promised = await upload_store.promise(
            tx, place, kind=UploadKind.QUEUE_ARCHIVE, target=job, name=name, promised_by=by(actor)
        )
        await record(engine, tx, actor, place, "queue.imported", job, name=name)
        return await get(tx, actor, job), promised


async def _put_import(
    engine: Engine,
    tx: ScopedTx,
    actor: Actor,
    place: Scope,
    name: str,
    *,
    copies: bool,
    password: str,
    archive: Blob | None = None,
) -> QueueJobId:
    """Write down an import; without its archive it waits for that."""
    job, wish = QueueJobId(uuid7()), ExportWish(copies=copies)
    sealed = _sealed(engine, job, password)
    await insert(tx, actor, job, JobKind.QUEUE_IMPORT, name=name, wish=wish, place=place, blob=archive, sealed=sealed)
    return job


async def complete_upload(engine: Engine, scope: Of, upload: UploadId, blob: Blob) -> None:
    """The archive that was promised has come: its queues are made in a moment. May be repeated with the same bytes.

    Raises UploadEnded; NotFound for an import that was given up meanwhile.
    """
    async with scoped(engine.database, scope) as tx:
        claimed = await uploads.claim(tx, scope, upload, UploadKind.QUEUE_ARCHIVE, blob)
        if claimed is None:
            return
        waits = await tx.execute(
            f"""
            update queue_job set hash = %(hash)s, size = %(size)s
             where id = %(job)s and workspace_id = {SEEN} and state = 'waiting' and hash is null
            """,
            job=claimed.target_id,
            hash=blob.hash,
            size=blob.size,
            **scope.params,
        )
        if not waits:
            raise QUEUE_JOB.missing(str(claimed.target_id))


async def give_up(db: Statements, _room: Room, *, link_life: timedelta) -> int:
    """End the imports whose archives have not come while their links were good; how many."""
    return await db.execute(
        """
        update queue_job
           set state = 'failed', started_at = clock_now(), ended_at = clock_now(), sealed = null,
               error = 'no archive came before the link expired'
         where state = 'waiting' and kind = 'queue_import' and hash is null
           and created_at < clock_now() - %(life)s::interval
        """,
        life=link_life + _GRACE,
    )


def _place(actor: Actor, into: WorkspaceId | None) -> Of:
    places = tuple(each for each in governed(actor) if into in {None, each})
    if not places:
        raise Forbidden("this needs the right to make queues", code="PERMISSION_MISSING")
    return Of(actor.organization_id, places[:1])


def _sealed(engine: Engine, job: QueueJobId, password: str) -> bytes | None:
    if len(password) > _LONGEST_PASSWORD:
        raise Invalid(f"a password has at most {_LONGEST_PASSWORD:,} characters", code="PASSWORD_UNFIT")
    return engine.keys.seal(password.encode(), place=_sealed_at(job)) if password else None


def password_of(engine: Engine, job: QueueJob) -> str:
    """The password of a job's archive; empty for none."""
    return "" if job.sealed is None else engine.keys.unseal(job.sealed, place=_sealed_at(job.id)).decode()


def _sealed_at(job: QueueJobId) -> str:
    return f"queue_job/{job}/sealed"


# ---------------------------------------------------------------------------------------------------- seeing them
_OF_THE_ASKER: Final = "job.kind in ('queue_export', 'queue_import') and (%(governs)s or job.created_by = %(asker)s)"


def has_archive(job: QueueJob) -> bool:
    """Whether there is something to download."""
    return job.kind is JobKind.QUEUE_EXPORT and job.state is JobState.COMPLETED and job.hash is not None


async def get_archive(db: Statements, scope: Scope, actor: Actor, job: QueueJobId) -> QueueJob:
    """An export or import of a workspace, for who asked for it, and for who governs its queues. Raises NotFound."""
    found = await db.one_or_none(
        QueueJob,
        f"""{JOB} where job.id = %(job)s and job.workspace_id = {SEEN} and {_OF_THE_ASKER}""",
        job=job,
        **_asker(scope, actor),
        **scope.params,
    )
    if found is None:
        raise QUEUE_JOB.missing(str(job))
    return found


async def list_archives(
    db: Statements, scope: Scope, actor: Actor, *, after: QueueJobId | None = None, limit: int
) -> list[QueueJob]:
    """Likewise all of a workspace, in the order in which they were asked for."""
    return await db.all(
        QueueJob,
        f"""{JOB} where job.workspace_id in {EACH} and {_OF_THE_ASKER}
             and (%(after)s::uuid is null or job.id > %(after)s) order by job.id limit %(limit)s""",
        after=after,
        limit=limit,
        **_asker(scope, actor),
        **scope.each,
    )


async def latest_archives(db: Statements, scope: Scope, actor: Actor, *, limit: int) -> list[QueueJob]:
    """The last of them, the newest first."""
    return await db.all(
        QueueJob,
        f"""{JOB} where job.workspace_id in {EACH} and {_OF_THE_ASKER} order by job.id desc limit %(limit)s""",
        limit=limit,
        **_asker(scope, actor),
        **scope.each,
    )


def _asker(scope: Scope, actor: Actor) -> dict[str, object]:
    return {"governs": scope.workspace in governed(actor), "asker": user_of(actor)}
