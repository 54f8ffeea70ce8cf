"""One operation on all items that a filter finds: first a preview that says how many, then in batches."""

from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.engine import Engine
from controlroom.engine.work_items import actions, store
from controlroom.engine.work_items.model import ExceptionType, ItemState, WorkItem
from controlroom.engine.work_items.operations import FIT, Operation
from controlroom.errors import Invalid
from controlroom.ids import ProcessId, QueueId, RunId, StepId, WorkItemId, WorkspaceId
from controlroom.postgres.database import Statements

_BATCH: Final = 1000


class ItemFilter(Struct, frozen=True, kw_only=True):
    """Which items; all conditions must hold, and None is no condition."""

    process: ProcessId | None = None
    run: RunId | None = None
    step: StepId | None = None
    queue: QueueId | None = None
    state: ItemState | None = None
    exception_type: ExceptionType | None = None
    exception_codes: tuple[str, ...] | None = None
    """Any of them."""
    reference: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


class Preview(Struct, frozen=True):
    """How many items a filter finds, and how many of those an operation would touch."""

    matched: int
    touched: int


async def preview(
    engine: Engine, actor: Actor, workspace: WorkspaceId, operation: Operation, which: ItemFilter
) -> Preview:
    """What the operation would touch now."""
    actor.require(Permission.READ_WORK_ITEMS, workspace)
    conditions, values = _conditions(workspace, which)
    return await engine.database.one(
        Preview,
        f"""
        select count(*) as matched, count(*) filter (where {_IS_FIT}) as touched
          from work_item where {conditions}
        """,
        **values,
        fit=list(FIT[operation]),
        mended=operation is Operation.RETRY,
    )


async def apply(engine: Engine, actor: Actor, workspace: WorkspaceId, operation: Operation, which: ItemFilter) -> int:
    """Do it to all items that the filter finds and that are fit for it; how many.

    Goes on in batches, oldest first, each item at most once and each batch one transaction: if the server dies, some
    are done and the same call does the rest. Items that somebody else changes at that moment are left out. Raises
    Invalid for a filter without any condition.
    """
    actor.require(Permission.WRITE_WORK_ITEMS, workspace)
    if which == ItemFilter():
        raise Invalid("a filter has at least one condition", code="FILTER_EMPTY")
    total, last = 0, None
    while True:
        async with engine.database.transaction() as tx:
            found = await _lock_next(tx, workspace, operation, which, after=last)
            if found:
                await actions.change_in(tx, engine, actor, workspace, operation, found)
        total += len(found)
        if len(found) < _BATCH:
            return total
        last = found[-1].id


_IS_FIT: Final = "state = any(%(fit)s::text[]) and (fault is null or not %(mended)s)"


async def _lock_next(
    tx: Statements, workspace: WorkspaceId, operation: Operation, which: ItemFilter, *, after: WorkItemId | None
) -> list[WorkItem]:
    conditions, values = _conditions(workspace, which)
    return await tx.all(
        WorkItem,
        f"""
        select {store.COLUMNS_WITHOUT_DATA} from work_item
         where {conditions} and {_IS_FIT} and (%(after)s::uuid is null or id > %(after)s)
         order by id
         limit %(limit)s
           for update skip locked
        """,
        **values,
        fit=list(FIT[operation]),
        mended=operation is Operation.RETRY,
        after=after,
        limit=_BATCH,
    )


_COLUMNS: Final = {
    "process": "process_id = %(process)s",
    "run": "run_id = %(run)s",
    "step": "step_id = %(step)s",
    "queue": "queue_id = %(queue)s",
    "state": "state = %(state)s",
    "exception_type": "exception_type = %(exception_type)s",
    "exception_codes": "exception_code = any(%(exception_codes)s::text[])",
    "reference": "reference = %(reference)s",
    "created_after": "created_at > %(created_after)s",
    "created_before": "created_at < %(created_before)s",
}


def _conditions(workspace: WorkspaceId, which: ItemFilter) -> tuple[str, dict[str, Any]]:
    """What a filter is in SQL: constants of this module, and their values."""
    given = {name: value for name, value in msgspec.structs.asdict(which).items() if value is not None}
    always = "workspace_id = %(workspace)s and state not in ('draft', 'deleted') and queue_id is not null"
    return " and ".join([always, *(_COLUMNS[name] for name in given)]), {"workspace": workspace, **given}


# ---------------------------------------------------------------------------------------------------- what has ended
_HAS_ENDED: Final = "state in ('done', 'failed')"


async def count_ended(db: Statements, workspace: WorkspaceId, queue: QueueId, which: ItemFilter) -> Preview:
    """How many items of a queue the filter finds, and how many of those have ended."""
    conditions, values = _conditions(workspace, msgspec.structs.replace(which, queue=queue))
    return await db.one(
        Preview,
        f"""
        select count(*) as matched, count(*) filter (where {_HAS_ENDED}) as touched
          from work_item where {conditions}
        """,
        **values,
    )


async def list_ended(
    db: Statements, workspace: WorkspaceId, queue: QueueId, which: ItemFilter, *, limit: int
) -> list[WorkItemId]:
    """The items of a queue that the filter finds and that have ended, oldest first."""
    conditions, values = _conditions(workspace, msgspec.structs.replace(which, queue=queue))
    return await db.all(
        WorkItemId,
        f"select id from work_item where {conditions} and {_HAS_ENDED} order by id limit %(limit)s",
        **values,
        limit=limit,
    )
