"""The verbs of packages."""

import asyncio
import tempfile
from pathlib import Path
from uuid import UUID

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record_of
from controlroom.engine.access.scope import Scope, by, ensure_seen, scope_of
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By
from controlroom.engine.packages import store
from controlroom.engine.packages.errors import PackageInUse, PackageNameTaken, PackageNotFound, PackageTooLarge
from controlroom.engine.packages.model import Package, Pushed
from controlroom.engine.uploads.actions import claim, fail
from controlroom.engine.uploads.model import Upload, UploadKind
from controlroom.engine.uploads.store import promise
from controlroom.errors import Invalid
from controlroom.ids import PackageId, UploadId, WorkspaceId
from controlroom.objects.store import Blob
from controlroom.postgres.database import Tx
from controlroom.postgres.errors import UniqueViolation
from controlroom.robots.archive import read_robot_from_zip
from controlroom.robots.definition import RobotDefinition


async def create(engine: Engine, actor: Actor, workspace: WorkspaceId, name: str) -> Package:
    """A package without content; its first upload makes it usable. Raises PackageNameTaken."""
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    name = checked_name(name, what="task package's name")
    async with engine.database.transaction() as tx:
        try:
            package = await store.insert(tx, scope, name)
        except UniqueViolation as taken:
            raise PackageNameTaken(name) from taken
        if package is None:
            await ensure_seen(tx, scope)
            raise PackageNotFound(name)
        await record_of(engine, tx, actor, scope, package, "package.created", name=name)
        return await store.get(tx, workspace, package)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, package: PackageId) -> None:
    """Delete a package that no step uses; runs under way keep the version they took. Raises PackageInUse."""
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    async with engine.database.transaction() as tx:
        await store.lock(tx, workspace, package)
        if users := await store.users_of(tx, package):
            raise PackageInUse(package, users)
        if not await store.delete(tx, scope, package):
            await ensure_seen(tx, scope)
            raise PackageNotFound(package)
        await record_of(engine, tx, actor, scope, package, "package.deleted")


async def push(engine: Engine, actor: Actor, workspace: WorkspaceId, name: str, blob: Blob) -> Pushed:
    """Make the stored zip the latest version of the package of that name, which is created if there is none.

    The content that is the latest version already makes no new one. Raises Invalid `PACKAGE_INVALID` with the reason.
    """
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    name = checked_name(name, what="task package's name")
    robot = await read_robot(engine, blob)
    async with engine.database.transaction() as tx:
        created = await store.insert_if_new(tx, scope, name)
        if created is not None:
            await record_of(engine, tx, actor, scope, created, "package.created", name=name)
        found = await store.by_name(tx, workspace, name)
        if found is None:
            await ensure_seen(tx, scope)
            raise PackageNotFound(name)
        is_new = await _take(engine, tx, by(actor), scope, found.id, blob, robot, created_by=actor.id)
        return Pushed(await store.get(tx, workspace, found.id), is_new)


async def promise_upload(engine: Engine, actor: Actor, workspace: WorkspaceId, package: PackageId) -> Upload:
    """Promise the next version of a package: the upload whose link will be signed."""
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    async with engine.database.transaction() as tx:
        await ensure_seen(tx, scope)
        found = await store.hold(tx, workspace, package)
        return await promise(tx, kind=UploadKind.PACKAGE, target=found.id, workspace=workspace)


async def complete_upload(engine: Engine, upload: UploadId, workspace: WorkspaceId, blob: Blob) -> None:
    """The bytes of a promised upload have come: they become the package's latest version. May be repeated.

    Raises Invalid with the reason for what is no robot; the upload is then marked failed, and the version before it
    stays the latest.
    """
    try:
        robot = await read_robot(engine, blob)
    except Invalid as refused:
        await fail(engine, workspace, upload, refused.message)
        raise
    async with engine.database.transaction() as tx:
        claimed = await claim(tx, workspace, upload, UploadKind.PACKAGE, blob)
        if claimed is None:  # a repetition: the version is there
            return
        package = PackageId(claimed.target_id)
        scope = Scope(workspace=workspace, organization=await store.organization_of(tx, workspace))
        await _take(engine, tx, By("system"), scope, package, blob, robot, created_by=None)


async def add_version(engine: Engine, workspace: WorkspaceId, package: PackageId, blob: Blob) -> bool:
    """What the room itself has fetched becomes the latest version, unless it is already; whether it is new.

    Raises Invalid with the reason for what is no robot; PackageNotFound.
    """
    robot = await read_robot(engine, blob)
    async with engine.database.transaction() as tx:
        scope = Scope(workspace=workspace, organization=await store.organization_of(tx, workspace))
        return await _take(engine, tx, By("system"), scope, package, blob, robot, created_by=None)


async def read_robot(engine: Engine, blob: Blob) -> RobotDefinition:
    """What a stored zip says of its robot; nothing of it is unpacked or run.

    Raises Invalid: PACKAGE_TOO_LARGE, or PACKAGE_INVALID that says what its author must mend.
    """
    if blob.size > engine.limits.package_bytes:
        raise PackageTooLarge(blob.size, engine.limits.package_bytes)
    with tempfile.TemporaryDirectory(prefix="controlroom-package-") as folder:
        path = Path(folder) / "package.zip"
        await engine.objects.fetch_file(blob.hash, path)
        return await asyncio.to_thread(read_robot_from_zip, path)


async def _take(
    engine: Engine,
    tx: Tx,
    actor: By,
    scope: Scope,
    package: PackageId,
    blob: Blob,
    robot: RobotDefinition,
    *,
    created_by: UUID | None,
) -> bool:
    """Add a version to a package unless it is the latest already; whether it was added."""
    await store.lock(tx, scope.workspace, package)
    latest = await store.latest_version(tx, scope.workspace, package)
    if latest is not None and latest.hash == blob.hash:
        return False
    await store.add_version(tx, package, blob, robot, created_by=created_by)
    await store.add_tasks(tx, package, [task.name for task in robot.tasks])
    await record_of(engine, tx, actor, scope, package, "package.version_added", hash=blob.hash, size=blob.size)
    return True
