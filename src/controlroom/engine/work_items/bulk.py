"""One operation on all items that a filter finds: first a preview that says how many, then in batches."""

from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import Scope, ScopedTx, scope_of, scoped, within
from controlroom.engine.engine import Engine
from controlroom.engine.lists import composer, pages
from controlroom.engine.lists.model import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Asked,
    Compare,
    Filter,
    OneOf,
    Operator,
    Unset,
    behind,
    equal,
)
from controlroom.engine.work_items import actions
from controlroom.engine.work_items.listings import ITEMS
from controlroom.engine.work_items.model import ExceptionType, ItemState, WorkItem
from controlroom.engine.work_items.operations import FIT, Operation
from controlroom.errors import Invalid
from controlroom.ids import ProcessId, QueueId, RunId, StepId, WorkItemId, WorkspaceId
from controlroom.postgres.database import Statements

BATCH: Final = 1000


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


Which = ItemFilter | Filter
"""Which items: as the management API says it, or any filter of their list."""


async def preview(engine: Engine, actor: Actor, workspace: WorkspaceId, operation: Operation, which: Which) -> Preview:
    """What the operation would touch now."""
    scope = scope_of(actor, Permission.READ_WORK_ITEMS, workspace)
    return await _count(engine.database, scope, which, _fit_for(operation))


async def apply(engine: Engine, actor: Actor, workspace: WorkspaceId, operation: Operation, which: Which) -> list[int]:
    """Do it to all items that the filter finds and that are fit for it; the numbers of those.

    Goes on in batches, oldest first, each item at most once and each batch one transaction: if the server dies, some
    are done and the same call does the rest. Items that somebody else changes at that moment are left out. Raises
    Invalid for a filter without any condition.
    """
    scope = scope_of(actor, Permission.WRITE_WORK_ITEMS, workspace)
    refuse_everything(which)
    touched: list[int] = []
    last = None
    while True:
        async with scoped(engine.database, scope) as tx:
            found = await lock_next(tx, scope, operation, which, after=last, length=BATCH)
            if found:
                await actions.change_in(tx, engine, actor, scope, operation, found)
        touched += [item.number for item in found]
        if len(found) < BATCH:
            return touched
        last = found[-1].id


def refuse_everything(which: Which) -> None:
    """Raises Invalid for a filter without any condition: nobody means all items of a workspace."""
    if which in (ItemFilter(), EVERYTHING):
        raise Invalid("a filter has at least one condition", code="FILTER_EMPTY")


def _fit_for(operation: Operation) -> Filter:
    """The items that it may be done to, as `operations.is_fit` says of one."""
    fit = OneOf("state", tuple(FIT[operation]))
    match operation:
        case Operation.RETRY:
            return AllOf((fit, Unset("fault")))
        case Operation.HOLD:
            return AllOf((fit, AnyOf((Compare("state", Operator.NE, ItemState.NEW), Unset("process_id")))))
        case _:  # no output of a run is listed
            return fit


async def lock_next(
    tx: ScopedTx, scope: Scope, operation: Operation, which: Which, *, after: WorkItemId | None, length: int
) -> list[WorkItem]:
    """The next items that the filter finds and that are fit, oldest first, without those that others hold."""
    asked = Asked(filter=AllOf((_meant(which), _fit_for(operation))), start=behind(after), length=length)
    found = composer.rows(ITEMS, within(scope), asked).ending("for update of work_item skip locked")
    return await tx.all(WorkItem, found.statement, **found.values)


# ---------------------------------------------------------------------------------------------------- what has ended
_HAS_ENDED: Final = OneOf("state", (ItemState.DONE, ItemState.FAILED))
_IDS: Final = replace(ITEMS, columns="work_item.id")


async def count_ended(db: Statements, scope: Scope, queue: QueueId, which: ItemFilter) -> Preview:
    """How many items of a queue the filter finds, and how many of those have ended."""
    return await _count(db, scope, replace(which, queue=queue), _HAS_ENDED)


async def list_ended(
    db: Statements, scope: Scope, queue: QueueId, which: ItemFilter, *, limit: int
) -> list[WorkItemId]:
    """The items of a queue that the filter finds and that have ended, oldest first."""
    asked = Asked(filter=AllOf((_meant(replace(which, queue=queue)), _HAS_ENDED)), length=limit)
    return await pages.rows(db, WorkItemId, _IDS, within(scope), asked)


# ---------------------------------------------------------------------------------------------------- both
def _meant(which: Which) -> Filter:
    """The filter as the list of items takes it."""
    if not isinstance(which, ItemFilter):
        return which
    conditions = equal(
        process_id=which.process,
        run_id=which.run,
        step_id=which.step,
        queue_id=which.queue,
        state=which.state,
        exception_type=which.exception_type,
        reference=which.reference,
    ).of
    if which.exception_codes is not None:
        conditions += (OneOf("exception_code", which.exception_codes),)
    if which.created_after is not None:
        conditions += (Compare("created_at", Operator.GT, which.created_after),)
    if which.created_before is not None:
        conditions += (Compare("created_at", Operator.LT, which.created_before),)
    return AllOf(conditions)


async def _count(db: Statements, scope: Scope, which: Which, touched: Filter) -> Preview:
    counted = composer.counts(ITEMS, within(scope), _meant(which), touched)
    return await db.one(Preview, counted.statement, **counted.values)
