"""One operation on all items that a filter finds: a job that tells how far it is, may be stopped, and ends in a report.

Each batch and how far the job is are one commit: whichever server dies, the job goes on behind its last batch, and an
item is touched once. What came after the job was asked for is not meant: ids tell it.
"""

from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import SEEN, Of, Room, Scope, ScopedTx, by, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By
from controlroom.engine.lists import kept
from controlroom.engine.lists.model import AllOf, Compare, Filter, Operator
from controlroom.engine.nouns import InWorkspace, Missing, Noun
from controlroom.engine.work_items import actions, bulk
from controlroom.engine.work_items.operations import Operation
from controlroom.errors import Conflict
from controlroom.ids import ItemJobId, OrganizationId, WorkItemId, WorkspaceId, uuid7
from controlroom.postgres.database import Statements

ITEM_JOB: Final = Noun[ItemJobId](
    "item job", partial(Missing, "item job"), "item_job", InWorkspace("item_job.workspace_id")
)
_LONGEST_SAID: Final = 1000


class JobState(StrEnum):
    """How far it is."""

    WAITING = "waiting"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


class ItemJob(Struct, frozen=True, kw_only=True):
    """A job: how many items the filter found when it was asked for, how many of those were fit, how many are done."""

    id: ItemJobId
    number: int
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    operation: Operation
    filter: list[Any]
    said: str
    state: JobState
    matched: int
    fit: int
    touched: int
    position: WorkItemId | None
    error: str
    asked_by: str
    asked_by_id: UUID | None
    created_at: datetime
    ended_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.ended_at is not None

    @property
    def left_out(self) -> int:
        """Of those that were fit when it was asked for, how many were not any more when their turn came."""
        return max(0, self.fit - self.touched) if self.is_over else 0


_JOB: Final = """
    select job.id, job.number, job.workspace_id, workspace.organization_id, job.operation, job.filter, job.said,
           job.state, job.matched, job.fit, job.touched, job.position, job.error, job.asked_by, job.asked_by_id,
           job.created_at, job.ended_at
      from item_job as job join workspace on workspace.id = job.workspace_id
"""


# ---------------------------------------------------------------------------------------------------- asking
async def ask(
    engine: Engine, actor: Actor, workspace: WorkspaceId, operation: Operation, which: Filter, *, said: str = ""
) -> ItemJob:
    """Have it done to all items that the filter finds now and that are fit; `said` is the filter in words.

    Raises Invalid for a filter without any condition, or one that the list cannot have.
    """
    scope = scope_of(actor, Permission.WRITE_WORK_ITEMS, workspace)
    bulk.refuse_everything(which)
    job = ItemJobId(uuid7())
    meant = AllOf((which, Compare("id", Operator.LE, job)))
    found = await bulk.preview(engine, actor, workspace, operation, meant)
    async with scoped(engine.database, scope) as tx:
        await _insert(tx, scope, job, operation, meant, found, by(actor), said[:_LONGEST_SAID])
        return await get(tx, scope, job)


async def _insert(
    tx: ScopedTx,
    scope: Scope,
    job: ItemJobId,
    operation: Operation,
    which: Filter,
    found: bulk.Preview,
    who: By,
    said: str,
) -> None:
    await tx.execute(
        """
        insert into item_job (id, workspace_id, operation, filter, said, matched, fit, asked_by, asked_by_id)
        values (%(job)s, %(workspace)s, %(operation)s, %(filter)s, %(said)s, %(matched)s, %(fit)s, %(kind)s, %(by)s)
        """,
        job=job,
        workspace=scope.workspace,
        operation=operation,
        filter=kept.plain(which),
        said=said,
        matched=found.matched,
        fit=found.touched,
        kind=who.kind,
        by=who.id,
    )


