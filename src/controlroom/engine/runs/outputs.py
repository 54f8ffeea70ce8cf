"""What a robot puts out, by the token of its step run; the answer that it never heard is in `repeated_outputs`."""

from collections.abc import Sequence
from typing import ClassVar, Final
from weakref import WeakKeyDictionary

from msgspec import Raw, Struct

from controlroom.engine.access.model import StepRunActor
from controlroom.engine.access.scope import ITS_WORKSPACE, SEEN, Robot, ensure_seen, scope_of_robot
from controlroom.engine.engine import Engine
from controlroom.engine.runs.at_once import is_large
from controlroom.engine.together import Together
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items import schemas
from controlroom.engine.work_items.errors import NotHolding
from controlroom.engine.work_items.limits import check_payload
from controlroom.engine.work_items.model import ItemState
from controlroom.engine.work_items.several import of_robots
from controlroom.errors import Conflict
from controlroom.ids import ProcessId, QueueId, RunId, StepId, WorkItemId, uuid7
from controlroom.postgres.database import Database, Statements


class Made(Struct, frozen=True):
    """An output as it stands."""

    id: WorkItemId
    state: ItemState
    is_new: bool = True


class KeyReused(Conflict):
    """The key was given by an output of another item."""

    code: ClassVar[str] = "OUTPUT_KEY_REUSED"

    def __init__(self, key: str, output: WorkItemId) -> None:
        super().__init__(f"the key {key!r} has made an output of another item", output=str(output))


async def output(engine: Engine, robot: StepRunActor, parent: WorkItemId, payload: Raw | None) -> WorkItemId:
    """Make an output of the item in hand: a draft until the item is released. Raises NotHolding.

    Robots that gather all their items first and write one report after the last release name that last item as the
    parent: such an output is published at once.

    One that the schema of the next queue refuses is made all the same, and shown as `invalid` once it is published: the
    robot has done its work, and what it found shall not be lost.
    """
    await check_payload(engine, payload)
    made = await make_at_once(engine, robot, parent, payload)
    if made.state is ItemState.PENDING:
        engine.wakes.wake_here(Topic.RUN, robot.run_id)
    return made.id


class Drafting(Struct, frozen=True):
    """An output that is made together with others: its parent, what it is known by, what it brings."""

    robot: Robot
    parent: WorkItemId
    payload: Raw | None
    key: str | None


_drafts: Final[WeakKeyDictionary[Database, Together[Drafting, Made]]] = WeakKeyDictionary()


async def make_at_once(
    engine: Engine, robot: StepRunActor, parent: WorkItemId, payload: Raw | None, *, key: str | None = None
) -> Made:
    """As `make`, in a transaction of its own, or with outputs that others put out in this moment (`at_once`)."""
    step, process, run = robot.step_id, robot.process_id, robot.run_id

    async def alone() -> Made:
        return await schemas.settled(engine, lambda: make(engine.database, robot, parent, payload, key=key))

    async def as_one(those: Sequence[Drafting]) -> list[Made | None]:
        robots = [each.robot for each in those]
        return await draft_several(engine.database, robots, those, step=step, process=process, run=run)

    if is_large(payload):
        return await alone()
    drafting = Drafting(scope_of_robot(robot), parent, payload, key)
    going = _drafts.setdefault(engine.database, Together())
    return await going.done((robot.workspace_id, run, step), drafting, alone=alone, as_one=as_one)


async def make(
    db: Statements, robot: StepRunActor, parent: WorkItemId, payload: Raw | None, *, key: str | None = None
) -> Made:
    """Likewise, in whatever transaction: the output that was made, or that the key has made before.

    A key is the robot's own, and good for all that its step run puts out. Raises KeyReused, NotHolding. Within
    `schemas.settled`.
    """
    scope = scope_of_robot(robot)
    made = await _draft(db, scope, robot, parent, payload, has_schema=False, fault=None, key=key)
    if made is None and key is not None and (first := await _made_by(db, scope, key)) is not None:
        if first.parent_id != parent:
            raise KeyReused(key, first.id)
        return Made(first.id, first.state, is_new=False)
    if made is None and (queue := await _next_queue(db, scope, robot.step_id)) is not None:
        fault = await schemas.fault_in(db, scope, queue, payload)
        told = None if fault is None else str(fault)
        made = await _draft(db, scope, robot, parent, payload, has_schema=True, fault=told, key=key)
    if made is None:
        await ensure_seen(db, scope)
        raise NotHolding(parent)
    return made


