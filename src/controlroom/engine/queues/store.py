"""The statements over queues and their consumers."""

from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from controlroom.engine.access.scope import SEEN, Of, Room, Scope, ScopedTx
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.engine.queues.errors import ConsumerNotFound, QueueNotFound
from controlroom.engine.queues.model import Consumer, ConsumerDefinition, Queue, QueueSettings
from controlroom.engine.work_items.store import IS_DUE
from controlroom.engine.workers.serving import serves
from controlroom.engine.workers.store import WORKER, placement_matches
from controlroom.ids import OrganizationId, QueueConsumerId, QueueId, UserId, WorkspaceId
from controlroom.postgres.database import Statements, Tx
from controlroom.postgres.keyset import oldest_first, until_full

QUEUE: Final = Noun[QueueId](
    "queue",
    QueueNotFound,
    "queue",
    InWorkspace("queue.workspace_id"),
    there="queue.deleted_at is null",
    name="queue.name",
    named="queue.is_standing",
)
QUEUE_CONSUMER: Final = Noun[QueueConsumerId](
    "queue consumer",
    ConsumerNotFound,
    "queue_consumer",
    InWorkspace("queue_consumer.workspace_id"),
    there="queue_consumer.deleted_at is null",
)

_QUEUE: Final = """
    select id, number, workspace_id, name, schema, is_standing, created_at, description, item_model_id, retry,
           refuses_duplicates, shown, ordering, notes, is_draft, revision, created_by,
           is_standing and exists (select from queue_consumer
                                    where queue_id = queue.id and queue_consumer.deleted_at is null) as has_consumers
      from queue
"""

_CONSUMER: Final = """
    select id, number, workspace_id, queue_id, task_id,
           (select name from task where task.id = task_id) as task_name,
           (select package.name from task join package on package.id = package_id
             where task.id = task_id) as package_name,
           placement, windows, zone, priority, max_runs, batch, is_paused, created_at,
           name, description, run_as, label, version, notes, revision, resumed_at
      from queue_consumer
"""


# ---------------------------------------------------------------------------------------------------- queues
async def get(db: Statements, scope: Scope, queue: QueueId, *, for_update: bool = False) -> Queue:
    """One queue of the workspace, standing or a step's; raises QueueNotFound."""
    found = await db.one_or_none(
        Queue,
        f"""{_QUEUE} where workspace_id = {SEEN} and id = %(queue)s and deleted_at is null
        {"for update" if for_update else ""}""",
        queue=queue,
        **scope.params,
    )
    if found is None:
        raise QueueNotFound(queue)
    return found


async def list_queues(
    db: Statements, scope: Scope, *, after: QueueId | None = None, limit: int, most_bytes: int
) -> list[Queue]:
    """The standing queues in the order of their making: as many as `until_full` says."""

    async def fetch(last: Queue | None, wanted: int) -> list[Queue]:
        return await db.all(
            Queue,
            f"""{_QUEUE}
             where workspace_id = {SEEN} and is_standing and deleted_at is null
             {oldest_first("id")}""",
            after=after if last is None else last.id,
            limit=wanted,
            **scope.params,
        )

    return await until_full(fetch, size_of, limit=limit, most=most_bytes)


def size_of(queue: Queue) -> int:
    """About the bytes that a queue takes when it is told: those of its schema."""
    return 0 if queue.schema is None else len(memoryview(queue.schema))


async def insert(
    tx: Tx,
    scope: Scope,
    queue: QueueId,
    *,
    name: str,
    schema: Raw | None,
    settings: QueueSettings,
    created_by: UserId | None,
) -> bool:
    """Write a new standing queue; whether the scope sees its workspace. Raises UniqueViolation."""
    return bool(
        await tx.execute(
            f"""
            insert into queue (id, workspace_id, name, schema, is_standing, description, item_model_id, retry,
                               refuses_duplicates, shown, ordering, notes, is_draft, created_by, updated_by)
            select %(queue)s, seen.id, %(name)s, %(schema)s, true, %(description)s, %(item_model)s, %(retry)s,
                   %(refuses_duplicates)s, %(shown)s, %(ordering)s, %(notes)s, %(is_draft)s, %(created_by)s,
                   %(created_by)s
              from {SEEN} as seen
            """,
            queue=queue,
            name=name,
            schema=schema,
            created_by=created_by,
            **_settings(settings),
            **scope.params,
        )
    )


async def update(
    tx: ScopedTx,
    queue: QueueId,
    *,
    name: str,
    schema: Raw | None,
    settings: QueueSettings,
    updated_by: UserId | None,
) -> None:
    """Write a queue that the caller has locked. Raises UniqueViolation."""
    await tx.execute(
        """
        update queue
           set name = %(name)s, schema = %(schema)s, description = %(description)s, item_model_id = %(item_model)s,
               retry = %(retry)s, refuses_duplicates = %(refuses_duplicates)s, shown = %(shown)s,
               ordering = %(ordering)s, notes = %(notes)s, is_draft = %(is_draft)s, revision = revision + 1,
               updated_by = %(updated_by)s, updated_at = clock_now()
         where id = %(queue)s
        """,
        queue=queue,
        name=name,
        schema=schema,
        updated_by=updated_by,
        **_settings(settings),
    )


