"""The list of projects' runs: what a row shows, and by which fields they are found and sorted.

Ordered by number, which is the order of their making: who reads on behind the greatest number misses none.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import EACH, SEEN, Scope
from controlroom.engine.jobs.model import JobKind
from controlroom.engine.lists.model import Field, Kind, Listing, among
from controlroom.engine.runs.errors import RunNotFound
from controlroom.engine.runs.model import Overrides, StartedBy, StopRequest
from controlroom.engine.runs.projects.model import ProjectWork, Stage
from controlroom.ids import PhaseId, ProcessId, RunId, StepRunId, TargetId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.protocol import ErrorCode


class ListedRun(Struct, frozen=True, kw_only=True):
    """A project's run with all that is told of it at once."""

    run_id: RunId
    number: int
    workspace_id: WorkspaceId
    workspace_number: int
    process_id: ProcessId
    process_number: int
    process_name: str
    target_id: TargetId
    target_number: int
    kind: JobKind
    stage: Stage
    work: ProjectWork
    tool_version: str | None
    commit: str | None
    branch: str | None
    retry_of_number: int | None
    defers_to_number: int | None
    has_docs: bool
    has_sources: bool
    has_artifacts: bool
    started_by: StartedBy
    cause: str
    """Why it was started, in the words of whoever started it; "" if they said nothing."""
    is_rerun: bool
    """Whether it repeats another run, or goes on from it."""
    overrides: Overrides
    stop: StopRequest | None
    step_run_id: StepRunId | None
    """The last one; None before there is one."""
    attempt: int
    error_code: ErrorCode | None
    error_message: str
    worker_name: str | None
    created_at: datetime
    dequeued_at: datetime | None
    began_at: datetime | None
    ended_at: datetime | None
    asked_at: datetime
    """The moment at which the row says how far it is."""


PROJECT_RUNS: Final = Listing(
    noun="runs",
    table="project_run",
    columns="""project_run.run_id, project_run.run_number as number, project_run.workspace_id,
           workspace.number as workspace_number, project_run.process_id, process.number as process_number,
           process.name as process_name, project_run.target_id, target.number as target_number, project_run.kind,
           project_run.stage, project_run.work, project_run.tool_version, project_run.commit, project_run.branch,
           (select run.number from run where run.id = project_run.retry_of) as retry_of_number,
           (select run.number from run where run.id = project_run.defers_to) as defers_to_number,
           project_run.has_docs, project_run.has_sources,
           exists (select from artifact where artifact.step_run_id = last.id) as has_artifacts,
           run.started_by, coalesce(run.parameters ->> 'cause', '') as cause,
           run.parameters ? 'rerun_of' or run.parameters ? 'retry_of' as is_rerun,
           coalesce(run.parameters -> 'overrides', '{}') as overrides, run.stop,
           last.id as step_run_id, coalesce(last.attempt, 0) as attempt, last.error_code,
           coalesce(last.error_message, '') as error_message, worker.name as worker_name,
           project_run.created_at, project_run.dequeued_at, project_run.began_at, project_run.ended_at,
           clock_now() as asked_at""",
    joins="""join run on run.id = project_run.run_id
      join workspace on workspace.id = project_run.workspace_id
      join process on process.id = project_run.process_id
      join target on target.id = project_run.target_id
      left join lateral (select step_run.id, step_run.attempt, step_run.error_code, step_run.error_message,
                                step_run.worker_id
                           from step_run
                          where step_run.run_id = project_run.run_id and step_run.state <> 'withdrawn'
                          order by step_run.id desc
                          limit 1) as last on true
      left join worker on worker.id = last.worker_id""",
    tenant="project_run.workspace_id",
    fields=(
        Field("id", Kind.INTEGER, "project_run.run_number", is_sortable=True, index="project_run_of_workspace"),
        Field("process_id", Kind.ID, index="project_run_of_job"),
        Field("target_id", Kind.ID, index="project_run_of_target"),
        Field("stage", Kind.TEXT, choices=among(Stage), index="project_run_by_stage"),
        Field("kind", Kind.TEXT, choices=among(JobKind)),
        Field("tool_version", Kind.TEXT, is_nullable=True),
        Field("retry_of", Kind.ID, is_nullable=True),
        Field("defers_to", Kind.ID, is_nullable=True),
        Field("has_docs", Kind.TRUTH),
        Field("has_sources", Kind.TRUTH),
        Field("created_at", Kind.INSTANT, index="project_run_by_creation"),
        Field("ended_at", Kind.INSTANT, is_nullable=True, is_sortable=True, index="project_run_by_end"),
    ),
)


async def listed(db: Statements, scope: Scope, run: RunId) -> ListedRun:
    """One of them; raises RunNotFound, also for a run that is no project's."""
    found = await db.one_or_none(
        ListedRun,
        f"{PROJECT_RUNS.select} where project_run.workspace_id = {SEEN} and project_run.run_id = %(of)s",
        of=run,
        **scope.params,
    )
    if found is None:
        raise RunNotFound(run)
    return found


async def of_phase(db: Statements, scope: Scope, phase: PhaseId) -> ListedRun | None:
    """The run that a phase is of; None if it is of no project's, or the scope does not see it."""
    return await db.one_or_none(
        ListedRun,
        f"""{PROJECT_RUNS.select}
         where project_run.workspace_id = {SEEN}
           and project_run.run_id = (select step_run.run_id from phase join step_run on step_run.id = phase.step_run_id
                                      where phase.id = %(phase)s)
        """,
        phase=phase,
        **scope.params,
    )


async def latest_of(db: Statements, scope: Scope, processes: list[ProcessId], *, ended: bool) -> list[ListedRun]:
    """The last run of each of some jobs, or the last one that has ended."""
    return await db.all(
        ListedRun,
        f"""{PROJECT_RUNS.select}
         where project_run.workspace_id in {EACH}
           and project_run.run_number in (
               select (select newest.run_number from project_run as newest
                        where newest.process_id = asked.id and (newest.ended_at is not null or not %(ended)s)
                        order by newest.run_number desc
                        limit 1)
                 from unnest(%(processes)s::uuid[]) as asked (id))
        """,
        processes=processes,
        ended=ended,
        **scope.each,
    )


class LatestRuns(Struct, frozen=True):
    """The numbers of a job's last run, and of the last one that has ended; None before there is one."""

    process_id: ProcessId
    last: int | None
    last_ended: int | None


async def latest_of_jobs(db: Statements, scope: Scope, jobs: Sequence[ProcessId]) -> list[LatestRuns]:
    """The last runs of some jobs: two probes of the job's index for each."""
    return await db.all(
        LatestRuns,
        f"""
        select job.id as process_id,
               (select run_number from project_run
                 where process_id = job.id and workspace_id in {EACH}
                 order by run_number desc limit 1) as last,
               (select run_number from project_run
                 where process_id = job.id and workspace_id in {EACH} and ended_at is not null
                 order by run_number desc limit 1) as last_ended
          from unnest(%(jobs)s::uuid[]) as job (id)
        """,
        jobs=list(jobs),
        **scope.each,
    )
