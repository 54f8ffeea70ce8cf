"""What users and API keys do with work items. What robots do with them is in `runs/robot_verbs.py`."""

from collections.abc import Sequence

from msgspec import Raw

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.engine import Engine
from controlroom.engine.events import store as events
from controlroom.engine.events.store import By, Event
from controlroom.engine.processes import store as processes
from controlroom.engine.uploads.model import Upload
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items import files, store
from controlroom.engine.work_items.errors import PayloadTooLarge, WorkItemNotFound, WorkItemStateConflict
from controlroom.engine.work_items.model import ItemState, WorkItem
from controlroom.engine.work_items.rules import EDGES, WRITABLE_BY_USERS
from controlroom.errors import Conflict, Invalid
from controlroom.ids import FileId, ProcessId, RunId, WorkItemId, WorkspaceId
from controlroom.postgres.database import Tx
from controlroom.postgres.errors import UniqueViolation


async def create(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    process: ProcessId,
    payload: Raw | None,
    *,
    priority: int = 0,
    reference: str | None = None,
) -> WorkItem:
    """Put a new item into the input queue of a process; it starts no run.

    Raises NotFound (no such process), Conflict `PROCESS_NOT_CONFIGURED` (no steps), `REFERENCE_TAKEN`, PayloadTooLarge.
    """
    actor.require(Permission.WRITE_WORK_ITEMS, workspace)
    check_payload(engine, payload)
    async with engine.database.transaction() as tx:
        first = await processes.first_step(tx, workspace, process)
        try:
            item = await store.insert_one(
                tx,
                workspace=workspace,
                process=process,
                queue=first.queue_id,
                step=None,
                run=None,
                payload=payload,
                priority=priority,
                reference=reference,
            )
        except UniqueViolation as taken:
            raise Conflict(f"the queue has an item with reference {reference!r}", code="REFERENCE_TAKEN") from taken
        await _tell(tx, actor, workspace, "work_item.created", await _get(tx, workspace, item))
        return await _get(tx, workspace, item)


async def set_payload(
    engine: Engine, actor: Actor, workspace: WorkspaceId, item: WorkItemId, payload: Raw | None
) -> WorkItem:
    """Replace the payload of an item that nobody works on and that may yet be worked on."""
    actor.require(Permission.WRITE_WORK_ITEMS, workspace)
    check_payload(engine, payload)
    async with engine.database.transaction() as tx:
        found = await _lock_writable(tx, workspace, item)
        await store.set_payload(tx, workspace, item, payload)
        await _tell(tx, actor, workspace, "work_item.edited", found)
        return await _get(tx, workspace, item)


async def promise_file(
    engine: Engine, actor: Actor, workspace: WorkspaceId, item: WorkItemId, name: str, size: int
) -> Upload:
    """Promise a file of an item that nobody works on; its link is signed by the border."""
    actor.require(Permission.WRITE_WORK_ITEMS, workspace)
    files.check_file(engine, name, size)
    async with engine.database.transaction() as tx:
        await _lock_writable(tx, workspace, item)
        return await files.promise(tx, workspace=workspace, item=item, name=name, size=size)


async def delete_file(engine: Engine, actor: Actor, workspace: WorkspaceId, item: WorkItemId, file: FileId) -> bool:
    """Remove a file from an item; whether it was there."""
    actor.require(Permission.WRITE_WORK_ITEMS, workspace)
    async with engine.database.transaction() as tx:
        await _lock_writable(tx, workspace, item)
        return await store.delete_file(tx, item, file)


async def retry(engine: Engine, actor: Actor, workspace: WorkspaceId, items: Sequence[WorkItemId]) -> None:
    """Make failed items pending again in the run they belong to; all of them or none."""
    await _change(engine, actor, workspace, items, to=ItemState.PENDING, verb="retried", allowed={ItemState.FAILED})


