"""Which schedules have something to decide, and when that was first seen: what the loops over schedules ask."""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import Of, Room, Scope, ScopedTx
from controlroom.engine.schedules.definitions import Schedule
from controlroom.engine.schedules.listings import JOINED
from controlroom.engine.schedules.rules import Notice
from controlroom.engine.schedules.store import get
from controlroom.ids import OrganizationId, ScheduleId, WorkspaceId
from controlroom.postgres.database import Statements


class Due(Struct, frozen=True, kw_only=True):
    """A schedule that has something to decide, locked by the one who does."""

    schedule: Schedule
    organization: OrganizationId
    now: datetime
    notice: Notice

    @property
    def scope(self) -> Scope:
        """Whose schedule it is."""
        return Of(self.organization, (self.schedule.workspace_id,))


class _Found(Struct, frozen=True):
    id: ScheduleId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    now: datetime
    noticed_at: datetime | None
    since: datetime | None


async def notice_due(db: Statements, _room: Room) -> int:
    """Write when schedules were first seen to be due, and that somebody is looking; how many there were.

    One statement, to be repeated each second. It waits for nobody: what is locked is being decided.
    """
    return await db.execute(
        """
        with watching as (
            insert into schedule_watch (since, until) values (clock_now(), clock_now())
                on conflict (is_only) do update
               set since = case when abs(extract(epoch from clock_now() - schedule_watch.until)) <= %(gap)s
                                then schedule_watch.since else clock_now() end,
                   until = clock_now()
        )
        update schedule set noticed_at = clock_now()
         where id in (select id from schedule
                       where next_due <= clock_now() and noticed_at is null and deleted_at is null
                         for update skip locked)
        """,
        gap=_GAP.total_seconds(),
    )


_GAP: Final = timedelta(seconds=15)
"""How long nobody may look without its counting as an absence. Why: another server takes over within ten seconds."""


async def due_schedules(db: Statements, _room: Room, *, limit: int) -> list[ScheduleId]:
    """Schedules that have something to decide, what has been due for the longest first."""
    return await db.all(
        ScheduleId,
        f"""
        select schedule.id from {_AT_WORK}
         where schedule.next_due <= clock_now() and schedule.deleted_at is null
         order by schedule.next_due, schedule.id
         limit %(limit)s
        """,
        limit=limit,
    )


async def waiting_schedules(db: Statements, _room: Room, *, limit: int) -> list[ScheduleId]:
    """Schedules of which an occurrence waits for the end of a run that has ended, or has waited for too long."""
    return await db.all(
        ScheduleId,
        f"""
        select schedule.id from {_AT_WORK}
         where schedule.deleted_at is null and {_WAITS}
         order by schedule.id
         limit %(limit)s
        """,
        limit=limit,
    )


async def lock_due(tx: ScopedTx, schedule: ScheduleId) -> Due | None:
    """A schedule, unless somebody else is deciding about it or has done so."""
    return await _locked(tx, schedule, "schedule.next_due <= clock_now()")


async def lock_waiting(tx: ScopedTx, schedule: ScheduleId) -> Due | None:
    """Likewise, one of which an occurrence waits."""
    return await _locked(tx, schedule, _WAITS)


_AT_WORK: Final = f"""schedule {JOINED}
               join workspace on workspace.id = schedule.workspace_id and workspace.deleted_at is null"""

_WAITS: Final = """exists (select from schedule_occurrence as waiting
                            where waiting.schedule_id = schedule.id and waiting.state = 'waiting'
                              and (waiting.give_up_at <= clock_now()
                                   or not exists (select from run
                                                   where run.started_by_id = schedule.id
                                                     and run.started_by = 'schedule'
                                                     and run.state in ('new', 'in_progress', 'stopping'))))"""


async def _locked(tx: ScopedTx, schedule: ScheduleId, which: str) -> Due | None:
    found = await tx.one_or_none(
        _Found,
        f"""
        select schedule.id, schedule.workspace_id, workspace.organization_id, clock_now() as now, schedule.noticed_at,
               (select since from schedule_watch where until >= clock_now() - %(gap)s::interval) as since
          from {_AT_WORK}
         where schedule.id = %(schedule)s and schedule.deleted_at is null and {which}
           for update of schedule skip locked
        """,
        schedule=schedule,
        gap=_GAP,
    )
    if found is None:
        return None
    scope = Of(found.organization_id, (found.workspace_id,))
    return Due(
        schedule=await get(tx, scope, found.id),  # anew: as it is under the lock
        organization=found.organization_id,
        now=found.now,
        notice=Notice(found.noticed_at, found.since),
    )
