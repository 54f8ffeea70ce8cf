"""A time of a schedule that somebody brings about by hand: as it starts its runs by itself, only now."""

from datetime import datetime
from typing import assert_never

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Scope, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.schedules import rules, store, task_starts
from controlroom.engine.schedules.errors import ScheduleBusy
from controlroom.engine.schedules.firing import start
from controlroom.engine.schedules.model import Occurrence, OccurrenceState
from controlroom.engine.schedules.rules import Go, Skip, Wait
from controlroom.engine.work_items.schemas import settled
from controlroom.ids import ScheduleId, WorkspaceId


async def fire_now(engine: Engine, actor: Actor, workspace: WorkspaceId, schedule: ScheduleId) -> Occurrence:
    """Start what the schedule starts, with its inputs, priority, users, places and callback; what became of it.

    It is an occurrence of now, also of a schedule that is disabled: when it is due next stays as it is. Its rule for
    overlaps holds: beside a run of its own it starts another, waits for its end, or is refused. It takes what a start
    by hand takes. Raises ScheduleNotFound, ScheduleBusy, and what starting its process or its task raises.
    """
    scope = scope_of(actor, Permission.START_RUNS, workspace)
    return await settled(engine, lambda: _fire_now(engine, actor, scope, schedule))


async def _fire_now(engine: Engine, actor: Actor, scope: Scope, schedule: ScheduleId) -> Occurrence:
    async with scoped(engine.database, scope) as tx:
        found = await store.lock(tx, scope, schedule)
        if found.start is not None:
            await task_starts.ensure_may(tx, actor, scope, found.start.users, found.start.where)
        moment: datetime = await store.now(tx)
        match rules.at_overlap(found.overlap, is_busy=await store.is_held_up(tx, found)):
            case Go():
                await start(tx, engine, actor, found, moment, fired_by=actor.id)
            case Wait():
                state = OccurrenceState.WAITING
                await store.decide(tx, found.id, moment, state, wait=found.skip_after, fired_by=actor.id)
            case Skip():
                raise ScheduleBusy
            case refused:
                assert_never(refused)
        became = await store.get_occurrence(tx, found.id, moment)
        await record(
            engine,
            tx,
            actor,
            scope,
            "schedule.fired",
            found.id,
            process_id=found.process_id,
            run_id=became.run_id,
            name=found.name,
            state=became.state,
        )
        return became
