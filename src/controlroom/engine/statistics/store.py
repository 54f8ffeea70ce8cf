"""Reading the figures: always all that has ended, also what is in no row yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from controlroom.engine.access.scope import EACH, Scope
from controlroom.engine.packages.places import FOLDERS
from controlroom.engine.statistics.folding import RUN_ROW, STEP_RUN_ROW, UNFOLDED
from controlroom.engine.statistics.model import (
    Extreme,
    FailureGroup,
    FailureHour,
    FailureTrend,
    Figure,
    Key,
    Noun,
    Period,
    Usual,
)
from controlroom.engine.statistics.rules import hours_of, whole_hours
from controlroom.ids import ProcessId, TaskId
from controlroom.postgres.database import Statements

MOST_FIGURES: Final = 10_000
"""Rows of one answer; what is asked for more finely is cut off."""
_FROM: Final = "%(since)s::timestamptz"
_UNTIL: Final = "%(until)s::timestamptz"
_COUNTED: Final = f"""
seen as materialized (
    select id from {EACH} as seen
), part as materialized (              -- of an hour, at both ends of the period
    select * from (values ({_FROM}, %(whole_since)s::timestamptz), (%(whole_until)s::timestamptz, {_UNTIL}))
             as part (since, until) where since < until
), {UNFOLDED}, counted as (
    select workspace_id, hour, process_id, step_id, task_id, worker_id, user_id, result, cause, count, milliseconds,
           longest, longest_id, latest_at, latest_id
      from hourly_figure
     where generation = (select generation from statistics_state) and workspace_id in (select id from seen)
       and noun = %(noun)s and hour >= %(whole_since)s::timestamptz and hour < %(whole_until)s::timestamptz
    union all
    select workspace_id, hour, process_id, step_id, task_id, worker_id, user_id, result, cause, count, milliseconds,
           longest, longest_id, latest_at, latest_id
      from ended
     where workspace_id in (select id from seen) and noun = %(noun)s
       and hour >= %(whole_since)s::timestamptz and hour < %(whole_until)s::timestamptz
    union all                          -- of the parts, as the rows stand
    select row.workspace_id, hour, process_id, step_id, task_id, worker_id, user_id, result, cause, count, milliseconds,
           longest, longest_id, latest_at, latest_id
      from seen cross join part
     cross join lateral (
           select {STEP_RUN_ROW}
             from step_run join step on step.id = step_run.step_id join run on run.id = step_run.run_id
            where %(noun)s = 'step_run' and step_run.workspace_id = seen.id and step_run.state <> 'withdrawn'
              and step_run.result is not null
              and step_run.started_at >= part.since and step_run.started_at < part.until
            union all
           select {STEP_RUN_ROW}
             from step_run join step on step.id = step_run.step_id join run on run.id = step_run.run_id
            where %(noun)s = 'step_run' and step_run.workspace_id = seen.id and step_run.state <> 'withdrawn'
              and step_run.result is not null and step_run.started_at is null
              and step_run.ended_at >= part.since and step_run.ended_at < part.until
            union all
           select {RUN_ROW}
             from run
            where %(noun)s = 'run' and run.workspace_id = seen.id and run.result is not null
              and run.started_at >= part.since and run.started_at < part.until
            union all
           select {RUN_ROW}
             from run
            where %(noun)s = 'run' and run.workspace_id = seen.id and run.result is not null
              and run.started_at is null and run.ended_at >= part.since and run.ended_at < part.until) as row
)"""

_BY: Final = f"""
with {_COUNTED}, keyed as (
    select case when 'hour' = any(%(by)s::text[]) then hour
                when 'day' = any(%(by)s::text[]) then date_trunc('day', hour, 'UTC') end as hour,
           case when 'workspace' = any(%(by)s::text[]) then workspace_id end as workspace_id,
           case when 'process' = any(%(by)s::text[]) then process_id end as process_id,
           case when 'step' = any(%(by)s::text[]) then step_id end as step_id,
           case when 'task' = any(%(by)s::text[]) then task_id end as task_id,
           case when 'worker' = any(%(by)s::text[]) then worker_id end as worker_id,
           case when 'user' = any(%(by)s::text[]) then user_id end as user_id,
           case when 'result' = any(%(by)s::text[]) then result end as result,
           case when 'cause' = any(%(by)s::text[]) then cause end as cause,
           count, milliseconds, longest, longest_id, latest_at, latest_id
      from counted
     where (%(process)s::uuid is null or process_id = %(process)s)
       and (%(task)s::uuid is null or task_id = %(task)s)
), summed as (
    select hour, workspace_id, process_id, step_id, task_id, worker_id, user_id, result, cause,
           sum(count)::bigint as count, sum(milliseconds)::bigint as milliseconds, max(longest) as longest,
           (array_agg(longest_id order by longest desc, latest_at desc))[1] as longest_id, max(latest_at) as latest_at,
           (array_agg(latest_id order by latest_at desc))[1] as latest_id
      from keyed
     group by 1, 2, 3, 4, 5, 6, 7, 8, 9
    having sum(count) <> 0
     order by 1, 10 desc, 2, 3, 4, 5, 6, 7, 8, 9
     limit %(limit)s
)
select summed.*, process.name as process_name, step.name as step_name, task.number as task_number,
       task.name as task_name, workspace.name as workspace_name, {FOLDERS} as folders, package.name as package_name,
       worker.number as worker_number, worker.name as worker_name, app_user.number as user_number,
       app_user.username as user_name
  from summed
  left join process on process.id = summed.process_id
  left join step on step.id = summed.step_id
  left join task on task.id = summed.task_id
  left join package on package.id = task.package_id
  left join workspace on workspace.id = package.workspace_id
  left join worker on worker.id = summed.worker_id
  left join app_user on app_user.id = summed.user_id
 order by summed.hour, summed.count desc, summed.workspace_id, summed.process_id, summed.step_id, summed.task_id,
          summed.worker_id, summed.user_id, summed.result, summed.cause
