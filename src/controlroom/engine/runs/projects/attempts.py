"""Attempts of projects' runs, as the worker sees them that has one: which it is, and what its end makes of it."""

from datetime import datetime

from msgspec import Struct, structs

from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import Of, ScopedTx, scope_of_worker
from controlroom.engine.engine import Engine
from controlroom.engine.jobs.model import JobKind
from controlroom.engine.runs.endings import OF_WORKER, Leased
from controlroom.engine.runs.errors import Superseded
from controlroom.engine.runs.model import StartedBy
from controlroom.engine.runs.projects.limits import passed
from controlroom.engine.runs.projects.model import ProjectWork
from controlroom.ids import OrganizationId, ProcessId, RunId, StepRunId, TargetId, WorkerId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.protocol import ErrorCode, StepRunError


class ProjectAttempt(Struct, frozen=True, kw_only=True):
    """An attempt that is at work, with what its run goes by and is called."""

    step_run_id: StepRunId
    attempt: int
    run_id: RunId
    run_number: int
    workspace_id: WorkspaceId
    workspace_number: int
    workspace_name: str
    organization_id: OrganizationId
    organization_number: int
    organization_name: str
    process_id: ProcessId
    process_number: int
    process_name: str
    target_id: TargetId
    kind: JobKind
    work: ProjectWork
    started_by: StartedBy
    cause: str
    commit: str | None
    defers_to: RunId | None
    source_asked_at: datetime | None

    @property
    def scope(self) -> Of:
        """Its workspace."""
        return Of(self.organization_id, (self.workspace_id,))


async def attempt_of(engine: Engine, worker: WorkerActor, step_run: StepRunId, attempt: int) -> ProjectAttempt:
    """The attempt, if the worker has it and it has not ended. Raises Superseded."""
    found = await _living(engine.database, scope_of_worker(worker), worker.worker_id, step_run, attempt)
    if found is None:
        raise Superseded
    return found


async def _living(
    db: Statements, scope: Of, worker: WorkerId, step_run: StepRunId, attempt: int
) -> ProjectAttempt | None:
    return await db.one_or_none(
        ProjectAttempt,
        f"""
        select step_run.id as step_run_id, step_run.attempt, run.id as run_id, run.number as run_number,
               workspace.id as workspace_id, workspace.number as workspace_number, workspace.name as workspace_name,
               organization.id as organization_id, organization.number as organization_number,
               organization.name as organization_name, process.id as process_id, process.number as process_number,
               process.name as process_name, project_run.target_id, project_run.kind, project_run.work,
               run.started_by, coalesce(run.parameters ->> 'cause', '') as cause, project_run.commit,
               project_run.defers_to, project_run.source_asked_at
          from step_run
          join run on run.id = step_run.run_id
          join project_run on project_run.run_id = run.id
          join process on process.id = run.process_id
          join workspace on workspace.id = run.workspace_id
          join organization on organization.id = workspace.organization_id
         where step_run.id = %(of)s and step_run.attempt = %(of_attempt)s and step_run.state = 'in_progress'
           and {OF_WORKER}
        """,
        of=step_run,
        of_attempt=attempt,
        worker=worker,
        **scope.each,
    )


async def end(tx: ScopedTx, leased: Leased, error: StepRunError | None) -> StepRunError | None:
    """Why a locked attempt ended, as it is told."""
    if error is None or error.code is not ErrorCode.TIMEOUT:
        return error
    return structs.replace(error, message=passed(await _limit(tx, leased.id)))


async def _limit(tx: ScopedTx, step_run: StepRunId) -> float | None:
    """The time limit that its start or its job has said."""
    limit: float | None = await tx.value(
        """
        select extract(epoch from coalesce((run.parameters -> 'overrides' ->> 'timeout')::interval,
                                           step.timeout))::float8
          from step_run join run on run.id = step_run.run_id join step on step.id = step_run.step_id
         where step_run.id = %(step_run)s
        """,
        step_run=step_run,
    )
    return limit
