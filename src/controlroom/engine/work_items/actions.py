"""What users and API keys do with work items. What robots do with them is in `runs/held_items.py`."""

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Raw

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import happened
from controlroom.engine.access.scope import Scope, ScopedTx, by, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By, append
from controlroom.engine.processes import store as processes
from controlroom.engine.processes.actions import implicit_process
from controlroom.engine.uploads.model import Upload
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items import files, schemas, store
from controlroom.engine.work_items.errors import WorkItemNotFound, WorkItemStateConflict
from controlroom.engine.work_items.limits import check_payload
from controlroom.engine.work_items.model import WorkItem
from controlroom.engine.work_items.operations import BECOMES, PAST_TENSE, Operation, is_fit
from controlroom.engine.work_items.rules import WRITABLE_BY_USERS
from controlroom.engine.work_items.terms import USUAL, Terms, TermsChange, check_terms, set_terms_in
from controlroom.errors import Conflict, Invalid
from controlroom.ids import FileId, ProcessId, QueueId, RunId, TaskId, WorkItemId, WorkspaceId
from controlroom.postgres.errors import UniqueViolation


async def create(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    process: ProcessId,
    payload: Raw | None,
    *,
    terms: Terms = USUAL,
) -> WorkItem:
    """Put a new item into the input queue of a process; it starts no run.

    Raises NotFound (no such process), Conflict `PROCESS_NOT_CONFIGURED` (no steps), `REFERENCE_TAKEN`, PayloadTooLarge,
    PayloadRefused.
    """

    async def known(_tx: ScopedTx, _scope: Scope) -> ProcessId:
        return process

    return await _create(engine, actor, workspace, known, payload, terms)


async def create_for_task(
    engine: Engine, actor: Actor, workspace: WorkspaceId, task: TaskId, payload: Raw | None, *, terms: Terms = USUAL
) -> WorkItem:
    """Put a new item into the input queue of a bare task. Raises TaskNotFound, and what `create` raises."""

    async def of_task(tx: ScopedTx, scope: Scope) -> ProcessId:
        return await implicit_process(tx, scope, task)

    return await _create(engine, actor, workspace, of_task, payload, terms)


async def _create(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    find: Callable[[ScopedTx, Scope], Awaitable[ProcessId]],
    payload: Raw | None,
    terms: Terms,
) -> WorkItem:
    scope = scope_of(actor, Permission.WRITE_WORK_ITEMS, workspace)
    await check_payload(engine, payload)

    async def put() -> WorkItem:
        async with scoped(engine.database, scope) as tx:
            process = await find(tx, scope)
            first = await processes.first_step(tx, scope, process)
            if first.has_schema:
                await schemas.check(tx, scope, first.queue_id, payload)
            return await create_in(tx, actor, scope, first.queue_id, process, payload, terms)

    return await schemas.settled(engine, put)


async def set_payload(
    engine: Engine, actor: Actor, workspace: WorkspaceId, item: WorkItemId, payload: Raw | None
) -> WorkItem:
    """Replace the payload of an item that nobody works on and that may yet be worked on."""
    scope = scope_of(actor, Permission.WRITE_WORK_ITEMS, workspace)
    await check_payload(engine, payload)

    async def edit() -> WorkItem:
        async with scoped(engine.database, scope) as tx:
            found = await _lock_writable(tx, scope, item)
            if found.queue_id is not None:
                await schemas.check(tx, scope, found.queue_id, payload)
            await store.keep_payload(tx, item)
            await store.set_payload(tx, item, payload)
            await tell(tx, actor, scope, "work_item.edited", found)
            return await store.get(tx, scope, item)

    return await schemas.settled(engine, edit)


async def promise_file(
    engine: Engine, actor: Actor, workspace: WorkspaceId, item: WorkItemId, name: str, size: int
) -> Upload:
    """Promise a file of an item that nobody works on; its link is signed by the border."""
    scope = scope_of(actor, Permission.WRITE_WORK_ITEMS, workspace)
    name = files.checked_file(engine, name, size)
    async with scoped(engine.database, scope) as tx:
        await _lock_writable(tx, scope, item)
        return await files.promise(tx, scope, item=item, name=name, size=size)


async def delete_file(engine: Engine, actor: Actor, workspace: WorkspaceId, item: WorkItemId, file: FileId) -> bool:
    """Remove a file from an item; whether it was there."""
    scope = scope_of(actor, Permission.WRITE_WORK_ITEMS, workspace)
    async with scoped(engine.database, scope) as tx:
        await _lock_writable(tx, scope, item)
        return await store.delete_file(tx, item, file)


