"""One step run is stopped, and no other of its run: a robot is ended, and what waits is not begun.

The item that it has, or would have begun with, fails with it, and is not retried by itself.
"""

from collections.abc import Sequence

from msgspec import Struct

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import EACH, SEEN, Scope, ScopedTx, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.runs import shares
from controlroom.engine.runs.dispatch import dispatch_in
from controlroom.engine.runs.errors import StepRunNotFound
from controlroom.engine.runs.model import StepRunState
from controlroom.engine.runs.unstarted import fail_unstarted
from controlroom.engine.wakes import Topic
from controlroom.ids import ProcessId, RunId, StepRunId, WorkerId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.protocol import ErrorCode, StepRunError


class _Locked(Struct, frozen=True):
    state: StepRunState
    run_id: RunId
    process_id: ProcessId


async def stop(engine: Engine, actor: Actor, workspace: WorkspaceId, step_run: StepRunId) -> bool:
    """End a step run; False if it has ended already. Raises StepRunNotFound."""
    scope = scope_of(actor, Permission.START_RUNS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await _lock(tx, scope, step_run)
        match found.state:
            case StepRunState.COMPLETED | StepRunState.FAILED | StepRunState.WITHDRAWN:
                return False
            case StepRunState.NEW | StepRunState.AWAITING_WORKER:
                await fail_unstarted(engine, tx, step_run, StepRunError(ErrorCode.TERMINATED, shares.STOPPED))
                await dispatch_in(engine, tx, found.run_id)
            case StepRunState.IN_PROGRESS:
                for worker in await _order_end(tx, step_run):
                    tx.after_commit(lambda worker=worker: engine.wakes.wake(Topic.ORDERS, worker))  # type: ignore[misc]
        await record(
            engine,
            tx,
            actor,
            scope,
            "step_run.stop_requested",
            process_id=found.process_id,
            run_id=found.run_id,
            step_run_id=step_run,
        )
        return True


class _OnWorker(Struct, frozen=True):
    id: StepRunId
    workspace_id: WorkspaceId


async def stop_all_on(engine: Engine, actor: Actor, workers: Sequence[WorkerId]) -> int:
    """End all that some workers have in hand, in the workspaces in which the actor may start runs; how many."""
    found = await _in_hand(engine.database, scope_of(actor, Permission.START_RUNS), workers)
    return sum([await stop(engine, actor, each.workspace_id, each.id) for each in found])


async def _in_hand(db: Statements, scope: Scope, workers: Sequence[WorkerId]) -> list[_OnWorker]:
    return await db.all(
        _OnWorker,
        f"""
        select step_run.id, step_run.workspace_id from step_run
         where step_run.worker_id = any(%(workers)s::uuid[]) and step_run.state = 'in_progress'
           and step_run.workspace_id in {EACH}
         order by step_run.id
        """,
        workers=list(workers),
        **scope.each,
    )


async def _lock(tx: ScopedTx, scope: Scope, step_run: StepRunId) -> _Locked:
    """The step run, after its run: whoever ends a run locks it before its step runs."""
    found = await tx.one_or_none(
        _Locked,
        f"""
        with held as (
            select run.id, run.process_id from run
             where run.workspace_id = {SEEN}
               and run.id = (select step_run.run_id from step_run where step_run.id = %(of)s)
               for no key update
        )
        select step_run.state, step_run.run_id, held.process_id
          from step_run join held on held.id = step_run.run_id
         where step_run.id = %(of)s
           for no key update of step_run
        """,
        of=step_run,
        **scope.params,
    )
    if found is None:
        raise StepRunNotFound(step_run)
    return found


async def _order_end(tx: ScopedTx, step_run: StepRunId) -> list[WorkerId]:
    """Order the end of a locked step run; the worker to tell."""
    return await tx.all(
        WorkerId,
        """
        update step_run set termination = 'terminated', paused_at = null where id = %(step_run)s returning worker_id
        """,
        step_run=step_run,
    )
