"""The end of a step run that no worker will ever take: nobody could be found who runs it."""

from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By
from controlroom.engine.runs.endings import Leased, end
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items.store import IS_DUE
from controlroom.ids import StepRunId
from controlroom.protocol import StepRunError


async def fail_unstarted(engine: Engine, tx: ScopedTx, step_run: StepRunId, error: StepRunError) -> bool:
    """Fail a step run that waits for a worker, with the item that it would have begun with; whether it waited.

    Why with the item: one that failed without would be followed by another step run for the same item, and so for ever.
    Without any item left it is withdrawn, as a claim would do.
    """
    waiting = await tx.one_or_none(
        Leased,
        """
        select step_run.id, step_run.workspace_id, workspace.organization_id, step.process_id, step_run.run_id,
               step_run.attempt, false as has_begun, run.stop_at is not null as is_stopped, step.retry,
               step_run.id as worker_id     -- nobody's: a step run that has not begun is told to no worker
          from step_run join step on step.id = step_run.step_id join run on run.id = step_run.run_id
          join workspace on workspace.id = step_run.workspace_id
         where step_run.id = %(step_run)s and step_run.state in ('new', 'awaiting_worker')
           for no key update of step_run
        """,
        step_run=step_run,
    )
    if waiting is None:
        return False
    if await _bind(tx, step_run):
        await end(engine, tx, waiting, error, exit_code=None, by=By("system"))
    else:
        await tx.execute(
            """
            update step_run set state = 'withdrawn', state_at = clock_now(), ended_at = clock_now()
             where id = %(step_run)s
            """,
            step_run=step_run,
        )
    tx.after_commit(lambda: engine.wakes.wake(Topic.EVENTS))
    tx.after_commit(lambda: engine.wakes.wake_here(Topic.RUN, waiting.run_id))
    return True


async def _bind(tx: ScopedTx, step_run: StepRunId) -> bool:
    """Give the step run the item that a claim would have bound; whether there was one."""
    return bool(
        await tx.execute(
            f"""
            update work_item
               set state = 'in_progress', state_at = clock_now(), step_run_id = %(step_run)s,
                   turn = (select coalesce(max(turn), 0) + 1 from work_item where step_run_id = %(step_run)s),
                   reserved_at = clock_now(), attempt = attempt + 1
             where id = (
                   select work_item.id from work_item join step_run using (run_id, step_id)
                    where step_run.id = %(step_run)s and work_item.state = 'pending' and {IS_DUE}
                      and step_run.id <> all (work_item.tried_by)
                    order by work_item.priority desc, work_item.due, work_item.id
                    limit 1
                      for update of work_item skip locked)
            """,
            step_run=step_run,
        )
    )
