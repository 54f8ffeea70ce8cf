"""Reading runs, step runs and what they left. Lists go by id, by keyset."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from controlroom.engine.access.scope import SEEN, Scope, within
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import NEWEST_FIRST, OLDEST_FIRST, Asked, OneOf, behind, equal
from controlroom.engine.nouns import InWorkspace, Missing, Noun
from controlroom.engine.runs.errors import ArtifactNotFound, RunNotFound, StepRunNotFound
from controlroom.engine.runs.listings import RUNS, STEP_RUNS
from controlroom.engine.runs.model import Artifact, Phase, Run, RunEvent, RunState, StepRun
from controlroom.ids import ArtifactId, PhaseId, ProcessId, RunId, StepRunId
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

RUN: Final = Noun[RunId](
    "run",
    RunNotFound,
    "run",
    InWorkspace("run.workspace_id"),
)
STEP_RUN: Final = Noun[StepRunId](
    "step run",
    StepRunNotFound,
    "step_run",
    InWorkspace("step_run.workspace_id"),
)
PHASE: Final = Noun[PhaseId](
    "phase",
    partial(Missing, "phase"),
    "phase",
    InWorkspace("step_run.workspace_id"),
    joined="join step_run on step_run.id = phase.step_run_id",
)
ARTIFACT: Final = Noun[ArtifactId](
    "artifact",
    ArtifactNotFound,
    "artifact",
    InWorkspace("artifact.workspace_id"),
)


_ARTIFACT: Final = """
    select artifact.id, artifact.number, artifact.step_run_id, artifact.attempt, artifact.phase, phase.id as phase_id,
           phase.name as phase_name, artifact.name, artifact.size, artifact.hash, artifact.created_at
      from artifact
      left join phase on phase.step_run_id = artifact.step_run_id and phase.attempt = artifact.attempt
                     and phase.position = artifact.phase
