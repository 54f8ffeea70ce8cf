"""Items of a standing queue become those of a run."""

from controlroom.engine.work_items.store import IS_DUE
from controlroom.ids import QueueId, RunId, StepId
from controlroom.postgres.database import Statements


async def adopt_due(tx: Statements, *, queue: QueueId, run: RunId, step: StepId, limit: int) -> int:
    """Take the most urgent due items of a queue into a run; how many. Items that somebody else takes are left out."""
    return await tx.execute(
        f"""
        update work_item
           set state = 'pending', state_at = clock_now(), run_id = %(run)s, step_id = %(step)s
         where id in (select id from work_item
                       where queue_id = %(queue)s and state = 'new' and {IS_DUE}
                         and (deadline is null or deadline > clock_now())
                       order by priority desc, due, id
                       limit %(limit)s
                         for update skip locked)
        """,
        queue=queue,
        run=run,
        step=step,
        limit=limit,
    )
