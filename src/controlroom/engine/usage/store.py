"""Reading who uses what. What is set stands in the rows of steps and others; what was seen, in those of days of use."""

from datetime import date
from typing import Final

from controlroom.engine.access.scope import EACH, SEEN, Scope
from controlroom.engine.usage.model import DayOfUse, UsedBy, UseOfCredential
from controlroom.ids import ApiKeyId, AssetId, PackageId, ProvisionerId, SecretId, UserId, WorkerGroupId, WorkerId
from controlroom.postgres.database import Statements


async def days_of_key(db: Statements, scope: Scope, key: ApiKeyId, *, since: date) -> list[DayOfUse]:
    """How often an API key of the workspace was used for each permission on each day, the latest first."""
    return await db.all(
        DayOfUse,
        f"""
        select day, permission, sum(count)::bigint as count, max(last_at) as last_at from day_of_use
         where subject_id = (select id from credential where id = %(key)s and workspace_id = {SEEN})
           and noun = 'credential' and day >= %(since)s
         group by day, permission
         order by day desc, permission
        """,
        key=key,
        since=since,
        **scope.params,
    )


_MOST_USES: Final = 10_000


async def uses_of_credentials(
    db: Statements, scope: Scope, *, is_wide: bool, since: date, until: date, user: UserId | None = None
) -> list[UseOfCredential]:
    """How often each credential was used for each permission on each day, the latest day first; 10,000 rows at most.

    Of those that were used in the scope's workspaces; of all in the organization if it `is_wide`. Of one user's: their
    keys, pairs and tokens, and their log-ins.
    """
    return await db.all(
        UseOfCredential,
        f"""
        select use.day, use.subject_id as id,
               case use.noun when 'credential' then coalesce(credential.kind, 'gone') else use.noun end as kind,
               coalesce(nullif(credential.name, ''), credential.identifier, app_user.username, worker.name,
                        process.name, '') as name,
               coalesce(credential.user_id, app_user.id) as user_id, use.workspace_id, use.permission, use.count,
               use.last_at
          from day_of_use as use
          left join credential on use.noun = 'credential' and credential.id = use.subject_id
          left join app_user on use.noun = 'session' and app_user.id = use.subject_id
          left join worker on use.noun = 'worker' and worker.id = use.subject_id
          left join process on use.noun = 'process_secret' and process.id = use.subject_id
         where use.organization_id = %(organization)s and use.day between %(since)s and %(until)s
           and use.noun in ('credential', 'session', 'process_secret', 'worker')
           and (%(is_wide)s or use.workspace_id in {EACH})
           and (%(user)s::uuid is null or %(user)s in (credential.user_id, app_user.id))
         order by use.day desc, kind, name, id, use.permission, use.workspace_id nulls first
         limit {_MOST_USES}
        """,
        is_wide=is_wide,
        since=since,
        until=until,
        user=user,
        **scope.each,
    )


_READ_BY: Final = """
    select case when use.process_id is null then 'others' else 'process' end as kind, use.process_id as id,
           coalesce(process.name, '') as name, null::uuid as process_id, sum(use.count)::bigint as count,
           max(use.last_at) as last_at
      from day_of_use as use left join process on process.id = use.process_id
     where use.subject_id = %(of)s and use.noun = %(noun)s and use.workspace_id = {seen}
     group by use.process_id, process.name"""


async def users_of_secret(db: Statements, scope: Scope, secret: SecretId, name: str) -> list[UsedBy]:
    """Processes whose robots have read a secret, and packages that are fetched with it."""
    return await db.all(
        UsedBy,
        f"""
        select * from ({_READ_BY.format(seen=SEEN)}
         union all
        select 'package', package.id, package.name, null, null, null
          from package_source join package on package.id = package_source.package_id
         where package.workspace_id = {SEEN} and package.deleted_at is null
           and package_source.secret_name = %(name)s) as user_of
         order by last_at desc nulls last, kind, name
        """,
        of=secret,
        noun="secret",
        name=name,
        **scope.params,
    )


async def users_of_asset(db: Statements, scope: Scope, asset: AssetId) -> list[UsedBy]:
    """Processes whose robots have read an asset."""
    return await db.all(
        UsedBy,
        f"select * from ({_READ_BY.format(seen=SEEN)}) as user_of order by last_at desc, kind, name",
        of=asset,
        noun="asset",
        **scope.params,
    )


