"""The statements over what is known of runs because they are projects'."""

from collections.abc import Sequence
from typing import Final

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx
from controlroom.engine.jobs.model import Job
from controlroom.engine.locks.model import LockName
from controlroom.engine.runs.projects.model import ProjectRun, ProjectWork, PullRequest, Slots
from controlroom.ids import OrganizationId, ProcessId, RunId
from controlroom.postgres.database import Statements
from controlroom.robots.dbt_versions import ROOM

COLUMNS: Final = """project_run.run_id, project_run.run_number as number, project_run.workspace_id,
           project_run.process_id, project_run.target_id, project_run.kind, project_run.stage, project_run.work,
           project_run.tool_version, project_run.commit, project_run.branch, project_run.retry_of,
           project_run.defers_to, project_run.has_docs, project_run.has_sources, project_run.created_at,
           project_run.dequeued_at, project_run.began_at, project_run.ended_at"""


async def find(db: Statements, scope: Scope, run: RunId) -> ProjectRun | None:
    """What is known of a run because it is a project's; None if it is none's."""
    return await db.one_or_none(
        ProjectRun,
        f"select {COLUMNS} from project_run where workspace_id = {SEEN} and run_id = %(run)s",
        run=run,
        **scope.params,
    )


async def latest(db: Statements, scope: Scope, process: ProcessId) -> ProjectRun | None:
    """The last run of a job that was asked for, however far it is."""
    return await db.one_or_none(
        ProjectRun,
        f"""
        select {COLUMNS} from project_run
         where workspace_id = {SEEN} and process_id = %(process)s
         order by run_number desc
         limit 1
        """,
        process=process,
        **scope.params,
    )


async def insert(tx: ScopedTx, run: RunId, job: Job, work: ProjectWork, *, is_scheduled: bool) -> None:
    """Write what a new run goes by."""
    await tx.execute(
        """
        insert into project_run (run_id, run_number, workspace_id, process_id, target_id, kind, is_scheduled, work,
                                 tool_version, pull_request, branch, retry_of, created_at)
        select run.id, run.number, run.workspace_id, run.process_id, %(target)s, %(kind)s, %(is_scheduled)s, %(work)s,
               %(tool_version)s, %(pull_request)s, %(branch)s, %(retry_of)s, run.created_at
          from run where run.id = %(run)s
        """,
        run=run,
        target=job.target_id,
        kind=job.kind,
        is_scheduled=is_scheduled,
        work=work,
        tool_version=work.tool_version or ROOM,
        pull_request=None if work.pull_request is None else written(work.pull_request),
        branch=work.git_branch,
        retry_of=None if work.retry is None else work.retry.run,
    )


def written(pull_request: PullRequest) -> str:
    """How a pull request stands in its column."""
    return f"{pull_request.of.value}:{pull_request.number}"


# ---------------------------------------------------------------------------------------------------- what makes room
async def enter_pull_request(tx: ScopedTx, process: ProcessId, pull_request: PullRequest) -> None:
    """Be the only one who starts runs of a job for a pull request, until the transaction ends."""
    await tx.execute(
        "select pg_advisory_xact_lock(hashtextextended(%(of)s, 0) # hashtextextended(%(process)s::uuid::text, 0))",
        of=written(pull_request),
        process=process,
    )


async def tries_of(tx: ScopedTx, process: ProcessId, but: RunId, pull_request: PullRequest) -> list[RunId]:
    """The other open runs of a job that try a pull request out, locked in their order."""
    return await tx.all(
        RunId,
        """
        select run.id from run
         where run.state in ('new', 'in_progress') and run.id <> %(but)s
           and run.id in (select run_id from project_run
                           where process_id = %(process)s and stage in ('queued', 'starting', 'running')
                             and pull_request = %(pull_request)s and kind = 'ci')
         order by run.id
           for no key update
        """,
        process=process,
        but=but,
        pull_request=written(pull_request),
    )


