"""What is in files and bots: given, read, labelled and copied.

A zip with a robot in it that is given to a file of a workspace makes a package of the file: its only task goes on with
the number of the file, so that who made the file runs what it has become by the same number.
"""

from uuid import UUID

from controlroom.aside.pool import Bounds
from controlroom.engine.access.model import Actor
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ScopedTx, by, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.packages import actions as packages
from controlroom.engine.packages import labels
from controlroom.engine.packages import store as package_store
from controlroom.engine.packages.actions import ReadRobot, read_robot
from controlroom.engine.packages.errors import PackageVersionNotFound
from controlroom.engine.repository import nodes, store, stored_versions
from controlroom.engine.repository.actions import (
    Named,
    checked_file_name,
    checked_type,
    ensure_unlocked,
    found,
    place_of,
)
from controlroom.engine.repository.errors import NodeNotFound, NotAContainer, NotPossible
from controlroom.engine.repository.model import Content, Node, NodeKind, Right
from controlroom.engine.repository.rights import rights_of
from controlroom.errors import Invalid
from controlroom.ids import OrganizationId, PackageId, uuid7
from controlroom.objects.store import Blob
from controlroom.postgres.database import Statements
from controlroom.robots.archive import has_robot

_SECONDS = 10.0


async def put(
    engine: Engine, actor: Actor, node: Named, blob: Blob, *, content_type: str = "", has_errors: bool = False
) -> Node:
    """Stored bytes become the next version of a file, or of the package that a task or folder is; what it is then.

    Raises Invalid `PACKAGE_INVALID` for a broken robot, and for what is none where a bot is; Locked.
    """
    rights = await rights_of(engine.database, actor)
    target = await nodes.get(engine.database, rights, node, Right.UPDATE)
    robot = await _robot(engine, target, blob)
    async with scoped(engine.database, actor.organization_id) as tx:
        target = await nodes.get(tx, await rights_of(tx, actor), node, Right.UPDATE)
        ensure_unlocked(target, actor)
        match target.kind:
            case NodeKind.TASK | NodeKind.PACKAGE:
                if robot is None:
                    raise Invalid("a bot's content is a zip with a robot.yaml in it", code="PACKAGE_INVALID")
                package = PackageId(target.container_id)
                await packages.take_version(engine, tx, by(actor), place_of(target), package, blob, robot)
                return await _after(tx, actor, target)
            case NodeKind.FILE if robot is not None:
                await store.lock(tx, target)
                return await become_package(engine, tx, actor, target, blob, robot)
            case NodeKind.FILE:
                await store.lock(tx, target)
                await stored_versions.add_version(tx, target.id, blob, by=actor.id, has_errors=has_errors)
                if content_type and not target.content_type:
                    await stored_versions.set_type(tx, target.id, checked_type(content_type))
                await record(engine, tx, actor, target, "file.version_added", target.id, name=target.name)
                return await found(tx, actor, target.id)
            case _:
                raise NotPossible(f"{target.name!r} is a folder, which has no content")


async def go_back(engine: Engine, actor: Actor, node: Named, version: int) -> Node:
    """What a file held in an earlier version is its next one. Raises PackageVersionNotFound, NotPossible, Locked."""
    target = await nodes.get(engine.database, await rights_of(engine.database, actor), node, Right.UPDATE)
    earlier = await content(engine.database, target, version)
    if earlier.version == target.version:
        raise NotPossible(f"{target.name!r} holds this already")
    return await put(engine, actor, node, Blob(earlier.hash, earlier.size))


async def _robot(engine: Engine, target: Node, blob: Blob) -> ReadRobot | None:
    """The robot in a zip, if there is one that a workspace is to have; nothing of it is unpacked or run."""
    if target.workspace_id is None or not await is_robot(engine, target.organization_id, blob):
        return None
    return await read_robot(engine, target.workspace_id, blob, folder="", place=target.container_id)


async def is_robot(engine: Engine, organization: OrganizationId, blob: Blob) -> bool:
    """Whether stored bytes are a zip with a robot.yaml in it."""
    if blob.size > engine.limits.package_bytes:
        return False
    with engine.scratch.folder("content") as place:
        path = place / "content"
        await engine.objects.fetch_file(blob.hash, path)
        return await engine.aside.call(Bounds("The file", seconds=_SECONDS, asker=organization), has_robot, path)


async def become_package(engine: Engine, tx: ScopedTx, actor: Actor, file: Node, blob: Blob, robot: ReadRobot) -> Node:
    """A locked file becomes a package of its name, at its place; or a version of one that lies there already."""
    scope = place_of(file)
    name = checked_name(file.name.removesuffix(".zip") or file.name, what="package's name")
    package = await packages.package_called(engine, tx, by(actor), scope, name, new := PackageId(uuid7()))
    is_new = package == new
    await store.delete(tx, file, by=actor.id)
    if is_new:
        parent = await found(tx, actor, file.parent_id or file.container_id)
        await store.place_package(tx, package, parent)
    await packages.take_version(engine, tx, by(actor), scope, package, blob, robot)
    [*tasks] = await package_store.list_tasks(tx, scope, package)
    if is_new:
        await store.take_number(tx, package, tasks[0].id if len(tasks) == 1 else None, file.number)
    await record(engine, tx, actor, scope, "file.became_package", package, name=name, file=file.number)
    return await found(tx, actor, tasks[0].id if len(tasks) == 1 else package)


