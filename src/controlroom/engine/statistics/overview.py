"""What a workspace looks like at a glance: what is wrong, what runs, how today compares, which processes ran last.

A statement each, and none that counts what there are millions of: of the read models, and of the latest rows by index.
Limits stand in their text: of one that it does not know PostgreSQL expects a tenth of all rows, and so plans the whole
statement anew at each call, which takes longer than reading its rows.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.runs.model import Result, RunState, StartedBy
from controlroom.engine.runs.strips import Past, Strip
from controlroom.engine.statistics.model import ENOUGH
from controlroom.ids import ProcessId, RunId
from controlroom.postgres.database import Statements

_USUAL: Final = """
       (select case when count(*) > 0
                    then (extract(epoch from percentile_cont(0.5) within group (order by took)) * 1000)::bigint end
          as median, count(*) as runs
          from (select ended_at - started_at as took
                  from (select id, state, result, started_at, ended_at from run as before
                         where before.process_id = process.id
                         order by id desc
                         limit 200) as lately
                 where state = 'completed' and result = 'succeeded' and started_at is not null
                 order by id desc
                 limit 20) as each)"""
"""What a process usually takes, as `usual_of_runs` says it."""


# ---------------------------------------------------------------------------------------------------- what is wrong
class TroubleKind(StrEnum):
    """Of which kind something is that needs somebody."""

    STEP_RUNS = "step_runs"
    """Step runs could not even begin their task: no environment, a package that is broken, a task that is not there."""
    DELIVERIES = "deliveries"
    """Messages to a webhook were given up, and none has come through since."""
    NOTICES = "notices"
    """Likewise of a notification."""
    ITEMS = "items"
    """Items failed, with one cause; those that are failed now are told by `failing`."""
    OCCURRENCES = "occurrences"
    """Starts of a schedule were missed or failed, and none has happened since."""


class Trouble(Struct, frozen=True, kw_only=True):
    """Something that needs somebody. It is gone when its cause is."""

    kind: TroubleKind
    id: UUID
    """Of the process, webhook, notification's process, or schedule."""
    number: int | None
    name: str
    code: str
    detail: str
    count: int
    since: datetime
    last_at: datetime
    last_id: UUID | None
    """Of the last step run, or of the last delivery."""
    is_over: bool
    """It needs nobody any more."""


