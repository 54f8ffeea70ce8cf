"""The verbs of folders and plain files: made, edited, moved and deleted by who has the right in the folder."""

from uuid import UUID

from controlroom.engine.access.model import Actor
from controlroom.engine.access.names import checked_description, checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Of, ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.packages import actions as packages
from controlroom.engine.packages import store as package_store
from controlroom.engine.repository import nodes, store
from controlroom.engine.repository.errors import (
    FolderNotEmpty,
    Locked,
    NodeNotFound,
    NotAContainer,
    NotPossible,
    OneOfSeveralTasks,
)
from controlroom.engine.repository.model import Node, NodeKind, Right
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.workspaces import actions as workspaces
from controlroom.errors import Invalid
from controlroom.ids import PackageId, WorkspaceId

Named = UUID | int | str
"""An id, or a number."""


async def create_folder(engine: Engine, actor: Actor, parent: Named, name: str) -> Node:
    """A folder in another one; in the root of all, a workspace, which takes the right to make workspaces.

    Raises NodeNameTaken, and Conflict for the name of a workspace.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        within = await _parent(tx, actor, parent)
        if not _is_root_of_all(within):
            made = await store.insert(tx, within, checked_file_name(name), is_folder=True, by=actor.id)
            folder = await found(tx, actor, made)
            await record(engine, tx, actor, folder, "folder.created", made, name=name)
            return folder
    workspace = await workspaces.create(engine, actor, checked_file_name(name))
    return await found_by_admin(engine, actor, workspace.id)


async def create_file(
    engine: Engine, actor: Actor, parent: Named, name: str, *, content_type: str = "", description: str = ""
) -> Node:
    """A file without content. Raises NodeNameTaken."""
    async with scoped(engine.database, actor.organization_id) as tx:
        within = await _parent(tx, actor, parent)
        if _is_root_of_all(within):
            raise NotAContainer("the root")
        made = await store.insert(
            tx,
            within,
            checked_file_name(name),
            is_folder=False,
            by=actor.id,
            content_type=checked_type(content_type),
            description=checked_description(description),
        )
        file = await found(tx, actor, made)
        await record(engine, tx, actor, file, "file.created", made, name=name)
        return file


async def edit(
    engine: Engine,
    actor: Actor,
    node: Named,
    *,
    name: str | None = None,
    description: str | None = None,
    parent: Named | None = None,
) -> Node:
    """Rename, describe or move a folder, file or package; a workspace is renamed. None: it stays.

    A package's only task stands for the package; of several none does. Raises OneOfSeveralTasks, NodeNameTaken,
    NotPossible for what is not moved so: into itself, to another workspace, or while something in it is checked out.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        rights = await rights_of(tx, actor)
        edited = await nodes.get(tx, rights, node, Right.UPDATE)
        edited = await _package_of(tx, edited)
        if edited.kind is NodeKind.ROOT or edited.parent_id is None:
            raise NotPossible("the root stays what it is")
        name = edited.name if name is None else checked_file_name(name)
        if edited.kind is not NodeKind.WORKSPACE:
            place = await nodes.get(tx, rights, edited.parent_id if parent is None else parent)
            await _edit(tx, actor, edited, place, name, description)
            if place.id != edited.parent_id:
                rights.require(Right.UPDATE, place)
            kind = "folder.edited" if edited.is_folder else "file.edited"
            await record(engine, tx, actor, edited, kind, edited.id, name=name, before=edited.name)
            return await nodes.get(tx, rights, node)
    if parent is not None and str(parent) not in {str(edited.parent_id), str(edited.parent_number)}:
        raise NotPossible("a workspace stays below the root")
    if name != edited.name:
        await workspaces.rename(engine, actor, WorkspaceId(edited.id), name)
    return await found_by_admin(engine, actor, edited.id)


async def _edit(tx: ScopedTx, actor: Actor, node: Node, place: Node, name: str, description: str | None) -> None:
    if place.kind in {NodeKind.FILE, NodeKind.TASK, NodeKind.PACKAGE} or _is_root_of_all(place):
        raise NotAContainer(place.name)
    if (place.workspace_id, place.owner_id) != (node.workspace_id, node.owner_id):
        raise NotPossible("what is in a workspace stays in it")
    if node.id in place.above:
        raise NotPossible("a folder is not moved into itself")
    ensure_unlocked(node, actor)
    if node.kind is NodeKind.PACKAGE:
        await package_store.lock(tx, place_of(node), PackageId(node.id))
        await store.place_package(tx, node.id, place)
        if name != node.name:
            await store.rename_package(tx, node.id, name)
        return
    await store.lock(tx, node)
    if node.is_folder:
        lying = await store.lying_in(tx, node)
        if lying.locked or lying.packages > store.MOST_MOVED:
            raise NotPossible(f"{node.name!r} has too many packages, or some that are checked out")
    told = node.description if description is None else checked_description(description)
    await store.edit(tx, node, place, name=name, description=told, by=actor.id)


