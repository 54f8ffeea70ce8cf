"""Queues as who keeps an eye on them sees them: what waits, what comes and goes in an hour, and what comes of it.

What waits is asked of the items, up to a number that an index tells at once; what came and went of the hours that the
loop has noted. Two statements for a page.
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
    queues_together: int = 0
    """Of all in which something waits, where the fullest are asked for: also those behind them."""
    waiting_together: int = 0

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


_EXACT: Final = 5000
"""So many that wait in a queue, or in a run, are counted one by one; where there are more, the last look at the queue
says how many, a minute ago at most. Why: five thousand entries of an index take a millisecond, millions a second."""

_MOST_DRAWN: Final = 1000
_TELLING: Final = "2 hours"
"""Of which a queue's outlook is told: the hour that goes on, and the one before it."""

_OPEN: Final = f"""
        open_run as materialized (
            select id, process_id from run
             where workspace_id in {EACH} and state in ('new', 'in_progress', 'stopping')
        ), pending as materialized (
            select step_id, sum(waiting)::bigint as waiting, min(oldest_at) as oldest_at,
                   max(whole) > {_EXACT} as is_cut
              from open_run
             cross join lateral (
                   select step_id, count(*) as waiting, min(due) as oldest_at, sum(count(*)) over () as whole
                     from (select step_id, due from work_item
                            where run_id = open_run.id and state = 'pending'
                            limit {_EXACT} + 1) as taken
                    group by step_id) as of_run
             group by step_id
        )"""
"""The items that wait in runs, by step."""

_FLOW: Final = f"""
    select queue.id, queue.number, queue.workspace_id,
           case when queue.is_standing then queue.name
                else coalesce(process.name || ', ' || step.name, queue.name) end as name,
           queue.is_standing, queue.is_draft, process.number as process_number, process.name as process_name,
           step.name as step_name, step.position as step_position,
           case when fresh.waiting > {_EXACT} or pending.is_cut
                then greatest(fresh.waiting + coalesce(pending.waiting, 0), coalesce(looked.depth, 0))
                else fresh.waiting + coalesce(pending.waiting, 0) end as waiting,
           least(fresh.oldest_at, pending.oldest_at) as oldest_at, consuming.consumers,
           consuming.paused as paused_consumers, '[]'::jsonb as hours
      from asked join queue on queue.id = asked.id
      left join step on step.queue_id = queue.id and step.deleted_at is null
      left join process on process.id = step.process_id
      left join pending on pending.step_id = step.id
     cross join lateral (
           select count(*) as waiting, min(due) as oldest_at
             from (select due from work_item where work_item.queue_id = queue.id and work_item.state = 'new'
                    limit {_EXACT} + 1) as taken) as fresh
      left join lateral (
           select depth from queue_hour             -- looked up only where it counts
            where queue_hour.queue_id = queue.id and (fresh.waiting > {_EXACT} or pending.is_cut)
            order by queue_hour.hour desc limit 1) as looked on true
     cross join lateral (
           select count(*) as consumers, count(*) filter (where is_paused) as paused from queue_consumer
            where queue_consumer.queue_id = queue.id and queue_consumer.deleted_at is null) as consuming"""


async def flows(db: Statements, scope: Scope, *, limit: int, drawn: int | None = None) -> list[Flow]:
    """The queues in which something waits, or did within a day: the fullest first.

    `drawn`: so many of the first have the hours of a day, the others those alone by which their outlook is told.
    """
    return await _fullest(db, scope, limit=limit, drawn=drawn, used_hours=25, least=0)


async def waiting_now(db: Statements, scope: Scope, *, limit: int, drawn: int | None = None) -> list[Flow]:
    """Those of them in which something waits: a tenth of the hours is read for it.

    What waits of no run in the queue of a step is found by the looks of the last two hours.
    """
    return await _fullest(db, scope, limit=limit, drawn=drawn, used_hours=2, least=1)


async def _fullest(
    db: Statements, scope: Scope, *, limit: int, drawn: int | None, used_hours: int, least: int
) -> list[Flow]:
    found = await db.all(
        Flow,
        f"""
        with {_OPEN}, used as materialized (
            select distinct queue_id as id from queue_hour
             where workspace_id in {EACH} and hour >= clock_now() - interval '{used_hours:d} hours'
        ), asked as (
            select id from queue where workspace_id in {EACH} and is_standing and deleted_at is null
             union
            select queue.id from used join queue on queue.id = used.id
             where queue.workspace_id in {EACH} and queue.deleted_at is null
             union
            select step.queue_id from step join open_run on open_run.process_id = step.process_id
             where step.deleted_at is null
        ), flow as ({_FLOW})
        select flow.*, count(*) filter (where waiting > 0) over () as queues_together,
               (sum(waiting) over ())::bigint as waiting_together
          from flow
         where waiting >= {least:d} and (waiting > 0 or id in (select id from used))
         order by waiting desc, is_standing desc, id
         limit {limit:d}
        """,
        **scope.each,
    )
    return await _with_hours(db, scope, found, drawn=limit if drawn is None else drawn)


async def of_queues(db: Statements, scope: Scope, queues: Sequence[QueueId]) -> dict[QueueId, Flow]:
    """Of some standing queues, those too in which nothing was for long."""
    found = await db.all(
        Flow,
        f"""
        with asked as (
            select id from queue
             where workspace_id in {EACH} and is_standing and deleted_at is null and id = any(%(queues)s::uuid[])
        ), pending as (
            select null::uuid as step_id, 0::bigint as waiting, null::timestamptz as oldest_at, false as is_cut
             where false
        )
        {_FLOW}
        """,
        queues=list(queues),
        **scope.each,
    )
    return {each.id: each for each in await _with_hours(db, scope, found)}


async def flow_of(db: Statements, scope: Scope, queue: QueueId) -> Flow | None:
    """Of one queue, standing or a step's; None if the scope does not see it."""
    found = await db.all(
        Flow,
        f"""
        with {_OPEN}, asked as (
            select id from queue where id = %(queue)s and workspace_id in {EACH} and deleted_at is null
        )
        {_FLOW}
        """,
        queue=queue,
        **scope.each,
    )
    return next(iter(await _with_hours(db, scope, found)), None)


async def _with_hours(db: Statements, scope: Scope, found: Sequence[Flow], *, drawn: int = _MOST_DRAWN) -> list[Flow]:
    rows = await db.all(
        _Hour,
        f"""
        select queue_hour.queue_id, queue_hour.hour, queue_hour.depth, queue_hour.deepest, queue_hour.arrived,
               queue_hour.gone
          from unnest(%(queues)s::uuid[]) with ordinality as asked (id, place)
         cross join lateral (
               select * from queue_hour
                where queue_id = asked.id and workspace_id in {EACH}
                  and hour >= clock_now() - case when place <= %(drawn)s::int
                                                 then interval '25 hours' else interval '{_TELLING}' end) as queue_hour
         order by queue_hour.hour
        """,
        queues=[each.id for each in found],
        drawn=drawn,
        **scope.each,
    )
    by_queue: dict[QueueId, list[QueueHour]] = {each.id: [] for each in found}
    for row in rows:
        by_queue[row.queue_id].append(
            QueueHour(hour=row.hour, depth=row.depth, deepest=row.deepest, arrived=row.arrived, gone=row.gone)
        )
    return [replace(each, hours=by_queue[each.id]) for each in found]
