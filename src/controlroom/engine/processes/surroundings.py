"""What stands round a process: who else starts it, what follows it, who is told of it, and how its steps go lately.

Reads the tables of other slices, and none but to read: a page asks all of it at once.
"""

from datetime import datetime

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.ids import ProcessId, QueueId, StepId
from controlroom.postgres.database import Statements


class Address(Struct, frozen=True):
    """The mail address of a process."""

    local_part: str
    is_enabled: bool
    starts: bool
    """A run; else the mail waits in the input queue."""


class Link(Struct, frozen=True):
    """A chain, from the process or to it."""

    number: int
    process_number: int | None
    """Of the other process; None for one of another workspace."""
    process_name: str
    ends: list[str]
    is_enabled: bool


class Use(Struct, frozen=True):
    """How often something has started the process in thirty days."""

    started_by: str
    name: str
    """Of the key or the user, where one did."""
    count: int
    last_at: datetime


class Surroundings(Struct, frozen=True, kw_only=True):
    """All of it."""

    address: Address | None
    before: list[Link]
    after: list[Link]
    uses: list[Use]
    webhooks: int
    """Those of this process alone, and those of all processes of the workspace."""
    notifications: int


async def of_process(db: Statements, scope: Scope, process: ProcessId) -> Surroundings:
    """What stands round a process. Of its starts the last 10,000 are looked at."""
    return await db.one(
        Surroundings,
        f"""
        with asked as (
            select process.id, process.number, process.workspace_id, workspace.number as workspace_number
              from process join workspace on workspace.id = process.workspace_id
             where process.id = %(process)s and process.workspace_id = {SEEN}
        ), lately as (
            select run.started_by, run.started_by_id, run.created_at
              from asked cross join lateral (
                   select started_by, started_by_id, created_at from run
                    where run.process_id = asked.id and run.id >= uuid_before(clock_now() - interval '30 days')
                    order by run.id desc
                    limit 10000) as run
        ), used as (
            select started_by, case when started_by in ('user', 'api') then started_by_id end as by_id,
                   count(*) as count, max(created_at) as last_at
              from lately
             group by 1, 2
        )
        select (select jsonb_build_object(
                       'local_part', concat_ws('.', 'process', asked.workspace_number, asked.number, trigger.random),
                       'is_enabled', trigger.is_enabled, 'starts', trigger.starts)
                  from asked join email_trigger as trigger on trigger.process_id = asked.id) as address,
               coalesce((select jsonb_agg(jsonb_build_object(
                       'number', chain.number,
                       'process_number', case when other.workspace_id = asked.workspace_id then other.number end,
                       'process_name', case when other.workspace_id = asked.workspace_id then other.name else '' end,
                       'ends', chain.ends, 'is_enabled', chain.is_enabled) order by chain.id)
                  from asked join chain on chain.next_process_id = asked.id and chain.deleted_at is null
                  join process as other on other.id = chain.process_id and other.deleted_at is null), '[]') as before,
               coalesce((select jsonb_agg(jsonb_build_object(
                       'number', chain.number,
                       'process_number', case when other.workspace_id = asked.workspace_id then other.number end,
                       'process_name', case when other.workspace_id = asked.workspace_id then other.name else '' end,
                       'ends', chain.ends, 'is_enabled', chain.is_enabled) order by chain.id)
                  from asked join chain on chain.process_id = asked.id and chain.deleted_at is null
                  join process as other on other.id = chain.next_process_id and other.deleted_at is null), '[]')
               as after,
               coalesce((select jsonb_agg(jsonb_build_object(
                       'started_by', used.started_by,
                       'name', coalesce(nullif(trim(app_user.first_name || ' ' || app_user.last_name), ''),
                                        app_user.username, credential.name, ''),
                       'count', used.count, 'last_at', used.last_at) order by used.count desc)
                  from used
                  left join app_user on used.started_by = 'user' and app_user.id = used.by_id
                  left join credential on used.started_by = 'api' and credential.id = used.by_id), '[]') as uses,
               (select count(*) from asked join webhook on webhook.workspace_id = asked.workspace_id
                 where webhook.deleted_at is null
                   and (webhook.process_id is null or webhook.process_id = asked.id)) as webhooks,
               (select count(*) from asked join notification on notification.process_id = asked.id
                 where notification.deleted_at is null) as notifications
        """,
        process=process,
        **scope.params,
    )


class StepLately(Struct, frozen=True, kw_only=True):
    """How a step goes: what waits for it now, and what became of its items in thirty days."""

    step_id: StepId
    queue_id: QueueId
    waiting: int
    """At most 100,000 are counted."""
    done: int
    failed: int
    milliseconds: int
    """All of them together."""


async def steps_lately(db: Statements, scope: Scope, process: ProcessId) -> dict[StepId, StepLately]:
    """How each step of a process goes; figures are of whole hours."""
    rows = await db.all(
        StepLately,
        f"""
        select step.id as step_id, step.queue_id,
               (select count(*) from (
                       select 1 from run join work_item on work_item.run_id = run.id and work_item.step_id = step.id
                        where run.workspace_id = step.workspace_id and run.process_id = step.process_id
                          and run.state in ('new', 'in_progress', 'stopping') and work_item.state = 'pending'
                        limit 100000) as pending)
               + (select count(*) from (select 1 from work_item
                                         where work_item.queue_id = step.queue_id and work_item.state = 'new'
                                         limit 100000) as unstarted) as waiting,
               coalesce(figure.done, 0) as done, coalesce(figure.failed, 0) as failed,
               coalesce(figure.milliseconds, 0) as milliseconds
          from step
          left join (select step_id, coalesce(sum(count) filter (where result = 'done'), 0)::bigint as done,
                            coalesce(sum(count) filter (where result = 'failed'), 0)::bigint as failed,
                            coalesce(sum(milliseconds) filter (where result in ('done', 'failed')), 0)::bigint
                            as milliseconds
                       from hourly_sum
                      where generation = (select generation from statistics_state) and workspace_id = {SEEN}
                        and noun = 'work_item' and hour >= date_trunc('hour', clock_now() - interval '30 days', 'UTC')
                        and process_id = %(process)s
                      group by step_id) as figure on figure.step_id = step.id
         where step.process_id = %(process)s and step.workspace_id = {SEEN} and step.deleted_at is null
        """,
        process=process,
        **scope.params,
    )
    return {row.step_id: row for row in rows}
