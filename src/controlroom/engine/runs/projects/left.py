"""What projects' runs leave: the phases of their last attempt, and what each of these has put down.

Of a phase's files those below `logs/` are about how it went; all others are what it has made.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import EACH, SEEN, Scope
from controlroom.engine.runs.model import Phase
from controlroom.ids import ArtifactId, PhaseId, ProcessId, RunId, StepRunId, WorkspaceId
from controlroom.postgres.database import Statements

DEBUG_LOG: Final = "logs/dbt.log"
"""What the tool says of itself in a phase, in more words than it prints."""
DOCS_PAGE: Final = "static_index.html"
"""The documentation that the tool makes of a project: one page that fetches nothing."""
_RECENT: Final = 50
"""So many good runs of a job are looked through for a file. A guess: who asks for more asks for none that is left."""


class RunPhase(Phase, frozen=True, kw_only=True):
    """A phase of a run's last attempt, and the log that it has left."""

    step_run_id: StepRunId
    workspace_id: WorkspaceId
    debug_hash: str | None
    debug_size: int


class LeftFile(Struct, frozen=True, kw_only=True):
    """A file that a phase has left: `hash` names the blob."""

    name: str
    size: int
    hash: str
    phase: int


class JobFile(LeftFile, frozen=True, kw_only=True):
    """A file that a run of a job has left, and which run."""

    id: ArtifactId
    run_id: RunId
    run_number: int


_PHASES: Final = f"""
    select phase.id, phase.number, phase.attempt, phase.position, phase.kind, phase.name, phase.state,
           phase.started_at, phase.ended_at, phase.first_line, phase.last_line, phase.message, phase.exit_code,
           phase.step_run_id, step_run.workspace_id, log.hash as debug_hash, coalesce(log.size, 0) as debug_size
      from step_run
      join phase on phase.step_run_id = step_run.id and phase.attempt = step_run.attempt
      left join artifact as log on log.step_run_id = phase.step_run_id and log.attempt = phase.attempt
                               and log.phase = phase.position and log.name = '{DEBUG_LOG}'
"""


async def phases(db: Statements, scope: Scope, step_runs: Sequence[StepRunId]) -> dict[StepRunId, list[RunPhase]]:
    """The phases of the last attempt of each, in their order."""
    found: dict[StepRunId, list[RunPhase]] = {step_run: [] for step_run in step_runs}
    rows = await db.all(
        RunPhase,
        f"""{_PHASES}
         where step_run.id = any(%(of)s::uuid[]) and step_run.workspace_id in {EACH}
         order by step_run.id, phase.position
        """,
        of=list(step_runs),
        **scope.each,
    )
    for row in rows:
        found[row.step_run_id].append(row)
    return found


async def phase(db: Statements, scope: Scope, phase: PhaseId) -> RunPhase | None:
    """One phase, if it is of the last attempt."""
    return await db.one_or_none(
        RunPhase,
        f"{_PHASES} where phase.id = %(phase)s and step_run.workspace_id = {SEEN}",
        phase=phase,
        **scope.params,
    )


_MADE: Final = """artifact.step_run_id = step_run.id and artifact.attempt = step_run.attempt
                 and artifact.phase is not null and not starts_with(artifact.name, 'logs/')"""
_LAST: Final = """(select step_run.id, step_run.attempt from step_run
                    where step_run.run_id = project_run.run_id and step_run.state <> 'withdrawn'
                    order by step_run.id desc
                    limit 1)"""


async def files(
    db: Statements, scope: Scope, run: RunId, *, phase: int | None = None, name: str | None = None
) -> list[LeftFile]:
    """What a phase of a run's last attempt has made, or the last one that has made anything; or one file of it."""
    return await db.all(
        LeftFile,
        f"""
        with step_run as (
            select last.* from project_run cross join lateral {_LAST} as last
             where project_run.workspace_id = {SEEN} and project_run.run_id = %(of)s
        )
        select artifact.name, artifact.size, artifact.hash, artifact.phase from step_run join artifact on {_MADE}
         where artifact.phase = coalesce(%(phase)s::int, (select max(artifact.phase) from artifact where {_MADE}))
           and (%(name)s::text is null or artifact.name = %(name)s)
         order by artifact.name
        """,
        of=run,
        phase=phase,
        name=name,
        **scope.params,
    )


async def files_named(db: Statements, scope: Scope, run: RunId, name: str) -> list[LeftFile]:
    """The files of a name that the phases of a run's last attempt have made, in their order."""
    return await db.all(
        LeftFile,
        f"""
        with step_run as (
            select last.* from project_run cross join lateral {_LAST} as last
             where project_run.workspace_id = {SEEN} and project_run.run_id = %(of)s
        )
        select artifact.name, artifact.size, artifact.hash, artifact.phase from step_run join artifact on {_MADE}
         where artifact.name = %(name)s
         order by artifact.phase
        """,
        of=run,
        name=name,
        **scope.params,
    )


async def file_of_job(db: Statements, scope: Scope, process: ProcessId, name: str) -> JobFile | None:
    """A file as the last good run of a job has left it that has one of the name; of several phases, the last."""
    return await db.one_or_none(
        JobFile,
        f"""
        with project_run as (
            select run_id, run_number from project_run
             where workspace_id = {SEEN} and process_id = %(process)s and stage = 'succeeded'
             order by run_number desc
             limit {_RECENT}
        )
        select artifact.id, artifact.name, artifact.size, artifact.hash, artifact.phase,
               project_run.run_id, project_run.run_number
          from project_run cross join lateral {_LAST} as step_run join artifact on {_MADE}
         where artifact.name = %(name)s
         order by project_run.run_number desc, artifact.phase desc
         limit 1
        """,
        process=process,
        name=name,
        **scope.params,
    )