"""


async def get(db: Statements, scope: Scope, run: RunId) -> Run:
    """One run of the workspace; raises RunNotFound."""
    found = await db.one_or_none(
        Run,
        f"{RUNS.select} where run.workspace_id = {SEEN} and run.id = %(run)s",
        run=run,
        **scope.params,
    )
    if found is None:
        raise RunNotFound(run)
    return found


async def list_runs(
    db: Statements,
    scope: Scope,
    *,
    process: ProcessId | None = None,
    state: RunState | None = None,
    before: RunId | None = None,
    limit: int,
) -> list[Run]:
    """Runs, newest first."""
    asked = Asked(filter=equal(process_id=process, state=state), sort=NEWEST_FIRST, start=behind(before), length=limit)
    return await pages.rows(db, Run, RUNS, within(scope), asked)


async def get_step_run(db: Statements, scope: Scope, step_run: StepRunId) -> StepRun:
    """One step run of the workspace; raises StepRunNotFound."""
    found = await db.one_or_none(
        StepRun,
        f"{STEP_RUNS.select} where step_run.workspace_id = {SEEN} and step_run.id = %(of)s",
        of=step_run,  # `step_run` is the scope's, of a robot
        **scope.params,
    )
    if found is None:
        raise StepRunNotFound(step_run)
    return found


async def numbered_in_process(db: Statements, scope: Scope, process: ProcessId, run_no: int) -> RunId:
    """The run that is this one of a process; raises RunNotFound."""
    asked = Asked(filter=equal(process_id=process, run_no=run_no), length=1)
    for found in await pages.rows(db, Run, RUNS, within(scope), asked):
        return found.id
    raise RunNotFound(f"{process}-{run_no}")


async def answerable(db: Statements, scope: Scope, run: RunId) -> int | None:
    """The number of who answers for a run: the user who has started it, owns its schedule, or has made its consumer."""
    found: int | None = await db.value(
        f"""
        select app_user.number
          from run
          left join schedule on schedule.id = run.started_by_id and run.started_by = 'schedule'
          left join queue_consumer as consumer on consumer.id = run.started_by_id and run.started_by = 'queue'
          join app_user on app_user.id = coalesce(schedule.owner_id, consumer.created_by, run.started_by_id)
         where run.workspace_id = {SEEN} and run.id = %(run)s
        """,
        run=run,
        **scope.params,
    )
    return found


async def list_step_runs(
    db: Statements, scope: Scope, run: RunId, *, after: StepRunId | None = None, limit: int
) -> list[StepRun]:
    """The step runs of a run that were not withdrawn, oldest first."""
    asked = Asked(filter=equal(run_id=run), sort=OLDEST_FIRST, start=behind(after), length=limit)
    return await pages.rows(db, StepRun, STEP_RUNS, within(scope), asked)


async def list_step_runs_of(
    db: Statements, scope: Scope, runs: Sequence[RunId], *, after: StepRunId | None = None, limit: int
) -> list[StepRun]:
    """Likewise, of several runs in one list; of those that the scope does not see, none."""
    asked = Asked(filter=OneOf("run_id", tuple(runs)), sort=OLDEST_FIRST, start=behind(after), length=limit)
    return await pages.rows(db, StepRun, STEP_RUNS, within(scope), asked)


async def list_phases(db: Statements, scope: Scope, step_run: StepRunId) -> list[Phase]:
    """The phases of a step run, attempt by attempt."""
    return await db.all(
        Phase,
        f"""
        select phase.id, phase.number, phase.attempt, position, kind, name, phase.state, phase.started_at,
               phase.ended_at, first_line, last_line, message, phase.exit_code
          from phase join step_run on step_run.id = phase.step_run_id
         where step_run.workspace_id = {SEEN} and step_run.id = %(of)s
         order by phase.attempt, position
        """,
        of=step_run,
        **scope.params,
    )


async def get_phase(db: Statements, scope: Scope, step_run: StepRunId, phase: PhaseId) -> Phase:
    """One phase of a step run; raises Missing."""
    found = next((each for each in await list_phases(db, scope, step_run) if each.id == phase), None)
    if found is None:
        raise Missing("phase", str(phase))
    return found


async def list_events(
    db: Statements, scope: Scope, step_run: StepRunId, *, after: int | None = None, limit: int
) -> list[RunEvent]:
    """What happened to a step run, oldest first."""
    return await db.all(
        RunEvent,
        f"""
        select id, at, kind, data from event
         where workspace_id = {SEEN} and step_run_id = %(of)s
           and id > coalesce(%(after)s::bigint, 0)
         order by id
         limit %(limit)s
        """,
        of=step_run,
        after=after,
        limit=limit,
        **scope.params,
    )


async def list_artifacts(
    db: Statements,
    scope: Scope,
    step_run: StepRunId,
    *,
    phase: PhaseId | None = None,
    after: ArtifactId | None = None,
    limit: int,
) -> list[Artifact]:
    """What the last attempt of a step run left, or only one phase of any attempt, in the order it came."""
    return await db.all(
        Artifact,
        f"""{_ARTIFACT}
          join step_run on step_run.id = artifact.step_run_id
         where step_run.workspace_id = {SEEN} and artifact.step_run_id = %(of)s
           and case when %(phase)s::uuid is null then step_run.attempt = artifact.attempt else phase.id = %(phase)s end
           {oldest_first("artifact.id")}
        """,
        of=step_run,
        phase=phase,
        after=after,
        limit=limit,
        **scope.params,
    )


async def get_artifact(db: Statements, scope: Scope, step_run: StepRunId, artifact: ArtifactId) -> Artifact:
    """One artifact of a step run; raises ArtifactNotFound."""
    found = await db.one_or_none(
        Artifact,
        f"""{_ARTIFACT}
         where artifact.workspace_id = {SEEN} and artifact.step_run_id = %(of)s and artifact.id = %(artifact)s
        """,
        of=step_run,
        artifact=artifact,
        **scope.params,
    )
    if found is None:
        raise ArtifactNotFound(artifact)
    return found
