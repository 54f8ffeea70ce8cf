"""Items of a standing queue as people see and change them, of whatever state; robots hold them as any others."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from controlroom.engine.access.model import Permission
from controlroom.engine.access.scope import EACH, SEEN, Scope, ScopedTx, scoped, within
from controlroom.engine.engine import Engine
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, equal
from controlroom.engine.queues import feeding
from controlroom.engine.queues.errors import QueueChanged
from controlroom.engine.queues.listings import QUEUE_ITEMS, VERSION
from controlroom.engine.queues.model import ItemStanding, QueueItem
from controlroom.engine.queues.rights import Reached, user_of
from controlroom.engine.references import Reference, resolve_all
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import StopRequest
from controlroom.engine.work_items import actions, schemas, store
from controlroom.engine.work_items.errors import WorkItemNotFound, WorkItemStateConflict
from controlroom.engine.work_items.limits import check_payload
from controlroom.engine.work_items.model import ItemState, WorkItem
from controlroom.engine.work_items.operations import PAST_TENSE, Operation, is_fit
from controlroom.engine.work_items.rules import WRITABLE_BY_USERS
from controlroom.engine.work_items.terms import Terms, set_terms_in
from controlroom.errors import Invalid
from controlroom.ids import QueueId, RunId, UserId, WorkItemId
from controlroom.postgres.database import Statements

_LONGEST_TEXT: Final = 4000
_WITH_PAYLOAD: Final = replace(
    QUEUE_ITEMS, columns=QUEUE_ITEMS.columns.replace("null::jsonb as payload", "work_item.payload")
)
_BECOMES: Final[Mapping[ItemStanding, Operation]] = {
    ItemStanding.HELD: Operation.HOLD,
    ItemStanding.DONE: Operation.COMPLETE,
}


class ItemChange(Struct, frozen=True, kw_only=True):
    """What to change of an item: whatever is set."""

    standing: ItemStanding | UnsetType = UNSET
    payload: Mapping[str, Raw] | UnsetType = UNSET
    result: str | UnsetType = UNSET
    comment: str | UnsetType = UNSET
    due: datetime | UnsetType = UNSET
    """It is not begun before."""
    version: int | UnsetType = UNSET
    """The one that the change was thought of by: of another, it is refused."""


async def get(db: Statements, scope: Scope, queue: QueueId, item: WorkItemId) -> QueueItem:
    """An item of the queue, with its payload. Raises WorkItemNotFound."""
    asked = Asked(filter=equal(id=item, queue_id=queue), length=1)
    found = await pages.rows(db, QueueItem, _WITH_PAYLOAD, within(scope), asked)
    if not found:
        raise WorkItemNotFound(item)
    return found[0]


async def get_all(db: Statements, scope: Scope, queue: QueueId, items: Sequence[WorkItemId]) -> list[QueueItem]:
    """Items of the queue, with their payloads, in the order asked; those that are not there are left out."""
    rows = await db.all(
        QueueItem,
        f"{_WITH_PAYLOAD.select} where work_item.workspace_id in {EACH} and work_item.queue_id = %(queue)s "
        "and work_item.id = any(%(items)s::uuid[]) and work_item.state <> 'deleted'",
        queue=queue,
        items=list(items),
        **scope.each,
    )
    found = {row.id: row for row in rows}
    return [found[item] for item in items if item in found]


async def named(db: Statements, scope: Scope, queue: QueueId, texts: Sequence[str]) -> list[WorkItemId]:
    """The items of the queue that texts name, in their order. Raises WorkItemNotFound."""
    ids = await resolve_all(db, scope, [Reference(store.WORK_ITEM, text) for text in texts])
    theirs = await db.all(
        WorkItemId,
        f"""
        select id from work_item
         where workspace_id = {SEEN} and queue_id = %(queue)s and id = any(%(ids)s::uuid[]) and process_id is null
        """,
        queue=queue,
        ids=ids,
        **scope.params,
    )
    for text, item in zip(texts, ids, strict=True):
        if item not in set(theirs):
            raise WorkItemNotFound(text)
    return ids


async def change(engine: Engine, reached: Reached, item: WorkItemId, change: ItemChange) -> QueueItem:
    """Change payload, result, comment and standing of an item, in one commit.

    Nobody may be working on it, but for what is noted of it, and for setting it to failed: that ends the robot.

    A new payload is read by the queue's item model; a refused item whose payload was mended goes on when it is set to
    new or ready. Raises WorkItemNotFound, WorkItemStateConflict, QueueChanged, AttributeMissing, PayloadRefused.
    """
    if change.payload is not UNSET:
        await check_payload(engine, Raw(msgspec.json.encode(change.payload)))
    for text in (change.result, change.comment):
        if text is not UNSET and len(text) > _LONGEST_TEXT:
            raise Invalid(f"result and comment have at most {_LONGEST_TEXT:,} characters", code="TEXT_TOO_LONG")

    async def edit() -> QueueItem:
        async with scoped(engine.database, reached.scope) as tx:
            found = await _lock(tx, reached, item, change)
            found = await _write(tx, reached, found, change)
            if change.standing is not UNSET and not _is_to_be_ended(found, change.standing):
                await _set_standing(tx, engine, reached, found, change.standing)
            return await get(tx, reached.scope, reached.queue, item)

    changed = await schemas.settled(engine, edit)
    if changed.standing is ItemStanding.IN_PROGRESS and change.standing is ItemStanding.FAILED:
        await _end(engine, reached, item)
    return changed


def _is_to_be_ended(item: WorkItem, standing: ItemStanding) -> bool:
    return item.state is ItemState.IN_PROGRESS and standing is ItemStanding.FAILED


async def _end(engine: Engine, reached: Reached, item: WorkItemId) -> None:
    """Stop the run that a consumer has opened for the item: its robot is ended, and the item failed.

    Why not the item alone: a robot would go on with what is not its own any more.
    """
    run = await _run_of(engine.database, reached.scope, item)
    if run is not None:
        permissions = reached.actor.permissions_in(reached.workspace) | {Permission.START_RUNS}
        ending = replace(reached.actor, grants=reached.actor.grants | {reached.workspace: permissions})
        request = StopRequest(terminate=True, remaining_done=False, reason="a work item was set to failed")
        await runs.stop(engine, ending, reached.workspace, run, request)


async def _run_of(db: Statements, scope: Scope, item: WorkItemId) -> RunId | None:
    return await db.one_or_none(
        RunId,
        f"""
        select run.id from work_item join run on run.id = work_item.run_id
         where work_item.workspace_id = {SEEN} and work_item.id = %(item)s and work_item.state = 'in_progress'
           and run.started_by = 'queue'
        """,
        item=item,
        **scope.params,
    )


async def _lock(tx: ScopedTx, reached: Reached, item: WorkItemId, change: ItemChange) -> WorkItem:
    found = await store.lock(tx, reached.scope, [item])
    if not found or found[0].queue_id != reached.queue or found[0].process_id is not None:
        raise WorkItemNotFound(item)
    version = await tx.value(f"select {VERSION} from work_item where id = %(item)s", item=item)
    if change.version is not UNSET and change.version != version:
        raise QueueChanged(version)
    return found[0]


async def _write(tx: ScopedTx, reached: Reached, item: WorkItem, change: ItemChange) -> WorkItem:
    """Write what is no standing; the item as it is then."""
    writes = change.payload is not UNSET or change.due is not UNSET
    if writes and item.state not in WRITABLE_BY_USERS:
        raise WorkItemStateConflict(item.id, item.state, "changed")
    if change.payload is not UNSET:
        held = await feeding.hold(tx, reached.scope, reached.queue)
        put = feeding.fitted(held, change.payload)
        if put.fault is not None:
            raise Invalid(put.fault, code="PAYLOAD_REFUSED")
        if not held.attributes:
            await schemas.check(tx, reached.scope, reached.queue, put.payload)
        await store.set_payload(tx, item.id, put.payload)
        if held.refuses_duplicates:
            await feeding.mark_one(tx, item.id)
        item = replace(item, fault=None)
    if change.due is not UNSET:
        terms = Terms(priority=item.priority, due=change.due, deadline=item.deadline, reference=item.reference)
        await set_terms_in(tx, item.id, terms)
    await _note(tx, [item.id], user_of(reached.actor), change)
    await actions.tell(tx, reached.actor, reached.scope, "work_item.edited", item)
    return item


async def _set_standing(tx: ScopedTx, engine: Engine, reached: Reached, item: WorkItem, standing: ItemStanding) -> None:
    """Do to a locked item what makes it so."""
    operation = _operation(item, standing)
    if operation is None:
        return
    if not is_fit(operation, item):
        raise WorkItemStateConflict(item.id, item.state, PAST_TENSE[operation])
    await actions.change_in(tx, engine, reached.actor, reached.scope, operation, [item])


def _operation(item: WorkItem, standing: ItemStanding) -> Operation | None:
    """What brings an item to a standing; None if it is there. Raises Invalid for one that only work brings about."""
    if standing.value == item.state.value or (standing is ItemStanding.READY and item.state is ItemState.NEW):
        return None
    match standing:
        case ItemStanding.HELD | ItemStanding.DONE:
            return _BECOMES[standing]
        case ItemStanding.NEW | ItemStanding.READY:
            return Operation.RELEASE_HOLD if item.state is ItemState.HELD else Operation.RETRY
        case ItemStanding.FAILED:  # by hand only what is worked on
            raise WorkItemStateConflict(item.id, item.state, "failed")
        case _:
            raise Invalid(f"nobody sets a work item to {standing.value} by hand", code="WORK_ITEM_STANDING")


async def change_all(
    engine: Engine,
    reached: Reached,
    items: Sequence[WorkItemId],
    standing: ItemStanding,
    *,
    due: datetime | None = None,
) -> None:
    """Set the standing of many items of the queue: of all or, if one is not fit for it, of none.

    Raises WorkItemNotFound, WorkItemStateConflict, Invalid `TOO_MANY_ITEMS`.
    """
    if len(items) > engine.limits.items_per_batch:
        raise Invalid(f"at most {engine.limits.items_per_batch:,} work items at once", code="TOO_MANY_ITEMS")
    async with scoped(engine.database, reached.scope) as tx:
        found = await _lock_all(tx, reached, items)
        planned: dict[Operation, list[WorkItem]] = {}
        for item in found:
            if (operation := _operation(item, standing)) is None:
                continue
            if not is_fit(operation, item):
                raise WorkItemStateConflict(item.id, item.state, PAST_TENSE[operation])
            planned.setdefault(operation, []).append(item)
        if due is not None:
            await _postpone(tx, [item.id for item in found], due)
        await _note(tx, [item.id for item in found], user_of(reached.actor), ItemChange())
        for operation, fit in planned.items():
            await actions.change_in(tx, engine, reached.actor, reached.scope, operation, fit)


async def delete_all(engine: Engine, reached: Reached, items: Sequence[WorkItemId]) -> None:
    """Delete items of the queue: all of them or, if one is being worked on, none."""
    if len(items) > engine.limits.items_per_batch:
        raise Invalid(f"at most {engine.limits.items_per_batch:,} work items at once", code="TOO_MANY_ITEMS")
    async with scoped(engine.database, reached.scope) as tx:
        found = await _lock_all(tx, reached, items)
        for item in found:
            if not is_fit(Operation.DELETE, item):
                raise WorkItemStateConflict(item.id, item.state, PAST_TENSE[Operation.DELETE])
        await actions.change_in(tx, engine, reached.actor, reached.scope, Operation.DELETE, found)


async def _lock_all(tx: ScopedTx, reached: Reached, items: Sequence[WorkItemId]) -> list[WorkItem]:
    found = await store.lock(tx, reached.scope, items)
    theirs = {item.id for item in found if item.queue_id == reached.queue and item.process_id is None}
    for item in items:
        if item not in theirs:
            raise WorkItemNotFound(item)
    return found


async def _note(tx: ScopedTx, items: Sequence[WorkItemId], by: UserId | None, change: ItemChange) -> None:
    """Write result and comment, and that somebody has changed the items."""
    await tx.execute(
        """
        update work_item
           set result = coalesce(%(result)s, result), comment = coalesce(%(comment)s, comment),
               revision = revision + 1, updated_by = %(by)s, updated_at = clock_now()
         where id = any(%(items)s::uuid[])
        """,
        items=list(items),
        result=None if change.result is UNSET else change.result,
        comment=None if change.comment is UNSET else change.comment,
        by=by,
    )


async def _postpone(tx: ScopedTx, items: Sequence[WorkItemId], due: datetime) -> None:
    await tx.execute(
        """
        update work_item set due = %(due)s, is_postponed = %(due)s > clock_now() where id = any(%(items)s::uuid[])
        """,
        items=list(items),
        due=due,
    )
