"""The verbs of queues and their consumers."""

from collections.abc import Iterable
from contextlib import suppress

from msgspec import UNSET, Raw

from controlroom.engine import restoring
from controlroom.engine.access.model import Actor, Permission, system
from controlroom.engine.access.names import checked_description, checked_name, checked_text
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.item_models import store as item_models
from controlroom.engine.item_models.errors import AttributeUnknown
from controlroom.engine.item_models.rules import schema_of
from controlroom.engine.packages import labels
from controlroom.engine.packages import store as packages
from controlroom.engine.packages.errors import LabelNotFound
from controlroom.engine.packages.model import Task
from controlroom.engine.processes.actions import check_placement
from controlroom.engine.processes.model import Group, Placement
from controlroom.engine.processes.rules import placement_fault, retry_fault
from controlroom.engine.queues import feeding, moving, rights, store
from controlroom.engine.queues.errors import QueueChanged, QueueInUse, QueueNameTaken, QueueNotFound
from controlroom.engine.queues.model import (
    AS_USUAL,
    MOST_SHOWN,
    Consumer,
    ConsumerChange,
    ConsumerDefinition,
    Queue,
    QueueChange,
    QueueSettings,
)
from controlroom.engine.queues.rights import Holder, Reached, Right, governing, user_of
from controlroom.engine.queues.zones import check_zone
from controlroom.engine.work_items import actions as work_items
from controlroom.engine.work_items.limits import check_payload, check_schema_text
from controlroom.engine.work_items.model import WorkItem
from controlroom.engine.work_items.schemas import check, check_schema, settled
from controlroom.engine.work_items.terms import USUAL, Terms
from controlroom.engine.workers.errors import WorkerGroupIdle
from controlroom.engine.workers.group_rights import ensure_usable
from controlroom.errors import Invalid
from controlroom.ids import QueueConsumerId, QueueId, WorkspaceId, uuid7
from controlroom.postgres.errors import UniqueViolation


async def create(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    *,
    name: str,
    schema: Raw | None = None,
    settings: QueueSettings = AS_USUAL,
) -> Queue:
    """A new standing queue, owned by the user who makes it.

    One with an item model has the model's schema. Raises QueueNameTaken, Invalid `SCHEMA_INVALID`, ItemModelNotFound,
    AttributeUnknown.
    """
    scope = governing(actor, workspace)
    await _check_schema(engine, workspace, schema)
    async with scoped(engine.database, scope) as tx:
        return await create_in(engine, tx, actor, workspace, name=name, schema=schema, settings=settings)


async def create_in(
    engine: Engine,
    tx: ScopedTx,
    actor: Actor,
    workspace: WorkspaceId,
    *,
    name: str,
    schema: Raw | None = None,
    settings: QueueSettings = AS_USUAL,
) -> Queue:
    """Likewise, in the caller's transaction, which whatever is raised makes useless; its schema was checked."""
    scope = governing(actor, workspace)
    checked_name(name, what="queue's name")
    queue, by = QueueId(uuid7()), user_of(actor)
    schema = await _schema(tx, scope, settings, schema)
    try:
        if not await store.insert(tx, scope, queue, name=name, schema=schema, settings=settings, created_by=by):
            await ensure_seen(tx, scope)
            raise QueueNotFound(queue)
    except UniqueViolation as taken:
        raise QueueNameTaken(name) from taken
    if by is not None:
        await rights.give(tx, queue, Holder(user=by), [Right.OWN], by=by)
    await record(engine, tx, actor, scope, "queue.created", queue, name=name)
    return await store.get(tx, scope, queue)


async def update(engine: Engine, actor: Actor, workspace: WorkspaceId, queue: QueueId, change: QueueChange) -> Queue:
    """Change a standing queue, or the schema of a step's. Items that wait already are not looked at again.

    Raises what `create` raises, QueueChanged, QueueInUse for another item model while there are items, DuplicateItem.
    """
    scope = governing(actor, workspace)
    await _check_schema(engine, workspace, None if change.schema is UNSET else change.schema)
    try:
        async with scoped(engine.database, scope) as tx:
            before = await store.get(tx, scope, queue, for_update=True)
            if not before.is_standing and (change.name is not UNSET or change.settings is not UNSET):
                raise Invalid("a step's queue is called as the step", code="QUEUE_OF_STEP")
            if change.revision is not UNSET and change.revision != before.revision:
                raise QueueChanged(before.revision)
            settings = settings_of(before) if change.settings is UNSET else change.settings
            name = before.name if change.name is UNSET else checked_name(change.name, what="queue's name")
            schema = before.schema if change.schema is UNSET else change.schema
            if settings.item_model != before.item_model_id:
                if await store.has_items(tx, queue):
                    raise QueueInUse("the queue has items of its item model: it cannot get another")
                schema = None if change.schema is UNSET else schema
            schema = await _schema(tx, scope, settings, schema)
            await store.update(tx, queue, name=name, schema=schema, settings=settings, updated_by=user_of(actor))
            if settings.refuses_duplicates is not before.refuses_duplicates:
                await feeding.mark_unique(tx, queue, is_wanted=settings.refuses_duplicates)
            await record(engine, tx, actor, scope, "queue.updated", queue, name=name)
            return await store.get(tx, scope, queue)
    except UniqueViolation as taken:
        raise QueueNameTaken(str(change.name)) from taken


