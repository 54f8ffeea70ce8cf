"""What a robot puts out, by the token of its step run; the answer that it never heard is in `repeated_outputs`."""

from msgspec import Raw, Struct

from controlroom.engine.access.model import StepRunActor
from controlroom.engine.access.scope import SEEN, Robot, ensure_seen, scope_of_robot
from controlroom.engine.engine import Engine
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items import schemas
from controlroom.engine.work_items.errors import NotHolding
from controlroom.engine.work_items.limits import check_payload
from controlroom.engine.work_items.model import ItemState
from controlroom.ids import QueueId, StepId, WorkItemId, uuid7
from controlroom.postgres.database import Statements


class _Made(Struct, frozen=True):
    id: WorkItemId
    state: ItemState


async def output(engine: Engine, robot: StepRunActor, parent: WorkItemId, payload: Raw | None) -> WorkItemId:
    """Make an output of the item in hand: a draft until the item is released. Raises NotHolding.

    Robots that gather all their items first and write one report after the last release name that last item as the
    parent: such an output is published at once.

    One that the schema of the next queue refuses is made all the same, and shown as `invalid` once it is published: the
    robot has done its work, and what it found shall not be lost.
    """
    await check_payload(engine, payload)
    scope = scope_of_robot(robot)
    made = await _draft(engine.database, scope, robot, parent, payload, has_schema=False, fault=None)
    if made is None and (queue := await _next_queue(engine.database, scope, robot.step_id)) is not None:
        fault = await schemas.settled(engine, lambda: schemas.fault_in(engine.database, scope, queue, payload))
        told = None if fault is None else str(fault)
        made = await _draft(engine.database, scope, robot, parent, payload, has_schema=True, fault=told)
    if made is None:
        await ensure_seen(engine.database, scope)
        raise NotHolding(parent)
    if made.state is ItemState.PENDING:
        engine.wakes.wake_here(Topic.RUN, robot.run_id)
    return made.id


async def _draft(
    db: Statements,
    scope: Robot,
    robot: StepRunActor,
    parent: WorkItemId,
    payload: Raw | None,
    *,
    has_schema: bool,
    fault: str | None,
) -> _Made | None:
    """Write an output, if the robot may and the next queue has a schema or none, as is said."""
    return await db.one_or_none(
        _Made,
        f"""
        with parent as (
            select work_item.id, work_item.attempt, work_item.priority, work_item.state
              from work_item
             where work_item.id = %(parent)s and work_item.step_run_id = %(step_run)s
               and work_item.workspace_id = {SEEN} and work_item.state in ('in_progress', 'done', 'failed')
               for share of work_item              -- its release waits until the draft can be seen
        ), next as (
            select following.id, following.queue_id
              from step as mine join step as following on following.process_id = mine.process_id
             where mine.id = %(step)s and following.position > mine.position and following.deleted_at is null
             order by following.position
             limit 1
        )
        insert into work_item (id, workspace_id, process_id, queue_id, step_id, run_id, state, priority, payload,
                               fault, parent_id, parent_attempt, created_by_step_run)
        select %(id)s, %(workspace)s, %(process)s, next.queue_id, next.id, %(run)s,
               case when parent.state = 'in_progress' then 'draft' when %(fault)s::text is not null then 'invalid'
                    when next.id is null then 'new' else 'pending' end,
               parent.priority, %(payload)s, %(fault)s, parent.id, parent.attempt, %(step_run)s
          from parent left join next on true
         where exists (select from queue where queue.id = next.queue_id and queue.schema is not null) = %(has_schema)s
        returning id, state
        """,
        id=uuid7(),
        parent=parent,
        step=robot.step_id,
        process=robot.process_id,
        run=robot.run_id,
        payload=payload,
        fault=fault,
        has_schema=has_schema,
        **scope.params,
    )


async def _next_queue(db: Statements, scope: Robot, step: StepId) -> QueueId | None:
    """The queue that the outputs of a step go to, if there is one."""
    queue = await db.value(
        f"""
        select following.queue_id
          from step as mine join step as following on following.process_id = mine.process_id
         where mine.id = %(step)s and mine.workspace_id = {SEEN}
           and following.position > mine.position and following.deleted_at is null
         order by following.position limit 1
        """,
        step=step,
        **scope.params,
    )
    return None if queue is None else QueueId(queue)