def _settings(settings: QueueSettings) -> dict[str, Any]:
    columns = {name: getattr(settings, name) for name in QueueSettings.__struct_fields__}
    return columns | {"shown": list(settings.shown), "ordering": Raw(msgspec.json.encode(settings.ordering))}


async def has_items(tx: ScopedTx, queue: QueueId) -> bool:
    """Whether anything is, or was, in a standing queue."""
    return bool(
        await tx.value(
            """
            select exists (select from work_item
                            where queue_id = %(queue)s and process_id is null and state <> 'deleted')
            """,
            queue=queue,
        )
    )


async def delete(tx: ScopedTx, queue: QueueId) -> None:
    """Mark a locked queue and its consumers as deleted."""
    await tx.execute("update queue set deleted_at = clock_now() where id = %(queue)s", queue=queue)
    await tx.execute("update queue_consumer set deleted_at = clock_now() where queue_id = %(queue)s", queue=queue)


async def drop_items(tx: ScopedTx, queue: QueueId) -> bool:
    """Mark the items of a locked standing queue as deleted; whether some are being worked on, which stay."""
    await tx.execute(
        """
        update work_item set state = 'deleted', state_at = clock_now()
         where queue_id = %(queue)s and process_id is null and state in ('new', 'held', 'done', 'failed', 'invalid')
        """,
        queue=queue,
    )
    return await has_items(tx, queue)


async def has_waiting(tx: ScopedTx, queue: QueueId) -> bool:
    """Whether items wait in a queue, or are held there."""
    return bool(
        await tx.value(
            """
            select exists (select from work_item where queue_id = %(queue)s and state = 'new')
                or exists (select from work_item where queue_id = %(queue)s and state = 'held' and run_id is null)
            """,
            queue=queue,
        )
    )


# ---------------------------------------------------------------------------------------------------- consumers
async def get_consumer(db: Statements, scope: Scope, queue: QueueId, consumer: QueueConsumerId) -> Consumer:
    """One consumer of a queue; raises ConsumerNotFound."""
    found = await db.one_or_none(
        Consumer,
        f"""{_CONSUMER}
         where workspace_id = {SEEN} and queue_id = %(queue)s and id = %(consumer)s and deleted_at is null""",
        queue=queue,
        consumer=consumer,
        **scope.params,
    )
    if found is None:
        raise ConsumerNotFound(consumer)
    return found


async def list_consumers(
    db: Statements, scope: Scope, queue: QueueId, *, after: QueueConsumerId | None = None, limit: int
) -> list[Consumer]:
    """The consumers of a queue, in the order of their making."""
    return await db.all(
        Consumer,
        f"""{_CONSUMER}
         where workspace_id = {SEEN} and queue_id = %(queue)s and deleted_at is null
         {oldest_first("id")}""",
        queue=queue,
        after=after,
        limit=limit,
        **scope.params,
    )


async def insert_consumer(
    tx: ScopedTx, queue: Queue, consumer: QueueConsumerId, wanted: ConsumerDefinition, *, created_by: Any
) -> None:
    """Write a new consumer of a queue that the caller has locked."""
    await tx.execute(
        """
        insert into queue_consumer (id, workspace_id, queue_id, task_id, placement, windows, zone, priority, max_runs,
                                    batch, is_paused, created_by, name, description, run_as, label, version, notes,
                                    updated_by, resumed_by, resumed_at)
        values (%(consumer)s, %(workspace)s, %(queue)s, %(task)s, %(placement)s, %(windows)s, %(zone)s, %(priority)s,
                %(max_runs)s, %(batch)s, %(is_paused)s, %(created_by)s, %(name)s, %(description)s, %(run_as)s,
                %(label)s, %(version)s, %(notes)s, %(created_by)s,
                case when not %(is_paused)s then %(created_by)s::uuid end,
                case when not %(is_paused)s then clock_now() end)
        """,
        consumer=consumer,
        workspace=queue.workspace_id,
        queue=queue.id,
        created_by=created_by,
        **_columns(wanted),
    )


async def update_consumer(
    tx: ScopedTx, consumer: QueueConsumerId, wanted: ConsumerDefinition, *, updated_by: Any
) -> None:
    """Write the settings of a consumer that the caller has read; its runs under way go on as they were."""
    await tx.execute(
        """
        update queue_consumer
           set task_id = %(task)s, placement = %(placement)s, windows = %(windows)s, zone = %(zone)s,
               priority = %(priority)s, max_runs = %(max_runs)s, batch = %(batch)s, is_paused = %(is_paused)s,
               name = %(name)s, description = %(description)s, run_as = %(run_as)s, label = %(label)s,
               version = %(version)s,
               notes = %(notes)s, revision = revision + 1, updated_by = %(updated_by)s, updated_at = clock_now(),
               resumed_by = case when is_paused and not %(is_paused)s then %(updated_by)s::uuid else resumed_by end,
               resumed_at = case when is_paused and not %(is_paused)s then clock_now() else resumed_at end
         where id = %(consumer)s and deleted_at is null
        """,
        consumer=consumer,
        updated_by=updated_by,
        **_columns(wanted),
    )


