"""What a robot does with the work items that it holds or made, by the token of its step run.

Every verb checks in its own statement that the attempt lives: a token dies with its step run. Reserve and release may
be repeated after a lost answer.
"""

import random
import time

from msgspec import Raw, Struct

from controlroom.engine.access.errors import AttemptOver
from controlroom.engine.access.model import StepRunActor
from controlroom.engine.access.record import happened
from controlroom.engine.access.scope import by, scope_of_robot
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import append
from controlroom.engine.uploads.model import Upload
from controlroom.engine.wakes import Topic
from controlroom.engine.work_items import claims, schemas, store
from controlroom.engine.work_items import files as item_files
from controlroom.engine.work_items.claims import Reserved
from controlroom.engine.work_items.errors import NotHolding, WorkItemNotFound, WorkItemStateConflict
from controlroom.engine.work_items.frontiers import frontiers_of
from controlroom.engine.work_items.limits import check_payload
from controlroom.engine.work_items.model import ItemException, ItemFile, ItemState, Outcome, WorkItem
from controlroom.engine.work_items.rules import GiveUp, Retry, RetryPolicy, after_failure, shortened
from controlroom.engine.work_items.schemas import PayloadRefused
from controlroom.errors import NotFound
from controlroom.ids import FileId, QueueId, WorkItemId
from controlroom.postgres.database import Statements, Tx
from controlroom.postgres.errors import UniqueViolation


class Done(Struct, frozen=True):
    """The item was worked to its end."""


class Failed(Struct, frozen=True):
    """The item was not."""

    exception: ItemException


async def reserve(engine: Engine, robot: StepRunActor) -> WorkItemId | None:
    """The next item for the step run, or the one it holds; None when there is none left for it."""
    for _ in range(3):
        try:
            found = await _reserve_where_claims_are(engine, robot)
        except UniqueViolation:  # the same step run asked twice at once: the other call has taken one
            continue
        if found is None:
            await require_alive(engine.database, robot)
            return None
        return found.id
    return None


async def _reserve_where_claims_are(engine: Engine, robot: StepRunActor) -> Reserved | None:
    """Look beyond what was claimed last, then at the whole queue: one statement but for the last item."""
    known = frontiers_of(engine.database)
    frontier = known.of(robot.run_id, robot.step_id)
    if frontier is not None:
        found = await claims.reserve(engine.database, robot, beyond=frontier)
        if found is not None:
            known.reached(robot.run_id, robot.step_id, found.frontier, whole_seconds=None)
            return found
    began = time.monotonic()
    found = await claims.reserve(engine.database, robot)
    if found is None:
        known.forget(robot.run_id, robot.step_id)
    else:
        seconds = time.monotonic() - began
        known.reached(robot.run_id, robot.step_id, found.frontier, whole_seconds=seconds)
    return found


async def release(engine: Engine, robot: StepRunActor, item: WorkItemId, outcome: Done | Failed) -> None:
    """Give an item back. The same release twice is fine; raises NotHolding for a conflicting one."""
    match outcome:
        case Done():
            has_work_for_others = await claims.finish_held(engine.database, robot, item)
            if has_work_for_others is None:
                await _explain(engine.database, robot, item, {Outcome.DONE})
            elif has_work_for_others:
                engine.wakes.wake_here(Topic.RUN, robot.run_id)
        case Failed(exception):
            await _fail(engine, robot, item, shortened(exception))


async def _fail(engine: Engine, robot: StepRunActor, item: WorkItemId, exception: ItemException) -> None:
    async with engine.database.transaction() as tx:
        held = await _lock_held(tx, robot)
        if held is None or held.item.id != item:
            await _explain(tx, robot, item, {Outcome.FAILED, Outcome.RETRIED})
            return
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
            work_item_id=item,
            exception={"type": exception.type.value, "code": exception.code},
        )
        await append(tx, by(robot), event)
        tx.after_commit(lambda: engine.wakes.wake_here(Topic.RUN, robot.run_id))


class _Payload(Struct, frozen=True):
    payload: Raw | None


async def payload(engine: Engine, robot: StepRunActor, item: WorkItemId) -> Raw | None:
    """The payload of an item that the step run has held or made; None if it has none. Raises NotFound."""
    found = await engine.database.one_or_none(
        _Payload, f"select payload from work_item where {_MINE}", **_mine(robot, item)
    )
    if found is None:
        await require_alive(engine.database, robot)
        raise WorkItemNotFound(item)
    return found.payload


async def set_payload(engine: Engine, robot: StepRunActor, item: WorkItemId, payload: Raw | None) -> None:
    """Replace the payload of the item in hand, or of an output that nobody has reserved yet.

    Raises PayloadRefused for an output that was published already, if its queue's schema refuses the payload.
    """
    await check_payload(engine, payload)
    written = await engine.database.execute(
        f"""
        update work_item set payload = %(payload)s
         where {_WRITABLE}
           and (state = 'in_progress'
                or not exists (select from queue where queue.id = work_item.queue_id and queue.schema is not null))
        """,
        **_mine(robot, item),
        payload=payload,
    )
    if not written:
        await schemas.settled(engine, lambda: _set_checked_payload(engine, robot, item, payload))


class _Output(Struct, frozen=True):
    state: ItemState
    queue_id: QueueId | None


