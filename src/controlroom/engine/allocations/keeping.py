"""What workers keep ready: the tasks that are allocated in the workspaces that they serve, in their latest versions."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.access.model import WorkerActor
from controlroom.engine.access.scope import EACH, Scope, scope_of_worker
from controlroom.engine.engine import Engine
from controlroom.ids import OrganizationId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.protocol import Keeping, Kept, PackageRef
from controlroom.robots.exclude_newer import written

_MOST: Final = 100
"""Tasks that one worker keeps ready. Why: each may take an environment and the memory of an interpreter."""


class _Allocated(Struct, frozen=True, kw_only=True):
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    hash: str
    size: int
    package_name: str
    folder: str | None
    exclude_newer: datetime | None
    task: str
    most: int
    share_environments: bool


async def kept_by(engine: Engine, worker: WorkerActor) -> Keeping:
    """What a worker shall keep ready, the oldest allocations first. One statement; few workspaces have any."""
    found = await _allocated(engine.database, scope_of_worker(worker))
    return Keeping(tuple(_kept(engine, each) for each in found))


async def _allocated(db: Statements, scope: Scope) -> list[_Allocated]:
    return await db.all(
        _Allocated,
        f"""
        select allocation.workspace_id, workspace.organization_id, version.hash, version.size,
               package.name as package_name, version.folder, package.exclude_newer, task.name as task, allocation.most,
               coalesce((workspace.settings ->> 'share_environments')::boolean, false) as share_environments
          from allocation
          join workspace on workspace.id = allocation.workspace_id and workspace.deleted_at is null
          join task on task.id = allocation.task_id
          join package on package.id = task.package_id and package.deleted_at is null
         cross join lateral (select latest.hash, latest.size, latest.folder from package_version as latest
                              where latest.package_id = package.id
                              order by latest.version desc limit 1) as version
         where allocation.workspace_id in {EACH} and allocation.deleted_at is null
         order by allocation.id
         limit {_MOST}
        """,
        **scope.each,
    )


def _kept(engine: Engine, allocated: _Allocated) -> Kept:
    moment = allocated.exclude_newer or engine.exclude_newer
    return Kept(
        package=PackageRef(allocated.hash, allocated.size, allocated.package_name, allocated.folder),
        task=allocated.task,
        workspace_id=allocated.workspace_id,
        organization_id=allocated.organization_id,
        share_environments=allocated.share_environments,
        exclude_newer=None if moment is None else written(moment),
        count=allocated.most,
    )
