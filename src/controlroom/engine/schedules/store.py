"""The statements over schedules and their occurrences."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, within
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, equal
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.engine.processes.errors import ProcessNotFound
from controlroom.engine.schedules.definitions import Schedule, StoredTaskStart
from controlroom.engine.schedules.errors import ScheduleNotFound
from controlroom.engine.schedules.listings import COLUMNS, JOINED, SCHEDULES, ListedSchedule
from controlroom.engine.schedules.model import GivenPayload, Occurrence, OccurrenceState, Overlap, Policies, Timing
from controlroom.ids import OrganizationId, ProcessId, RunId, ScheduleId, UserId, WorkspaceId
from controlroom.postgres.database import Statements, Tx
from controlroom.postgres.keyset import oldest_first, until_full

SCHEDULE: Final = Noun[ScheduleId](
    "schedule",
    ScheduleNotFound,
    "schedule",
    InWorkspace("schedule.workspace_id"),
    joined=JOINED,
    there="schedule.deleted_at is null",
    name="schedule.name",
)

_SCHEDULE: Final = f"""
    select {COLUMNS}
      from schedule {JOINED}
"""


async def now(db: Statements) -> datetime:
    """The time by the database's clock."""
    moment: datetime = await db.value("select clock_now()")
    return moment


# ---------------------------------------------------------------------------------------------------- reading
async def get(db: Statements, scope: Scope, schedule: ScheduleId) -> Schedule:
    """One schedule of the workspace; raises ScheduleNotFound."""
    return await _get(db, scope, schedule, "")


async def lock(tx: Tx, scope: Scope, schedule: ScheduleId) -> Schedule:
    """One schedule that the loop will not fire before the transaction ends; raises ScheduleNotFound."""
    return await _get(tx, scope, schedule, "for update of schedule")


async def get_deleted(db: Statements, scope: Scope, schedule: ScheduleId) -> Schedule:
    """One schedule of the workspace that is deleted; raises ScheduleNotFound."""
    return await _get(db, scope, schedule, "", there="schedule.deleted_at is not null")


async def _get(
    db: Statements, scope: Scope, schedule: ScheduleId, how: str, *, there: str = SCHEDULE.there
) -> Schedule:
    found = await db.one_or_none(
        Schedule,
        f"""{_SCHEDULE}
         where schedule.workspace_id = {SEEN} and schedule.id = %(schedule)s and {there}
         {how}""",
        schedule=schedule,
        **scope.params,
    )
    if found is None:
        raise ScheduleNotFound(schedule)
    return found


async def list_schedules(
    db: Statements,
    scope: Scope,
    *,
    process: ProcessId | None = None,
    after: ScheduleId | None = None,
    limit: int,
    most_bytes: int,
) -> list[Schedule]:
    """Schedules in the order of their making, of one process or all: as many as `until_full` says."""

    async def fetch(last: Schedule | None, wanted: int) -> list[Schedule]:
        return await db.all(
            Schedule,
            f"""{_SCHEDULE}
             where schedule.workspace_id = {SEEN} and schedule.deleted_at is null
               and (%(process)s::uuid is null or schedule.process_id = %(process)s)
             {oldest_first("schedule.id")}""",
            process=process,
            after=after if last is None else last.id,
            limit=wanted,
            **scope.params,
        )

    return await until_full(fetch, size_of, limit=limit, most=most_bytes)


async def get_listed(db: Statements, scope: Scope, schedule: ScheduleId) -> ListedSchedule:
    """One schedule as lists show it; raises ScheduleNotFound."""
    asked = Asked(filter=equal(id=schedule), length=1)
    for found in await pages.rows(db, ListedSchedule, SCHEDULES, within(scope), asked):
        return found
    raise ScheduleNotFound(schedule)


def size_of(schedule: Schedule) -> int:
    """About the bytes that a schedule takes when it is told: those of its input."""
    match schedule.inputs:
        case GivenPayload(payload):
            return len(memoryview(payload))
        case _:
            return 0


async def list_occurrences(
    db: Statements, scope: Scope, schedule: ScheduleId, *, before: datetime | None = None, limit: int
) -> list[Occurrence]:
    """What became of the occurrences of a schedule, the latest first."""
    return await db.all(
        Occurrence,
        f"""
        select due, state, run_id, reason, at, fired_by from schedule_occurrence
         where schedule_id = (select id from schedule where id = %(schedule)s and workspace_id = {SEEN})
           and (%(before)s::timestamptz is null or due < %(before)s)
         order by due desc
         limit %(limit)s
        """,
        schedule=schedule,
        before=before,
        limit=limit,
        **scope.params,
    )