async def _after(tx: ScopedTx, actor: Actor, target: Node) -> Node:
    """A task that the new version does not have any more is told by its package."""
    after = await nodes.find(tx, actor.organization_id, target.id)
    return after or await found(tx, actor, target.container_id)


async def content(db: Statements, node: Node, version: int | None = None) -> Content:
    """The bytes of a version, or of the latest one, of something of which the right to download has been asked.

    Raises PackageVersionNotFound, also for what has no content yet, and NotPossible for a folder.
    """
    if node.is_folder and node.kind is not NodeKind.PACKAGE:
        raise NotPossible(f"{node.name!r} is a folder, which has no content")
    found_content = await stored_versions.content(db, node, version)
    if found_content is None:
        raise PackageVersionNotFound(version or "latest")
    return found_content


async def set_label(engine: Engine, actor: Actor, node: Named, label: str, version: int) -> Node:
    """Give a label to a version of a bot or a file; another one that bears it loses it."""
    name = checked_name(label, what="label")
    if not 0 < version <= stored_versions.LARGEST_VERSION:
        raise PackageVersionNotFound(version)
    async with scoped(engine.database, actor.organization_id) as tx:
        rights = await rights_of(tx, actor)
        target = await nodes.get(tx, rights, node, Right.UPDATE)
        match target.kind:
            case NodeKind.TASK | NodeKind.PACKAGE:
                package = PackageId(target.container_id)
                await labels.set_label_in(engine, tx, actor, place_of(target), package, name, version)
            case NodeKind.FILE:
                if not await stored_versions.set_label(tx, target, name, version):
                    raise PackageVersionNotFound(version)
                await record(engine, tx, actor, target, "file.labelled", target.id, label=name, version=version)
            case _:
                raise NotPossible(f"{target.name!r} is a folder, which has no versions")
        return await found(tx, actor, target.id)


async def copy(engine: Engine, actor: Actor, node: Named, name: str, parent: Named | None = None) -> Node:
    """A file of the same content, or a package, in the same folder or another. Raises NodeNameTaken."""
    rights = await rights_of(engine.database, actor)
    source = await nodes.get(engine.database, rights, node, Right.CLONE)
    if source.kind not in {NodeKind.FILE, NodeKind.TASK, NodeKind.PACKAGE}:
        raise NotPossible(f"{source.name!r} is a folder: only files are copied")
    async with scoped(engine.database, actor.organization_id) as tx:
        place = await nodes.get(tx, rights, await _folder_of(tx, source) if parent is None else parent)
        if place.kind is NodeKind.PACKAGE or not place.is_folder or (place.workspace_id or place.owner_id) is None:
            raise NotAContainer(place.name)
        rights.require(Right.UPDATE, place)
        of_source = await stored_versions.content(tx, source, None)
        blob = None if of_source is None else Blob(of_source.hash, of_source.size)
        is_bot = False
        if blob is not None and place.workspace_id is not None:
            is_bot = source.kind is not NodeKind.FILE or await is_robot(engine, rights.organization, blob)
        taken = None if is_bot else of_source
        made = await new_file(engine, tx, actor, place, checked_file_name(name), source, taken)
    return made if blob is None or not is_bot else await put(engine, actor, made.id, blob)


async def _folder_of(tx: ScopedTx, node: Node) -> UUID:
    """The folder that a file lies in, or a package, a task being where its package is."""
    package = await nodes.find(tx, node.organization_id, node.container_id) if node.kind is NodeKind.TASK else node
    if package is None or package.parent_id is None:
        raise NodeNotFound(node.number)
    return package.parent_id


async def new_file(
    engine: Engine,
    tx: ScopedTx,
    actor: Actor,
    place: Node,
    name: str,
    source: Node,
    of_source: Content | None,
    *,
    copied_from: UUID | None = None,
) -> Node:
    """A file with the content of something else."""
    made = await store.insert(
        tx,
        place,
        name,
        is_folder=False,
        by=actor.id,
        content_type=source.content_type or ("application/zip" if source.kind is not NodeKind.FILE else ""),
        description=source.description,
        copied_from=copied_from,
    )
    if of_source is not None:
        blob = Blob(of_source.hash, of_source.size)
        await stored_versions.add_version(tx, made, blob, by=actor.id, has_errors=source.has_errors)
    await record(engine, tx, actor, place, "file.copied", made, name=name, source=source.number)
    return await found(tx, actor, made)
