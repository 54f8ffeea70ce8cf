"""What a robot does with the work items that it holds or made, by the token of its step run.

Every verb checks in its own statement that the attempt lives: a token dies with its step run. Reserve and release may
be repeated after a lost answer.
"""

import random
from typing import TypeVar

from msgspec import UNSET, Raw, Struct, UnsetType

from controlroom.engine.access.errors import AttemptOver
from controlroom.engine.access.model import StepRunActor
from controlroom.engine.access.record import happened
from controlroom.engine.access.scope import SEEN, Robot, ScopedTx, by, ensure_lives, ensure_seen, scope_of_robot, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import append
from controlroom.engine.runs import at_once
from controlroom.engine.uploads.model import Upload
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items import claims, schemas, store
from controlroom.engine.work_items import files as item_files
from controlroom.engine.work_items.claims import R, Reserved
from controlroom.engine.work_items.errors import NotHolding, WorkItemNotFound, WorkItemStateConflict
from controlroom.engine.work_items.limits import check_payload
from controlroom.engine.work_items.model import ItemException, ItemFile, ItemState, Outcome, WorkItem
from controlroom.engine.work_items.rules import GiveUp, Retry, RetryPolicy, after_failure, shortened
from controlroom.engine.work_items.schemas import PayloadRefused
from controlroom.engine.work_items.several import Told
from controlroom.errors import NotFound
from controlroom.ids import FileId, QueueId, WorkItemId
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation

Columns = TypeVar("Columns", bound=Struct)


class Done(Struct, frozen=True):
    """The item was worked to its end."""


class Failed(Struct, frozen=True):
    """The item was not."""

    exception: ItemException


async def reserve(engine: Engine, robot: StepRunActor) -> WorkItemId | None:
    """The next item for the step run, or the one it holds; None when there is none left for it."""
    found = await reserve_as(engine, robot, Reserved)
    return None if found is None else found.id


async def reserve_as(engine: Engine, robot: StepRunActor, into: type[R]) -> R | None:
    """The same, with as much of the item as is asked for."""
    for _ in range(3):
        try:
            found = await at_once.claimed(engine.database, robot, into)
        except UniqueViolation:  # the same step run asked twice at once: the other call has taken one
            continue
        if found is None:  # nothing is left, or it has one: its answer was lost
            found = await claims.held(engine.database, scope_of_robot(robot), into)
        if found is None:
            await ensure_lives(engine.database, robot)
        return found
    return None


async def release(engine: Engine, robot: StepRunActor, item: WorkItemId, outcome: Done | Failed) -> None:
    """Give an item back. The same release twice is fine; raises NotHolding for a conflicting one."""
    match outcome:
        case Done():
            await finish(engine, robot, item, UNSET)
        case Failed(exception):
            await _fail(engine, robot, item, shortened(exception))


async def finish(engine: Engine, robot: StepRunActor, item: WorkItemId, payload: Raw | UnsetType | None) -> None:
    """Release an item as done, with a payload in place of its own where one is given: one statement."""
    has_work_for_others = await at_once.finished(engine.database, robot, item, payload)
    if has_work_for_others is None:
        await explain(engine.database, scope_of_robot(robot), item, Done())
    elif has_work_for_others:
        engine.wakes.wake_here(Topic.RUN, robot.run_id)


async def _fail(engine: Engine, robot: StepRunActor, item: WorkItemId, exception: ItemException) -> None:
    scope = scope_of_robot(robot)
    async with scoped(engine.database, scope) as tx:
        held = await lock_held(tx, scope)
        if held is None or held.item.id != item:
            await explain(tx, scope, item, Failed(exception))
        else:
            await fail_held(engine, tx, robot, held, exception)