class _First(Struct, frozen=True):
    id: WorkItemId
    state: ItemState
    parent_id: WorkItemId


async def _made_by(db: Statements, scope: Robot, key: str) -> _First | None:
    """The output that a key of the step run has made, if it has made one."""
    return await db.one_or_none(
        _First,
        f"""
        select id, state, parent_id from work_item
         where created_by_step_run = %(step_run)s and robot_key = %(key)s and state <> 'deleted'
           and workspace_id = {SEEN}
        """,
        key=key,
        **scope.params,
    )


_ONCE: Final = """on conflict (created_by_step_run, robot_key) where robot_key is not null and state <> 'deleted'
            do nothing"""


async def _draft(
    db: Statements,
    scope: Robot,
    robot: StepRunActor,
    parent: WorkItemId,
    payload: Raw | None,
    *,
    has_schema: bool,
    fault: str | None,
    key: str | None,
) -> Made | None:
    """Write an output, if the robot may and the next queue has a schema or none, as is said."""
    return await db.one_or_none(
        Made,
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
                               fault, parent_id, parent_attempt, created_by_step_run
                               {"" if key is None else ", robot_key"})
        select %(id)s, %(workspace)s, %(process)s, next.queue_id, next.id, %(run)s,
               case when parent.state = 'in_progress' then 'draft' when %(fault)s::text is not null then 'invalid'
                    when next.id is null then 'new' else 'pending' end,
               parent.priority, %(payload)s, %(fault)s, parent.id, parent.attempt, %(step_run)s
               {"" if key is None else ", %(key)s"}
          from parent left join next on true
         where exists (select from queue where queue.id = next.queue_id and queue.schema is not null) = %(has_schema)s
            {"" if key is None else _ONCE}
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
        **({} if key is None else {"key": key}),
        **scope.params,
    )


async def draft_several(
    db: Statements, robots: Sequence[Robot], those: Sequence[Drafting], *, step: StepId, process: ProcessId, run: RunId
) -> list[Made | None]:
    """Make outputs of one step of a run, each for its step run; None for those that `make` shall see to.

    Those are all for which there is anything to decide: an item that is not held or is locked just now, a key that was
    given before, a queue with a schema.
    """
    ids = [WorkItemId(uuid7()) for _ in those]
    made = await db.all(
        Made,
        f"""
        with parent as materialized (
            select given.id, given.step_run, given.key, given.payload, work_item.id as parent, work_item.attempt,
                   work_item.priority, work_item.state
              from unnest(%(ids)s::uuid[], %(parents)s::uuid[], %(step_runs)s::uuid[], %(attempts)s::int[],
                          %(keys)s::text[], %(payloads)s::jsonb[])
                   as given (id, parent, step_run, attempt, key, payload)
              join step_run on step_run.id = given.step_run and step_run.attempt = given.attempt
              join work_item on work_item.id = given.parent and (work_item.step_run_id = given.step_run) is true
             where step_run.state = 'in_progress' and work_item.state in ('in_progress', 'done', 'failed')
               and step_run.workspace_id = {ITS_WORKSPACE} and work_item.workspace_id = {ITS_WORKSPACE}
               for share of work_item skip locked  -- its release waits until the draft can be seen
        ), next as (
            select following.id, following.queue_id
              from step as mine join step as following on following.process_id = mine.process_id
             where mine.id = %(step)s and following.position > mine.position and following.deleted_at is null
             order by following.position
             limit 1
        )
        insert into work_item (id, workspace_id, process_id, queue_id, step_id, run_id, state, priority, payload,
                               parent_id, parent_attempt, created_by_step_run, robot_key)
        select parent.id, %(workspace)s, %(process)s, next.queue_id, next.id, %(run)s,
               case when parent.state = 'in_progress' then 'draft' when next.id is null then 'new' else 'pending' end,
               parent.priority, parent.payload, parent.parent, parent.attempt, parent.step_run, parent.key
          from parent left join next on true
         where not exists (select from queue where queue.id = next.queue_id and queue.schema is not null)
            {_ONCE}
        returning id, state
        """,
        ids=ids,
        parents=[each.parent for each in those],
        keys=[each.key for each in those],
        payloads=[each.payload for each in those],
        step=step,
        process=process,
        run=run,
        **of_robots(robots),
    )
    found = {each.id: each for each in made}
    return [found.get(each) for each in ids]


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
