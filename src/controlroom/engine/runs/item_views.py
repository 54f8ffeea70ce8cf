"""What people see of work items beside the items themselves: by what a list is narrowed, what stands round one."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Raw, Struct

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.work_items.model import ExceptionType, ItemFile, Outcome, WorkItem
from controlroom.engine.work_items.store import FILES
from controlroom.engine.workers.serving import serves
from controlroom.engine.workers.store import WORKER
from controlroom.ids import RunId, StepRunId, WorkItemId
from controlroom.postgres.database import Statements


class Choice(Struct, frozen=True):
    """Something by which a list of items is narrowed."""

    kind: str
    """`process`, `step`, `run`, `queue` or `worker`."""
    id: UUID
    name: str


async def choices(
    db: Statements,
    scope: Scope,
    *,
    process: UUID | None = None,
    run: UUID | None = None,
    queue: UUID | None = None,
    worker: UUID | None = None,
) -> list[Choice]:
    """What these are called, as far as they are seen, and the steps of the process: one statement."""
    return await db.all(
        Choice,
        f"""
        (select 'process' as kind, process.id, process.name from process
          where process.workspace_id = {SEEN} and process.deleted_at is null and process.id = %(process)s)
        union all
        (select 'step', step.id, step.name from step
          where step.workspace_id = {SEEN} and step.process_id = %(process)s and step.deleted_at is null
          order by step.position)
        union all
        (select 'run', run.id, process.name || ' #' || run.number
           from run join process on process.id = run.process_id
          where run.workspace_id = {SEEN} and run.id = %(run)s)
        union all
        (select 'queue', queue.id, queue.name from queue
          where queue.workspace_id = {SEEN} and queue.is_standing and queue.deleted_at is null
            and queue.id = %(queue)s)
        union all
        (select 'worker', worker.id, worker.name from worker
          where {serves(WORKER)} and worker.deleted_at is null and worker.id = %(worker)s)
        """,
        process=process,
        run=run,
        queue=queue,
        worker=worker,
        **(scope.params | scope.each),
    )


class Beside(Struct, frozen=True):
    """What an item's own row does not tell of where it belongs."""

    id: WorkItemId
    process_name: str | None
    step_name: str | None
    queue_name: str | None
    run_number: int | None


async def beside(db: Statements, scope: Scope, items: Sequence[WorkItem]) -> dict[WorkItemId, Beside]:
    """Where each of some items belongs."""
    rows = await db.all(
        Beside,
        f"""
        select work_item.id, process.name as process_name, step.name as step_name,
               case when queue.is_standing then queue.name end as queue_name, run.number as run_number
          from work_item
          left join process on process.id = work_item.process_id
          left join queue on queue.id = work_item.queue_id
          left join step on step.id = coalesce(work_item.step_id,
                                               (select first.id from step as first
                                                 where first.process_id = work_item.process_id
                                                   and first.queue_id = work_item.queue_id limit 1))
          left join run on run.id = work_item.run_id
         where work_item.workspace_id = {SEEN} and work_item.id = any(%(items)s::uuid[])
        """,
        items=[each.id for each in items],
        **scope.params,
    )
    return {row.id: row for row in rows}


class Tried(Struct, frozen=True, kw_only=True):
    """An attempt at an item: by which step run, on which worker, and what came of it."""

    attempt: int
    step_run_id: StepRunId | None
    step_run_number: int | None
    step_run_attempt: int | None
    run_id: RunId | None
    run_number: int | None
    worker_name: str | None
    reserved_at: datetime | None
    released_at: datetime | None
    """None: it goes on."""
    outcome: Outcome | None
    exception_type: ExceptionType | None
    exception_code: str
    exception_message: str


class Around(Struct, frozen=True, kw_only=True):
    """What stands round an item."""

    process_name: str | None
    process_number: int | None
    step_name: str | None
    queue_number: int | None
    queue_name: str | None
    run_number: int | None
    files: list[ItemFile]
    tries: list[Tried]
    """The latest first."""
    edited_attempt: int | None
    """The last attempt after which somebody edited the payload; None if nobody has."""
    edited_payload: Raw | None
    """The payload as that attempt had left it."""


async def around(db: Statements, scope: Scope, item: WorkItemId) -> Around:
    """Where an item belongs, its files, and all attempts at it, that under way too: one statement."""
    return await db.one(
        Around,
        f"""
        with item as (
            select * from work_item where workspace_id = {SEEN} and id = %(item)s
        ), tries as (
            select tried.attempt, tried.step_run_id, tried.reserved_at, tried.released_at, tried.outcome,
                   tried.exception_type, tried.exception_code, tried.exception_message
              from item join work_item_attempt as tried on tried.work_item_id = item.id
            union all
            select attempt, step_run_id, reserved_at, null, null, null, '', '' from item where state = 'in_progress'
        )
        select process.name as process_name, process.number as process_number, step.name as step_name,
               queue.number as queue_number, case when queue.is_standing then queue.name end as queue_name,
               run.number as run_number, edit.attempt as edited_attempt, edit.payload as edited_payload,
               (select {FILES} from work_item where work_item.id = item.id) as files,
               (select coalesce(jsonb_agg(to_jsonb(told) order by told.attempt desc), '[]')
                  from (select tries.*, step_run.number as step_run_number, step_run.attempt as step_run_attempt,
                               of_run.id as run_id, of_run.number as run_number, worker.name as worker_name
                          from tries
                          left join step_run on step_run.id = tries.step_run_id
                          left join run as of_run on of_run.id = step_run.run_id
                          left join worker on worker.id = step_run.worker_id) as told) as tries
          from item
          left join process on process.id = item.process_id
          left join queue on queue.id = item.queue_id
          left join step on step.id = coalesce(item.step_id, (select first.id from step as first
                                                               where first.process_id = item.process_id
                                                                 and first.queue_id = item.queue_id limit 1))
          left join run on run.id = item.run_id
          left join lateral (select attempt, payload from work_item_edit
                              where work_item_edit.work_item_id = item.id order by attempt desc limit 1) as edit on true
        """,
        item=item,
        **scope.params,
    )
