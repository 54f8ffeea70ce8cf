"""What comes next: the next starts of a workspace, and of each of some processes."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.schedules.definitions import Schedule
from controlroom.engine.schedules.listings import COLUMNS, JOINED
from controlroom.ids import ProcessId
from controlroom.postgres.database import Statements


class _Next(Struct, frozen=True):
    process_id: ProcessId
    due: datetime


async def next_of(db: Statements, scope: Scope, processes: Sequence[ProcessId]) -> dict[ProcessId, datetime]:
    """When each of these processes is due next by any of its schedules; without those that none starts."""
    rows = await db.all(
        _Next,
        f"""
        select process_id, min(next_due) as due from schedule
         where process_id = any(%(processes)s::uuid[]) and workspace_id = {SEEN} and deleted_at is null
           and is_enabled and next_due is not null
         group by process_id
        """,
        processes=list(processes),
        **scope.params,
    )
    return {row.process_id: row.due for row in rows}


async def next_starts(db: Statements, scope: Scope, *, limit: int) -> list[Schedule]:
    """The schedules of a workspace that are due next, the nearest first."""
    return await db.all(
        Schedule,
        f"""
        select {COLUMNS}
          from schedule {JOINED}
         where schedule.workspace_id = {SEEN} and schedule.deleted_at is null and schedule.is_enabled
           and schedule.next_due is not null
         order by schedule.next_due, schedule.id
         limit {limit:d}
        """,
        **scope.params,
    )