def settings_of(queue: Queue) -> QueueSettings:
    """The settings that a queue has."""
    return QueueSettings(
        description=queue.description,
        item_model=queue.item_model_id,
        retry=queue.retry,
        refuses_duplicates=queue.refuses_duplicates,
        shown=queue.shown,
        ordering=queue.ordering,
        notes=queue.notes,
        is_draft=queue.is_draft,
    )


async def _check_schema(engine: Engine, workspace: WorkspaceId, schema: Raw | None) -> None:
    if schema is not None:
        await check_schema_text(schema)
        await check_schema(engine, workspace, schema)


async def _schema(tx: ScopedTx, scope: Scope, settings: QueueSettings, schema: Raw | None) -> Raw | None:
    """The schema of a queue with these settings; they are checked, too."""
    checked_description(settings.description)
    if len(settings.shown) > MOST_SHOWN or len(settings.ordering) > MOST_SHOWN:
        raise Invalid(f"at most {MOST_SHOWN} attributes are shown, or order the items", code="QUEUE_INVALID")
    if settings.retry is not None and (fault := retry_fault(settings.retry)):
        raise Invalid(fault, code="QUEUE_INVALID")
    if settings.item_model is None:
        if settings.shown or settings.ordering:
            raise Invalid("only attributes of an item model are shown, or order the items", code="QUEUE_INVALID")
        return schema
    model = await item_models.get(tx, scope.organization, settings.item_model, lock=True)
    known = {each.name for each in model.attributes}
    for name in (*settings.shown, *(each.attribute for each in settings.ordering)):
        if name not in known:
            raise AttributeUnknown(name)
    return schema_of(model.attributes)


async def delete(
    engine: Engine, actor: Actor, workspace: WorkspaceId, queue: QueueId, *, with_items: bool = False
) -> None:
    """Delete a standing queue in which nothing waits, with its consumers. Raises QueueInUse.

    `with_items`: also what waits; then no consumer may be there, and no item be worked on.
    """
    scope = governing(actor, workspace)
    async with scoped(engine.database, scope) as tx:
        await _delete(engine, tx, actor, scope, queue, with_items=with_items)


async def delete_all(engine: Engine, queues: Iterable[Reached]) -> None:
    """Delete several standing queues with what waits in them, all of them or none. Raises QueueInUse."""
    in_order = sorted({each.queue: each for each in queues}.values(), key=lambda each: each.queue)
    async with scoped(engine.database, in_order[0].actor.organization_id) as tx:
        for each in in_order:  # so that two who delete the same never wait in a circle
            await _delete(engine, tx, each.actor, governing(each.actor, each.workspace), each.queue, with_items=True)


async def _delete(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, queue: QueueId, *, with_items: bool
) -> None:
    found = await store.get(tx, scope, queue, for_update=True)
    if not found.is_standing:
        raise QueueInUse("a step's queue goes with its step")
    if with_items:
        if found.has_consumers:
            raise QueueInUse("an automation works on the queue: delete that first")
        if await store.drop_items(tx, queue):
            raise QueueInUse("work items of the queue are being worked on")
    elif await store.has_waiting(tx, queue):
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
            found = await feeding.hold(tx, scope, queue)
            await check(tx, scope, queue, payload)
            made = await work_items.create_in(tx, actor, scope, queue, None, payload, terms)
            if found.refuses_duplicates:
                await feeding.mark_one(tx, made.id)
            return made

    return await settled(engine, put_in)


# ---------------------------------------------------------------------------------------------------- consumers
async def add_consumer(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    queue: QueueId,
    wanted: ConsumerDefinition,
    *,
    task_in: WorkspaceId | None = None,
) -> Consumer:
    """A new consumer of a standing queue; it takes the right to start runs. Raises NotFound for task and workers.

    Of a task that lies in another workspace the first consumer takes the queue there (see `moving`), else it is
    refused.
    """
    scope = governing(actor, workspace)
    actor.require(Permission.START_RUNS, task_in or workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, queue, for_update=True)
        if not found.is_standing:
            raise QueueInUse("the items of a step's queue are worked on by the runs of its process")
        if task_in is not None:
            found, scope = await moving.settle_at(engine, tx, actor, scope, queue, task_in)
        await _check(tx, actor, scope, wanted)
        consumer = QueueConsumerId(uuid7())
        await store.insert_consumer(tx, found, consumer, wanted, created_by=user_of(actor))
        await record(engine, tx, actor, scope, "queue_consumer.created", consumer, name=found.name)
        return await store.get_consumer(tx, scope, queue, consumer)


