"""What the events of a span add to the figures, and what those add that are not counted yet.

One text says what ended: over a span of events it is written, over what follows the cursor it is added by those who
read. The rows that an event names are read as they are: that of a run which went on since is counted by its next end.
"""

from collections import Counter
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.events.cursor import IN_SPAN, Span
from controlroom.engine.statistics.model import Failed
from controlroom.engine.statistics.rules import LOOKED_AT, fingerprint, hour_of, pattern_of
from controlroom.ids import WorkspaceId

READER: Final = "statistics"
ANEW: Final = "statistics anew"

KINDS: Final = (
    *("run.completed", "run.unresolved", "run.reopened", "step_run.completed", "step_run.failed"),
    *("work_item.done", "work_item.failed", "work_item.retried", "work_item.completed", "work_item.resolved"),
)
"""The events that figures are made of."""
_FAILURES: Final = ("step_run.failed", "work_item.failed")

_MILLISECONDS: Final = "coalesce(extract(epoch from {0}.ended_at - {0}.started_at) * 1000, 0)::bigint"
STARTER: Final = "case run.started_by when 'user' then run.started_by_id end"
USER: Final = f"coalesce(step_run.run_as, {STARTER})"
STEP_RUN_ROW: Final = f"""
    step_run.workspace_id, 'step_run' as noun,
    date_trunc('hour', coalesce(step_run.started_at, step_run.ended_at), 'UTC') as hour, run.process_id,
    step_run.step_id, step.task_id, step_run.worker_id, {USER} as user_id, step_run.result, run.started_by as cause,
    1::bigint as count, {_MILLISECONDS.format("step_run")} as milliseconds,
    {_MILLISECONDS.format("step_run")} as longest, step_run.id as longest_id, step_run.ended_at as latest_at,
    step_run.id as latest_id"""
"""What one step run that has ended adds; over `step_run`, `step` and `run`."""
RUN_ROW: Final = f"""
    run.workspace_id, 'run' as noun, date_trunc('hour', coalesce(run.started_at, run.ended_at), 'UTC') as hour,
    run.process_id, null::uuid as step_id, null::uuid as task_id, null::uuid as worker_id, {STARTER} as user_id,
    run.result, run.started_by as cause, 1::bigint as count, {_MILLISECONDS.format("run")} as milliseconds,
    {_MILLISECONDS.format("run")} as longest, run.id as longest_id, run.ended_at as latest_at, run.id as latest_id"""
"""What one run that has ended adds."""

_RUN: Final = "id, workspace_id, process_id, started_by, started_by_id, started_at, ended_at, result, state"
_STEP_RUN: Final = "id, workspace_id, run_id, step_id, worker_id, run_as, started_at, ended_at, result"
_STEP: Final = "id, process_id, task_id"
# Why `limit 1` behind each of them: so that they are looked up one by one, however many events PostgreSQL guesses.
_MOST_UNREAD: Final = 100_000
"""Events that readers add. Why a bound: so that PostgreSQL reads them by their index, however many it guesses."""

_ENDED: Final = f"""
unread as materialized (
    select at, kind, data, workspace_id, process_id, run_id, step_run_id, work_item_id
      from event
     where /*span*/ and kind = any(/*kinds*/)
     order by xid, id
     limit {_MOST_UNREAD}
), touched as materialized (              -- runs that have ended, or go on
    select run_id, bool_or(kind = 'run.completed') as is_completed, bool_or(kind = 'run.unresolved') as is_unresolved
      from unread
     where kind in ('run.completed', 'run.unresolved', 'run.reopened')
     group by run_id
), ended_run as materialized (
    select {RUN_ROW}, run.state
      from touched cross join lateral (select {_RUN} from run where run.id = touched.run_id limit 1) as run
     where (run.state = 'completed' and is_completed) or (run.state = 'unresolved' and is_unresolved)
), released as materialized (          -- many items of one step run have all but their own times in common
    select event.workspace_id, date_trunc('hour', event.at, 'UTC') as hour, event.process_id, event.step_run_id,
           substr(event.kind, 11) as result,
           case when kind in ('work_item.failed', 'work_item.retried')
                then coalesce(event.data -> 'exception' ->> 'type', took.exception_type, '') else '' end as cause,
           count(*) as count, coalesce(sum(took.milliseconds), 0)::bigint as milliseconds,
           coalesce(max(took.milliseconds), 0)::bigint as longest, max(event.at) as latest_at
      from unread as event
      left join lateral (
           select (extract(epoch from released_at - reserved_at) * 1000)::bigint as milliseconds, exception_type
             from work_item_attempt
            where work_item_attempt.work_item_id = event.work_item_id
              and work_item_attempt.step_run_id = event.step_run_id
            order by attempt desc
            limit 1) as took on true
     where (kind in ('work_item.done', 'work_item.failed', 'work_item.completed', 'work_item.resolved')
            or (kind = 'work_item.retried' and event.step_run_id is not null))     -- the other ones are people's wish
       and event.workspace_id is not null
     group by 1, 2, 3, 4, 5, 6
), ended as (
    select {STEP_RUN_ROW}
      from unread as event
     cross join lateral (select {_STEP_RUN} from step_run where step_run.id = event.step_run_id limit 1) as step_run
     cross join lateral (select {_STEP} from step where step.id = step_run.step_id limit 1) as step
     cross join lateral (select {_RUN} from run where run.id = step_run.run_id limit 1) as run
     where kind in ('step_run.completed', 'step_run.failed') and event.work_item_id is null
       and step_run.result is not null
    union all
    select released.workspace_id, 'work_item', hour, coalesce(released.process_id, step.process_id), step_run.step_id,
           step.task_id, step_run.worker_id, null, released.result, released.cause, released.count, milliseconds,
           longest, null, latest_at, null
      from released
      left join lateral (select {_STEP_RUN} from step_run
                          where step_run.id = released.step_run_id limit 1) as step_run on true
      left join lateral (select {_STEP} from step where step.id = step_run.step_id limit 1) as step on true
    union all
    select workspace_id, noun, hour, process_id, step_id, task_id, worker_id, user_id, result, cause, count,
           milliseconds, longest, longest_id, latest_at, latest_id
      from ended_run
    union all
    select workspace_id, 'run', hour, process_id, null, null, null, user_id, result, cause, -1, -milliseconds, 0, null,
           '-infinity', null
      from unresolved_figure join touched using (run_id)
     where generation = /*generation*/
)"""