async def fail_held(
    engine: Engine, tx: ScopedTx, robot: StepRunActor, held: "HeldItem", exception: ItemException
) -> None:
    """Give back the item that the transaction has locked: it fails, or is retried by policy."""
    policy = RetryPolicy() if held.is_stopped else held.retry
    match after_failure(exception, attempt=held.item.attempt, policy=policy, chance=random.random()):  # noqa: S311 - jitter
        case Retry(delay):
            state, written, kind = ItemState.PENDING, Outcome.RETRIED, "work_item.retried"
            await claims.end_attempt(tx, held.item, state=state, outcome=written, exception=exception, delay=delay)
        case GiveUp(reason):
            state, written, kind = ItemState.FAILED, Outcome.FAILED, "work_item.failed"
            await claims.end_attempt(tx, held.item, state=state, outcome=written, exception=reason)
    await claims.publish_outputs(tx, robot.step_run_id)
    event = happened(
        scope_of_robot(robot),
        kind,
        process_id=robot.process_id,
        run_id=robot.run_id,
        step_run_id=robot.step_run_id,
        work_item_id=held.item.id,
        exception={"type": exception.type.value, "code": exception.code},
    )
    await append(tx, by(robot), event)
    tx.after_commit(lambda: engine.wakes.wake_here(Topic.RUN, robot.run_id))


async def payload(engine: Engine, robot: StepRunActor, item: WorkItemId) -> Raw | None:
    """The payload of an item that the step run has held or made; None if it has none. Raises NotFound."""
    db = engine.database

    async def alone() -> Told:
        return await _read(db, scope_of_robot(robot), item, Told, "id, payload")

    return (await at_once.payload(db, robot, item, alone=alone)).payload


async def set_payload(engine: Engine, robot: StepRunActor, item: WorkItemId, payload: Raw | None) -> None:
    """Replace the payload of the item in hand, or of an output that nobody has reserved yet.

    Raises PayloadRefused for an output that was published already, if its queue's schema refuses the payload.
    """
    await check_payload(engine, payload)
    db, scope = engine.database, scope_of_robot(robot)

    async def alone() -> bool:
        return bool(await _write(db, scope, item, payload))

    if not await at_once.saved(db, robot, item, payload, alone=alone):
        await schemas.settled(engine, lambda: _write_checked(engine, scope, item, payload))


async def _write(db: Statements, scope: Robot, item: WorkItemId, payload: Raw | None) -> int:
    """Write a payload that no schema has a say in: one round trip; 0 if there is such a schema, or it may not."""
    return await db.execute(
        f"""
        update work_item set payload = %(payload)s
         where {_WRITABLE}
           and (state = 'in_progress'
                or not exists (select from queue where queue.id = work_item.queue_id and queue.schema is not null))
        """,
        item=item,
        payload=payload,
        **scope.params,
    )


class _Writable(Struct, frozen=True):
    state: ItemState
    queue_id: QueueId | None


async def _write_checked(engine: Engine, scope: Robot, item: WorkItemId, payload: Raw | None) -> None:
    """Likewise, of an output that goes to a queue with a schema."""
    async with scoped(engine.database, scope) as tx:
        found = await lock_writable(tx, scope, item)
        fault = None if found.queue_id is None else await schemas.fault_in(tx, scope, found.queue_id, payload)
        if fault is not None and found.state is not ItemState.DRAFT:
            raise PayloadRefused(fault)
        await tx.execute(
            "update work_item set payload = %(payload)s, fault = %(fault)s where id = %(item)s",
            item=item,
            payload=payload,
            fault=None if fault is None else str(fault),
        )


class WithData(Struct, frozen=True):
    """What an item holds."""

    payload: Raw | None
    files: list[ItemFile]


async def whole(engine: Engine, robot: StepRunActor, item: WorkItemId) -> WithData:
    """Payload and files of an item that the step run has held or made."""
    return await _read(engine.database, scope_of_robot(robot), item, WithData, f"payload, {store.FILES} as files")


class _Files(Struct, frozen=True):
    files: list[ItemFile]


async def files(engine: Engine, robot: StepRunActor, item: WorkItemId) -> list[ItemFile]:
    """The files of an item that the step run has held or made."""
    return (await _read(engine.database, scope_of_robot(robot), item, _Files, f"{store.FILES} as files")).files


async def file(engine: Engine, robot: StepRunActor, item: WorkItemId, file_id: FileId) -> ItemFile:
    """One file of an item that the step run has held or made."""
    for one in await files(engine, robot, item):
        if one.id == file_id:
            return one
    raise NotFound(f"work item {item} has no file {file_id}", code="FILE_NOT_FOUND")


