"""What tasks take and give by name, as a version of their package says it."""

from collections.abc import Collection
from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import EACH, SEEN, Scope
from controlroom.engine.packages.errors import TaskNotFound
from controlroom.ids import PackageVersionId, TaskId
from controlroom.postgres.database import Statements
from controlroom.robots.interfaces import Interface

_LARGEST_VERSION: Final = 2**31 - 1


class TaskInterface(Struct, frozen=True, kw_only=True):
    """The inputs and outputs of a task in one version of its package."""

    task_id: TaskId
    package_version_id: PackageVersionId
    version: int
    interface: Interface


async def of_task(
    db: Statements, scope: Scope, task: TaskId, *, version: int | None = None, label: str | None = None
) -> TaskInterface:
    """What a task takes and gives: in the version that bears a label, or a named or the latest one.

    Raises TaskNotFound, also for a version that has no such task and a label that no version bears.
    """
    if version is not None and not 0 < version <= _LARGEST_VERSION:
        raise TaskNotFound(task)
    found = await db.one_or_none(
        TaskInterface,
        f"""
        select task.id as task_id, version.id as package_version_id, version.version,
               coalesce(told -> 'interface', '{{}}') as interface
          from task
          join package on package.id = task.package_id
          join package_version as version on version.package_id = package.id
         cross join lateral jsonb_array_elements(version.robot -> 'tasks') as told
         where task.id = %(task)s and package.workspace_id = {SEEN} and package.deleted_at is null
           and told ->> 'name' = task.name
           and (%(version)s::int is null or version.version = %(version)s)
           and (%(label)s::text is null or exists (
                   select from package_label
                    where package_label.package_id = package.id and package_label.name = %(label)s
                      and package_label.package_version_id = version.id))
           and (%(version)s::int is not null or %(label)s::text is not null or version.version = (
                   select max(latest.version) from package_version as latest where latest.package_id = package.id))
         limit 1
        """,
        task=task,
        version=version,
        label=label,
        **scope.params,
    )
    if found is None:
        raise TaskNotFound(task)
    return found


async def of_tasks(db: Statements, scope: Scope, tasks: Collection[TaskId]) -> dict[TaskId, TaskInterface]:
    """Likewise of the latest version, for those of the tasks that it has, in any workspace of the scope."""
    found = await db.all(
        TaskInterface,
        f"""
        select task.id as task_id, version.id as package_version_id, version.version,
               coalesce(told -> 'interface', '{{}}') as interface
          from task
          join package on package.id = task.package_id
         cross join lateral (select latest.id, latest.version, latest.robot from package_version as latest
                              where latest.package_id = package.id
                              order by latest.version desc limit 1) as version
         cross join lateral jsonb_array_elements(version.robot -> 'tasks') as told
         where task.id = any(%(tasks)s::uuid[]) and package.workspace_id in {EACH} and package.deleted_at is null
           and told ->> 'name' = task.name
        """,
        tasks=list(tasks),
        **scope.each,
    )
    return {each.task_id: each for each in found}