_KNOWN: Final = _ENDED.replace("/*kinds*/", "'{" + ",".join(KINDS) + "}'::text[]")

UNFOLDED: Final = _KNOWN.replace(
    "/*span*/",
    f"""(event.xid, event.id) > ((select xid from event_cursor where reader = '{READER}'),
                                         (select id from event_cursor where reader = '{READER}'))""",
).replace("/*generation*/", "(select generation from statistics_state)")
"""What has ended and is in no row yet, as common table expressions, the last of which is `ended`."""

_FOLDED: Final = _KNOWN.replace("/*span*/", IN_SPAN).replace("/*generation*/", "%(generation)s")


async def fold(tx: ScopedTx, span: Span, generation: int, *, is_anew: bool) -> None:
    """Add what the events of a span tell to a generation of figures; the caller moves its cursor with it."""
    kinds = set(span.kinds)
    if not kinds.isdisjoint(KINDS):
        await _fold_ends(tx, span, generation, is_anew=is_anew)
    if not kinds.isdisjoint(_FAILURES):
        await _fold_failures(tx, span, generation, is_anew=is_anew)


async def _fold_ends(tx: ScopedTx, span: Span, generation: int, *, is_anew: bool) -> None:
    await tx.execute(
        f"""
        with {_FOLDED}, kept as (       -- what is older than what is made anew is taken over as it was
            select ended.* from ended
              left join statistics_floor as floor on floor.workspace_id = ended.workspace_id and %(anew)s::bool
             where ended.hour >= coalesce(floor.hour, '-infinity'::timestamptz)
        ), summed as (
            select workspace_id, noun, hour, process_id, step_id, task_id, worker_id, user_id, result, cause,
                   sum(count) as count, sum(milliseconds) as milliseconds, max(longest) as longest,
                   (array_agg(longest_id order by longest desc))[1] as longest_id, max(latest_at) as latest_at,
                   (array_agg(latest_id order by latest_at desc))[1] as latest_id
              from kept
             group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
        ), remembered as (
            insert into unresolved_figure as known (generation, run_id, workspace_id, hour, process_id, user_id, result,
                                                    cause, milliseconds)
            select %(generation)s, latest_id, workspace_id, hour, process_id, user_id, result, cause, milliseconds
              from ended_run
             where state = 'unresolved'
                on conflict (run_id, generation) do update
               set hour = excluded.hour, process_id = excluded.process_id, user_id = excluded.user_id,
                   result = excluded.result, cause = excluded.cause, milliseconds = excluded.milliseconds
        ), forgotten as (
            delete from unresolved_figure
             where generation = %(generation)s and run_id in (select run_id from touched)
               and run_id not in (select latest_id from ended_run where state = 'unresolved')
        )
        insert into hourly_figure as figure (generation, workspace_id, noun, hour, process_id, step_id, task_id,
                                             worker_id, user_id, result, cause, count, milliseconds, longest,
                                             longest_id, latest_at, latest_id)
        select %(generation)s, summed.* from summed
            on conflict (generation, workspace_id, noun, hour, process_id, step_id, task_id, worker_id, user_id,
                         result, cause) do update
           set count = figure.count + excluded.count, milliseconds = figure.milliseconds + excluded.milliseconds,
               longest = greatest(figure.longest, excluded.longest),
               longest_id = case when excluded.longest > figure.longest then excluded.longest_id
                                 else figure.longest_id end,
               latest_at = greatest(figure.latest_at, excluded.latest_at),
               latest_id = case when excluded.latest_at >= figure.latest_at then excluded.latest_id
                                else figure.latest_id end
        """,
        generation=generation,
        anew=is_anew,
        **span.params,
    )


