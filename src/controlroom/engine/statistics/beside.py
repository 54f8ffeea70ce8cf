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


async def beside(db: Statements, scope: Scope) -> Beside:
    """The counts of a workspace, each from an index that has nothing else in it."""
    return await db.one(
        Beside,
        f"""
        with seen as materialized {SEEN}
        select (select count(*) from (
                    select from run
                     where workspace_id in (select id from seen) and state in ('new', 'in_progress', 'stopping')
                     limit %(most)s) as found) as running,
               (select count(*) from (
                    select from work_item
                     where workspace_id in (select id from seen) and state = 'failed' and queue_id is not null
                     limit %(most)s) as found) as failed,
               (select count(*) from worker
                 where worker.organization_id = %(organization)s and worker.deleted_at is null
                   and worker.state = 'offline' and worker.session is not null
                   and exists (select from seen where worker.serves_all or exists (
                           select from serving
                            where serving.subject_id = worker.id and serving.workspace_id = seen.id))) as silent
        """,
        most=MOST + 1,
        **scope.params,
    )
