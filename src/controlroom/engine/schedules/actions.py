"""The verbs of schedules. What the room does with what is due is in `firing.py`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, assert_never

import msgspec
from msgspec import UNSET, Struct

from controlroom.engine import restoring
from controlroom.engine.access.errors import UserNotFound
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.names import checked_description, checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.engine import Engine
from controlroom.engine.processes.actions import implicit_process
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.engine.runs import callbacks
from controlroom.engine.runs.deployments import Anywhere, Deployment
from controlroom.engine.runs.deployments import check as check_deployment
from controlroom.engine.runs.model import OfProcess
from controlroom.engine.schedules import previews, rules, store, task_starts
from controlroom.engine.schedules.definitions import (
    Schedule,
    ScheduleChange,
    ScheduleDefinition,
    Starts,
    StoredTaskStart,
    TaskStart,
)
from controlroom.engine.schedules.errors import RuleInvalid
from controlroom.engine.schedules.model import GivenPayload, Policies, Timing
from controlroom.engine.schedules.planning import bounds_of
from controlroom.engine.schedules.previews import Preview
from controlroom.engine.work_items.limits import check_payload
from controlroom.errors import Conflict, Invalid, Unauthenticated
from controlroom.ids import ProcessId, ScheduleId, UserId, WorkspaceId, uuid7

MOST_PRIORITY = 1_000_000
_TRIES = 3


async def create(engine: Engine, actor: Actor, workspace: WorkspaceId, definition: ScheduleDefinition) -> Schedule:
    """A new schedule of a process or a task, which starts runs in the name of the room.

    So it takes the right to start runs, too, and whatever a start by hand takes that names users or places. Raises
    RuleInvalid, also for a rule that is never due; ZoneInvalid, Invalid, ProcessNotFound, and what `start_task` raises
    for users, places and callbacks.
    """
    scope = scope_of(actor, Permission.WRITE_SCHEDULES, workspace)
    actor.require(Permission.START_RUNS, workspace)
    await _check(engine, definition.policies)
    now = await store.now(engine.database)
    schedule = ScheduleId(uuid7())
    wanted = store.Terms(
        name=checked_name(definition.name, what="schedule's name"),
        description=checked_description(definition.description),
        owner=_owner(actor, definition.owner),
        start=_stored(engine, schedule, definition.starts),
        timing=Timing(
            rule=definition.rule,
            zone=definition.zone,
            starts_at=definition.starts_at or now,
            ends_at=definition.ends_at,
        ),
        policies=definition.policies,
        is_enabled=definition.is_enabled,
        is_draft=definition.is_draft and not definition.is_enabled,
        asides=definition.asides,
    )
    next_due = await _next(engine, workspace, wanted.timing, now, is_enabled=definition.is_enabled)
    async with scoped(engine.database, scope) as tx:
        process = await _started(tx, actor, scope, definition.starts)
        await _ensure_owner(tx, actor, scope, wanted.owner)
        if not await store.insert(tx, scope, schedule, process, wanted=wanted, next_due=next_due, created_by=actor.id):
            await ensure_seen(tx, scope)
            raise ProcessNotFound(process)
        made = await store.get(tx, scope, schedule)
        await record(engine, tx, actor, scope, "schedule.created", made.id, **_told(made))
    return made


async def update(
    engine: Engine, actor: Actor, workspace: WorkspaceId, schedule: ScheduleId, change: ScheduleChange
) -> Schedule:
    """Change what is set. If its timing changes, or it is enabled, it is due from now on: it has missed nothing.

    Raises what `create` raises, and ScheduleNotFound.
    """
    [changed] = await update_all(engine, actor, [(workspace, schedule)], change)
    return changed


async def update_all(
    engine: Engine, actor: Actor, schedules: Iterable[tuple[WorkspaceId, ScheduleId]], change: ScheduleChange
) -> list[Schedule]:
    """Likewise for several of the organization, in one commit: all of them, or none. They come in the order of ids."""
    named = sorted(set(schedules), key=lambda each: each[1])  # so that two who change the same never wait in a circle
    places = [(scope_of(actor, Permission.WRITE_SCHEDULES, workspace), schedule) for workspace, schedule in named]
    for workspace, _ in named:
        actor.require(Permission.START_RUNS, workspace)
    for _ in range(_TRIES):
        planned = [await _planned(engine, scope, schedule, change) for scope, schedule in places]
        async with scoped(engine.database, actor.organization_id) as tx:
            locked = [await store.lock(tx, scope, schedule) for scope, schedule in places]
            if any(_is_other(before, plan.seen) for before, plan in zip(locked, planned, strict=True)):
                continue  # somebody else has changed one meanwhile
            return [
                await _write(engine, tx, actor, scope, plan, before, change)
                for (scope, _), plan, before in zip(places, planned, locked, strict=True)
            ]
    raise Conflict("others change the schedule at the same time", code="SCHEDULE_CHANGED")


class _Plan(Struct, frozen=True):
    """What a change comes to, by the schedule as it was seen."""

    seen: Schedule
    is_anew: bool
    next_due: datetime | None


async def _planned(engine: Engine, scope: Scope, schedule: ScheduleId, change: ScheduleChange) -> _Plan:
    seen = await store.get(engine.database, scope, schedule)
    after = _changed(engine, seen, change)
    checked_name(after.name, what="schedule's name")
    checked_description(after.description)
    await _check(engine, after.policies, seen.policies)
    if not _is_other(after, seen):
        return _Plan(seen, is_anew=False, next_due=None)
    now = await store.now(engine.database)
    return _Plan(
        seen,
        is_anew=True,
        next_due=await _next(engine, scope.workspace, after.timing, now, is_enabled=after.is_enabled),
    )


def _is_other(one: Schedule, other: Schedule) -> bool:
    return (one.timing, one.is_enabled) != (other.timing, other.is_enabled)


async def _write(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, plan: _Plan, before: Schedule, change: ScheduleChange
) -> Schedule:
    after = _changed(engine, before, change)
    process = before.process_id
    if change.starts is not UNSET:
        process = await _started(tx, actor, scope, change.starts)
    if after.owner_id != before.owner_id:
        await _ensure_owner(tx, actor, scope, after.owner_id)
    await store.update(
        tx,
        scope,
        before.id,
        process,
        wanted=_terms(after),
        next_due=plan.next_due if plan.is_anew else before.next_due,
        updated_by=actor.id,
    )
    await record(engine, tx, actor, scope, "schedule.updated", after.id, **_told(after))
    return await store.get(tx, scope, before.id)


def _changed(engine: Engine, schedule: Schedule, change: ScheduleChange) -> Schedule:
    wanted = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    if (starts := wanted.pop("starts", None)) is not None:
        wanted["start"] = _stored(engine, schedule.id, starts)
    after = msgspec.structs.replace(schedule, **wanted)
    return msgspec.structs.replace(after, is_draft=False) if after.is_enabled else after


def _terms(schedule: Schedule) -> store.Terms:
    return store.Terms(
        name=schedule.name,
        description=schedule.description,
        owner=schedule.owner_id,
        start=schedule.start,
        timing=schedule.timing,
        policies=schedule.policies,
        is_enabled=schedule.is_enabled,
        is_draft=schedule.is_draft,
        asides=schedule.asides,
    )


def _stored(engine: Engine, schedule: ScheduleId, starts: Starts) -> StoredTaskStart | None:
    match starts:
        case OfProcess():
            return None
        case TaskStart():
            if starts.users or isinstance(starts.where, Anywhere):  # else it is a draft that names nobody yet
                check_deployment(_deployment(starts))
            callback = None if starts.callback is None else callbacks.stored(engine, schedule, starts.callback)
            return StoredTaskStart(
                task=starts.task,
                users=tuple(dict.fromkeys(starts.users)),
                most_users=starts.most_users,
                where=starts.where,
                copies=starts.copies,
                label=None if starts.label is None else checked_name(starts.label, what="label"),
                name=starts.name,
                callback=callback,
            )
        case _:
            assert_never(starts)


def _deployment(starts: TaskStart) -> Deployment:
    return Deployment(
        task=starts.task,
        users=tuple(dict.fromkeys(starts.users)),
        most_users=starts.most_users,
        where=starts.where,
        copies=starts.copies,
    )


async def _started(tx: ScopedTx, actor: Actor, scope: Scope, starts: Starts) -> ProcessId:
    """The process that is started, once the actor might start it so by hand."""
    match starts:
        case OfProcess(process):
            return process
        case TaskStart(task=task, users=users, where=where):
            await task_starts.ensure_may(tx, actor, scope, users, where)
            return await implicit_process(tx, scope, task)
        case _:
            assert_never(starts)


def _owner(actor: Actor, named: UserId | None) -> UserId | None:
    if named is not None:
        return named
    return UserId(actor.id) if actor.kind is ActorKind.USER and actor.id is not None else None


async def _ensure_owner(tx: ScopedTx, actor: Actor, scope: Scope, owner: UserId | None) -> None:
    """Raise UserNotFound for an owner who has no place in the workspace."""
    if owner is None or owner == actor.id:
        return
    try:
        found = await actor_of_user(tx, owner)
    except Unauthenticated as gone:
        raise UserNotFound from gone
    if not found.is_inside(scope.workspace):
        raise UserNotFound


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, schedule: ScheduleId) -> None:
    """Delete a schedule; runs that it started go on. Raises ScheduleNotFound."""
    scope = scope_of(actor, Permission.WRITE_SCHEDULES, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await store.lock(tx, scope, schedule)
        await store.delete(tx, schedule)
        await record(engine, tx, actor, scope, "schedule.deleted", before.id, **_told(before))


async def restore(engine: Engine, actor: Actor, workspace: WorkspaceId, schedule: ScheduleId) -> Schedule:
    """Have a schedule again that was deleted: as it was, and due from now on. It takes what making one takes.

    What waited in line when it was deleted stays given up. Raises ScheduleNotFound, also for one that is not deleted.
    """
    scope = scope_of(actor, Permission.WRITE_SCHEDULES, workspace)
    actor.require(Permission.START_RUNS, workspace)
    before = await store.get_deleted(engine.database, scope, schedule)
    now = await store.now(engine.database)
    due = await engine.aside.call(bounds_of(workspace), rules.first_due, before.timing, now)
    async with scoped(engine.database, scope) as tx:
        await restoring.restore(tx, scope, store.SCHEDULE, schedule)
        await store.set_next_due(tx, schedule, due if before.is_enabled else None)
        await record(engine, tx, actor, scope, "schedule.restored", schedule, **_told(before))
        return await store.get(tx, scope, schedule)


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
