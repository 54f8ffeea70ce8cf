"""The list of jobs, over all workspaces that somebody sees; deleted ones are in it, too."""

from typing import Final

from controlroom.engine.jobs.model import JobKind
from controlroom.engine.lists.model import Field, Kind, Listing, among

_PROCESS: Final = "join process on process.id = job.process_id"
_WORKSPACE: Final = "join workspace on workspace.id = job.workspace_id"
_TARGET: Final = "join target on target.id = job.target_id"
_SCHEDULE: Final = "left join schedule on schedule.id = job.schedule_id and schedule.deleted_at is null"

_IS_SCHEDULED: Final = """(coalesce((job.settings ->> 'is_scheduled')::boolean, false)
           and schedule.id is not null
           and (schedule.is_enabled
                or not (select resting.is_enabled from process as resting where resting.id = job.process_id)))"""
"""What the schedule says counts: others change it, too. Of a job that is not enabled it rests."""

_LATEST: Final = """left join lateral (
          select count(*) filter (where counted.good = 0 and counted.result in ('failed', 'lost')) as failures,
                 coalesce(bool_or(counted.good > 0), false) as has_succeeded
            from (select latest.result,
                         count(*) filter (where latest.result = 'succeeded') over (order by latest.id desc) as good
                    from (select run.id, run.result from run
                           where run.process_id = job.process_id and run.state in ('completed', 'unresolved')
                           order by run.id desc limit 100) as latest) as counted) as latest on true"""

JOBS: Final = Listing(
    noun="jobs",
    table="job",
    columns=f"""process.id, process.number, process.workspace_id, workspace.number as workspace_number, process.name,
           job.description, job.kind, job.target_id, target.number as target_number,
           target.name as target_name,
           coalesce(step.commands, job.settings -> 'waiting', '[]') as commands, step.timeout, job.settings, job.asides,
           process.is_enabled, {_IS_SCHEDULED} as is_scheduled, schedule.rule, schedule.next_due,
           parent.id as follows_id, parent.number as follows_number,
           parent_workspace.id as follows_workspace_id, parent_workspace.number as follows_workspace_number,
           case when parent.id is not null then chain.ends end as follows_ends,
           deferred.number as defers_to_number, deferred_target.number as defers_to_target_number,
           latest.failures, latest.has_succeeded, process.created_at, job.updated_at, process.deleted_at""",
    joins=f"""{_PROCESS}
      {_WORKSPACE}
      {_TARGET}
      {_SCHEDULE}
      left join lateral (select step.commands, step.timeout from step
                          where step.process_id = job.process_id and step.deleted_at is null
                          order by step.position limit 1) as step on true
      left join chain on chain.id = job.chain_id and chain.deleted_at is null
      left join process as parent on parent.id = chain.process_id and parent.deleted_at is null
      left join workspace as parent_workspace on parent_workspace.id = parent.workspace_id
      left join process as deferred on deferred.id = (job.settings ->> 'defer_to_process')::uuid
      left join target as deferred_target on deferred_target.id = (job.settings ->> 'defer_to_target')::uuid
      {_LATEST}""",
    tenant="job.workspace_id",
    fields=(
        Field("id", Kind.ID, column="job.process_id", is_sortable=True, index="job_of_workspace"),
        Field("number", Kind.INTEGER, column="process.number", join=_PROCESS, is_sortable=True),
        Field("name", Kind.TEXT, column="process.name", join=_PROCESS, is_sortable=True),
        Field("kind", Kind.TEXT, choices=among(JobKind), is_sortable=True),
        Field("workspace_number", Kind.INTEGER, column="workspace.number", join=_WORKSPACE, is_sortable=True),
        Field("target_id", Kind.ID, index="job_of_target"),
        Field("target_number", Kind.INTEGER, column="target.number", join=_TARGET, is_sortable=True),
        Field("tool_version", Kind.TEXT, column="(job.settings ->> 'tool_version')", is_nullable=True),
        Field("is_enabled", Kind.TRUTH, column="process.is_enabled", join=_PROCESS),
        Field("is_scheduled", Kind.TRUTH, column=_IS_SCHEDULED, join=_SCHEDULE),
        Field("is_there", Kind.TRUTH, column="(process.deleted_at is null)", join=_PROCESS),
        Field("created_at", Kind.INSTANT, column="process.created_at", join=_PROCESS, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
    ),
)