async def troubles(db: Statements, scope: Scope, *, limit: int, over_since: datetime | None = None) -> list[Trouble]:
    """What is wrong beside failed items, queues and workers: of the last day, the latest first.

    With `over_since` also what went wrong after that moment and is over: causes of failed items of which none is failed
    any more, processes that run again, webhooks that are reached again. As many again, behind the others.
    """
    return await db.all(
        Trouble,
        f"""
        with seen as (
            select id from {SEEN} as seen
        ), hindered as (
            select 'step_runs' as kind, failed.process_id as id, process.number, process.name,
                   failed.code, failed.message as detail, hourly.count, hourly.since, failed.last_at, failed.last_id
              from failure_group as failed
              join process on process.id = failed.process_id and process.deleted_at is null
             cross join lateral (
                   select sum(count)::bigint as count, min(hour) as since from failure_hour as each
                    where each.generation = failed.generation and each.workspace_id = failed.workspace_id
                      and each.fingerprint = failed.fingerprint
                      and each.hour >= date_trunc('hour', clock_now() - interval '1 day', 'UTC')) as hourly
             where failed.generation = (select generation from statistics_state)
               and failed.workspace_id = (select id from seen) and failed.noun = 'step_run'
               and failed.last_at >= clock_now() - interval '1 day' and hourly.count > 0
               and failed.code in ('ENVIRONMENT_FAILED', 'PACKAGE_INVALID', 'TASK_NOT_FOUND', 'PRE_RUN_SCRIPT_FAILED')
               and not exists (
                   select from run
                    where run.process_id = failed.process_id and run.id >= uuid_before(failed.last_at)
                      and run.state = 'completed' and run.result = 'succeeded')
             order by failed.last_at desc
             limit {limit:d}
        ), receivers as (
            select 'deliveries' as kind, webhook.id, webhook.number, webhook.name, webhook.endpoint, webhook.id as of
              from webhook
             where webhook.workspace_id = (select id from seen) and webhook.deleted_at is null
            union all
            select 'notices', notification.id, process.number, process.name, '', notification.process_id
              from notification join process on process.id = notification.process_id and process.deleted_at is null
             where notification.workspace_id = (select id from seen) and notification.deleted_at is null
             limit 1000
        ), given_up as (
            select receivers.kind, receivers.of as id, receivers.number,
                   coalesce(nullif(receivers.name, ''), receivers.endpoint) as name,
                   coalesce(lately.status, '') as code, coalesce(lately.error, '') as detail, lately.count,
                   lately.since, lately.last_at, lately.last_id
              from receivers
             cross join lateral (             -- most are well: of these no more is read
                   select state from delivery
                    where delivery.subscription_id = receivers.id and delivery.state <> 'pending'
                    order by id desc
                    limit 1) as last
             cross join lateral (
                   select count(*) as count, min(ended_at) as since, max(ended_at) as last_at,
                          (array_agg(last_status::text order by id desc))[1] as status,
                          (array_agg(id order by id desc))[1] as last_id,
                          (array_agg(coalesce(nullif(last_error, ''), last_answer) order by id desc))[1] as error
                     from (select *, bool_or(state = 'delivered') over (order by id desc) as has_come_through
                             from (select id, state, ended_at, last_status, last_error, last_answer from delivery
                                    where delivery.subscription_id = receivers.id and delivery.state <> 'pending'
                                      and last.state = 'failed'
                                    order by id desc
                                    limit 100) as latest) as latest
                    where not has_come_through and state = 'failed') as lately
             where lately.count > 0 and lately.last_at >= clock_now() - interval '7 days'
        ), went_wrong as materialized (       -- few of many, by an index of such: the schedules are thousands
            select distinct schedule_id from schedule_occurrence
             where state in ('missed', 'failed') and due >= clock_now() - interval '1 day'
        ), missed as (
            select 'occurrences' as kind, schedule.id, schedule.number,
                   coalesce(process.name || ', ', '') || schedule.name as name,
                   lately.state as code,
                   lately.reason as detail, lately.count, lately.since, lately.last_at, null::uuid as last_id
              from went_wrong join schedule on schedule.id = went_wrong.schedule_id
              left join process on process.id = schedule.process_id
             cross join lateral (
                   select count(*) as count, min(due) as since, max(due) as last_at,
                          (array_agg(state order by due desc))[1] as state,
                          (array_agg(reason order by due desc))[1] as reason
                     from (select due, state, reason,
                                  bool_or(state in ('started', 'nothing_waited')) over (order by due desc) as has_run
                             from (select due, state, reason from schedule_occurrence
                                    where schedule_occurrence.schedule_id = schedule.id
                                      and due >= clock_now() - interval '1 day'
                                    order by due desc
                                    limit 100) as latest) as latest
                    where not has_run and state in ('missed', 'failed')) as lately
             where schedule.workspace_id = (select id from seen) and schedule.deleted_at is null
               and schedule.is_enabled and lately.count > 0
        ), wrong as (
            select * from hindered union all select * from given_up union all select * from missed
             order by last_at desc, id
             limit {limit:d}
        ), failed as (
            select * from failure_group
             where %(over_since)s::timestamptz is not null
               and generation = (select generation from statistics_state)
               and workspace_id = (select id from seen) and last_at >= %(over_since)s
             order by last_at desc
             limit 500
        ), ended as (
            select case when failed.noun = 'work_item' then 'items' else 'step_runs' end as kind,
                   failed.process_id as id, process.number, coalesce(process.name, '') as name,
                   failed.code, failed.message as detail,
                   (select coalesce(sum(count), 0)::bigint from failure_hour as each
                     where each.generation = failed.generation and each.workspace_id = failed.workspace_id
                       and each.fingerprint = failed.fingerprint
                       and each.hour >= date_trunc('hour', %(over_since)s::timestamptz, 'UTC')) as count,
                   failed.last_at as since, failed.last_at, null::uuid as last_id
              from failed join process on process.id = failed.process_id and process.deleted_at is null
             where case when failed.noun = 'work_item'
                        then not exists (
                             select from work_item
                              where work_item.workspace_id = (select id from seen) and work_item.state = 'failed'
                                and work_item.failure = failed.fingerprint and work_item.queue_id is not null)
                             and not exists (           -- those that have not been told yet may be of it
                             select from work_item
                              where work_item.workspace_id = (select id from seen) and work_item.state = 'failed'
                                and work_item.failure is null and work_item.queue_id is not null)
                        else failed.code in ('ENVIRONMENT_FAILED', 'PACKAGE_INVALID', 'TASK_NOT_FOUND',
                                             'PRE_RUN_SCRIPT_FAILED')
                             and exists (
                             select from run
                              where run.process_id = failed.process_id and run.id >= uuid_before(failed.last_at)
                                and run.state = 'completed' and run.result = 'succeeded') end
        ), reached as (
            select 'deliveries' as kind, webhook.id, webhook.number,
                   coalesce(nullif(webhook.name, ''), webhook.endpoint) as name,
                   '' as code, '' as detail, lately.count, lately.last_at as since, lately.last_at,
                   null::uuid as last_id
              from webhook
             cross join lateral (
                   select count(*) as count, max(ended_at) as last_at
                     from (select ended_at from delivery
                            where delivery.subscription_id = webhook.id and delivery.state = 'failed'
                              and delivery.id >= uuid_before(%(over_since)s::timestamptz)
                            order by id desc
                            limit 100) as each) as lately
             cross join lateral (
                   select state as now from delivery
                    where delivery.subscription_id = webhook.id and delivery.state <> 'pending' and lately.count > 0
                    order by id desc
                    limit 1) as last
             where %(over_since)s::timestamptz is not null
               and webhook.workspace_id = (select id from seen) and webhook.deleted_at is null
               and last.now = 'delivered'
        ), over as (
            select * from ended union all select * from reached order by last_at desc, id limit {limit:d}
        )
        select wrong.*, false as is_over from wrong union all select over.*, true from over
         order by is_over, last_at desc, id
        """,
        over_since=over_since,
        **scope.params,
    )