async def users_of_package(db: Statements, scope: Scope, package: PackageId) -> list[UsedBy]:
    """Steps that run a task or commands of a package, assistants, and consumers of queues."""
    return await db.all(
        UsedBy,
        f"""
        select * from (
        select 'step' as kind, step.id, process.name || ': ' || step.name as name, process.id as process_id,
               null::bigint as count, null::timestamptz as last_at
          from step join process on process.id = step.process_id
         where step.workspace_id = {SEEN} and step.deleted_at is null and process.deleted_at is null
           and process.implicit_task_id is null
           and (step.package_id = %(package)s
                or step.task_id in (select id from task where task.package_id = %(package)s))
         union all
        select 'assistant', assistant.id, assistant.name, null, null, null
          from assistant join task on task.id = assistant.task_id
         where assistant.workspace_id = {SEEN} and assistant.deleted_at is null and task.package_id = %(package)s
         union all
        select 'consumer', queue_consumer.id, queue.name || ': ' || task.name, null, null, null
          from queue_consumer join queue on queue.id = queue_consumer.queue_id
          join task on task.id = queue_consumer.task_id
         where queue_consumer.workspace_id = {SEEN} and queue_consumer.deleted_at is null
           and task.package_id = %(package)s) as user_of
         order by kind desc, name, id
        """,
        package=package,
        **scope.params,
    )


_PLACED: Final = f"""
        select * from (
        select 'step' as kind, step.id, process.name || ': ' || step.name as name, process.id as process_id,
               null::bigint as count, null::timestamptz as last_at
          from step join process on process.id = step.process_id
         where step.workspace_id = {SEEN} and step.deleted_at is null and process.deleted_at is null
           and exists (select from jsonb_array_elements(step.placement -> 'places') as place, named
                        where place -> 'workers' @> named.id or place -> 'group' = named.id)
         union all
        select 'consumer', queue_consumer.id, queue.name, null, null, null
          from queue_consumer join queue on queue.id = queue_consumer.queue_id
         where queue_consumer.workspace_id = {SEEN} and queue_consumer.deleted_at is null
           and exists (select from jsonb_array_elements(queue_consumer.placement -> 'places') as place, named
                        where place -> 'workers' @> named.id or place -> 'group' = named.id)) as user_of
         order by kind desc, name, id"""
"""What is placed on any of `named`."""


async def users_of_worker(db: Statements, scope: Scope, worker: WorkerId) -> list[UsedBy]:
    """Steps and consumers of the workspace whose placement names a worker, or a group that it is in."""
    return await db.all(
        UsedBy,
        f"""
        with named as (
            select to_jsonb(%(worker)s::uuid::text) as id
             union all
            select to_jsonb(worker_group_id::text) from worker_group_member where worker_id = %(worker)s
        )
        {_PLACED}
        """,
        worker=worker,
        **scope.params,
    )


async def users_of_group(db: Statements, scope: Scope, group: WorkerGroupId) -> list[UsedBy]:
    """Steps and consumers of the workspace whose placement names a group of workers."""
    return await db.all(
        UsedBy,
        f"""
        with named as (select to_jsonb(%(group)s::uuid::text) as id)
        {_PLACED}
        """,
        group=group,
        **scope.params,
    )


async def users_of_provisioner(db: Statements, scope: Scope, provisioner: ProvisionerId) -> list[UsedBy]:
    """Steps and consumers of the workspace that ask a provisioner for a worker at last."""
    return await db.all(
        UsedBy,
        f"""
        select * from (
        select 'step' as kind, step.id, process.name || ': ' || step.name as name, process.id as process_id,
               null::bigint as count, null::timestamptz as last_at
          from step join process on process.id = step.process_id
         where step.workspace_id = {SEEN} and step.deleted_at is null and process.deleted_at is null
           and step.placement -> 'places' @> jsonb_build_array(jsonb_build_object('provisioner', %(provisioner)s::uuid))
         union all
        select 'consumer', queue_consumer.id, queue.name, null, null, null
          from queue_consumer join queue on queue.id = queue_consumer.queue_id
         where queue_consumer.workspace_id = {SEEN} and queue_consumer.deleted_at is null
           and queue_consumer.placement -> 'places'
               @> jsonb_build_array(jsonb_build_object('provisioner', %(provisioner)s::uuid))) as user_of
         order by kind desc, name, id
        """,
        provisioner=provisioner,
        **scope.params,
    )