async def change_consumer(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    queue: QueueId,
    consumer: QueueConsumerId,
    change: ConsumerChange,
    *,
    revision: int | None = None,
) -> Consumer:
    """Change what is set of a consumer's definition. Raises ConsumerNotFound and what `add_consumer` raises.

    With `revision` only if nobody has changed it since: else QueueChanged.
    """
    scope = governing(actor, workspace)
    actor.require(Permission.START_RUNS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, queue, for_update=True)
        before = await store.get_consumer(tx, scope, queue, consumer)
        if revision is not None and revision != before.revision:
            raise QueueChanged(before.revision)
        wanted = change.applied_to(before)
        # who changes only when it works need not have the right to say as whom
        placed_by = actor if change.moves else system(actor.organization_id)
        await _check(tx, placed_by, scope, wanted)
        await store.update_consumer(tx, consumer, wanted, updated_by=user_of(actor))
        await record(engine, tx, actor, scope, "queue_consumer.updated", consumer, name=found.name)
        return await store.get_consumer(tx, scope, queue, consumer)


async def remove_consumer(
    engine: Engine, actor: Actor, workspace: WorkspaceId, queue: QueueId, consumer: QueueConsumerId
) -> None:
    """Delete a consumer; its runs go on. Raises ConsumerNotFound."""
    scope = governing(actor, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, queue, for_update=True)
        await store.get_consumer(tx, scope, queue, consumer)
        await store.delete_consumer(tx, consumer)
        await record(engine, tx, actor, scope, "queue_consumer.deleted", consumer, name=found.name)


async def restore_consumer(
    engine: Engine, actor: Actor, workspace: WorkspaceId, queue: QueueId, consumer: QueueConsumerId
) -> Consumer:
    """Have a consumer again that was deleted, paused if it was. It takes what adding one takes: what it runs is there.

    Raises ConsumerNotFound, also for one that is not deleted, and what `add_consumer` raises.
    """
    scope = governing(actor, workspace)
    actor.require(Permission.START_RUNS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.get(tx, scope, queue, for_update=True)
        await restoring.restore(tx, scope, store.QUEUE_CONSUMER, consumer)
        restored = await store.get_consumer(tx, scope, queue, consumer)
        await _check(tx, actor, scope, ConsumerChange().applied_to(restored))
        await record(engine, tx, actor, scope, "queue_consumer.restored", consumer, name=found.name)
        return restored


_MOST_RUNS = 1000
_MOST_BATCH = 10_000
_MOST_WINDOWS = 50
_MOST_PRIORITY = 1_000_000
_DAYS = 7
_MOST_USERS = 100
_LONGEST_NOTES = 64 * 1024


async def _check_version(tx: ScopedTx, scope: Scope, task: Task, wanted: ConsumerDefinition) -> None:
    """What it says of the version is there: else its items would wait for it in silence."""
    if wanted.label is not None and not await labels.labelled(tx, scope, [task.package_id], wanted.label):
        raise LabelNotFound(wanted.label, task.package_name)
    if wanted.version is not None:
        await labels.get_version(tx, scope, task.package_id, wanted.version)


async def _check(tx: ScopedTx, actor: Actor, scope: Scope, wanted: ConsumerDefinition) -> None:
    await _check_version(tx, scope, await packages.hold_task(tx, scope, wanted.task), wanted)
    checked_text(wanted.name, what="consumer's name")
    checked_description(wanted.description)
    if fault := placement_fault(wanted.placement):
        raise Invalid(fault, code="CONSUMER_INVALID")
    await check_placement(tx, actor, scope, wanted.placement)
    for place in wanted.placement.places:
        if isinstance(place, Group):
            with suppress(WorkerGroupIdle):  # its items wait visibly for whoever is away
                await ensure_usable(tx, actor, scope, [place.group])
    for user in wanted.run_as:
        await check_placement(tx, actor, scope, Placement(run_as=user))
    _check_numbers(wanted)
    _check_hours(wanted)


def _check_numbers(wanted: ConsumerDefinition) -> None:
    if not (1 <= wanted.max_runs <= _MOST_RUNS and 1 <= wanted.batch <= _MOST_BATCH):
        raise Invalid(
            f"at most {_MOST_RUNS:,} runs and {_MOST_BATCH:,} items a run, at least 1", code="CONSUMER_INVALID"
        )
    if len(wanted.run_as) > _MOST_USERS or len(memoryview(wanted.notes)) > _LONGEST_NOTES:
        raise Invalid(f"at most {_MOST_USERS} users, and {_LONGEST_NOTES:,} bytes of notes", code="CONSUMER_INVALID")
    if abs(wanted.priority) > _MOST_PRIORITY or len(wanted.windows) > _MOST_WINDOWS:
        raise Invalid(f"at most {_MOST_WINDOWS} windows, and a priority within a million", code="CONSUMER_INVALID")


def _check_hours(wanted: ConsumerDefinition) -> None:
    check_zone(wanted.zone)
    for window in wanted.windows:
        if not window.days or not all(0 <= day < _DAYS for day in window.days):
            raise Invalid("a window names days of the week", code="CONSUMER_INVALID")
        if window.begins == window.ends or window.begins.tzinfo or window.ends.tzinfo:
            raise Invalid("a window begins and ends at two local times", code="CONSUMER_INVALID")