# ---------------------------------------------------------------------------------------------------- what runs
class UnderWay(Struct, frozen=True, kw_only=True):
    """A run that has not ended."""

    id: RunId
    number: int
    process_id: ProcessId
    process_name: str
    state: RunState
    result: Result | None
    started_by: StartedBy
    created_at: datetime
    started_at: datetime | None
    awaits_worker: bool
    """No robot of it works, and one waits for a worker."""
    total: int
    done: int
    failed: int
    median_milliseconds: int | None
    runs: int
    """Of so many the median is."""
    of_all: int
    """How many are under way in all, as far as ten thousand."""

    @property
    def rest(self) -> int:
        """Items that are still to be done."""
        return max(0, self.total - self.done - self.failed)

    def left(self, now: datetime) -> timedelta | None:
        """How long it may take yet: by what it usually takes, and by the pace of its own items where that says more.

        None where too little is known: before five runs, and once it takes longer than usual without any pace.
        """
        if self.started_at is None:
            return None
        taken, worked = now - self.started_at, self.done + self.failed
        by_usual = None
        if self.median_milliseconds is not None and self.runs >= ENOUGH:
            by_usual = timedelta(milliseconds=self.median_milliseconds) - taken
        if worked >= _PACE and self.rest:
            by_pace = taken * (self.rest / worked)
            return by_pace if by_usual is None or by_usual <= timedelta() else (by_pace + by_usual) / 2
        return by_usual if by_usual is not None and by_usual > timedelta() else None


_PACE: Final = 20
"""Items that a run has worked before its own pace says something."""


async def under_way(db: Statements, scope: Scope, *, limit: int) -> list[UnderWay]:
    """The runs that have not ended, the latest first; of each at most 100,000 items are counted."""
    return await db.all(
        UnderWay,
        f"""
        with seen as (
            select id from {SEEN} as seen
        ), running as materialized (
            select run.id, run.number, run.process_id, run.state, run.result, run.started_by, run.created_at,
                   run.started_at, count(*) over () as of_all
              from (select state from (values ('in_progress'), ('new'), ('stopping')) as open (state)) as open
             cross join lateral (
                   select * from run
                    where run.workspace_id = (select id from seen) and run.state = open.state
                    order by run.id desc
                    limit 10000) as run
             order by run.id desc
             limit {limit:d}
        )
        select running.id, running.number, running.process_id, process.name as process_name, running.state,
               running.result, running.started_by, running.created_at, running.started_at, running.of_all,
               coalesce(items.total, 0) as total, coalesce(items.done, 0) as done, coalesce(items.failed, 0) as failed,
               usual.median as median_milliseconds, usual.runs,
               exists (select from step_run where step_run.run_id = running.id and step_run.state = 'awaiting_worker')
               and not exists (select from step_run
                                where step_run.run_id = running.id and step_run.state = 'in_progress') as awaits_worker
          from running join process on process.id = running.process_id
          left join lateral (
               select count(*) as total, count(*) filter (where state = 'done') as done,
                      count(*) filter (where state = 'failed') as failed
                 from (select state from work_item
                        where work_item.run_id = running.id and queue_id is not null
                          and state not in ('draft', 'deleted')
                        limit 100000) as each) as items on true
         cross join lateral {_USUAL} as usual
         order by running.id desc
        """,
        **scope.params,
    )


# ---------------------------------------------------------------------------------------------------- how today goes
class Part(Struct, frozen=True, kw_only=True):
    """Figures of one part of a period, or of the period before it."""

    part: int
    """From 0, the oldest; negative ones are of the period before."""
    runs: int = 0
    completed: int = 0
    """Of the runs: those with nothing left to do, that were not stopped."""
    done: int = 0
    """Items."""
    failed: int = 0
    milliseconds: int = 0
    """Of the items that are done or failed."""
    waits: int = 0
    """Step runs that were looked at."""
    wait_milliseconds: int = 0
    """So long 95 of 100 of them waited for a worker at most."""