async def change(
    engine: Engine, actor: Actor, workspace: WorkspaceId, operation: Operation, items: Sequence[WorkItemId]
) -> None:
    """Retry, resolve, complete, delete, hold or let go items: all of them or, if one is not fit for it, none."""
    scope = scope_of(actor, Permission.WRITE_WORK_ITEMS, workspace)
    if len(items) > engine.limits.items_per_batch:
        raise Invalid(f"at most {engine.limits.items_per_batch:,} work items at once", code="TOO_MANY_ITEMS")
    async with scoped(engine.database, scope) as tx:
        found = await store.lock(tx, scope, items)
        known = {item.id for item in found}
        for item in items:
            if item not in known:
                raise WorkItemNotFound(item)
        for held in found:
            if not is_fit(operation, held):
                raise WorkItemStateConflict(held.id, held.state, PAST_TENSE[operation])
        await change_in(tx, engine, actor, scope, operation, found)


async def create_in(
    tx: ScopedTx,
    actor: Actor,
    scope: Scope,
    queue: QueueId,
    process: ProcessId | None,
    payload: Raw | None,
    terms: Terms,
) -> WorkItem:
    """Put a new item into a queue, in the transaction of a caller who has checked the right to it and the payload."""
    check_terms(terms)
    new = store.NewItem(
        workspace=scope.workspace,
        process=process,
        queue=queue,
        payload=payload,
        priority=terms.priority,
        due=terms.due,
        deadline=terms.deadline,
        reference=terms.reference,
    )
    try:
        made = await store.make_one(tx, new)
    except UniqueViolation as taken:
        raise _taken(terms.reference) from taken
    await tell(tx, actor, scope, "work_item.created", made)
    return made


async def set_terms(
    engine: Engine, actor: Actor, workspace: WorkspaceId, item: WorkItemId, change: TermsChange
) -> WorkItem:
    """Change priority, due time, deadline or reference of an item that nobody works on and that may yet be worked on.

    Raises Conflict `REFERENCE_TAKEN`, Invalid.
    """
    scope = scope_of(actor, Permission.WRITE_WORK_ITEMS, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await _lock_writable(tx, scope, item)
        terms = change.applied_to(
            Terms(priority=found.priority, due=found.due, deadline=found.deadline, reference=found.reference)
        )
        check_terms(terms)
        try:
            await set_terms_in(tx, item, terms)
        except UniqueViolation as taken:
            raise _taken(terms.reference) from taken
        await tell(tx, actor, scope, "work_item.edited", found)
        if found.run_id is not None:
            _wake_after_commit(engine, tx, found.run_id)
        return await store.get(tx, scope, item)


def _taken(reference: str | None) -> Conflict:
    return Conflict(f"the queue has an item with reference {reference!r}", code="REFERENCE_TAKEN")


async def change_in(
    tx: ScopedTx, engine: Engine, actor: Actor, scope: Scope, operation: Operation, items: Sequence[WorkItem]
) -> None:
    """Do it to items that the caller has locked and found fit."""
    await change_for(tx, engine, by(actor), scope, operation, items)


async def change_for(
    tx: ScopedTx, engine: Engine, who: By, scope: Scope, operation: Operation, items: Sequence[WorkItem]
) -> None:
    """Likewise, for somebody who has asked for it before."""
    await store.set_state(tx, [item.id for item in items], BECOMES[operation])
    await _tell(tx, who, scope, _EVENTS[operation], items)
    runs = {item.run_id for item in items if item.run_id is not None}
    await store.leave_wakes(tx, sorted(runs))
    for run in runs:
        _wake_after_commit(engine, tx, run)


_EVENTS = {
    Operation.RETRY: "work_item.retried",
    Operation.MARK_DONE: "work_item.resolved",
    Operation.DELETE: "work_item.deleted",
    Operation.HOLD: "work_item.held",
    Operation.RELEASE_HOLD: "work_item.let_go",
    Operation.COMPLETE: "work_item.completed",
}


def _wake_after_commit(engine: Engine, tx: ScopedTx, run: RunId) -> None:
    tx.after_commit(lambda: engine.wakes.wake_here(Topic.RUN, run))


async def _lock_writable(tx: ScopedTx, scope: Scope, item: WorkItemId) -> WorkItem:
    found = await store.lock(tx, scope, [item])
    if not found:
        raise WorkItemNotFound(item)
    if found[0].state not in WRITABLE_BY_USERS:
        raise WorkItemStateConflict(item, found[0].state, "changed")
    return found[0]


async def tell(tx: ScopedTx, actor: Actor, scope: Scope, kind: str, *items: WorkItem) -> None:
    """Write what happened to items. Nobody is woken by it: whoever waits for an item is woken by its run."""
    await _tell(tx, by(actor), scope, kind, items)


async def _tell(tx: ScopedTx, who: By, scope: Scope, kind: str, items: Sequence[WorkItem]) -> None:
    of = [(item.process_id, item.run_id, item.id) for item in items]
    told = [happened(scope, kind, process_id=process, run_id=run, work_item_id=item) for process, run, item in of]
    await append(tx, who, *told)
