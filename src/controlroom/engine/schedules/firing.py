"""What the room does with what is due: starts runs, and remembers what became of each occurrence.

An occurrence is decided under the lock of its schedule's row, in the transaction that starts its run and moves the
schedule on; its row is unique. So it is started exactly once, however many servers try.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, assert_never
from uuid import UUID

import msgspec
from msgspec import Raw

from controlroom.aside.pool import TooCostly
from controlroom.engine.access.model import Actor, system
from controlroom.engine.access.record import happened
from controlroom.engine.access.scope import Room, ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By, append
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import (
    Cause,
    DefaultInput,
    Inputs,
    Run,
    StartedBy,
    StopRequest,
    WithPayloads,
    WithWaiting,
)
from controlroom.engine.runs.parameters import RunParameters
from controlroom.engine.schedules import rules, store, task_starts
from controlroom.engine.schedules.definitions import Schedule
from controlroom.engine.schedules.due import Due, lock_due, lock_waiting
from controlroom.engine.schedules.model import (
    GivenPayload,
    OccurrenceState,
    ScheduledInput,
    UsualInput,
    WaitingItems,
)
from controlroom.engine.schedules.planning import Planned, Unplanned, plan, planned
from controlroom.engine.schedules.rules import Go, Miss, Plan, Skip, Start, Wait
from controlroom.engine.schedules.store import LateRun
from controlroom.engine.work_items.schemas import settled
from controlroom.errors import Conflict, Invalid, NotFound
from controlroom.ids import ScheduleId
from controlroom.postgres.database import Database

_SYSTEM = By("system")
_TRIES: Final = 3


async def fire(engine: Engine, room: Room, schedule: ScheduleId) -> bool:
    """Decide all that is due of a schedule; whether anything was, and nobody else did it.

    If a run cannot be started, because its process is disabled or not configured, that is what became of it.
    """
    known: list[Planned] = []
    for _ in range(_TRIES):
        try:
            return await settled(engine, lambda: _fire_once(engine, room, schedule, known))
        except Unplanned as found:
            known.append(await planned(engine, found.due))
    return False  # it changes all the time: later


async def _fire_once(engine: Engine, room: Room, schedule: ScheduleId, known: Sequence[Planned]) -> bool:
    due: list[Due] = []
    try:
        async with scoped(engine.database, room) as tx:
            found = await lock_due(tx, schedule)
            if found is None:
                return False
            due.append(found)
            await _fire(tx, engine, found, known)
    except (Conflict, Invalid, NotFound) as refused:
        await _fail(engine.database, due[0], known, refused.message)
    return True


async def start_waiting(engine: Engine, room: Room, schedule: ScheduleId) -> bool:
    """Start the first occurrence of a schedule that waited for the end of a run; whether it still did."""
    return await settled(engine, lambda: _start_waiting(engine, room, schedule))


async def _start_waiting(engine: Engine, room: Room, schedule: ScheduleId) -> bool:
    due: list[Due] = []
    try:
        async with scoped(engine.database, room) as tx:
            found = await lock_waiting(tx, schedule)
            if found is None:
                return False
            due.append(found)
            await store.give_up_waiting(tx, found.schedule.id)
            waiting = await store.first_waiting(tx, found.schedule.id)
            if waiting is not None and not await store.is_busy(tx, found.schedule.id):
                await start(tx, engine, system(found.organization), found.schedule, waiting)
    except (Conflict, Invalid, NotFound) as refused:
        async with scoped(engine.database, due[0].scope) as tx:
            if (waiting := await store.first_waiting(tx, due[0].schedule.id)) is not None:
                why = refused.message
                await _decline(tx, due[0], waiting, OccurrenceState.FAILED, why, reason=why)
    return True


async def cancel_late(engine: Engine, room: Room, *, limit: int) -> int:
    """Stop runs that no robot has begun in time; how many."""
    cancelled = 0
    for _ in range(limit):
        # each by itself: who has given back the locks of one run must not wait for the row of another
        async with scoped(engine.database, room) as tx:
            late = await store.take_late_run(tx)
            if late is None:
                break
            if not late.has_begun:
                await _cancel(tx, engine, late)
                cancelled += 1
    return cancelled


async def _fire(tx: ScopedTx, engine: Engine, due: Due, known: Sequence[Planned]) -> None:
    schedule = due.schedule
    if schedule.next_due is None or schedule.next_due > due.now:
        return
    what = plan(due, known)
    for verdict in what.verdicts:
        if await store.is_decided(tx, schedule.id, verdict.due):
            continue
        match verdict:
            case Miss(missed, until):
                reason = f"the room was not there when it was due; so it was until {until:%Y-%m-%d %H:%M:%S %Z}"
                await _decline(tx, due, missed, OccurrenceState.MISSED, reason)
            case Start(moment):
                await _start_or_not(tx, engine, due, moment)
            case _:
                assert_never(verdict)
    await store.set_next_due(tx, schedule.id, what.next_due)


async def _start_or_not(tx: ScopedTx, engine: Engine, due: Due, moment: datetime) -> None:
    schedule = due.schedule
    match rules.at_overlap(schedule.overlap, is_busy=await store.is_held_up(tx, schedule)):
        case Go():
            await start(tx, engine, system(due.organization), schedule, moment)
        case Wait():
            await store.decide(tx, schedule.id, moment, OccurrenceState.WAITING, wait=schedule.skip_after)
        case Skip(reason):
            await _decline(tx, due, moment, OccurrenceState.SKIPPED, reason)


async def start(
    tx: ScopedTx, engine: Engine, starter: Actor, schedule: Schedule, moment: datetime, *, fired_by: UUID | None = None
) -> None:
    """Start the run of an occurrence of a schedule that is locked. Raises what a start by hand raises.

    To be called within `schemas.settled`. The starter is the room, or who has fired it by hand.
    """
    if schedule.start is not None:
        run: Run | None = await task_starts.start_in(tx, engine, starter, schedule, schedule.start)
    else:
        run = await runs.start_in(
            tx,
            engine,
            starter,
            schedule.workspace_id,
            schedule.process_id,
            _inputs(schedule.inputs),
            RunParameters(priority=schedule.priority),
            cause=Cause(StartedBy.SCHEDULE, schedule.id),
        )
    if run is None:
        await store.decide(tx, schedule.id, moment, OccurrenceState.NOTHING_WAITED, fired_by=fired_by)
        return
    state, patience = OccurrenceState.STARTED, schedule.cancel_after
    await store.decide(tx, schedule.id, moment, state, run=run.id, patience=patience, fired_by=fired_by)


async def _fail(database: Database, due: Due, known: Sequence[Planned], reason: str) -> None:
    """The transaction that should have started runs is undone; this one says so, and moves the schedule on."""
    async with scoped(database, due.scope) as tx:
        schedule = await store.lock(tx, due.scope, due.schedule.id)
        if schedule.next_due != due.schedule.next_due or schedule.next_due is None:
            return
        try:
            what = plan(msgspec.structs.replace(due, schedule=schedule), known)
        except TooCostly:  # nobody can say when it is due again: its author is to mend it
            what = Plan((Start(schedule.next_due),), None)
        for verdict in what.verdicts:
            if not await store.is_decided(tx, schedule.id, verdict.due):
                await _decline(tx, due, verdict.due, OccurrenceState.FAILED, reason, reason=reason)
        await store.set_next_due(tx, schedule.id, what.next_due)


async def _decline(tx: ScopedTx, due: Due, moment: datetime, state: OccurrenceState, why: str, **told: Any) -> None:
    """Decide that nothing starts at a due time, and say so."""
    schedule = due.schedule
    await store.decide(tx, schedule.id, moment, state, reason=why)
    event = happened(
        due.scope,
        f"schedule.{state.value}",
        schedule.id,
        process_id=schedule.process_id,
        due=moment.isoformat(),
        name=schedule.name,
        **told,
    )
    await append(tx, _SYSTEM, event)


async def _cancel(tx: ScopedTx, engine: Engine, late: LateRun) -> None:
    request = StopRequest(terminate=True, remaining_done=False, reason="No robot had begun it in time.")
    await runs.stop_in(tx, engine, system(late.organization_id), late.workspace_id, late.run_id, request)


def _inputs(asked: ScheduledInput) -> Inputs:
    match asked:
        case UsualInput():
            return DefaultInput()
        case GivenPayload(payload):
            return WithPayloads(Raw(b"[" + bytes(payload) + b"]"), 1)
        case WaitingItems():
            return WithWaiting()
        case _:
            assert_never(asked)