async def get_occurrence(tx: ScopedTx, schedule: ScheduleId, due: datetime) -> Occurrence:
    """What became of a time of a locked schedule that has been decided."""
    return await tx.one(
        Occurrence,
        """
        select due, state, run_id, reason, at, fired_by from schedule_occurrence
         where schedule_id = %(schedule)s and due = %(due)s
        """,
        schedule=schedule,
        due=due,
    )


# ---------------------------------------------------------------------------------------------------- writing
class Terms(Struct, frozen=True, kw_only=True):
    """What is written of a schedule."""

    name: str
    description: str
    owner: UserId | None
    start: StoredTaskStart | None
    timing: Timing
    policies: Policies
    is_enabled: bool
    is_draft: bool
    asides: dict[str, Raw]

    @property
    def params(self) -> dict[str, Any]:
        """As the statements name it."""
        said = {name: getattr(self, name) for name in self.__struct_fields__ if name not in {"timing", "policies"}}
        return {**said, **msgspec.structs.asdict(self.timing), **msgspec.structs.asdict(self.policies)}


async def insert(
    tx: Tx,
    scope: Scope,
    schedule: ScheduleId,
    process: ProcessId,
    *,
    wanted: Terms,
    next_due: datetime | None,
    created_by: Any,
) -> bool:
    """Write a new schedule; whether the scope sees its workspace and process."""
    return bool(
        await tx.execute(
            f"""
            insert into schedule (id, workspace_id, process_id, name, rule, zone, starts_at, ends_at, is_enabled,
                                  missed, grace, overlap, skip_after, cancel_after, inputs, priority, next_due,
                                  created_by, description, owner_id, start, is_draft, asides)
            select %(schedule)s, seen.id, process.id, %(name)s, %(rule)s, %(zone)s, %(starts_at)s, %(ends_at)s,
                   %(is_enabled)s, %(missed)s, %(grace)s, %(overlap)s, %(skip_after)s, %(cancel_after)s, %(inputs)s,
                   %(priority)s, %(next_due)s, %(created_by)s, %(description)s, %(owner)s, %(start)s, %(is_draft)s,
                   %(asides)s
              from {SEEN} as seen
              join process on process.workspace_id = seen.id
             where process.id = %(process)s and process.deleted_at is null
            """,
            schedule=schedule,
            process=process,
            next_due=next_due,
            created_by=created_by,
            **wanted.params,
            **scope.params,
        )
    )


async def update(
    tx: ScopedTx,
    scope: Scope,
    schedule: ScheduleId,
    process: ProcessId,
    *,
    wanted: Terms,
    next_due: datetime | None,
    updated_by: Any,
) -> None:
    """Write what is to be changed of a schedule that the caller has locked. Raises ProcessNotFound."""
    written = await tx.execute(
        f"""
        update schedule
           set process_id = %(process)s, name = %(name)s, description = %(description)s, owner_id = %(owner)s,
               start = %(start)s, is_draft = %(is_draft)s, asides = %(asides)s, updated_at = clock_now(),
               updated_by = %(updated_by)s, rule = %(rule)s, zone = %(zone)s, starts_at = %(starts_at)s,
               ends_at = %(ends_at)s,
               is_enabled = %(is_enabled)s, missed = %(missed)s, grace = %(grace)s, overlap = %(overlap)s,
               skip_after = %(skip_after)s, cancel_after = %(cancel_after)s, inputs = %(inputs)s,
               priority = %(priority)s, next_due = %(next_due)s, noticed_at = null
         where id = %(schedule)s
           and exists (select from process
                        where id = %(process)s and workspace_id = {SEEN} and deleted_at is null)
        """,
        schedule=schedule,
        process=process,
        next_due=next_due,
        updated_by=updated_by,
        **wanted.params,
        **scope.params,
    )
    if not written:
        raise ProcessNotFound(process)


async def delete(tx: ScopedTx, schedule: ScheduleId) -> None:
    """Mark a locked schedule as deleted. What waits of it is given up; its runs go on."""
    await tx.execute(
        """
        with gone as (
            update schedule set deleted_at = clock_now(), next_due = null, noticed_at = null
             where id = %(schedule)s
            returning id
        )
        update schedule_occurrence
           set state = 'skipped', reason = 'the schedule was deleted', give_up_at = null, at = clock_now()
         where schedule_id = (select id from gone) and state = 'waiting'
        """,
        schedule=schedule,
    )


