"""Queues as who keeps an eye on them sees them: what waits, what comes and goes in an hour, and what comes of it.

What waits is asked of the items; what came and went of the hours that the loop has noted. Two statements for a page.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from controlroom.engine.access.scope import EACH, Scope
from controlroom.engine.statistics.model import HOUR, QueueHour
from controlroom.engine.statistics.rules import Outlook, hour_of, outlook, rate
from controlroom.ids import QueueId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

DAY: Final = timedelta(hours=24)


class Flow(Struct, frozen=True, kw_only=True):
    """A queue, and what goes through it."""

    id: QueueId
    number: int
    workspace_id: WorkspaceId
    name: str
    is_standing: bool
    is_draft: bool
    process_number: int | None
    process_name: str | None
    step_name: str | None
    step_position: int | None
    """Of the step whose input queue it is, from 0."""
    waiting: int
    oldest_at: datetime | None
    consumers: int
    paused_consumers: int
    hours: list[QueueHour]
    """Of the last day, oldest first, without those in which nothing happened."""

    def each_hour(self, now: datetime) -> list[int]:
        """How many waited at the end of each of the last 24 hours; at last how many do now."""
        known = {each.hour: each.depth for each in self.hours}
        depths, depth = [], 0
        for place in range(24):
            depth = known.get(hour_of(now) - (23 - place) * HOUR, 0)
            depths.append(depth)
        depths[-1] = self.waiting
        return depths

    def arrived(self, now: datetime) -> int:
        """How many came within an hour."""
        return rate({each.hour: each.arrived for each in self.hours}, now)

    def gone(self, now: datetime) -> int:
        """How many left it within an hour."""
        return rate({each.hour: each.gone for each in self.hours}, now)

    def outlook(self, now: datetime) -> Outlook:
        """What becomes of it if all goes on so."""
        return outlook(
            self.waiting,
            self.arrived(now),
            self.gone(now),
            is_consumed=not self.is_standing or self.consumers > 0,
            is_paused=self.consumers > 0 and self.consumers == self.paused_consumers,
        )


class _Hour(Struct, frozen=True, kw_only=True):
    queue_id: QueueId
    hour: datetime
    depth: int
    deepest: int
    arrived: int
    gone: int


_WAITING: Final = """
    select queue_id, sum(waiting)::bigint as waiting, min(oldest_at) as oldest_at
      from (select queue_id, count(*) as waiting, min(state_at) as oldest_at
              from work_item
             where state = 'new' and queue_id is not null and workspace_id in {each} {of_new}
             group by queue_id
            union all
            select step.queue_id, pending.waiting, pending.oldest_at
              from (select step_id, count(*) as waiting, min(due) as oldest_at
                      from work_item
                     where state = 'pending' and run_id is not null and workspace_id in {each} {of_pending}
                     group by step_id) as pending
              join step on step.id = pending.step_id) as each
     group by queue_id"""

_FLOW: Final = """
    select queue.id, queue.number, queue.workspace_id,
           case when queue.is_standing then queue.name
                else coalesce(process.name || ', ' || step.name, queue.name) end as name,
           queue.is_standing, queue.is_draft, process.number as process_number, process.name as process_name,
           step.name as step_name, step.position as step_position, coalesce(waiting.waiting, 0) as waiting,
           waiting.oldest_at, coalesce(consuming.consumers, 0) as consumers,
           coalesce(consuming.paused, 0) as paused_consumers, '[]'::jsonb as hours
      from queue
      left join step on step.queue_id = queue.id and step.deleted_at is null
      left join process on process.id = step.process_id
      left join waiting on waiting.queue_id = queue.id
      left join lateral (
           select count(*) as consumers, count(*) filter (where is_paused) as paused from queue_consumer
            where queue_consumer.queue_id = queue.id and queue_consumer.deleted_at is null) as consuming on true"""


async def flows(db: Statements, scope: Scope, *, limit: int) -> list[Flow]:
    """The queues in which something waits, or did within a day: the fullest first."""
    found = await db.all(
        Flow,
        f"""
        with waiting as materialized ({_WAITING.format(each=EACH, of_new="", of_pending="")}),
             used as (
            select queue_id from waiting
             union
            select queue_id from queue_hour
             where workspace_id in {EACH} and hour >= clock_now() - interval '25 hours'
        )
        {_FLOW}
         where queue.id in (select queue_id from used) and queue.workspace_id in {EACH} and queue.deleted_at is null
         order by waiting.waiting desc nulls last, queue.is_standing desc, queue.id
         limit %(limit)s
        """,
        limit=limit,
        **scope.each,
    )
    return await _with_hours(db, scope, found)


async def standing(db: Statements, scope: Scope, *, after: QueueId | None = None, limit: int) -> list[Flow]:
    """All standing queues in the order of their making, also those in which nothing was for long."""
    found = await db.all(
        Flow,
        f"""
        with waiting as materialized ({_WAITING.format(each=EACH, of_new="", of_pending="")})
        {_FLOW}
         where queue.workspace_id in {EACH} and queue.is_standing and queue.deleted_at is null
         {oldest_first("queue.id")}
        """,
        after=after,
        limit=limit,
        **scope.each,
    )
    return await _with_hours(db, scope, found)


async def flow_of(db: Statements, scope: Scope, queue: QueueId) -> Flow | None:
    """Of one queue, standing or a step's; None if the scope does not see it."""
    found = await db.all(
        Flow,
        f"""
        with waiting as materialized ({
            _WAITING.format(
                each=EACH,
                of_new="and queue_id = %(queue)s",
                of_pending="and step_id in (select id from step where queue_id = %(queue)s)",
            )
        })
        {_FLOW}
         where queue.id = %(queue)s and queue.workspace_id in {EACH} and queue.deleted_at is null
        """,
        queue=queue,
        **scope.each,
    )
    return next(iter(await _with_hours(db, scope, found)), None)


async def _with_hours(db: Statements, scope: Scope, found: Sequence[Flow]) -> list[Flow]:
    rows = await db.all(
        _Hour,
        f"""
        select queue_id, hour, depth, deepest, arrived, gone from queue_hour
         where queue_id = any(%(queues)s::uuid[]) and workspace_id in {EACH}
           and hour >= clock_now() - interval '25 hours'
         order by hour
        """,
        queues=[each.id for each in found],
        **scope.each,
    )
    by_queue: dict[QueueId, list[QueueHour]] = {each.id: [] for each in found}
    for row in rows:
        by_queue[row.queue_id].append(
            QueueHour(hour=row.hour, depth=row.depth, deepest=row.deepest, arrived=row.arrived, gone=row.gone)
        )
    return [replace(each, hours=by_queue[each.id]) for each in found]