async def stop(engine: Engine, actor: Actor, workspace: WorkspaceId, job: ItemJobId) -> ItemJob:
    """Have a job end before its next batch. Raises NotFound, Conflict for one that is over."""
    scope = scope_of(actor, Permission.WRITE_WORK_ITEMS, workspace)
    async with scoped(engine.database, scope) as tx:
        await get(tx, scope, job)
        if not await _end(tx, job, JobState.STOPPED):
            raise Conflict("this job is over", code="ITEM_JOB_OVER")
        return await get(tx, scope, job)


# ---------------------------------------------------------------------------------------------------- reading
async def get(db: Statements, scope: Scope, job: ItemJobId) -> ItemJob:
    """A job of the workspace. Raises NotFound."""
    found = await db.one_or_none(
        ItemJob, f"{_JOB} where job.workspace_id = {SEEN} and job.id = %(job)s", job=job, **scope.params
    )
    if found is None:
        raise ITEM_JOB.missing(str(job))
    return found


async def list_jobs(db: Statements, scope: Scope, *, limit: int) -> list[ItemJob]:
    """The jobs of a workspace, newest first."""
    return await db.all(
        ItemJob,
        f"{_JOB} where job.workspace_id = {SEEN} order by job.id desc limit %(limit)s",
        limit=limit,
        **scope.params,
    )


# ---------------------------------------------------------------------------------------------------- doing
async def open_jobs(db: Statements, _room: Room, *, limit: int) -> list[ItemJob]:
    """Jobs that are not over, the oldest first; none of a workspace that is gone."""
    return await db.all(
        ItemJob,
        f"""{_JOB} where job.state in ('waiting', 'in_progress') and workspace.deleted_at is null
             order by job.id limit %(limit)s""",
        limit=limit,
    )


async def work(engine: Engine, _room: Room, job: ItemJob) -> ItemJob | None:
    """Do the next batch of a job; the job as it is then, None if somebody else has gone on with it or ended it."""
    scope = Of(job.organization_id, (job.workspace_id,))
    which = kept.read(job.filter)
    async with scoped(engine.database, scope) as tx:
        if not await _take(tx, job):
            return None
        found = await bulk.lock_next(tx, scope, job.operation, which, after=job.position, length=bulk.BATCH)
        if found:
            who = By(job.asked_by, job.asked_by_id)
            await actions.change_for(tx, engine, who, scope, job.operation, found)
            await _advance(tx, job, touched=len(found), position=found[-1].id)
        if len(found) < bulk.BATCH:
            await _end(tx, job.id, JobState.COMPLETED)
        return await get(tx, scope, job.id)


async def fail(engine: Engine, _room: Room, job: ItemJob, why: str) -> None:
    """End a job that cannot go on."""
    async with scoped(engine.database, Of(job.organization_id, (job.workspace_id,))) as tx:
        await _end(tx, job.id, JobState.FAILED, why)


async def prune(db: Statements, _room: Room) -> int:
    """Forget jobs that ended a month ago; how many."""
    return await db.execute("delete from item_job where ended_at < clock_now() - interval '30 days'")


async def _take(tx: ScopedTx, job: ItemJob) -> bool:
    """Keep others from a job until the transaction ends; False if it is not as it was read."""
    return bool(
        await tx.value(
            """
            select true from item_job
             where id = %(job)s and state in ('waiting', 'in_progress') and position is not distinct from %(position)s
               for no key update
            """,
            job=job.id,
            position=job.position,
        )
    )


async def _advance(tx: ScopedTx, job: ItemJob, *, touched: int, position: WorkItemId) -> None:
    await tx.execute(
        """
        update item_job set state = 'in_progress', touched = touched + %(touched)s, position = %(position)s
         where id = %(job)s
        """,
        job=job.id,
        touched=touched,
        position=position,
    )


async def _end(tx: ScopedTx, job: ItemJobId, state: JobState, error: str = "") -> bool:
    return bool(
        await tx.execute(
            """
            update item_job set state = %(state)s, ended_at = clock_now(), error = %(error)s
             where id = %(job)s and state in ('waiting', 'in_progress')
            """,
            job=job,
            state=state,
            error=error[:1000],
        )
    )