async def mark_done(engine: Engine, actor: Actor, workspace: WorkspaceId, items: Sequence[WorkItemId]) -> None:
    """Resolve failed items by declaring them done; all of them or none."""
    await _change(engine, actor, workspace, items, to=ItemState.DONE, verb="marked as done", allowed={ItemState.FAILED})


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, items: Sequence[WorkItemId]) -> None:
    """Delete items that nobody works on; all of them or none."""
    await _change(engine, actor, workspace, items, to=ItemState.DELETED, verb="deleted", allowed=_BEFORE_DELETED)


async def hold(engine: Engine, actor: Actor, workspace: WorkspaceId, items: Sequence[WorkItemId]) -> None:
    """Set pending items aside; all of them or none."""
    await _change(engine, actor, workspace, items, to=ItemState.HELD, verb="held", allowed={ItemState.PENDING})


async def release_hold(engine: Engine, actor: Actor, workspace: WorkspaceId, items: Sequence[WorkItemId]) -> None:
    """Let held items go on; all of them or none."""
    await _change(engine, actor, workspace, items, to=ItemState.PENDING, verb="let go", allowed={ItemState.HELD})


def check_payload(engine: Engine, payload: Raw | None) -> None:
    """Raise PayloadTooLarge if the JSON text exceeds the limit."""
    if payload is not None and len(memoryview(payload)) > engine.limits.payload_bytes:
        raise PayloadTooLarge(len(memoryview(payload)), engine.limits.payload_bytes)


_BEFORE_DELETED = {state for state, following in EDGES.items() if ItemState.DELETED in following} - {ItemState.DRAFT}

_EVENTS = {
    "retried": "work_item.retried",
    "marked as done": "work_item.resolved",
    "deleted": "work_item.deleted",
    "held": "work_item.held",
    "let go": "work_item.let_go",
}


async def _change(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    items: Sequence[WorkItemId],
    *,
    to: ItemState,
    verb: str,
    allowed: set[ItemState],
) -> None:
    actor.require(Permission.WRITE_WORK_ITEMS, workspace)
    if len(items) > engine.limits.items_per_batch:
        raise Invalid(f"at most {engine.limits.items_per_batch:,} work items at once", code="TOO_MANY_ITEMS")
    async with engine.database.transaction() as tx:
        found = await store.lock(tx, workspace, items)
        known = {item.id for item in found}
        for item in items:
            if item not in known:
                raise WorkItemNotFound(item)
        for held in found:
            if held.state not in allowed:
                raise WorkItemStateConflict(held.id, held.state, verb)
        await store.set_state(tx, items, to)
        await _tell(tx, actor, workspace, _EVENTS[verb], *found)
        for run in {item.run_id for item in found if item.run_id is not None}:
            _wake_after_commit(engine, tx, run)


def _wake_after_commit(engine: Engine, tx: Tx, run: RunId) -> None:
    tx.after_commit(lambda: engine.wakes.wake_here(Topic.RUN, run))


async def _lock_writable(tx: Tx, workspace: WorkspaceId, item: WorkItemId) -> WorkItem:
    found = await store.lock(tx, workspace, [item])
    if not found:
        raise WorkItemNotFound(item)
    if found[0].state not in WRITABLE_BY_USERS:
        raise WorkItemStateConflict(item, found[0].state, "changed")
    return found[0]


async def _get(tx: Tx, workspace: WorkspaceId, item: WorkItemId) -> WorkItem:
    found = await store.get(tx, workspace, item)
    if found is None:
        raise WorkItemNotFound(item)
    return found


async def _tell(tx: Tx, actor: Actor, workspace: WorkspaceId, kind: str, *items: WorkItem) -> None:
    await events.append(
        tx,
        By(actor.kind, actor.id),
        *(
            Event(
                kind=kind,
                organization_id=actor.organization_id,
                workspace_id=workspace,
                process_id=item.process_id,
                run_id=item.run_id,
                work_item_id=item.id,
            )
            for item in items
        ),
    )
