"""The statements over jobs as their authors want them."""

from collections.abc import Mapping
from typing import Any

from msgspec import Raw, Struct

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, within
from controlroom.engine.job_definitions.listings import JOBS
from controlroom.engine.job_definitions.model import ListedJob
from controlroom.engine.jobs.errors import JobNotFound
from controlroom.engine.jobs.model import JobKind, JobSettings
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import AllOf, Asked, Compare, Operator
from controlroom.ids import ChainId, ProcessId, RunId, ScheduleId, TargetId
from controlroom.postgres.database import Statements


async def get(db: Statements, scope: Scope, job: ProcessId, *, is_there: bool = True) -> ListedJob:
    """One job as lists show it; without `is_there` also one that was deleted. Raises JobNotFound."""
    wanted = [Compare("id", Operator.EQ, job)]
    if is_there:
        wanted.append(Compare("is_there", Operator.EQ, value=True))
    for found in await pages.rows(db, ListedJob, JOBS, within(scope), Asked(filter=AllOf(tuple(wanted)), length=1)):
        return found
    raise JobNotFound(job)


class Starters(Struct, frozen=True):
    """What starts a job by itself."""

    schedule_id: ScheduleId | None
    chain_id: ChainId | None


async def lock(tx: ScopedTx, scope: Scope, job: ProcessId) -> Starters:
    """What starts a job, which nobody else changes before the transaction ends. Raises JobNotFound."""
    found = await tx.one_or_none(
        Starters,
        f"""
        select job.schedule_id, job.chain_id from job join process on process.id = job.process_id
         where job.process_id = %(job)s and job.workspace_id = {SEEN} and process.deleted_at is null
           for update of job
        """,
        job=job,
        **scope.params,
    )
    if found is None:
        raise JobNotFound(job)
    return found


class Written(Struct, frozen=True, kw_only=True):
    """What is written of a job beside its process."""

    target: TargetId
    kind: JobKind
    description: str
    settings: JobSettings
    asides: Mapping[str, Raw]
    schedule: ScheduleId | None
    chain: ChainId | None

    @property
    def params(self) -> dict[str, Any]:
        """As the statements name it."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


async def insert(tx: ScopedTx, scope: Scope, job: ProcessId, written: Written, *, created_by: Any) -> None:
    """Make a process that the transaction has made a job."""
    await tx.execute(
        f"""
        insert into job (process_id, workspace_id, target_id, kind, description, settings, asides, schedule_id,
                         chain_id, created_by)
        select process.id, process.workspace_id, %(target)s, %(kind)s, %(description)s, %(settings)s, %(asides)s,
               %(schedule)s, %(chain)s, %(created_by)s
          from process where process.id = %(job)s and process.workspace_id = {SEEN}
        """,
        job=job,
        created_by=created_by,
        **written.params,
        **scope.params,
    )


async def update(tx: ScopedTx, job: ProcessId, written: Written) -> None:
    """Write what is to be otherwise of a locked job."""
    await tx.execute(
        """
        update job
           set target_id = %(target)s, kind = %(kind)s, description = %(description)s, settings = %(settings)s,
               asides = %(asides)s, schedule_id = %(schedule)s, chain_id = %(chain)s, updated_at = clock_now()
         where process_id = %(job)s
        """,
        job=job,
        **written.params,
    )


async def open_runs(tx: ScopedTx, scope: Scope, job: ProcessId) -> list[RunId]:
    """The runs of a locked job that are under way, oldest first. Reads the runs, which are another slice's."""
    return await tx.all(
        RunId,
        f"""
        select id from run
         where process_id = %(job)s and workspace_id = {SEEN} and state in ('new', 'in_progress', 'stopping')
         order by id
        """,
        job=job,
        **scope.params,
    )


async def touch(tx: ScopedTx, job: ProcessId) -> None:
    """Say that a locked job was changed now."""
    await tx.execute("update job set updated_at = clock_now() where process_id = %(job)s", job=job)
