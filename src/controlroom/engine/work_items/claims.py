"""Taking items and giving them back: the statements that robots wait for, each one round trip.

Claims go by partial indexes over what is pending in a run, so that neither finished items nor other runs slow them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from msgspec import UNSET, Raw, Struct, UnsetType

from controlroom.engine.access.scope import ITS_WORKSPACE, SEEN, Robot, ScopedTx
from controlroom.engine.work_items.frontiers import Frontier
from controlroom.engine.work_items.listings import COLUMNS_WITHOUT_DATA
from controlroom.engine.work_items.model import (
    ItemException,
    ItemFile,
    ItemState,
    Outcome,
    WorkItem,
)
from controlroom.engine.work_items.store import FILES, IS_DUE
from controlroom.ids import ProcessId, RunId, StepId, StepRunId, WorkItemId
from controlroom.postgres.database import Statements


class Reserved(Struct, frozen=True):
    """An item that a step run holds, and its place in the order of claims."""

    id: WorkItemId
    step_run_id: StepRunId
    priority: int
    due: datetime

    @property
    def frontier(self) -> Frontier:
        """From where on the next one is looked for."""
        return Frontier(self.priority, self.due, self.id)


class ReservedWhole(Reserved, frozen=True):
    """Likewise, with all that a robot asks of it."""

    payload: Raw | None
    files: list[ItemFile]


R = TypeVar("R", bound=Reserved)


def furthest(items: Sequence[Reserved]) -> Frontier:
    """The place of the last of several, in the order of claims."""
    return max(items, key=lambda item: (-item.priority, item.due, item.id)).frontier


ORDER: Final = "work_item.id, step_run_id, priority, due"
BEYOND: Final = "and priority = %(priority)s and (due, work_item.id) >= (%(due)s::timestamptz, %(beyond)s::uuid)"


def columns(into: type[Reserved]) -> str:
    """What is told of an item that is handed out."""
    return f"{ORDER}, payload, {FILES} as files" if issubclass(into, ReservedWhole) else ORDER


async def reserve(
    db: Statements, robot: Robot, into: type[R], *, run: RunId, step: StepId, beyond: Frontier | None = None
) -> R | None:
    """Hand a step run that holds nothing its next item, the most urgent due one of its run; None if there is none.

    One round trip, safe from any number of callers: an item goes to one of them. An attempt that was overtaken, or that
    shall stop, gets none. Of two calls of one step run at once, one may fail with UniqueViolation: ask again. With
    `beyond` only items of the same priority from there on are looked at (see `frontiers`). Run and step are those of
    the step run, which its token names.

    Why so few parts: of what PostgreSQL takes for it, a good half is making the plan ready to run.
    """
    place = {} if beyond is None else {"priority": beyond.priority, "due": beyond.due, "beyond": beyond.item}
    return await db.one_or_none(
        into,
        f"""
        with asking as (
            select is_single from step_run
             where id = %(step_run)s and workspace_id = {ITS_WORKSPACE}
               and attempt = %(attempt)s and state = 'in_progress'
               for no key update                   -- one answer at a time, and none to an attempt that is being ended
        ), latest as (
            select state, turn from work_item
             where step_run_id = %(step_run)s and turn is not null
             order by turn desc
             limit 1
        ), picked as (
            select work_item.id
              from work_item
             where run_id = %(run)s and step_id = %(step)s
               and state = 'pending' and {IS_DUE}
               {"" if beyond is None else BEYOND}
               and (deadline is null or deadline > clock_now())
               and exists (select from asking where not is_single)
               and not exists (select from latest where state = 'in_progress')
               and not exists (select from run where id = %(run)s and stop_at is not null)
               and %(step_run)s <> all (tried_by)  -- never twice to the same step run
             order by priority desc, due, work_item.id
             limit 1
               for update skip locked
        )
        update work_item
           set state = 'in_progress', state_at = clock_now(), step_run_id = %(step_run)s,
               turn = coalesce((select turn from latest), 0) + 1,   -- unique: nobody else has taken it meanwhile
               reserved_at = clock_now(), attempt = attempt + 1
         where id = (select id from picked)
        returning {columns(into)}
        """,
        run=run,
        step=step,
        **robot.params,
        **place,
    )


async def held(db: Statements, robot: Robot, into: type[R]) -> R | None:
    """The item that a step run holds, as `reserve` has given it."""
    return await db.one_or_none(
        into,
        f"""
        select {columns(into)} from work_item
         where id = (select id from work_item
                      where step_run_id = %(step_run)s and turn is not null
                      order by turn desc
                      limit 1)
           and step_run_id = %(step_run)s and state = 'in_progress' and workspace_id = {SEEN}
        """,
        **robot.params,
    )


async def finish_held(
    db: Statements,
    robot: Robot,
    item: WorkItemId,
    *,
    process: ProcessId,
    run: RunId,
    payload: Raw | UnsetType | None = UNSET,
) -> bool | None:
    """Release the item as done, publish its outputs and write its history: one round trip.

    A payload that comes with it takes the place of the item's own.

    Whether outputs wait for a next step now; None if the step run does not hold the item (now, by this attempt).
    """
    return await db.value(  # type: ignore[no-any-return]
        f"""
        with released as (
            update work_item
               set state = 'done', state_at = clock_now(), {"" if payload is UNSET else "payload = %(payload)s,"}
                   exception_type = null, exception_code = '', exception_message = ''
             where id = %(item)s and step_run_id = %(step_run)s and state = 'in_progress'
               and workspace_id = {SEEN}
            returning id, attempt, reserved_at
        ), remembered as (
            insert into work_item_attempt (work_item_id, attempt, step_run_id, reserved_at, outcome)
            select id, attempt, %(step_run)s, reserved_at, 'done' from released
        ), told as (
            insert into event (organization_id, workspace_id, kind, actor_kind, actor_id,
                               process_id, run_id, step_run_id, work_item_id)
            select %(organization)s, %(workspace)s, 'work_item.done', 'step_run', %(step_run)s,
                   %(process)s, %(run)s, %(step_run)s, id
              from released
        ), published as (
            update work_item as output
               set state = case when output.fault is not null then 'invalid'
                                when output.step_id is null then 'new' else 'pending' end,
                   state_at = clock_now()
              from released
             where output.created_by_step_run = %(step_run)s and output.parent_id = released.id
               and output.parent_attempt = released.attempt and output.state = 'draft'
            returning output.state
        )
        select exists (select from published where state = 'pending') from released
        """,
        item=item,
        process=process,
        run=run,
        **({} if payload is UNSET else {"payload": payload}),
        **robot.params,
    )


async def publish_outputs(tx: ScopedTx, step_run: StepRunId) -> int:
    """Publish what a step run has put out for parents that are done or failed, whoever released them.

    What it put out for an attempt that is retried is discarded: the next attempt puts it out again.
    """
    return await tx.execute(
        """
        update work_item as output
           set state = case when parent.state not in ('done', 'failed') then 'deleted'
                            when output.fault is not null then 'invalid'
                            when output.step_id is null then 'new' else 'pending' end,
               state_at = clock_now()
          from work_item as parent
         where output.created_by_step_run = %(step_run)s and output.state = 'draft'
           and parent.id = output.parent_id and parent.state <> 'in_progress'
        """,
        step_run=step_run,
    )


async def discard_outputs_of_held(tx: ScopedTx, step_run: StepRunId) -> int:
    """Discard what a lost attempt has put out for the item it still holds: the item was not worked to its end."""
    return await tx.execute(
        """
        update work_item as output set state = 'deleted', state_at = clock_now()
          from work_item as parent
         where output.created_by_step_run = %(step_run)s and output.state = 'draft'
           and parent.id = output.parent_id and parent.state = 'in_progress'
        """,
        step_run=step_run,
    )


async def end_attempt(
    tx: ScopedTx,
    item: WorkItem,
    *,
    state: ItemState,
    outcome: Outcome,
    exception: ItemException | None,
    delay: timedelta = timedelta(),
) -> None:
    """Write what became of an item that the caller has locked, with its history; `delay` postpones a retry."""
    await tx.execute(
        """
        with ended as (
            update work_item
               set state = %(state)s, state_at = clock_now(),
                   due = case when %(state)s = 'pending' then clock_now() + %(delay)s::interval else due end,
                   is_postponed = %(state)s = 'pending' and %(delay)s::interval > '0',
                   tried_by = case when %(outcome)s = 'retried' then tried_by || step_run_id else tried_by end,
                   exception_type = %(type)s, exception_code = %(code)s, exception_message = %(message)s
             where id = %(item)s
            returning id, attempt, step_run_id, reserved_at
        )
        insert into work_item_attempt (work_item_id, attempt, step_run_id, reserved_at, outcome,
                                       exception_type, exception_code, exception_message)
        select id, attempt, step_run_id, reserved_at, %(outcome)s, %(type)s, %(code)s, %(message)s from ended
            on conflict do nothing
        """,
        item=item.id,
        state=state,
        outcome=outcome,
        delay=delay,
        type=None if exception is None else exception.type,
        code="" if exception is None else exception.code,
        message="" if exception is None else exception.message,
    )


async def held_by(tx: ScopedTx, step_run: StepRunId) -> WorkItem | None:
    """The item that a step run holds, locked."""
    return await tx.one_or_none(
        WorkItem,
        f"""
        select {COLUMNS_WITHOUT_DATA} from work_item
         where id = (select id from work_item
                      where step_run_id = %(step_run)s and turn is not null
                      order by turn desc
                      limit 1)
           and step_run_id = %(step_run)s and state = 'in_progress'
           for update
        """,
        step_run=step_run,
    )
