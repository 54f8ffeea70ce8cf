"""What starts a job by itself: its schedule, and a chain from another job. Kept with it, in its transaction."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Of, Scope, ScopedTx, scope_of
from controlroom.engine.chains import store as chains
from controlroom.engine.chains.model import Empty
from controlroom.engine.engine import Engine
from controlroom.engine.job_definitions.model import Follows, JobDefinition
from controlroom.engine.job_definitions.store import Starters
from controlroom.engine.jobs.errors import JobNotFound
from controlroom.engine.jobs.store import find
from controlroom.engine.jobs.timetables import cron_of
from controlroom.engine.schedules import rules
from controlroom.engine.schedules import store as schedules
from controlroom.engine.schedules.definitions import Schedule
from controlroom.engine.schedules.errors import RuleInvalid, ScheduleNotFound
from controlroom.engine.schedules.model import Cron, Policies, Timing
from controlroom.ids import ChainId, ProcessId, ScheduleId, WorkspaceId, uuid7

_ZONE = "UTC"


def ensure_may(actor: Actor, workspace: WorkspaceId, before: JobDefinition | None, after: JobDefinition) -> None:
    """Raise Forbidden for who wants a job to start by itself, otherwise than it does, and lacks the rights to that."""
    times = _times(after)
    if times is not None and (before is None or _times(before) != times):
        actor.require(Permission.WRITE_SCHEDULES, workspace)
        actor.require(Permission.START_RUNS, workspace)
    if after.follows is not None and (before is None or before.follows != after.follows):
        actor.require(Permission.START_RUNS, workspace)


def _times(definition: JobDefinition) -> str | None:
    return cron_of(definition.settings.timetable) if definition.settings.is_scheduled else None


# ---------------------------------------------------------------------------------------------------- schedule
async def schedule_in(
    tx: ScopedTx,
    engine: Engine,
    actor: Actor,
    scope: Scope,
    job: ProcessId,
    known: ScheduleId | None,
    definition: JobDefinition,
) -> ScheduleId | None:
    """The schedule of a job, as its author wants it: made when it is first scheduled, and kept from then on.

    Raises RuleInvalid for a timetable that cannot be, also while it rests.
    """
    now = await schedules.now(tx)
    before = await _known(tx, scope, known)
    timing = Timing(
        rule=Cron(cron_of(definition.settings.timetable)),
        zone=_ZONE,
        starts_at=now if before is None else before.starts_at,
    )
    first = rules.first_due(timing, now)
    is_enabled = definition.settings.is_scheduled and definition.is_enabled
    if before is None and not definition.settings.is_scheduled:
        return None
    if is_enabled and first is None:
        raise RuleInvalid("it is never due from now on")
    next_due = first if is_enabled else None
    if before is None:
        return await _new_schedule(tx, engine, actor, scope, job, definition, timing, next_due)
    if (before.rule, before.is_enabled, before.name) != (timing.rule, is_enabled, definition.name):
        wanted = _terms(replace(before, name=definition.name, rule=timing.rule, zone=_ZONE, is_enabled=is_enabled))
        if (before.rule, before.is_enabled) == (timing.rule, is_enabled):
            next_due = before.next_due  # another name is no other time
        await schedules.update(tx, scope, before.id, job, wanted=wanted, next_due=next_due, updated_by=actor.id)
        await record(engine, tx, actor, scope, "schedule.updated", before.id, **_told(job, wanted))
    return before.id


async def _known(tx: ScopedTx, scope: Scope, schedule: ScheduleId | None) -> Schedule | None:
    if schedule is None:
        return None
    try:
        return await schedules.lock(tx, scope, schedule)
    except ScheduleNotFound:  # somebody has deleted it
        return None


async def _new_schedule(
    tx: ScopedTx,
    engine: Engine,
    actor: Actor,
    scope: Scope,
    job: ProcessId,
    definition: JobDefinition,
    timing: Timing,
    next_due: datetime | None,
) -> ScheduleId:
    schedule = ScheduleId(uuid7())
    wanted = schedules.Terms(
        name=definition.name,
        description="",
        owner=None,
        start=None,
        timing=timing,
        policies=Policies(),
        is_enabled=next_due is not None,
        is_draft=False,
        asides={},
    )
    await schedules.insert(tx, scope, schedule, job, wanted=wanted, next_due=next_due, created_by=actor.id)
    await record(engine, tx, actor, scope, "schedule.created", schedule, **_told(job, wanted))
    return schedule


def _terms(schedule: Schedule) -> schedules.Terms:
    return schedules.Terms(
        name=schedule.name,
        description=schedule.description,
        owner=schedule.owner_id,
        start=schedule.start,
        timing=schedule.timing,
        policies=schedule.policies,
        is_enabled=schedule.is_enabled,
        is_draft=schedule.is_draft and not schedule.is_enabled,
        asides=schedule.asides,
    )


def _told(job: ProcessId, terms: schedules.Terms) -> dict[str, Any]:
    return {"process_id": job, "name": terms.name, "is_enabled": terms.is_enabled}


# ---------------------------------------------------------------------------------------------------- chain
async def chain_in(
    tx: ScopedTx,
    engine: Engine,
    actor: Actor,
    scope: Scope,
    job: ProcessId,
    known: ChainId | None,
    follows: Follows | None,
    *,
    is_enabled: bool,
    is_new: bool,
) -> ChainId | None:
    """The chain that starts a job, anew: the one that it had is gone, and what it has noticed is still followed.

    Raises JobNotFound for a job to follow (`is_new`) that the actor does not see.
    """
    if known is not None:
        await chains.delete(tx, known)
    if follows is None:
        return None
    there = Of(actor.organization_id, (follows.workspace,))
    if is_new:
        first = scope_of(actor, Permission.READ_PROCESSES, follows.workspace)
        if await find(tx, first, follows.process) is None:
            raise JobNotFound(follows.process)
    chain = ChainId(uuid7())
    await chains.insert(
        tx,
        there,
        chain,
        follows.process,
        job,
        ends=sorted(set(follows.ends)),
        empty=Empty.ONE_ITEM,
        is_enabled=is_enabled,
        created_by=actor.id,
        beyond=scope,
    )
    await record(engine, tx, actor, there, "chain.created", chain, process_id=follows.process, next_process_id=str(job))
    return chain


async def remove_in(tx: ScopedTx, engine: Engine, actor: Actor, scope: Scope, job: ProcessId, known: Starters) -> None:
    """Delete what starts a job that is deleted."""
    if (schedule := await _known(tx, scope, known.schedule_id)) is not None:
        await schedules.delete(tx, schedule.id)
        await record(engine, tx, actor, scope, "schedule.deleted", schedule.id, process_id=job, name=schedule.name)
    if known.chain_id is not None:
        await chains.delete(tx, known.chain_id)
