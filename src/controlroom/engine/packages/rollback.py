"""An earlier version of a package as its latest again: its content comes once more, as a version of its own."""

from typing import Final
from uuid import UUID

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import SEEN, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.packages import store
from controlroom.engine.packages.errors import PackageLocked, PackageVersionNotFound
from controlroom.engine.packages.model import Package, PackageVersion
from controlroom.errors import Conflict
from controlroom.ids import PackageId, WorkspaceId
from controlroom.objects.store import Blob

_VERSION: Final = f"""
    select version.id, version.number, version.package_id, version.version, version.hash, version.size,
           version.folder, version.robot, version.created_at, version.created_by
      from package_version as version join package on package.id = version.package_id
     where package.workspace_id = {SEEN} and package.id = %(package)s and package.deleted_at is null
       and version.version = %(version)s"""


async def roll_back(engine: Engine, actor: Actor, workspace: WorkspaceId, package: PackageId, version: int) -> Package:
    """Have runs that start from now on take the content of an earlier version: it becomes the latest one.

    Those under way keep theirs, and no version is lost. Raises PackageVersionNotFound, PackageLocked, Conflict
    `VERSION_IS_LATEST`.
    """
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        locked_by = await store.lock(tx, scope, package)
        if locked_by is not None and locked_by != actor.id:
            raise PackageLocked(package)
        found = await tx.one_or_none(PackageVersion, _VERSION, package=package, version=version, **scope.params)
        if found is None:
            raise PackageVersionNotFound(version)
        latest = await store.latest_version(tx, scope, package)
        if latest is not None and (latest.hash, latest.folder) == (found.hash, found.folder):
            raise Conflict(f"version {version} is the content that runs take already", code="VERSION_IS_LATEST")
        await _again(tx, found, by=actor.id)
        await record(engine, tx, actor, scope, "package.rolled_back", package, version=version)
        return await store.get(tx, scope, package)


async def _again(tx: ScopedTx, found: PackageVersion, *, by: UUID | None) -> None:
    blob = Blob(found.hash, found.size)
    await store.add_version(tx, found.package_id, blob, found.robot, folder=found.folder or "", created_by=by)
    await store.add_tasks(tx, found.package_id, [task.name for task in found.robot.tasks])