async def delete(engine: Engine, actor: Actor, node: Named) -> None:
    """Delete an empty folder or workspace, a file, or a package by itself or its only task.

    Raises FolderNotEmpty, OneOfSeveralTasks, PackageInUse, Locked.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        rights = await rights_of(tx, actor)
        gone = await _package_of(tx, await nodes.get(tx, rights, node, Right.DELETE))
        if gone.kind is not NodeKind.WORKSPACE:
            await delete_in(engine, tx, actor, gone)
            return
    await workspaces.delete(engine, actor, WorkspaceId(gone.id))


async def delete_in(engine: Engine, tx: ScopedTx, actor: Actor, node: Node) -> None:
    """Delete something that is no workspace, in a transaction that does more."""
    match node.kind:
        case NodeKind.PACKAGE | NodeKind.TASK:
            ensure_unlocked(node, actor)
            await packages.delete_in(engine, tx, actor, place_of(node), PackageId(node.container_id))
        case NodeKind.FOLDER | NodeKind.FILE:
            await store.lock(tx, node)
            ensure_unlocked(node, actor)
            if node.is_folder and await nodes.children(tx, node):
                raise FolderNotEmpty(node.name)
            await store.delete(tx, node, by=actor.id)
            kind = "folder.deleted" if node.is_folder else "file.deleted"
            await record(engine, tx, actor, node, kind, node.id, name=node.name)
        case _:
            raise NotPossible("the root is not deleted")


async def _parent(tx: ScopedTx, actor: Actor, parent: Named) -> Node:
    """The folder in which something is to be made. Raises NodeNotFound, RightMissing, NotAContainer."""
    rights = await rights_of(tx, actor)
    within = await nodes.get(tx, rights, parent)
    if within.kind not in {NodeKind.ROOT, NodeKind.WORKSPACE, NodeKind.FOLDER}:
        raise NotAContainer(within.name)
    if not _is_root_of_all(within):
        rights.require(Right.UPDATE, within)
    return within


async def _package_of(tx: ScopedTx, node: Node) -> Node:
    """For a package's only task the package; else the node itself. Raises OneOfSeveralTasks."""
    if node.kind is not NodeKind.TASK:
        return node
    package = await nodes.find(tx, node.organization_id, node.container_id)
    if package is None:
        raise NodeNotFound(node.number)
    if len(await nodes.children(tx, package)) > 1:
        raise OneOfSeveralTasks(node.name)
    return package


async def found(tx: ScopedTx, actor: Actor, node: UUID) -> Node:
    """What the transaction has just written, or knows to be there."""
    written = await nodes.find(tx, actor.organization_id, node)
    if written is None:
        raise NodeNotFound(str(node))
    return written


async def found_by_admin(engine: Engine, actor: Actor, node: UUID) -> Node:
    """A workspace that the actor has just made or renamed: what they may do there was asked when they were let in."""
    written = await nodes.find(engine.database, actor.organization_id, node)
    if written is None:
        raise NodeNotFound(str(node))
    return written


def place_of(node: Node) -> Of:
    """The workspace of a node, for statements on what belongs to workspaces; the rights have been asked for."""
    if node.workspace_id is None:
        raise NotPossible("this is in no workspace")
    return Of(node.organization_id, (node.workspace_id,))


def ensure_unlocked(node: Node, actor: Actor) -> None:
    """Raise Locked if somebody else has checked it out."""
    if node.locked_by is not None and node.locked_by != actor.id:
        raise Locked(node.name)


def _is_root_of_all(node: Node) -> bool:
    return node.kind is NodeKind.ROOT and node.owner_id is None


def checked_file_name(name: str) -> str:
    """A name without the characters that separate names in a path. Raises Invalid `NAME_INVALID`."""
    if "/" in name or "\\" in name:
        raise Invalid("a name has no slash in it", code="NAME_INVALID")
    return checked_name(name)


def checked_type(content_type: str) -> str:
    """A media type as it is told again. Raises Invalid."""
    if len(content_type) > 255 or not content_type.isascii() or not content_type.isprintable():  # noqa: PLR2004
        raise Invalid("this is no media type", code="CONTENT_TYPE_INVALID")
    return content_type