async def _set_checked_payload(engine: Engine, robot: StepRunActor, item: WorkItemId, payload: Raw | None) -> None:
    """Likewise, of an output that goes to a queue with a schema."""
    async with engine.database.transaction() as tx:
        found = await tx.one_or_none(
            _Output, f"select state, queue_id from work_item where {_WRITABLE} for update", **_mine(robot, item)
        )
        if found is None:
            await _refuse_write(tx, robot, item)
            return
        fault = None if found.queue_id is None else await schemas.fault_in(tx, found.queue_id, payload)
        if fault is not None and found.state is not ItemState.DRAFT:
            raise PayloadRefused(fault)
        await tx.execute(
            "update work_item set payload = %(payload)s, fault = %(fault)s where id = %(item)s",
            item=item,
            payload=payload,
            fault=None if fault is None else str(fault),
        )


class _Files(Struct, frozen=True):
    files: list[ItemFile]


async def files(engine: Engine, robot: StepRunActor, item: WorkItemId) -> list[ItemFile]:
    """The files of an item that the step run has held or made."""
    found = await engine.database.one_or_none(
        _Files, f"select {store.FILES} as files from work_item where {_MINE}", **_mine(robot, item)
    )
    if found is None:
        await require_alive(engine.database, robot)
        raise WorkItemNotFound(item)
    return found.files


async def file(engine: Engine, robot: StepRunActor, item: WorkItemId, file_id: FileId) -> ItemFile:
    """One file of an item that the step run has held or made."""
    for one in await files(engine, robot, item):
        if one.id == file_id:
            return one
    raise NotFound(f"work item {item} has no file {file_id}", code="FILE_NOT_FOUND")


async def promise_file(engine: Engine, robot: StepRunActor, item: WorkItemId, name: str, size: int) -> Upload:
    """Promise a file of an item that the step run may write; its link is signed by the border."""
    name = item_files.checked_file(engine, name, size)
    async with engine.database.transaction() as tx:
        await _lock_writable(tx, robot, item)
        return await item_files.promise(tx, scope_of_robot(robot), item=item, name=name, size=size)


async def delete_file(engine: Engine, robot: StepRunActor, item: WorkItemId, file_id: FileId) -> None:
    """Remove a file from an item that the step run may write; one that is not there is NotFound."""
    async with engine.database.transaction() as tx:
        await _lock_writable(tx, robot, item)
        if not await store.delete_file(tx, item, file_id):
            raise NotFound(f"work item {item} has no file {file_id}", code="FILE_NOT_FOUND")


# ---------------------------------------------------------------------------------------------------- rights
_ALIVE = """exists (select from step_run
                     where step_run.id = %(step_run)s and attempt = %(attempt)s and state = 'in_progress')"""

_MINE = f"""work_item.id = %(item)s and workspace_id = %(workspace)s
       and (step_run_id = %(step_run)s or created_by_step_run = %(step_run)s) and {_ALIVE}"""

_WRITABLE = f"""work_item.id = %(item)s and workspace_id = %(workspace)s
       and ((step_run_id = %(step_run)s and state = 'in_progress')
            or (created_by_step_run = %(step_run)s and attempt = 0 and state in ('draft', 'pending', 'new')))
       and {_ALIVE}"""
"""Its creator may write an output until another step run reserves it, which raises the item's attempt."""


def _mine(robot: StepRunActor, item: WorkItemId) -> dict[str, object]:
    return {
        "item": item,
        "workspace": robot.workspace_id,
        "step_run": robot.step_run_id,
        "attempt": robot.attempt,
    }


async def _lock_writable(tx: Tx, robot: StepRunActor, item: WorkItemId) -> None:
    if not await tx.value(f"select true from work_item where {_WRITABLE} for update", **_mine(robot, item)):
        await _refuse_write(tx, robot, item)


async def _refuse_write(db: Statements, robot: StepRunActor, item: WorkItemId) -> None:
    await require_alive(db, robot)
    state = await db.value(f"select state from work_item where {_MINE}", **_mine(robot, item))
    if state is None:
        raise WorkItemNotFound(item)
    raise WorkItemStateConflict(item, ItemState(state), "written by this step run any more")


async def require_alive(db: Statements, robot: StepRunActor) -> None:
    """Raises AttemptOver if the attempt lives no more."""
    if not await db.value(f"select {_ALIVE}", step_run=robot.step_run_id, attempt=robot.attempt):
        raise AttemptOver


class _HeldItem(Struct, frozen=True):
    item: WorkItem
    retry: RetryPolicy
    is_stopped: bool


class _Policy(Struct, frozen=True):
    retry: RetryPolicy
    is_stopped: bool


async def _lock_held(tx: Tx, robot: StepRunActor) -> _HeldItem | None:
    """The item in hand, with what decides about it; the step run is locked first, as by all who end it."""
    policy = await tx.one_or_none(
        _Policy,
        """
        select step.retry, run.stop_at is not null as is_stopped
          from step_run join step on step.id = step_run.step_id join run on run.id = step_run.run_id
         where step_run.id = %(step_run)s and step_run.attempt = %(attempt)s and step_run.state = 'in_progress'
           for no key update of step_run
        """,
        step_run=robot.step_run_id,
        attempt=robot.attempt,
    )
    if policy is None:
        raise AttemptOver
    item = await claims.held_by(tx, robot.step_run_id)
    return None if item is None else _HeldItem(item, policy.retry, policy.is_stopped)


async def _explain(db: Statements, robot: StepRunActor, item: WorkItemId, same: set[Outcome]) -> None:
    """A release found nothing to release: fine if this step run released it so before, else say what is wrong."""
    outcome = await db.value(
        """
        select outcome from work_item_attempt
         where work_item_id = %(item)s and step_run_id = %(step_run)s
         order by attempt desc limit 1
        """,
        item=item,
        step_run=robot.step_run_id,
    )
    await require_alive(db, robot)
    if outcome is None or Outcome(outcome) not in same:
        raise NotHolding(item)
