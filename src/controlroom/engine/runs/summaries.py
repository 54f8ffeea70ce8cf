"""What lists tell of runs beside the runs themselves, for a whole page in one statement each."""

from collections.abc import Sequence

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.runs.model import Run
from controlroom.engine.work_items.model import ItemsByState
from controlroom.ids import ProcessId, RunId, StepRunId, WorkItemId
from controlroom.postgres.database import Statements

_STEP_RUNS_TOLD = 1000  # Why: a run may have any number; who needs them all asks for their list


class Summary(Struct, frozen=True):
    """How a run's items stand, and its first step runs."""

    items: ItemsByState
    step_runs: list[StepRunId]


class _Row(Struct, frozen=True):
    id: RunId
    total: int
    failed: int
    done: int
    step_runs: list[StepRunId]


class ItemRun(Struct, frozen=True):
    """What an item's own row does not tell of the run and process that it belongs to."""

    id: WorkItemId
    process_name: str
    run_no: int | None


async def summaries(db: Statements, scope: Scope, runs: Sequence[Run]) -> dict[RunId, Summary]:
    """The summary of each run."""
    rows = await db.all(
        _Row,
        f"""
        select run.id,
               coalesce(items.total, 0) as total, coalesce(items.failed, 0) as failed, coalesce(items.done, 0) as done,
               array(select step_run.id from step_run
                      where step_run.run_id = run.id and step_run.state <> 'withdrawn'
                      order by step_run.id limit %(most)s) as step_runs
          from run
          left join (select run_id, count(*) as total, count(*) filter (where state = 'failed') as failed,
                            count(*) filter (where state = 'done') as done
                       from work_item
                      where run_id = any (%(runs)s) and queue_id is not null and state not in ('draft', 'deleted')
                      group by run_id) as items on items.run_id = run.id
         where run.workspace_id = {SEEN} and run.id = any (%(runs)s)
        """,
        runs=[run.id for run in runs],
        most=_STEP_RUNS_TOLD,
        **scope.params,
    )
    return {row.id: Summary(ItemsByState(row.total, row.failed, row.done), row.step_runs) for row in rows}


async def input_ids(db: Statements, scope: Scope, run: RunId) -> list[WorkItemId]:
    """The items that a run began with, in the order they were given."""
    return await db.all(
        WorkItemId,
        f"""
        select id from work_item
         where workspace_id = {SEEN} and run_id = %(run)s and parent_id is null and queue_id is not null
           and state <> 'deleted'
         order by id
        """,
        run=run,
        **scope.params,
    )


async def runs_of_items(
    db: Statements, scope: Scope, process: ProcessId, items: Sequence[WorkItemId]
) -> dict[WorkItemId, ItemRun]:
    """To what each of a process's items belongs."""
    rows = await db.all(
        ItemRun,
        f"""
        select work_item.id, process.name as process_name, run.run_no
          from work_item
          join process on process.id = work_item.process_id
          left join run on run.id = work_item.run_id
         where work_item.workspace_id = {SEEN} and work_item.process_id = %(process)s
           and work_item.id = any (%(items)s)
        """,
        process=process,
        items=items,
        **scope.params,
    )
    return {row.id: row for row in rows}