"""


async def now(db: Statements) -> datetime:
    """The moment until which figures are: what has begun since is in none."""
    moment: datetime = await db.value("select clock_now()")
    return moment


async def figures(
    db: Statements,
    scope: Scope,
    noun: Noun,
    period: Period,
    by: Sequence[Key],
    *,
    process: ProcessId | None = None,
    task: TaskId | None = None,
) -> list[Figure]:
    """What ended, told apart by some keys: oldest hour first, and the most frequent first in each.

    A run or step run belongs to the moment at which it began, exactly; an item to the hour in which it was released,
    and a period that begins within an hour has all of that hour's. Raises PeriodWrong.
    """
    period = period.checked()
    whole = hours_of(period) if noun is Noun.WORK_ITEM else whole_hours(period)
    return await db.all(
        Figure,
        _BY,
        noun=noun,
        by=list(by),
        process=process,
        task=task,
        since=period.since,
        until=period.until,
        whole_since=whole.since,
        whole_until=whole.until,
        limit=MOST_FIGURES,
        **scope.each,
    )


async def extremes(db: Statements, scope: Scope, step_runs: Sequence[UUID]) -> dict[UUID, Extreme]:
    """Step runs that figures name, those that are still kept."""
    rows = await db.all(
        Extreme,
        f"""
        select step_run.id, step_run.number, step_run.started_at, step_run.ended_at, worker.number as worker_number,
               worker.name as worker_name, step_run.error_code, step_run.error_message
          from step_run left join worker on worker.id = step_run.worker_id
         where step_run.id = any(%(ids)s::uuid[]) and step_run.workspace_id in {EACH}
        """,
        ids=list(step_runs),
        **scope.each,
    )
    return {row.id: row for row in rows}


# ---------------------------------------------------------------------------------------------------- failures
async def failure_groups(
    db: Statements,
    scope: Scope,
    period: Period,
    *,
    noun: Noun | None = None,
    process: ProcessId | None = None,
    limit: int,
) -> list[FailureGroup]:
    """Groups that had a failure in a period, the latest first. Raises PeriodWrong."""
    period = period.checked()
    return await db.all(
        FailureGroup,
        f"""
        select failed.workspace_id, failed.fingerprint, failed.noun, failed.process_id, process.name as process_name,
               failed.type, failed.code, failed.pattern, failed.message, failed.count,
               coalesce((select sum(hourly.count) from failure_hour as hourly
                          where hourly.generation = failed.generation and hourly.workspace_id = failed.workspace_id
                            and hourly.fingerprint = failed.fingerprint
                            and hourly.hour >= date_trunc('hour', {_FROM}, 'UTC') and hourly.hour < {_UNTIL}),
                        0)::bigint as recent,
               failed.first_at, failed.last_at, failed.last_id
          from failure_group as failed left join process on process.id = failed.process_id
         where failed.generation = (select generation from statistics_state) and failed.workspace_id in {EACH}
           and failed.last_at >= {_FROM} and failed.first_at < {_UNTIL}
           and (%(noun)s::text is null or failed.noun = %(noun)s)
           and (%(process)s::uuid is null or failed.process_id = %(process)s)
         order by failed.last_at desc, failed.fingerprint
         limit %(limit)s
        """,
        since=period.since,
        until=period.until,
        noun=noun,
        process=process,
        limit=limit,
        **scope.each,
    )


async def failure_hours(db: Statements, scope: Scope, fingerprint: str, period: Period) -> list[FailureHour]:
    """How many failures of a group there were, by the hour, oldest first; hours without any are left out."""
    period = period.checked()
    return await db.all(
        FailureHour,
        f"""
        select hour, sum(count)::bigint as count from failure_hour
         where generation = (select generation from statistics_state) and workspace_id in {EACH}
           and fingerprint = %(fingerprint)s and hour >= date_trunc('hour', {_FROM}, 'UTC') and hour < {_UNTIL}
         group by hour
         order by hour
        """,
        fingerprint=fingerprint,
        since=period.since,
        until=period.until,
        **scope.each,
    )


async def failure_trends(
    db: Statements,
    scope: Scope,
    period: Period,
    *,
    noun: Noun | None = None,
    process: ProcessId | None = None,
    limit: int,
) -> list[FailureTrend]:
    """Groups that had a failure in a period, the most frequent first, with the failures of each of its equal parts.

    Of the five hundred latest groups. A period is told in thirty parts. Raises PeriodWrong.
    """
    period = period.checked()
    return await db.all(
        FailureTrend,
        f"""
        with asked as (
            select * from failure_group
             where generation = (select generation from statistics_state) and workspace_id in {EACH}
               and last_at >= {_FROM} and first_at < {_UNTIL}
               and (%(noun)s::text is null or noun = %(noun)s)
               and (%(process)s::uuid is null or process_id = %(process)s)
             order by last_at desc, fingerprint
             limit 500
        ), parts as (
            select asked.workspace_id, asked.fingerprint,
                   least(30, width_bucket(extract(epoch from hourly.hour)::float8, extract(epoch from {_FROM})::float8,
                                          extract(epoch from {_UNTIL})::float8, 30)) as part,   -- numeric is slow
                   sum(hourly.count)::bigint as count
              from asked join failure_hour as hourly using (generation, workspace_id, fingerprint)
             where hourly.hour >= date_trunc('hour', {_FROM}, 'UTC') and hourly.hour < {_UNTIL}
             group by 1, 2, 3
        ), told as (
            select workspace_id, fingerprint, sum(count)::bigint as recent,
                   jsonb_agg(jsonb_build_array(greatest(part, 1) - 1, count) order by part) as parts
              from parts group by 1, 2
        )
        select asked.workspace_id, asked.fingerprint, asked.noun, asked.process_id, process.name as process_name,
               process.number as process_number, asked.type, asked.code, asked.pattern, asked.message, told.recent,
               asked.first_at, asked.last_at, asked.last_id, told.parts
          from told join asked using (workspace_id, fingerprint)
          left join process on process.id = asked.process_id
         order by told.recent desc, asked.last_at desc, asked.fingerprint
         limit %(limit)s
        """,
        since=period.since,
        until=period.until,
        noun=noun,
        process=process,
        limit=limit,
        **scope.each,
    )


# ---------------------------------------------------------------------------------------------------- what is usual
async def usual(db: Statements, scope: Scope, process: ProcessId | None = None) -> list[Usual]:
    """The medians of the last twenty that succeeded: of each process's runs, and of each step's step runs in them."""
    return await db.all(
        Usual,
        f"""
        with lately as (
            select run.id, run.process_id, run.started_at, run.ended_at
              from process
             cross join lateral (
                   select id, process_id, started_at, ended_at from run
                    where run.process_id = process.id and run.state = 'completed' and run.result = 'succeeded'
                      and run.started_at is not null
                    order by id desc
                    limit 20) as run
             where process.workspace_id in {EACH} and process.deleted_at is null
               and (%(process)s::uuid is null or process.id = %(process)s)
        ), took as (
            select process_id, null::uuid as step_id, ended_at - started_at as duration from lately
            union all
            select process_id, step_id, duration
              from (select lately.process_id, step_run.step_id, step_run.ended_at - step_run.started_at as duration,
                           row_number() over (partition by step_run.step_id order by step_run.id desc) as place
                      from lately join step_run on step_run.run_id = lately.id
                     where step_run.result = 'succeeded' and step_run.started_at is not null) as each
             where place <= 20
        )
        select process_id, step_id, count(*) as count,
               (extract(epoch from percentile_cont(0.5) within group (order by duration)) * 1000)::bigint
               as median_milliseconds
          from took
         group by process_id, step_id
         order by process_id, step_id nulls first
        """,
        process=process,
        **scope.each,
    )


async def usual_of_runs(db: Statements, scope: Scope, processes: Sequence[ProcessId]) -> dict[ProcessId, Usual]:
    """Likewise of the runs of some processes alone, as far as any of their last two hundred succeeded.

    Why so many: the last twenty that succeeded are among them where a process works at all, and one that never does is
    not walked to its beginning.
    """
    rows = await db.all(
        Usual,
        f"""
        select process.id as process_id, null::uuid as step_id, count(*) as count,
               (extract(epoch from percentile_cont(0.5) within group (order by took.duration)) * 1000)::bigint
               as median_milliseconds
          from process
         cross join lateral (
               select ended_at - started_at as duration
                 from (select id, state, result, started_at, ended_at from run
                        where run.process_id = process.id
                        order by id desc
                        limit 200) as lately
                where state = 'completed' and result = 'succeeded' and started_at is not null
                order by id desc
                limit 20) as took
         where process.id = any(%(processes)s::uuid[]) and process.workspace_id in {EACH}
         group by process.id
        """,
        processes=list(processes),
        **scope.each,
    )
    return {row.process_id: row for row in rows}
