"""A robot at work is paused and goes on: an order that its worker obeys, and that outlives servers and workers.

While it is paused its worker keeps the lease, it keeps its item, and its time limit rests. A worker that is lost before
the robot began hands the pause on with the step run: the next one prepares it, and begins when it may go on.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.runs import store
from controlroom.engine.runs.errors import StepRunNotFound, StepRunNotPausable
from controlroom.engine.runs.model import RunState, StepRun, StepRunState
from controlroom.engine.runs.rules import Turn, on_pause, on_resume
from controlroom.engine.wakes import Topic
from controlroom.ids import ProcessId, RunId, StepRunId, WorkerId, WorkspaceId


async def pause(engine: Engine, actor: Actor, workspace: WorkspaceId, step_run: StepRunId) -> StepRun:
    """Halt a robot at work until it is resumed; one that is paused stays so. Raises StepRunNotPausable."""

    def turn(found: "_Locked") -> Turn:
        return on_pause(found.state, is_paused=found.is_paused, is_ending=found.is_ending)

    return await _turn(engine, actor, workspace, step_run, _PAUSE, turn)


async def resume(engine: Engine, actor: Actor, workspace: WorkspaceId, step_run: StepRunId) -> StepRun:
    """Let a paused robot go on; one that is at work stays so. Raises StepRunNotPausable."""
    return await _turn(
        engine, actor, workspace, step_run, _RESUME, lambda found: on_resume(found.state, is_paused=found.is_paused)
    )


async def end_pauses(tx: ScopedTx, run: RunId) -> list[WorkerId]:
    """Let the paused robots of a run that is locked go on, as when it is stopped; the workers to tell."""
    return await tx.all(
        WorkerId,
        """
        update step_run set paused_at = null
         where run_id = %(run)s and state = 'in_progress' and paused_at is not null
        returning worker_id
        """,
        run=run,
    )


class _Way(Struct, frozen=True):
    """One of the two, in words."""

    event: str
    past: str
    statement: str


_PAUSE: Final = _Way("step_run.paused", "paused", "update step_run set paused_at = clock_now() where id = %(step_run)s")
_RESUME: Final = _Way("step_run.resumed", "resumed", "update step_run set paused_at = null where id = %(step_run)s")


class _Locked(Struct, frozen=True, kw_only=True):
    id: StepRunId
    state: StepRunState
    is_paused: bool
    is_ending: bool
    worker_id: WorkerId | None
    run_id: RunId
    process_id: ProcessId
    attempt: int


async def _turn(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    step_run: StepRunId,
    way: _Way,
    decide: Callable[[_Locked], Turn],
) -> StepRun:
    scope = scope_of(actor, Permission.START_RUNS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await _lock(tx, scope, step_run)
        match decide(found):
            case Turn.REFUSED:
                raise StepRunNotPausable(step_run, found.state, way.past)
            case Turn.DONE:
                await _write(engine, tx, actor, scope, way, found)
            case Turn.ALREADY:
                pass
        return await store.get_step_run(tx, scope, step_run)


async def _write(engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, way: _Way, found: _Locked) -> None:
    """Turn the step run that way, say so, and have its worker told."""
    await tx.execute(way.statement, step_run=found.id)
    await record(
        engine,
        tx,
        actor,
        scope,
        way.event,
        process_id=found.process_id,
        run_id=found.run_id,
        step_run_id=found.id,
        attempt=found.attempt,
    )
    if (worker := found.worker_id) is not None:
        tx.after_commit(lambda: engine.wakes.wake(Topic.ORDERS, worker))


async def _lock(tx: ScopedTx, scope: Scope, step_run: StepRunId) -> _Locked:
    """The step run, locked behind its run: as a stop does it, which must not miss a pause, nor a pause a stop."""
    state: RunState | None = await tx.value(
        f"""
        select state from run
         where id = (select run_id from step_run where id = %(of)s and workspace_id = {SEEN})
           for share
        """,
        of=step_run,
        **scope.params,
    )
    if state is None:
        raise StepRunNotFound(step_run)
    return await tx.one(
        _Locked,
        f"""
        select step_run.id, step_run.state, paused_at is not null as is_paused,
               %(is_stopping)s or termination is not null as is_ending, worker_id, run_id, attempt,
               (select process_id from step where step.id = step_run.step_id) as process_id
          from step_run where workspace_id = {SEEN} and id = %(of)s
           for no key update
        """,
        of=step_run,
        is_stopping=state == RunState.STOPPING,
        **scope.params,
    )
