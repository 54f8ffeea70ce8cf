"""What forms offer to be run."""

from controlroom.engine.access.scope import EACH, Scope
from controlroom.engine.packages.model import Task
from controlroom.postgres.database import Statements

MOST: int = 1000
"""Tasks that are offered at once."""


async def tasks(db: Statements, scope: Scope) -> list[Task]:
    """The tasks that the latest versions of packages have, by the names of package and task."""
    return await db.all(
        Task,
        f"""
        select task.id, task.number, task.package_id, package.name as package_name, task.name
          from package
         cross join lateral (
               select robot from package_version where package_version.package_id = package.id
                order by version desc limit 1) as latest
          join task on task.package_id = package.id
                   and exists (select from jsonb_array_elements(latest.robot -> 'tasks') as named
                                where named ->> 'name' = task.name)
         where package.workspace_id in {EACH} and package.deleted_at is null
         order by package.name, task.name, task.id
         limit {MOST}
        """,
        **scope.each,
    )
