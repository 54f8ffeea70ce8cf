"""What waits in queues, and what went through them by the hour.

Depths are looked at once a minute; arrivals are counted by the ids of items, which say when they were made. What went
out is what arrived, less what the depth has grown by: done, failed, deleted, and stopped with their run alike. An item
that waits again after a retry has arrived again. Outputs arrive when they are made, while they are drafts.
"""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import EACH, Room, Scope, ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.statistics.model import Depth, Period, QueueHour
from controlroom.ids import QueueId
from controlroom.postgres.database import Statements

_SETTLED: Final = "interval '10 seconds'"
"""Items are counted so long after their ids were made: by then their transaction has ended."""


_WAITING: Final = """
waiting as (
    select workspace_id, queue_id, count(*) as waiting, min(state_at) as oldest_at
      from work_item
     where state = 'new' and queue_id is not null {of_new}
     group by workspace_id, queue_id
    union all
    select step.workspace_id, step.queue_id, sum(pending.waiting), min(pending.oldest_at)
      from (select run_id, step_id, count(*) as waiting, min(due) as oldest_at
              from work_item
             where state = 'pending' and run_id is not null {of_pending}
             group by run_id, step_id) as pending
      join step on step.id = pending.step_id
     group by step.workspace_id, step.queue_id
)"""


async def look(engine: Engine, room: Room) -> int:
    """Note how many items wait in each queue, and how many have arrived since the last look; of how many queues.

    Looks are rows of one transaction with the moment until when arrivals are counted: none is counted twice.
    """
    async with scoped(engine.database, room) as tx:
        looked = await tx.one_or_none(
            _Look,
            f"""
            select coalesce(queues_at, clock_now() - interval '1 minute') as since, clock_now() - {_SETTLED} as until
              from statistics_state
               for update skip locked
            """,
        )
        if looked is None or looked.until <= looked.since:  # a clock that was put back counts nothing twice
            return 0
        await tx.execute("update statistics_state set queues_at = %(until)s", until=looked.until)
        return await _note(tx, looked)


class _Look(Struct, frozen=True):
    since: datetime
    until: datetime


async def _note(tx: ScopedTx, looked: _Look) -> int:
    return await tx.execute(
        f"""
        with {_WAITING.format(of_new="", of_pending="")}, depths as (
            select workspace_id, queue_id, sum(waiting) as depth from waiting group by 1, 2
        ), arrivals as (
            select item.workspace_id, item.queue_id, count(*) as arrived
              from workspace
             cross join lateral (
                   select workspace_id, queue_id from work_item
                    where work_item.workspace_id = workspace.id and queue_id is not null
                      and work_item.id >= uuid_before(%(since)s) and work_item.id < uuid_before(%(until)s)) as item
             where workspace.deleted_at is null
             group by 1, 2
        ), known as (                      -- the last look at each queue, a day ago at most
            select distinct on (queue_id) workspace_id, queue_id, depth from queue_hour
             where hour >= date_trunc('hour', %(until)s::timestamptz - interval '1 day', 'UTC')
             order by queue_id, hour desc
        ), looked as (
            select workspace_id, queue_id, coalesce(depths.depth, 0) as depth, coalesce(arrived, 0) as arrived,
                   coalesce(depths.depth, 0) - coalesce(known.depth, 0) as grown
              from depths
              full join arrivals using (workspace_id, queue_id)
              full join known using (workspace_id, queue_id)
             where coalesce(depths.depth, 0) > 0 or arrived > 0 or known.depth > 0
        )
        insert into queue_hour as seen (workspace_id, queue_id, hour, depth, deepest, arrived, gone)
        select workspace_id, queue_id, date_trunc('hour', %(until)s::timestamptz, 'UTC'), depth, depth,
               greatest(arrived, grown), greatest(arrived - grown, 0)
          from looked
         order by queue_id
            on conflict (queue_id, hour) do update
           set depth = excluded.depth, deepest = greatest(seen.deepest, excluded.depth),
               arrived = seen.arrived + excluded.arrived, gone = seen.gone + excluded.gone
        """,
        since=looked.since,
        until=looked.until,
    )


# ---------------------------------------------------------------------------------------------------- reading
async def depths(db: Statements, scope: Scope) -> list[Depth]:
    """The queues in which something waits now, the deepest first."""
    of_new = f"and workspace_id in {EACH}"
    of_pending = f"and workspace_id in {EACH}"
    return await db.all(
        Depth,
        f"""
        with {_WAITING.format(of_new=of_new, of_pending=of_pending)}
        select waiting.workspace_id, waiting.queue_id, queue.name, step.process_id, step.id as step_id,
               sum(waiting)::bigint as waiting, min(oldest_at) as oldest_at
          from waiting join queue on queue.id = waiting.queue_id
          left join step on step.queue_id = queue.id and step.deleted_at is null
         group by waiting.workspace_id, waiting.queue_id, queue.name, step.process_id, step.id
         order by sum(waiting) desc, waiting.queue_id
         limit 1000
        """,
        **scope.each,
    )


async def hours(db: Statements, scope: Scope, queue: QueueId, period: Period) -> list[QueueHour]:
    """What went through a queue, by the hour, oldest first; hours in which nothing waited or came are left out."""
    period = period.checked()
    return await db.all(
        QueueHour,
        f"""
        select hour, depth, deepest, arrived, gone from queue_hour
         where queue_id = %(queue)s and workspace_id in {EACH}
           and hour >= date_trunc('hour', %(since)s::timestamptz, 'UTC') and hour < %(until)s::timestamptz
         order by hour
        """,
        queue=queue,
        since=period.since,
        until=period.until,
        **scope.each,
    )
