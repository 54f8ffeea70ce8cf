"""The verbs of queues and their consumers."""

from msgspec import UNSET, Raw

from controlroom.engine.access.model import Actor, Permission, system
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.packages import store as packages
from controlroom.engine.processes.actions import check_placement
from controlroom.engine.processes.rules import placement_fault
from controlroom.engine.queues import store
from controlroom.engine.queues.errors import QueueInUse, QueueNameTaken, QueueNotFound
from controlroom.engine.queues.model import Consumer, ConsumerChange, ConsumerDefinition, Queue, QueueChange
from controlroom.engine.queues.zones import check_zone
from controlroom.engine.work_items import actions as work_items
from controlroom.engine.work_items.limits import check_payload, check_schema_text
from controlroom.engine.work_items.model import WorkItem
from controlroom.engine.work_items.schemas import check, check_schema, settled
from controlroom.engine.work_items.terms import USUAL, Terms
from controlroom.errors import Invalid
from controlroom.ids import QueueConsumerId, QueueId, WorkspaceId, uuid7
from controlroom.postgres.errors import UniqueViolation


async def create(
    engine: Engine, actor: Actor, workspace: WorkspaceId, *, name: str, schema: Raw | None = None
) -> Queue:
    """A new standing queue. Raises QueueNameTaken, Invalid `SCHEMA_INVALID`."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    checked_name(name, what="queue's name")
    if schema is not None:
        await check_schema_text(schema)
        await check_schema(engine, workspace, schema)
    queue = QueueId(uuid7())
    try:
        async with scoped(engine.database, scope) as tx:
            if not await store.insert(tx, scope, queue, name=name, schema=schema):
                await ensure_seen(tx, scope)
                raise QueueNotFound(queue)
            await record(engine, tx, actor, scope, "queue.created", queue, name=name)
            return await store.get(tx, scope, queue)
    except UniqueViolation as taken:
        raise QueueNameTaken(name) from taken


async def update(engine: Engine, actor: Actor, workspace: WorkspaceId, queue: QueueId, change: QueueChange) -> Queue:
    """Change name or schema, the latter of a step's queue too. Items that wait already are not looked at again."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    if change.schema is not UNSET and change.schema is not None:
        await check_schema_text(change.schema)
        await check_schema(engine, workspace, change.schema)
    try:
        async with scoped(engine.database, scope) as tx:
            before = await store.get(tx, scope, queue, for_update=True)
            if change.name is not UNSET and not before.is_standing:
                raise Invalid("a step's queue is called as the step", code="QUEUE_OF_STEP")
            name = before.name if change.name is UNSET else checked_name(change.name, what="queue's name")
            schema = before.schema if change.schema is UNSET else change.schema
            await store.update(tx, queue, name=name, schema=schema)
            await record(engine, tx, actor, scope, "queue.updated", queue, name=name)
            return await store.get(tx, scope, queue)
    except UniqueViolation as taken:
        raise QueueNameTaken(str(change.name)) from taken


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, queue: QueueId) -> None:
    """Delete a standing queue in which nothing waits, with its consumers. Raises QueueInUse."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, queue, for_update=True)
        if not found.is_standing:
            raise QueueInUse("a step's queue goes with its step")
        if await store.has_waiting(tx, queue):
            raise QueueInUse("work items wait in the queue: delete them first")
        await store.delete(tx, queue)
        await record(engine, tx, actor, scope, "queue.deleted", queue, name=found.name)


async def put(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    queue: QueueId,
    payload: Raw | None,
    *,
    terms: Terms = USUAL,
) -> WorkItem:
    """Put a new item into a standing queue. Raises QueueNotFound and what creating an item raises."""
    scope = scope_of(actor, Permission.WRITE_WORK_ITEMS, workspace)
    await check_payload(engine, payload)

    async def put_in() -> WorkItem:
        async with scoped(engine.database, scope) as tx:
            found = await store.get(tx, scope, queue)
            if not found.is_standing:
                raise QueueNotFound(queue)
            await check(tx, scope, queue, payload)
            return await work_items.create_in(tx, actor, scope, queue, None, payload, terms)

    return await settled(engine, put_in)


# ---------------------------------------------------------------------------------------------------- consumers
async def add_consumer(
    engine: Engine, actor: Actor, workspace: WorkspaceId, queue: QueueId, wanted: ConsumerDefinition
) -> Consumer:
    """A new consumer of a standing queue; it takes the right to start runs. Raises NotFound for task and workers."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    actor.require(Permission.START_RUNS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, queue, for_update=True)
        if not found.is_standing:
            raise QueueInUse("the items of a step's queue are worked on by the runs of its process")
        await _check(tx, actor, scope, wanted)
        consumer = QueueConsumerId(uuid7())
        await store.insert_consumer(tx, found, consumer, wanted, created_by=actor.id)
        await record(engine, tx, actor, scope, "queue_consumer.created", consumer, name=found.name)
        return await store.get_consumer(tx, scope, queue, consumer)