async def promise_file(engine: Engine, robot: StepRunActor, item: WorkItemId, name: str, size: int) -> Upload:
    """Promise a file of an item that the step run may write; its link is signed by the border."""
    name = item_files.checked_file(engine, name, size)
    scope = scope_of_robot(robot)
    async with scoped(engine.database, scope) as tx:
        await lock_writable(tx, scope, item)
        return await item_files.promise(tx, scope, item=item, name=name, size=size)


async def delete_file(engine: Engine, robot: StepRunActor, item: WorkItemId, file_id: FileId) -> None:
    """Remove a file from an item that the step run may write; one that is not there is NotFound."""
    scope = scope_of_robot(robot)
    async with scoped(engine.database, scope) as tx:
        await lock_writable(tx, scope, item)
        if not await store.delete_file(tx, item, file_id):
            raise NotFound(f"work item {item} has no file {file_id}", code="FILE_NOT_FOUND")


# ---------------------------------------------------------------------------------------------------- rights
_MINE = f"""work_item.id = %(item)s and workspace_id = {SEEN}
       and (step_run_id = %(step_run)s or created_by_step_run = %(step_run)s)"""

_WRITABLE = f"""work_item.id = %(item)s and workspace_id = {SEEN}
       and ((step_run_id = %(step_run)s and state = 'in_progress')
            or (created_by_step_run = %(step_run)s and attempt = 0 and state in ('draft', 'pending', 'new')))"""
"""Its creator may write an output until another step run reserves it, which raises the item's attempt."""


async def _read(db: Statements, scope: Robot, item: WorkItemId, into: type[Columns], columns: str) -> Columns:
    """Columns of an item that the step run has held or made; raises AttemptOver, WorkItemNotFound."""
    found = await db.one_or_none(into, f"select {columns} from work_item where {_MINE}", item=item, **scope.params)
    if found is None:
        await ensure_seen(db, scope)
        raise WorkItemNotFound(item)
    return found


async def lock_writable(tx: ScopedTx, scope: Robot, item: WorkItemId) -> _Writable:
    """An item that the step run may write; raises AttemptOver, WorkItemNotFound, WorkItemStateConflict."""
    found = await tx.one_or_none(
        _Writable,
        f"select state, queue_id from work_item where {_WRITABLE} for update",
        item=item,
        **scope.params,
    )
    if found is None:
        mine = await _read(tx, scope, item, _Writable, "state, queue_id")
        raise WorkItemStateConflict(item, mine.state, "written by this step run any more")
    return found


class HeldItem(Struct, frozen=True):
    """The item in hand, and what decides about it."""

    item: WorkItem
    retry: RetryPolicy
    is_stopped: bool


class _Policy(Struct, frozen=True):
    retry: RetryPolicy
    is_stopped: bool


async def lock_held(tx: ScopedTx, scope: Robot) -> HeldItem | None:
    """The item in hand, with what decides about it; the step run is locked first, as by all who end it."""
    policy = await tx.one_or_none(
        _Policy,
        f"""
        select {store.RETRY} as retry, run.stop_at is not null as is_stopped
          from step_run join step on step.id = step_run.step_id join run on run.id = step_run.run_id
         where step_run.id = %(step_run)s and step_run.workspace_id = {SEEN}
           and step_run.attempt = %(attempt)s and step_run.state = 'in_progress'   -- asked again once it is locked
           for no key update of step_run
        """,
        **scope.params,
    )
    if policy is None:
        raise AttemptOver
    item = await claims.held_by(tx, scope.step_run)
    return None if item is None else HeldItem(item, policy.retry, policy.is_stopped)


async def explain(db: Statements, scope: Robot, item: WorkItemId, asked: Done | Failed) -> None:
    """A release found nothing to release: fine if this step run released it so before, else say what is wrong."""
    same = {Outcome.DONE} if isinstance(asked, Done) else {Outcome.FAILED, Outcome.RETRIED}
    outcome = await db.value(
        f"""
        select outcome from work_item_attempt
         where work_item_id = %(item)s and step_run_id = (select id from step_run
                                                           where id = %(step_run)s and workspace_id = {SEEN})
         order by attempt desc limit 1
        """,
        item=item,
        **scope.params,
    )
    await ensure_seen(db, scope)
    if outcome is None or Outcome(outcome) not in same:
        raise NotHolding(item)
