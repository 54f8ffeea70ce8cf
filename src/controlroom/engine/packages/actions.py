"""The verbs of packages."""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from controlroom.aside.pool import Bounds
from controlroom.engine import restoring
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Of, Scope, ScopedTx, by, ensure_seen, scope_of, scoped
from controlroom.engine.analyses.actions import ensure_admitted
from controlroom.engine.analyses.model import Content
from controlroom.engine.engine import Engine
from controlroom.engine.events.store import By
from controlroom.engine.packages import store
from controlroom.engine.packages.errors import (
    PackageInUse,
    PackageLocked,
    PackageNameTaken,
    PackageNotFound,
    PackageTooLarge,
)
from controlroom.engine.packages.model import Package, Pushed
from controlroom.engine.uploads.actions import claim, fail
from controlroom.engine.uploads.actions import get as get_upload
from controlroom.engine.uploads.model import Upload, UploadKind
from controlroom.engine.uploads.store import promise
from controlroom.errors import Invalid
from controlroom.ids import PackageId, UploadId, WorkspaceId, uuid7
from controlroom.objects.store import Blob
from controlroom.postgres.errors import UniqueViolation
from controlroom.robots.archive import robot_of_package
from controlroom.robots.choosing import inner_folder
from controlroom.robots.definition import RobotDefinition


async def create(
    engine: Engine, actor: Actor, workspace: WorkspaceId, name: str, *, exclude_newer: datetime | None = None
) -> Package:
    """A package without content; its first upload makes it usable. Raises PackageNameTaken."""
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    async with scoped(engine.database, scope) as tx:
        return await store.get(tx, scope, await create_in(engine, tx, actor, scope, name, exclude_newer))


async def create_in(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, name: str, exclude_newer: datetime | None = None
) -> PackageId:
    """Likewise, in a transaction that does more with it."""
    name = checked_name(name, what="package's name")
    try:
        package = await store.insert(tx, scope, name)
    except UniqueViolation as taken:
        raise PackageNameTaken(name) from taken
    if package is None:
        await ensure_seen(tx, scope)
        raise PackageNotFound(name)
    await record(engine, tx, actor, scope, "package.created", package, name=name)
    if exclude_newer is not None:
        await _exclude_newer(engine, tx, actor, scope, package, exclude_newer)
    return package


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, package: PackageId) -> None:
    """Delete a package that no step uses; runs under way keep the version they took. Raises PackageInUse."""
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    async with scoped(engine.database, scope) as tx:
        await delete_in(engine, tx, actor, scope, package)


async def delete_in(engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, package: PackageId) -> None:
    """Likewise, for who has the right by the folder that it lies in."""
    await _ensure_unlocked(tx, scope, package, by(actor))
    if users := await store.users_of(tx, package):
        raise PackageInUse(package, users)
    if not await store.delete(tx, scope, package):
        await ensure_seen(tx, scope)
        raise PackageNotFound(package)
    await record(engine, tx, actor, scope, "package.deleted", package)


async def restore(engine: Engine, actor: Actor, workspace: WorkspaceId, package: PackageId) -> Package:
    """Have a package again that was deleted, with its versions, labels and source.

    One whose folder is gone by now lies directly in the workspace. Raises PackageNotFound, also for one that is not
    deleted, Conflict `NAME_TAKEN`.
    """
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    async with scoped(engine.database, scope) as tx:
        await restoring.restore(tx, scope, store.PACKAGE, package)
        await store.leave_gone_folder(tx, scope, package)
        found = await store.get(tx, scope, package)
        await record(engine, tx, actor, scope, "package.restored", package, name=found.name)
        return found


async def set_exclude_newer(
    engine: Engine, actor: Actor, workspace: WorkspaceId, package: PackageId, moment: datetime | None
) -> Package:
    """Say how new the packages of the world may be that a package's robots get; None: as the room says.

    Runs that start their robots afterwards get such an environment. Raises PackageNotFound.
    """
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        await store.lock(tx, scope, package)
        await _exclude_newer(engine, tx, actor, scope, package, moment)
        return await store.get(tx, scope, package)


async def _exclude_newer(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, package: PackageId, moment: datetime | None
) -> None:
    await store.set_exclude_newer(tx, scope, package, moment)
    told = moment.isoformat() if moment is not None else None
    await record(engine, tx, actor, scope, "package.edited", package, exclude_newer=told)


async def push(
    engine: Engine, actor: Actor, workspace: WorkspaceId, name: str, blob: Blob, *, folder: str = ""
) -> Pushed:
    """Make the stored zip the latest version of the package of that name, which is created if there is none.

    `folder` chooses the robot of a zip with several. The content that is the latest version already makes no new one.
    Raises Invalid `PACKAGE_INVALID` with the reason.
    """
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    name = checked_name(name, what="package's name")
    read = await read_robot(engine, workspace, blob, folder=folder, place=await _called(engine, scope, name))
    async with scoped(engine.database, scope) as tx:
        package = await package_called(engine, tx, by(actor), scope, name, PackageId(uuid7()))
        is_new = await take_version(engine, tx, by(actor), scope, package, blob, read)
        return Pushed(await store.get(tx, scope, package), is_new)


async def _called(engine: Engine, scope: Scope, name: str) -> UUID | None:
    """The package of a name, if there is one: it lies where it lies, and a new one directly in the workspace."""
    there = await store.by_name(engine.database, scope, name)
    return None if there is None else there.id


async def promise_upload(
    engine: Engine, actor: Actor, workspace: WorkspaceId, package: PackageId, *, folder: str = ""
) -> Upload:
    """Promise the next version of a package: the upload whose link will be signed. `folder` as at a push."""
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    folder = inner_folder(folder)
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        return await promise_in(tx, actor, scope, package, folder=folder)


