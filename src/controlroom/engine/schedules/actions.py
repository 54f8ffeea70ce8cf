"""The verbs of schedules. What the room does with what is due is in `firing.py`."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.engine.schedules import previews, rules, store
from controlroom.engine.schedules.errors import RuleInvalid
from controlroom.engine.schedules.model import (
    GivenPayload,
    Policies,
    Schedule,
    ScheduleChange,
    ScheduleDefinition,
    Timing,
)
from controlroom.engine.schedules.planning import bounds_of
from controlroom.engine.schedules.previews import Preview
from controlroom.engine.work_items.limits import check_payload
from controlroom.errors import Conflict, Invalid
from controlroom.ids import ScheduleId, WorkspaceId, uuid7

MOST_PRIORITY = 1_000_000
_TRIES = 3


async def create(engine: Engine, actor: Actor, workspace: WorkspaceId, definition: ScheduleDefinition) -> Schedule:
    """A new schedule of a process, which starts runs in the name of the room.

    So it takes the right to start runs, too. Raises RuleInvalid, also for a rule that is never due; ZoneInvalid,
    Invalid, ProcessNotFound.
    """
    scope = scope_of(actor, Permission.WRITE_SCHEDULES, workspace)
    actor.require(Permission.START_RUNS, workspace)
    name = checked_name(definition.name, what="schedule's name")
    await _check(engine, definition.policies)
    now = await store.now(engine.database)
    timing = Timing(
        rule=definition.rule,
        zone=definition.zone,
        starts_at=definition.starts_at or now,
        ends_at=definition.ends_at,
    )
    next_due = await _next(engine, workspace, timing, now, is_enabled=definition.is_enabled)
    async with scoped(engine.database, scope) as tx:
        schedule = ScheduleId(uuid7())
        seen = await store.insert(
            tx,
            scope,
            schedule,
            definition.process,
            name=name,
            timing=timing,
            policies=definition.policies,
            is_enabled=definition.is_enabled,
            next_due=next_due,
            created_by=actor.id,
        )
        if not seen:
            await ensure_seen(tx, scope)
            raise ProcessNotFound(definition.process)
        made = await store.get(tx, scope, schedule)
        await record(engine, tx, actor, scope, "schedule.created", made.id, **_told(made))
    return made


async def update(
    engine: Engine, actor: Actor, workspace: WorkspaceId, schedule: ScheduleId, change: ScheduleChange
) -> Schedule:
    """Change what is set. If its timing changes, or it is enabled, it is due from now on: it has missed nothing.

    Raises what `create` raises, and ScheduleNotFound.
    """
    scope = scope_of(actor, Permission.WRITE_SCHEDULES, workspace)
    actor.require(Permission.START_RUNS, workspace)
    for _ in range(_TRIES):
        seen = await store.get(engine.database, scope, schedule)
        after = _changed(seen, change)
        checked_name(after.name, what="schedule's name")
        await _check(engine, after.policies, seen.policies)
        next_due = seen.next_due
        is_anew = after.timing != seen.timing or after.is_enabled != seen.is_enabled
        if is_anew:
            now = await store.now(engine.database)
            next_due = await _next(engine, workspace, after.timing, now, is_enabled=after.is_enabled)
        async with scoped(engine.database, scope) as tx:
            before = await store.lock(tx, scope, schedule)
            if (before.timing, before.is_enabled) != (seen.timing, seen.is_enabled):
                continue  # somebody else has changed it meanwhile
            after = _changed(before, change)
            await store.update(
                tx,
                schedule,
                name=after.name,
                timing=after.timing,
                policies=after.policies,
                is_enabled=after.is_enabled,
                next_due=next_due if is_anew else before.next_due,
            )
            await record(engine, tx, actor, scope, "schedule.updated", after.id, **_told(after))
            return await store.get(tx, scope, schedule)
    raise Conflict("others change the schedule at the same time", code="SCHEDULE_CHANGED")


def _changed(schedule: Schedule, change: ScheduleChange) -> Schedule:
    wanted = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    return msgspec.structs.replace(schedule, **wanted)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, schedule: ScheduleId) -> None:
    """Delete a schedule; runs that it started go on. Raises ScheduleNotFound."""
    scope = scope_of(actor, Permission.WRITE_SCHEDULES, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await store.lock(tx, scope, schedule)
        await store.delete(tx, schedule)
        await record(engine, tx, actor, scope, "schedule.deleted", before.id, **_told(before))


async def preview(
    engine: Engine, workspace: WorkspaceId, timing: Timing, *, count: int, after: datetime | None = None
) -> Preview:
    """When a schedule would be due next, and what may surprise about it. Raises RuleInvalid, ZoneInvalid, TooCostly."""
    since = after or await store.now(engine.database)
    return await engine.aside.call(bounds_of(workspace), previews.preview, timing, since, count)


async def _check(engine: Engine, policies: Policies, before: Policies | None = None) -> None:
    rules.check_policies(policies)
    if not -MOST_PRIORITY <= policies.priority <= MOST_PRIORITY:
        raise Invalid(f"a priority is from -{MOST_PRIORITY:,} to {MOST_PRIORITY:,}", code="SCHEDULE_INVALID")
    inputs = policies.inputs
    if isinstance(inputs, GivenPayload) and (before is None or inputs is not before.inputs):
        await check_payload(engine, inputs.payload)


async def _next(
    engine: Engine, workspace: WorkspaceId, timing: Timing, now: datetime, *, is_enabled: bool
) -> datetime | None:
    due = await engine.aside.call(bounds_of(workspace), rules.first_due, timing, now)
    if due is None and is_enabled:
        raise RuleInvalid("it is never due from now on")
    return due if is_enabled else None


def _told(schedule: Schedule) -> dict[str, Any]:
    return {"process_id": schedule.process_id, "name": schedule.name, "is_enabled": schedule.is_enabled}