async def delete_consumer(tx: ScopedTx, consumer: QueueConsumerId) -> None:
    """Mark a consumer as deleted, that the caller has read."""
    await tx.execute("update queue_consumer set deleted_at = clock_now() where id = %(consumer)s", consumer=consumer)


def _columns(wanted: ConsumerDefinition) -> dict[str, Any]:
    columns = msgspec.structs.asdict(wanted)
    return {
        **columns,
        "run_as": list(wanted.run_as),
        "windows": Raw(msgspec.json.encode(wanted.windows)),
    }


# ---------------------------------------------------------------------------------------------------- the loop
_IS_READY: Final = f"""
    not consumer.is_paused and consumer.deleted_at is null
    and exists (select from work_item
                 where work_item.queue_id = consumer.queue_id and work_item.state = 'new' and {IS_DUE}
                   and (work_item.deadline is null or work_item.deadline > clock_now()))
    and (select count(*) from run
          where run.started_by_id = consumer.id and run.started_by = 'queue'
            and run.state in ('new', 'in_progress', 'stopping')) < consumer.max_runs
    and (consumer.placement -> 'places' -> -1 ->> 'type' = 'on_demand'
         or exists (select from worker, lateral (
                         select consumer.placement as placement, consumer.workspace_id as workspace_id) as step_run
                     where {serves(WORKER, "consumer.workspace_id")} and worker.deleted_at is null
                       and worker.organization_id = (select organization_id from workspace
                                                      where id = consumer.workspace_id)
                       and worker.state <> 'offline' and worker.rests_since is null
                       and worker.slots > (select count(*) from step_run as held
                                            where held.worker_id = worker.id and held.state = 'in_progress')
                       and {placement_matches("worker.id")}))
"""


async def ready(db: Statements, _room: Room, *, limit: int) -> list[QueueConsumerId]:
    """Consumers whose queue has due items and for whom somebody is free, the most urgent first."""
    return await db.all(
        QueueConsumerId,
        f"""
        select consumer.id from queue_consumer as consumer where {_IS_READY}
         order by consumer.priority desc, consumer.id limit %(limit)s
        """,
        limit=limit,
    )


class ReadyConsumer(Struct, frozen=True, kw_only=True):
    """A consumer that may open a run, locked by the one who opens it."""

    consumer: Consumer
    scope: Of
    now: datetime
    is_ordered: bool
    """Whether its queue says by what its items are taken."""
    run_as: UserId | None
    """Whose turn it is of its users; None: it names none."""


class _Context(Struct, frozen=True):
    queue_id: QueueId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    now: datetime
    is_ordered: bool
    users: int
    run_as: UserId | None


async def lock_ready(tx: ScopedTx, consumer: QueueConsumerId) -> ReadyConsumer | None:
    """The consumer, if it is still ready, one of its users is free and nobody else is opening a run for it."""
    context = await tx.one_or_none(
        _Context,
        f"""
        select consumer.queue_id, consumer.workspace_id, workspace.organization_id, clock_now() as now,
               (select ordering <> '[]' from queue where queue.id = consumer.queue_id) as is_ordered,
               cardinality(consumer.run_as) as users,
               (select turn.user_id
                  from unnest(consumer.run_as) with ordinality as turn (user_id, place)
                 where not exists (select from run
                                    where run.started_by_id = consumer.id and run.started_by = 'queue'
                                      and run.state in ('new', 'in_progress', 'stopping')
                                      and run.parameters -> 'placement' ->> 'run_as' = turn.user_id::text)
                 order by turn.place <= coalesce(latest.place, 0), turn.place   -- who comes behind the one before
                 limit 1) as run_as
          from queue_consumer as consumer
          join workspace on workspace.id = consumer.workspace_id and workspace.deleted_at is null
          left join lateral (
              select array_position(consumer.run_as, (run.parameters -> 'placement' ->> 'run_as')::uuid) as place
                from run where run.started_by_id = consumer.id and run.started_by = 'queue'
               order by run.id desc limit 1) as latest on true
         where consumer.id = %(consumer)s and {_IS_READY}
           for update of consumer skip locked
        """,
        consumer=consumer,
    )
    if context is None or (context.users and context.run_as is None):
        return None
    scope = Of(context.organization_id, (context.workspace_id,))
    found = await get_consumer(tx, scope, context.queue_id, consumer)
    return ReadyConsumer(
        consumer=found, scope=scope, now=context.now, is_ordered=context.is_ordered, run_as=context.run_as
    )
