"""What went through queues by the hour, made anew of the items that are kept.

An item waits from its making until somebody has it in hand, it is set aside, or it ends; and again when it is tried
again or let go. When it was made and in hand stand in its row and its history; what people did to it is read from the
record of events. What these do not tell (an event or a row that is gone) is put right at the last change of the item,
so that the depth at the end is that of the queue. A depth is that of the end of a minute, as one that was looked at.
"""

from typing import Final

from controlroom.engine.events.cursor import IN_SPAN, Span
from controlroom.engine.tenancy import ScopedTx
from controlroom.ids import WorkspaceId

_TURNS: Final = frozenset({"work_item.held", "work_item.let_go", "work_item.retried"})


async def begin(tx: ScopedTx) -> None:
    """Name the workspaces whose queues are to be counted anew, and forget what was read for an attempt before."""
    await tx.execute("delete from item_turn")
    await tx.execute("insert into queues_to_count select id from workspace on conflict do nothing")


async def fold_turns(tx: ScopedTx, span: Span) -> None:
    """Remember what people did to items in a span; the caller moves its cursor with it."""
    if _TURNS.isdisjoint(span.kinds):
        return
    await tx.execute(
        f"""
        insert into item_turn (work_item_id, at, came)
        select work_item_id, at, case when kind = 'work_item.held' then -1 else 1 end
          from event
         where {IN_SPAN} and work_item_id is not null
           and (kind in ('work_item.held', 'work_item.let_go')
                or (kind = 'work_item.retried' and step_run_id is null))    -- others stand in the item's history
        """,
        **span.params,
    )


async def next_workspace(tx: ScopedTx) -> bool:
    """Count the queues of one workspace anew; whether there was one that still had to be. The caller holds the state.

    Hours of which not all is kept any more stay as they were.
    """
    workspace: WorkspaceId | None = await tx.value(
        """
        delete from queues_to_count
         where workspace_id = (select workspace_id from queues_to_count order by workspace_id limit 1)
        returning workspace_id
        """
    )
    if workspace is None:
        await tx.execute("delete from item_turn")
        return False
    await tx.execute(
        "update statistics_state set queues_at = clock_now() - interval '10 seconds' where queues_at is null"
    )
    await tx.execute(
        """
        delete from queue_hour
         where workspace_id = %(workspace)s
           and hour >= coalesce((select hour from statistics_floor where workspace_id = %(workspace)s), '-infinity')
        """,
        workspace=workspace,
    )
    await tx.execute(_HOURS, workspace=workspace)
    return True


_MOVES: Final = """
of_queue as materialized (
    select id, queue_id, state, state_at, created_at, reserved_at, state in ('new', 'pending') as is_waiting
      from work_item
     where workspace_id = %(workspace)s and queue_id is not null
), told as materialized (
    select id, queue_id, created_at as at, 1 as came from of_queue
    union all
    select item.id, queue_id, attempt.reserved_at, -1
      from of_queue as item join work_item_attempt as attempt on attempt.work_item_id = item.id
     where attempt.reserved_at is not null
    union all
    select item.id, queue_id, attempt.released_at, 1
      from of_queue as item join work_item_attempt as attempt on attempt.work_item_id = item.id
     where attempt.outcome in ('retried', 'lost')
    union all
    select id, queue_id, reserved_at, -1 from of_queue where state = 'in_progress'
    union all
    select item.id, queue_id, turn.at, came from item_turn as turn join of_queue as item on item.id = turn.work_item_id
), move as (
    select queue_id, at, came from told
    union all
    select item.queue_id, item.state_at, item.is_waiting::int - counted.waits
      from of_queue as item join (select id, sum(came)::int as waits from told group by id) as counted using (id)
     where item.is_waiting::int <> counted.waits
)"""

_HOURS: Final = f"""
with {_MOVES}, until as (
    select queues_at as at, date_trunc('hour', queues_at, 'UTC') as hour from statistics_state
), minute as (
    select queue_id, date_trunc('minute', move.at, 'UTC') as at, sum(greatest(came, 0)) as arrived,
           sum(greatest(-came, 0)) as gone
      from move, until
     where move.at <= until.at
     group by 1, 2
), depth as (
    select queue_id, at, arrived, gone, sum(arrived - gone) over (partition by queue_id order by at) as depth
      from minute
), hourly as (
    select queue_id, date_trunc('hour', at, 'UTC') as hour, (array_agg(depth order by at desc))[1] as depth,
           max(depth) as deepest, sum(arrived) as arrived, sum(gone) as gone
      from depth
     group by 1, 2
), spread as (
    select hourly.*, lag(depth, 1, 0) over row_of as before,
           lead(hour, 1, (select hour from until) + interval '1 hour') over row_of as next
      from hourly
    window row_of as (partition by queue_id order by hour)
)
insert into queue_hour as known (workspace_id, queue_id, hour, depth, deepest, arrived, gone)
select %(workspace)s, queue_id, hour, greatest(depth, 0), greatest(deepest, before, 0), arrived, gone
  from spread
 union all
select %(workspace)s, queue_id, between_them, depth, depth, 0, 0
  from spread cross join generate_series(greatest(hour + interval '1 hour', clock_now() - interval '400 days'),
                                         next - interval '1 hour', interval '1 hour') as between_them
 where depth > 0
    on conflict (queue_id, hour) do nothing        -- what is older than what is kept
"""
