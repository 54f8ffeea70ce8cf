"""What stands beside the places of a workspace: how much runs now, and how much is wrong; one statement a page."""

from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Scope
from controlroom.postgres.database import Statements

MOST: Final = 999
"""Up to which is counted: beyond, a number beside a word says no more."""


class Beside(Struct, frozen=True, kw_only=True):
    """The counts, each `MOST` + 1 at most."""

    running: int
    """Runs under way."""
    failed: int
    """Work items that failed and wait for somebody."""
    silent: int
    """Workers that fell silent without a word."""
    has: list[str]
    """Of the kinds that most workspaces have none of, those that this one has: `tasks` (steps that wait for people),
    `jobs`, `repository` (files and folders that are no packages), `assistants`, `provisioners`, `trigger-mappings`,
    `allocations`, `locks` (that somebody has declared, or a run wants), and of the organization `transfers` and
    `code-policies`."""


async def beside(db: Statements, scope: Scope) -> Beside:
    """The counts of a workspace, each from an index that has nothing else in it."""
    return await db.one(
        Beside,
        f"""
        with seen as materialized {SEEN}
        select (select count(*) from (
                    select from run
                     where workspace_id in (select id from seen) and state in ('new', 'in_progress', 'stopping')
                     limit {MOST + 1}) as found) as running,
               (select count(*) from (
                    select from work_item
                     where workspace_id in (select id from seen) and state = 'failed' and queue_id is not null
                     limit {MOST + 1}) as found) as failed,
               (select count(*) from worker
                 where worker.organization_id = %(organization)s and worker.deleted_at is null
                   and worker.state = 'offline' and worker.session is not null
                   and exists (select from seen where worker.serves_all or exists (
                           select from serving
                            where serving.subject_id = worker.id and serving.workspace_id = seen.id))) as silent,
               array_remove(array[
                   case when exists (select from step join process on process.id = step.process_id
                                      where process.workspace_id in (select id from seen) and step.form is not null
                                        and step.deleted_at is null) then 'tasks' end,
                   case when exists (select from job join process on process.id = job.process_id
                                      where process.workspace_id in (select id from seen)
                                        and process.deleted_at is null)
                          or exists (select from target
                                      where workspace_id in (select id from seen) and deleted_at is null)
                        then 'jobs' end,
                   case when exists (select from repository_file
                                      where workspace_id in (select id from seen) and deleted_at is null)
                        then 'repository' end,
                   case when exists (select from assistant
                                      where workspace_id in (select id from seen) and deleted_at is null)
                        then 'assistants' end,
                   case when exists (select from provisioner
                                      where organization_id = %(organization)s and deleted_at is null)
                        then 'provisioners' end,
                   case when exists (select from trigger_mapping where workspace_id in (select id from seen))
                        then 'trigger-mappings' end,
                   case when exists (select from allocation
                                      where workspace_id in (select id from seen) and deleted_at is null)
                        then 'allocations' end,
                   case when exists (select from run_lock where owner_id in (select id from seen))
                          or exists (select from run_lock where owner_id = %(organization)s)
                          or exists (select from run_lock_claim where owner_id in (select id from seen))
                        then 'locks' end,
                   case when exists (select from transfer where organization_id = %(organization)s)
                        then 'transfers' end,
                   case when exists (select from code_policy where organization_id = %(organization)s)
                        then 'code-policies' end], null) as has
        """,
        **scope.params,
    )
