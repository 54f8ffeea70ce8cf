"""The statements over jobs, as their runs go by them."""

from typing import Final

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.engine.jobs.errors import JobNotFound
from controlroom.engine.jobs.model import Job
from controlroom.engine.nouns import InWorkspace, Noun
from controlroom.ids import ProcessId
from controlroom.postgres.database import Statements

JOB: Final = Noun[ProcessId](
    "job",
    JobNotFound,
    "process",
    InWorkspace("process.workspace_id"),
    joined="join job on job.process_id = process.id",
    there="process.deleted_at is null",
    name="process.name",
)
"""A job is a process, and has its id and number."""


async def find(db: Statements, scope: Scope, process: ProcessId) -> Job | None:
    """The job that a process is; None for a process that is none, is deleted, or that the scope does not see."""
    return await db.one_or_none(
        Job,
        f"""
        select process.id, process.number, process.workspace_id, process.name, job.description, job.kind,
               job.target_id, step.package_id,
               coalesce(step.commands, job.settings -> 'waiting', '[]') as commands, step.timeout,
               job.settings,
               job.asides, process.is_enabled, process.created_at, job.updated_at
          from job
          join process on process.id = job.process_id
          left join lateral (select step.package_id, step.commands, step.timeout from step
                              where step.process_id = process.id and step.deleted_at is null
                              order by step.position limit 1) as step on true
         where job.process_id = %(process)s and process.workspace_id = {SEEN} and process.deleted_at is null
        """,
        process=process,
        **scope.params,
    )


async def get(db: Statements, scope: Scope, process: ProcessId) -> Job:
    """Likewise; raises JobNotFound."""
    found = await find(db, scope, process)
    if found is None:
        raise JobNotFound(process)
    return found
