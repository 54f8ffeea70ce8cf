"""A run goes on where another one failed: the command that failed from its results, then those that were skipped."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import EACH, SEEN, Scope, ScopedTx, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.jobs import store as jobs
from controlroom.engine.runs import actions
from controlroom.engine.runs.errors import RunNotFound
from controlroom.engine.runs.model import DefaultInput, Run
from controlroom.engine.runs.parameters import RunParameters, StoredParameters
from controlroom.engine.runs.projects import store
from controlroom.engine.runs.projects.composition import line_of, phases_of
from controlroom.engine.runs.projects.errors import RetryRefused
from controlroom.engine.runs.projects.model import ProjectWork, Retrying, RetryPoint, Stage
from controlroom.engine.runs.projects.retry_rules import EndedPhase, Retry, RetryRefusal, retry_of
from controlroom.engine.work_items.schemas import settled
from controlroom.errors import Invalid
from controlroom.ids import ProcessId, RunId, StepRunId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.project_plans import PlannedPhase, Purpose
from controlroom.protocol import Command, PhaseState
from controlroom.robots import dbt_commands


class _Phase(Struct, frozen=True):
    position: int
    state: PhaseState
    name: str
    has_results: bool


class _Ended(Struct, frozen=True, kw_only=True):
    run_id: RunId
    process_id: ProcessId
    stage: Stage
    is_latest: bool
    tool_version: str | None
    work: ProjectWork
    priority: int
    parameters: StoredParameters
    step_run_id: StepRunId | None
    attempt: int
    phases: list[_Phase]


_ENDED = """
    select project_run.run_id, project_run.process_id, project_run.stage, project_run.tool_version, project_run.work,
           run.priority, run.parameters, last.id as step_run_id, coalesce(last.attempt, 0) as attempt,
           not exists (select from project_run as newer
                        where newer.process_id = project_run.process_id
                          and newer.run_number > project_run.run_number) as is_latest,
           coalesce((select jsonb_agg(jsonb_build_object(
                            'position', phase.position, 'state', phase.state, 'name', phase.name,
                            'has_results', (select count(*) from artifact
                                             where artifact.step_run_id = phase.step_run_id
                                               and artifact.attempt = phase.attempt
                                               and artifact.phase = phase.position
                                               and artifact.name in ('run_results.json', 'manifest.json')) = 2)
                                      order by phase.position)
                       from phase
                      where phase.step_run_id = last.id and phase.attempt = last.attempt
                        and project_run.stage = 'failed'), '[]') as phases
      from project_run
      join run on run.id = project_run.run_id
      left join lateral (select step_run.id, step_run.attempt from step_run
                          where step_run.run_id = project_run.run_id and step_run.state <> 'withdrawn'
                          order by step_run.id desc
                          limit 1) as last on true
"""
"""A run with how its last attempt went: of one that has not failed, nothing but that."""


async def standings(db: Statements, scope: Scope, runs: Sequence[RunId]) -> dict[RunId, Retry | RetryRefusal]:
    """Whether runs can be retried; those that are no project's are left out."""
    found = await db.all(
        _Ended,
        f"{_ENDED} where project_run.run_id = any(%(runs)s::uuid[]) and project_run.workspace_id in {EACH}",
        runs=list(runs),
        **scope.each,
    )
    return {each.run_id: _standing(each) for each in found}


async def retry(engine: Engine, actor: Actor, workspace: WorkspaceId, run: RunId, *, cause: str = "") -> Run:
    """Start a run that goes on where another one failed, with the overrides of that one.

    Raises RunNotFound, RetryRefused, and what a start raises.
    """
    scope = scope_of(actor, Permission.START_RUNS, workspace)

    async def begin() -> Run | None:
        async with scoped(engine.database, scope) as tx:
            return await _go_on(tx, engine, actor, scope, await _hold(tx, scope, run), cause=cause)

    return _started(await settled(engine, begin))


async def rerun(engine: Engine, actor: Actor, workspace: WorkspaceId, process: ProcessId, *, cause: str = "") -> Run:
    """Retry the last run of a job if it has failed and can go on; else start the job anew, as it says by now.

    Raises JobNotFound, and what a start raises.
    """
    scope = scope_of(actor, Permission.START_RUNS, workspace)

    async def begin() -> Run | None:
        async with scoped(engine.database, scope) as tx:
            await jobs.get(tx, scope, process)
            last = await store.latest(tx, scope, process)
            if last is not None and last.stage is Stage.FAILED:
                ended = await _hold(tx, scope, last.run_id)
                if isinstance(_standing(ended), Retry):
                    return await _go_on(tx, engine, actor, scope, ended, cause=cause)
            asked, by = RunParameters(cause=cause), actions.cause_of(actor)
            return await actions.start_in(tx, engine, actor, workspace, process, DefaultInput(), asked, cause=by)

    return _started(await settled(engine, begin))


def _started(run: Run | None) -> Run:
    assert run is not None  # noqa: S101 - it has an item of its own
    return run


async def _go_on(tx: ScopedTx, engine: Engine, actor: Actor, scope: Scope, ended: _Ended, *, cause: str) -> Run | None:
    found = _standing(ended)
    if isinstance(found, RetryRefusal):
        raise RetryRefused(ended.run_id, found)
    if ended.step_run_id is None:
        raise RetryRefused(ended.run_id, RetryRefusal.NO_RESULTS)
    point = RetryPoint(run=ended.run_id, step_run=ended.step_run_id, attempt=ended.attempt, phase=found.failed.position)
    retrying = Retrying(point, commands_of(found))
    asked = replace(ended.parameters.again(priority=ended.priority), cause=cause)
    by = replace(actions.cause_of(actor), retry=retrying)
    return await actions.start_in(tx, engine, actor, scope.workspace, ended.process_id, DefaultInput(), asked, cause=by)


async def _hold(tx: ScopedTx, scope: Scope, run: RunId) -> _Ended:
    """A run that nobody else retries before the transaction ends."""
    held = await tx.value(
        f"select id from run where workspace_id = {SEEN} and id = %(run)s for no key update", run=run, **scope.params
    )
    found = None
    if held is not None:
        found = await tx.one_or_none(
            _Ended,
            f"{_ENDED} where project_run.run_id = %(run)s and project_run.workspace_id = {SEEN}",
            run=run,
            **scope.params,
        )
    if found is None:
        raise RunNotFound(run)
    return found


def commands_of(found: Retry) -> tuple[Command, ...]:
    """What a retry runs: the command that failed, and the job's that were skipped."""
    lines = [found.failed.line, *(each.line for each in found.skipped if each.purpose is Purpose.OWN)]
    return tuple(Command(name=line, words=dbt_commands.read(line).words) for line in lines)


def _standing(ended: _Ended) -> Retry | RetryRefusal:
    planned = phases_of(ended.work)
    phases = [_ended(phase, planned[phase.position]) for phase in ended.phases if phase.position < len(planned)]
    return retry_of(ended.stage, is_latest=ended.is_latest, tool_version=ended.tool_version, phases=phases)


def _ended(phase: _Phase, planned: PlannedPhase) -> EndedPhase:
    line = line_of(planned)
    return EndedPhase(
        position=phase.position,
        state=phase.state,
        line=line,
        subcommand=_subcommand(line),
        purpose=planned.purpose,
        has_results=phase.has_results,
    )


def _subcommand(line: str) -> str:
    try:
        return dbt_commands.read(line).subcommand if line else ""
    except Invalid:  # it was allowed when it was run
        return ""