async def queued_by_schedule(tx: ScopedTx, process: ProcessId, but: RunId) -> list[RunId]:
    """The other runs of a job that were started because it was due, and that no worker has, locked in their order."""
    return await tx.all(
        RunId,
        """
        select run.id from run
         where run.state = 'new' and run.id <> %(but)s
           and run.id in (select run_id from project_run
                           where process_id = %(process)s and stage = 'queued' and is_scheduled)
         order by run.id
           for no key update
        """,
        process=process,
        but=but,
    )


# ---------------------------------------------------------------------------------------------------- locks
async def declare(tx: ScopedTx, scope: Scope, locks: Sequence[LockName], slots: LockName) -> None:
    """Let the organization have the locks. Nobody waits for it, once they are there."""
    await tx.execute(
        f"""
        insert into run_lock (owner_id, name, organization_id, capacity, follows_workers)
        select %(organization)s, wanted.name, %(organization)s,
               case when wanted.name = %(slots)s then {_SLOTS_OF_WORKERS} else 1 end, wanted.name = %(slots)s
          from unnest(%(names)s::text[]) as wanted (name)
         order by wanted.name
            on conflict (owner_id, name) do nothing
        """,
        organization=scope.organization,
        names=sorted(lock.name for lock in locks),
        slots=slots.name,
    )


_SLOTS_OF_WORKERS: Final = """(select least(greatest(coalesce(sum(worker.slots), 1), 1), 10000) from worker
                            where worker.organization_id = %(organization)s and worker.deleted_at is null)"""
"""As many as the workers can run at once, and at least one."""


async def follow_workers(tx: ScopedTx, organization: OrganizationId, slots: LockName) -> bool:
    """Let the slots be as many as the workers have by now, if nobody has said a number; whether they were others."""
    return bool(
        await tx.execute(
            f"""
            update run_lock set capacity = {_SLOTS_OF_WORKERS}
             where owner_id = %(organization)s and name = %(slots)s and follows_workers
               and capacity <> {_SLOTS_OF_WORKERS}
            """,
            organization=organization,
            slots=slots.name,
        )
    )


async def slots(db: Statements, organization: OrganizationId, slots: LockName) -> Slots:
    """How many there are: as was said, else as many as the workers have."""
    return await db.one(
        Slots,
        f"""
        select coalesce(said.capacity, {_SLOTS_OF_WORKERS})::int as capacity,
               said.capacity is null as follows_workers
          from (select max(capacity) as capacity from run_lock
                 where owner_id = %(organization)s and name = %(slots)s and not follows_workers) as said
        """,
        organization=organization,
        slots=slots.name,
    )


async def set_slots(tx: ScopedTx, organization: OrganizationId, slots: LockName, capacity: int | None) -> Slots:
    """Say how many there are; None: as many as the workers have."""
    return await tx.one(
        Slots,
        f"""
        insert into run_lock (owner_id, name, organization_id, capacity, follows_workers)
        values (%(organization)s, %(slots)s, %(organization)s, coalesce(%(capacity)s, {_SLOTS_OF_WORKERS}),
                %(capacity)s::int is null)
            on conflict (owner_id, name) do update
           set capacity = excluded.capacity, follows_workers = excluded.follows_workers
        returning capacity, follows_workers
        """,
        organization=organization,
        slots=slots.name,
        capacity=capacity,
    )


# ---------------------------------------------------------------------------------------------------- how far it is
async def mark_dequeued(db: Statements, scope: Scope, run: RunId) -> None:
    """A worker has taken the run."""
    await db.execute(
        f"""
        update project_run set stage = 'starting', dequeued_at = clock_now()
         where run_id = %(run)s and workspace_id = {SEEN} and stage = 'queued'
        """,
        run=run,
        **scope.params,
    )


async def mark_begun(tx: ScopedTx, run: RunId) -> None:
    """The first command of its own may have run."""
    await tx.execute(
        """
        update project_run
           set stage = 'running', began_at = coalesce(began_at, clock_now()),
               dequeued_at = coalesce(dequeued_at, clock_now())
         where run_id = %(run)s and stage in ('queued', 'starting')
        """,
        run=run,
    )