async def change_consumer(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    queue: QueueId,
    consumer: QueueConsumerId,
    change: ConsumerChange,
) -> Consumer:
    """Change what is set of a consumer's definition. Raises ConsumerNotFound and what `add_consumer` raises."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    actor.require(Permission.START_RUNS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, queue, for_update=True)
        before = await store.get_consumer(tx, scope, queue, consumer)
        wanted = change.applied_to(before)
        # who changes only when it works need not have the right to say as whom
        placed_by = actor if change.moves else system(actor.organization_id)
        await _check(tx, placed_by, scope, wanted)
        await store.update_consumer(tx, consumer, wanted)
        await record(engine, tx, actor, scope, "queue_consumer.updated", consumer, name=found.name)
        return await store.get_consumer(tx, scope, queue, consumer)


async def remove_consumer(
    engine: Engine, actor: Actor, workspace: WorkspaceId, queue: QueueId, consumer: QueueConsumerId
) -> None:
    """Delete a consumer; its runs go on. Raises ConsumerNotFound."""
    scope = scope_of(actor, Permission.WRITE_PROCESSES, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, queue, for_update=True)
        await store.get_consumer(tx, scope, queue, consumer)
        await store.delete_consumer(tx, consumer)
        await record(engine, tx, actor, scope, "queue_consumer.deleted", consumer, name=found.name)


_MOST_RUNS = 1000
_MOST_BATCH = 10_000
_MOST_WINDOWS = 50
_MOST_PRIORITY = 1_000_000
_DAYS = 7


async def _check(tx: ScopedTx, actor: Actor, scope: Scope, wanted: ConsumerDefinition) -> None:
    await packages.hold_task(tx, scope, wanted.task)
    if fault := placement_fault(wanted.placement):
        raise Invalid(fault, code="CONSUMER_INVALID")
    await check_placement(tx, actor, scope, wanted.placement)
    check_zone(wanted.zone)
    if not (1 <= wanted.max_runs <= _MOST_RUNS and 1 <= wanted.batch <= _MOST_BATCH):
        raise Invalid(
            f"at most {_MOST_RUNS:,} runs and {_MOST_BATCH:,} items a run, at least 1", code="CONSUMER_INVALID"
        )
    if abs(wanted.priority) > _MOST_PRIORITY or len(wanted.windows) > _MOST_WINDOWS:
        raise Invalid(f"at most {_MOST_WINDOWS} windows, and a priority within a million", code="CONSUMER_INVALID")
    for window in wanted.windows:
        if not window.days or not all(0 <= day < _DAYS for day in window.days):
            raise Invalid("a window names days of the week", code="CONSUMER_INVALID")
        if window.begins == window.ends or window.begins.tzinfo or window.ends.tzinfo:
            raise Invalid("a window begins and ends at two local times", code="CONSUMER_INVALID")