async def promise_in(tx: ScopedTx, actor: Actor, scope: Scope, package: PackageId, *, folder: str = "") -> Upload:
    """Likewise, in a transaction that does more."""
    found = await store.hold(tx, scope, package)
    return await promise(
        tx,
        scope,
        kind=UploadKind.PACKAGE,
        target=found.id,
        folder=folder,
        promised_by=by(actor),
    )


async def promise_push(engine: Engine, actor: Actor, workspace: WorkspaceId, name: str, *, folder: str = "") -> Upload:
    """Promise the next version of the package of a name, which is created by the upload if there is none then.

    So content that is refused leaves no package behind, and of several first pushes at once each succeeds.
    """
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    name = checked_name(name, what="package's name")
    folder = inner_folder(folder)
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        return await promise(
            tx,
            scope,
            kind=UploadKind.PACKAGE,
            target=uuid7(),
            name=name,
            folder=folder,
            promised_by=by(actor),
        )


async def complete_upload(engine: Engine, scope: Of, upload: UploadId, blob: Blob) -> None:
    """The bytes of a promised upload have come: they become the package's latest version. May be repeated.

    Raises Invalid with the reason for what is no robot; the upload is then marked failed, and the version before it
    stays the latest.
    """
    promised = await get_upload(engine, scope, upload, kind=UploadKind.PACKAGE)
    try:
        place = await _called(engine, scope, promised.name) if promised.name else promised.target_id
        read = await read_robot(engine, scope.workspace, blob, folder=promised.folder, place=place)
    except Invalid as refused:
        await fail(engine, scope, upload, refused.message)
        raise
    async with scoped(engine.database, scope) as tx:
        claimed = await claim(tx, scope, upload, UploadKind.PACKAGE, blob)
        if claimed is None:  # a repetition: the version is there
            return
        package = PackageId(claimed.target_id)
        promised_by = By(claimed.by_kind, claimed.by_id)
        if claimed.name:
            package = await package_called(engine, tx, promised_by, scope, claimed.name, package)
        await take_version(engine, tx, promised_by, scope, package, blob, read)


async def add_version(
    engine: Engine, tx: ScopedTx, scope: Scope, package: PackageId, blob: Blob, read: "ReadRobot"
) -> bool:
    """What the room itself has fetched becomes the latest version, unless it is already; whether it is new.

    Raises PackageNotFound.
    """
    return await take_version(engine, tx, By("system"), scope, package, blob, read)


_SECONDS: Final = 10.0
"""Of computing. Why: 20,000 files are listed in one, and the longest texts of a robot read in two."""


class ReadRobot(Struct, frozen=True):
    """What a zip says of its robot, and in which folder of it that lies."""

    folder: str
    definition: RobotDefinition


async def read_robot(
    engine: Engine, workspace: WorkspaceId, blob: Blob, *, folder: str, place: UUID | None = None
) -> ReadRobot:
    """What a stored zip says of its robot (the one in a folder, if one is named); nothing of it is unpacked or run.

    `place` is the package that it shall be a version of, or the folder of the workspace in which it shall lie. Raises
    Invalid: PACKAGE_TOO_LARGE, TOO_COSTLY, or PACKAGE_INVALID that says what its author must mend; and PackageRefused
    where the policy of its place minds its code.
    """
    if blob.size > engine.limits.package_bytes:
        raise PackageTooLarge(blob.size, engine.limits.package_bytes)
    with engine.scratch.folder("package") as scratch:
        path = scratch / "package.zip"
        await engine.objects.fetch_file(blob.hash, path)
        bounds = Bounds("The package", seconds=_SECONDS, asker=workspace)
        read = ReadRobot(*await engine.aside.call(bounds, robot_of_package, path, folder))
    content = Content(name="package", hash=blob.hash, size=blob.size, folder=read.folder)
    await ensure_admitted(engine, workspace, content, place)
    return read


async def _ensure_unlocked(tx: ScopedTx, scope: Scope, package: PackageId, actor: By) -> None:
    locked_by = await store.lock(tx, scope, package)
    if locked_by is not None and locked_by != actor.id:
        raise PackageLocked(package)


async def package_called(engine: Engine, tx: ScopedTx, actor: By, scope: Scope, name: str, new: PackageId) -> PackageId:
    """The package of a name, created if there is none; whoever else creates it just now is waited for."""
    created = await store.insert_if_new(tx, scope, name, package=new)
    if created is not None:
        await record(engine, tx, actor, scope, "package.created", created, name=name)
        return created
    found = await store.by_name(tx, scope, name)
    if found is None:
        await ensure_seen(tx, scope)
        raise PackageNotFound(name)
    return found.id


async def take_version(
    engine: Engine,
    tx: ScopedTx,
    actor: By,
    scope: Scope,
    package: PackageId,
    blob: Blob,
    read: ReadRobot,
) -> bool:
    """Add a version to a package unless it is the latest already; whether it was added. Raises PackageLocked."""
    await _ensure_unlocked(tx, scope, package, actor)
    latest = await store.latest_version(tx, scope, package)
    if latest is not None and latest.hash == blob.hash and latest.folder in {None, read.folder}:
        return False
    await store.add_version(tx, package, blob, read.definition, folder=read.folder, created_by=actor.id)
    await store.add_tasks(tx, package, [task.name for task in read.definition.tasks])
    await record(engine, tx, actor, scope, "package.version_added", package, hash=blob.hash, size=blob.size)
    return True
