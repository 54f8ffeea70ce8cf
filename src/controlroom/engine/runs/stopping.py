"""The order to stop a run whose row is locked: what waits is withdrawn, and robots are told, if that is asked for."""

from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.engine import Engine
from controlroom.engine.runs.model import StopRequest
from controlroom.engine.runs.pauses import end_pauses
from controlroom.engine.wakes import Topic
from controlroom.ids import RunId, WorkerId


async def order_stop(engine: Engine, tx: ScopedTx, run: RunId, request: StopRequest) -> None:
    """Withdraw what has not begun and, if asked, order the end of what has. Its items are settled by its dispatch."""
    for worker in await _stop(tx, run, request):
        tx.after_commit(lambda worker=worker: engine.wakes.wake(Topic.ORDERS, worker))  # type: ignore[misc]


async def _stop(tx: ScopedTx, run: RunId, request: StopRequest) -> list[WorkerId]:
    """Likewise; the workers to tell."""
    await tx.execute(
        "update run set state = 'stopping', stop_at = clock_now(), stop = %(stop)s where id = %(run)s",
        run=run,
        stop=request,
    )
    await tx.execute(
        """
        update step_run set state = 'withdrawn', state_at = clock_now(), ended_at = clock_now(), paused_at = null
         where run_id = %(run)s and state in ('new', 'awaiting_worker') and not is_alone
        """,
        run=run,
    )
    if not request.terminate:
        return await end_pauses(tx, run)  # or what is in hand would never be finished
    return await tx.all(
        WorkerId,
        """
        update step_run set termination = 'terminated', paused_at = null
         where run_id = %(run)s and state = 'in_progress'
        returning worker_id
        """,
        run=run,
    )