async def figures_of(db: Statements, scope: Scope, since: datetime, part: timedelta, parts: int) -> list[Part]:
    """A period in equal parts, and the period before it, as far as hours are counted; empty parts are left out.

    Waits are of the last thousand step runs of each period, and stand in part 0 and -1.
    """
    return await db.all(
        Part,
        f"""
        with seen as (
            select id from {SEEN} as seen
        ), counted as (
            select floor(extract(epoch from hour - %(since)s::timestamptz) / %(seconds)s)::int as part, noun, result,
                   count, milliseconds
              from hourly_sum
             where generation = (select generation from statistics_state) and workspace_id = (select id from seen)
               and noun = any('{{run,work_item}}'::text[]) and process_id is null
               and hour >= %(before)s and hour < %(until)s
        ), waited as (
            select of.part, count(*) as waits,
                   (extract(epoch from percentile_disc(0.95) within group (order by took)) * 1000)::bigint as longest
              from (values (0, %(since)s::timestamptz, %(until)s::timestamptz),
                           (-1, %(before)s::timestamptz, %(since)s::timestamptz)) as of (part, since, until)
             cross join lateral (
                   select started_at - created_at as took from step_run
                    where step_run.workspace_id = (select id from seen) and step_run.state <> 'withdrawn'
                      and step_run.started_at >= of.since and step_run.started_at < of.until
                    order by started_at desc, id desc
                    limit 1000) as took
             group by of.part
        ), summed as (
            select part, sum(count) filter (where noun = 'run') as runs,
                   sum(count) filter (where noun = 'run' and result = 'succeeded') as completed,
                   sum(count) filter (where noun = 'work_item' and result = 'done') as done,
                   sum(count) filter (where noun = 'work_item' and result = 'failed') as failed,
                   sum(milliseconds) filter (where noun = 'work_item' and result in ('done', 'failed')) as milliseconds
              from counted
             group by part
        )
        select part, coalesce(runs, 0)::bigint as runs, coalesce(completed, 0)::bigint as completed,
               coalesce(done, 0)::bigint as done, coalesce(failed, 0)::bigint as failed,
               coalesce(milliseconds, 0)::bigint as milliseconds, coalesce(waits, 0) as waits,
               coalesce(longest, 0) as wait_milliseconds
          from summed full join waited using (part)
         order by part
        """,
        since=since,
        before=since - part * parts,
        until=since + part * parts,
        seconds=part.total_seconds(),
        **scope.params,
    )


# ---------------------------------------------------------------------------------------------------- processes
class Lately(Struct, frozen=True, kw_only=True):
    """A process with its last runs."""

    id: ProcessId
    number: int
    name: str
    is_enabled: bool
    median_milliseconds: int | None
    runs: int
    """Of so many the median is."""
    of_all: int
    """How many processes there are."""
    pasts: list[Past]

    @property
    def strip(self) -> Strip:
        """Its last runs, the oldest first."""
        return Strip(self.pasts)

    @property
    def median(self) -> timedelta | None:
        """What its runs usually take; None where too few say it."""
        if self.median_milliseconds is None or self.runs < ENOUGH:
            return None
        return timedelta(milliseconds=self.median_milliseconds)


async def lately_run(db: Statements, scope: Scope, *, limit: int, each: int) -> list[Lately]:
    """The processes that ran last, each with its last runs; those that never ran come behind."""
    return await db.all(
        Lately,
        f"""
        with latest as materialized (
            select process.id, process.number, process.name, process.is_enabled, last.id as last_id,
                   count(*) over () as of_all
              from process
              left join lateral (select run.id from run where run.process_id = process.id
                                  order by run.id desc limit 1) as last on true
             where process.workspace_id = {SEEN} and process.deleted_at is null and process.implicit_task_id is null
             order by last.id desc nulls last, process.id
             limit {limit:d}
        )
        select process.id, process.number, process.name, process.is_enabled, process.of_all,
               usual.median as median_milliseconds, usual.runs,
               coalesce((select jsonb_agg(jsonb_build_object(
                                'process_id', process.id, 'number', past.number, 'state', past.state,
                                'result', past.result, 'created_at', past.created_at, 'started_at', past.started_at,
                                'ended_at', past.ended_at) order by past.id)
                           from (select * from run where run.process_id = process.id
                                  order by run.id desc limit {each:d}) as past), '[]') as pasts
          from latest as process
         cross join lateral {_USUAL} as usual
         order by process.last_id desc nulls last, process.id
        """,
        **scope.params,
    )