# ---------------------------------------------------------------------------------------------------- failures
async def _fold_failures(tx: ScopedTx, span: Span, generation: int, *, is_anew: bool) -> None:
    found = await tx.all(
        Failed,
        f"""
        select event.at, event.workspace_id, split_part(kind, '.', 1) as noun,
               coalesce(event.work_item_id, event.step_run_id) as id, event.process_id,
               coalesce(event.data -> 'exception' ->> 'type', tried.exception_type, '') as type,
               coalesce(event.data -> 'exception' ->> 'code', event.data -> 'error' ->> 'code', tried.exception_code,
                        '') as code,
               left(coalesce(event.data -> 'error' ->> 'message', tried.exception_message, item.exception_message, ''),
                    {LOOKED_AT}) as message
          from event
          left join work_item as item on item.id = event.work_item_id
          left join lateral (
               select exception_type, exception_code, exception_message from work_item_attempt
                where work_item_attempt.work_item_id = event.work_item_id
                  and work_item_attempt.step_run_id = event.step_run_id
                order by attempt desc
                limit 1) as tried on true
          left join statistics_floor as floor on floor.workspace_id = event.workspace_id and %(anew)s::bool
         where {IN_SPAN} and kind in ('step_run.failed', 'work_item.failed') and event.workspace_id is not null
           and event.at >= coalesce(floor.hour, '-infinity'::timestamptz)
         order by event.xid, event.id
        """,
        anew=is_anew,
        **span.params,
    )
    groups: dict[tuple[WorkspaceId, str], _Group] = {}
    hours: Counter[tuple[WorkspaceId, str, datetime]] = Counter()
    for failed in found:
        pattern = pattern_of(failed.message)
        mark = fingerprint(failed.noun, failed.process_id, failed.type, failed.code, pattern)
        known = groups.get((failed.workspace_id, mark))
        groups[failed.workspace_id, mark] = _Group(
            failed, pattern, failed.at if known is None else known.first_at, 1 if known is None else known.times + 1
        )
        hours[failed.workspace_id, mark, hour_of(failed.at)] += 1
    if groups:
        await _add_groups(tx, generation, groups)
        await _add_hours(tx, generation, hours)


class _Group(NamedTuple):
    last: Failed
    pattern: str
    first_at: datetime
    times: int


async def _add_groups(tx: ScopedTx, generation: int, groups: dict[tuple[WorkspaceId, str], _Group]) -> None:
    told = [
        {
            "workspace_id": workspace,
            "fingerprint": mark,
            "noun": group.last.noun,
            "process_id": group.last.process_id,
            "type": group.last.type,
            "code": group.last.code,
            "pattern": group.pattern,
            "message": group.last.message,
            "count": group.times,
            "first_at": group.first_at,
            "last_at": group.last.at,
            "last_id": group.last.id,
        }
        for (workspace, mark), group in groups.items()
    ]
    await tx.execute(
        """
        insert into failure_group as known (generation, workspace_id, fingerprint, noun, process_id, type, code,
                                            pattern, message, count, first_at, last_at, last_id)
        select %(generation)s, of_it.* from jsonb_to_recordset(%(told)s) as of_it
               (workspace_id uuid, fingerprint text, noun text, process_id uuid, type text, code text, pattern text,
                message text, count bigint, first_at timestamptz, last_at timestamptz, last_id uuid)
            on conflict (generation, workspace_id, fingerprint) do update
           set count = known.count + excluded.count, message = excluded.message, last_id = excluded.last_id,
               last_at = greatest(known.last_at, excluded.last_at)
        """,
        generation=generation,
        told=msgspec.Raw(msgspec.json.encode(told)),
    )


async def _add_hours(tx: ScopedTx, generation: int, hours: Counter[tuple[WorkspaceId, str, datetime]]) -> None:
    await tx.execute(
        """
        insert into failure_hour as known (generation, workspace_id, fingerprint, hour, count)
        select %(generation)s, of_it.*
          from unnest(%(workspaces)s::uuid[], %(marks)s::text[], %(at)s::timestamptz[], %(counts)s::bigint[]) as of_it
            on conflict (generation, workspace_id, fingerprint, hour) do update
           set count = known.count + excluded.count
        """,
        generation=generation,
        workspaces=[workspace for workspace, _, _ in hours],
        marks=[mark for _, mark, _ in hours],
        at=[hour for _, _, hour in hours],
        counts=list(hours.values()),
    )