# ---------------------------------------------------------------------------------------------------- occurrences
async def is_decided(tx: ScopedTx, schedule: ScheduleId, due: datetime) -> bool:
    """Whether something became of an occurrence already."""
    return bool(
        await tx.value(
            "select exists (select from schedule_occurrence where schedule_id = %(schedule)s and due = %(due)s)",
            schedule=schedule,
            due=due,
        )
    )


async def is_busy(tx: ScopedTx, schedule: ScheduleId) -> bool:
    """Whether a run of the schedule is under way."""
    return bool(
        await tx.value(
            """
            select exists (select from run
                            where started_by_id = %(schedule)s and started_by = 'schedule'
                              and state in ('new', 'in_progress', 'stopping'))
            """,
            schedule=schedule,
        )
    )


async def is_held_up(tx: ScopedTx, schedule: Schedule) -> bool:
    """Whether another occurrence stands in the way of one, by its rule for overlaps: it runs, or waits in line."""
    if schedule.overlap is Overlap.ALLOW:
        return False
    return await is_busy(tx, schedule.id) or await first_waiting(tx, schedule.id) is not None


async def first_waiting(tx: ScopedTx, schedule: ScheduleId) -> datetime | None:
    """The occurrence that has waited for the longest."""
    found: datetime | None = await tx.value(
        """
        select due from schedule_occurrence
         where schedule_id = %(schedule)s and state = 'waiting' order by due limit 1
        """,
        schedule=schedule,
    )
    return found


async def decide(
    tx: ScopedTx,
    schedule: ScheduleId,
    due: datetime,
    state: OccurrenceState,
    *,
    run: RunId | None = None,
    reason: str = "",
    wait: timedelta | None = None,
    patience: timedelta | None = None,
    fired_by: UUID | None = None,
) -> None:
    """Write what became of an occurrence; only one that waits may be decided again, and stays whose it is.

    `wait` is how long after its time it is given up, `patience` how long after it its run must have begun; `fired_by`
    is who has brought it about by hand.
    """
    await tx.execute(
        """
        insert into schedule_occurrence (schedule_id, due, state, run_id, reason, give_up_at, cancel_at, fired_by)
        values (%(schedule)s, %(due)s, %(state)s, %(run)s, %(reason)s,
                %(due)s::timestamptz + %(wait)s::interval, %(due)s::timestamptz + %(patience)s::interval, %(fired_by)s)
            on conflict (schedule_id, due) do update
               set state = excluded.state, run_id = excluded.run_id, reason = excluded.reason, at = clock_now(),
                   give_up_at = excluded.give_up_at, cancel_at = excluded.cancel_at
             where schedule_occurrence.state = 'waiting'
        """,
        schedule=schedule,
        due=due,
        state=state,
        run=run,
        reason=reason,
        wait=wait,
        patience=patience,
        fired_by=fired_by,
    )


async def give_up_waiting(tx: ScopedTx, schedule: ScheduleId) -> int:
    """Give up what has waited for too long; how many."""
    return await tx.execute(
        """
        update schedule_occurrence
           set state = 'skipped', reason = 'it waited for too long', give_up_at = null, at = clock_now()
         where schedule_id = %(schedule)s and state = 'waiting' and give_up_at <= clock_now()
        """,
        schedule=schedule,
    )


async def set_next_due(tx: ScopedTx, schedule: ScheduleId, next_due: datetime | None) -> None:
    """Write when to look at a locked schedule again."""
    await tx.execute(
        "update schedule set next_due = %(next_due)s, noticed_at = null where id = %(schedule)s",
        schedule=schedule,
        next_due=next_due,
    )


class LateRun(Struct, frozen=True, kw_only=True):
    """A run that should have begun by now."""

    run_id: RunId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    has_begun: bool


async def take_late_run(tx: ScopedTx) -> LateRun | None:
    """A run of a schedule that should have begun by now; each is told once, whether it has begun or not."""
    return await tx.one_or_none(
        LateRun,
        """
        with late as (
            select schedule_id, due from schedule_occurrence
             where cancel_at <= clock_now()
             order by cancel_at
             limit 1
               for update skip locked
        ), taken as (
            update schedule_occurrence as occurrence set cancel_at = null
              from late
             where occurrence.schedule_id = late.schedule_id and occurrence.due = late.due
            returning occurrence.run_id
        )
        select run.id as run_id, run.workspace_id, workspace.organization_id, run.state <> 'new' as has_begun
          from taken join run on run.id = taken.run_id
          join workspace on workspace.id = run.workspace_id
        """,
    )
