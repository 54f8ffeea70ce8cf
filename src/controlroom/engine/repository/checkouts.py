"""Who edits: a file or package is checked out by one user, who gets a copy of their own, and checked in again."""

from controlroom.engine.access.errors import UserNotFound
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ScopedTx, by, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.packages import store as package_store
from controlroom.engine.packages.actions import read_robot, take_version
from controlroom.engine.repository import nodes, store, stored_versions
from controlroom.engine.repository.actions import Named, found, place_of
from controlroom.engine.repository.contents import is_robot, new_file
from controlroom.engine.repository.errors import Locked, NotPossible
from controlroom.engine.repository.model import Node, NodeKind, Right
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.repository.store import LeftFiles
from controlroom.errors import Conflict, Forbidden, Invalid
from controlroom.ids import PackageId
from controlroom.objects.store import Blob


async def check_out(engine: Engine, actor: Actor, node: Named) -> Node:
    """Lock a file or package and give its user a copy in their own tree, which is returned. Raises Locked."""
    async with scoped(engine.database, actor.organization_id) as tx:
        rights = await rights_of(tx, actor)
        if rights.owner is None:
            raise Forbidden("only a user checks anything out", code="USERS_ONLY")
        source = await nodes.get(tx, rights, node, Right.CLONE)
        rights.require(Right.UPDATE, source)
        if source.workspace_id is None or source.kind not in {NodeKind.FILE, NodeKind.TASK, NodeKind.PACKAGE}:
            raise NotPossible("a file or package of a workspace is checked out")
        await _hold(tx, source)
        source = await found(tx, actor, source.id)
        if source.locked_by is not None:
            raise Locked(source.name)
        await store.set_lock(tx, source, rights.owner)
        home = await found(tx, actor, rights.owner)
        content = await stored_versions.content(tx, source, None)
        # the copy of a check-out that was taken back is still there, and its user's
        name = await store.free_name(tx, rights.owner, f"{source.name} {source.number}")
        copy = await new_file(engine, tx, actor, home, name, source, content, copied_from=source.id)
        await record(engine, tx, actor, source, "file.checked_out", source.id, name=source.name)
        return copy


async def check_in(engine: Engine, actor: Actor, copy: Named) -> Node:
    """The content of a copy becomes the next version of what it was made of, which is free again; the copy is gone."""
    rights = await rights_of(engine.database, actor)
    own = await nodes.get(engine.database, rights, copy, Right.UPDATE)
    if own.owner_id is None or own.copied_from is None:
        raise NotPossible("only a copy of what was checked out is checked in")
    original = await nodes.get(engine.database, rights, own.copied_from, Right.UPDATE)
    content = await stored_versions.content(engine.database, own, None)
    robot = None
    if content is not None and original.kind is not NodeKind.FILE and original.workspace_id is not None:
        blob = Blob(content.hash, content.size)
        if not await is_robot(engine, actor.organization_id, blob):
            raise Invalid("a bot's content is a zip with a robot.yaml in it", code="PACKAGE_INVALID")
        robot = await read_robot(engine, original.workspace_id, blob, folder="", place=original.container_id)
    async with scoped(engine.database, actor.organization_id) as tx:
        await _hold(tx, original)
        await store.lock(tx, own)
        original = await found(tx, actor, original.id)
        if original.locked_by != actor.id:
            raise NotPossible("it is not checked out any more")
        if content is not None and robot is not None:
            package = PackageId(original.container_id)
            blob = Blob(content.hash, content.size)
            await take_version(engine, tx, by(actor), place_of(original), package, blob, robot)
        elif content is not None:
            before = await stored_versions.content(tx, original, None)
            if before is None or before.hash != content.hash:
                blob = Blob(content.hash, content.size)
                await stored_versions.add_version(tx, original.id, blob, by=actor.id, has_errors=own.has_errors)
        await store.set_lock(tx, original, None)
        await store.delete(tx, own, by=actor.id)
        await record(engine, tx, actor, original, "file.checked_in", original.id, name=original.name)
        return await found(tx, actor, original.container_id if robot is not None else original.id)


async def unlock(engine: Engine, actor: Actor, node: Named) -> Node:
    """Take a check-out back: one's own; another's takes the writing of the workspace. The copy stays, as a file."""
    async with scoped(engine.database, actor.organization_id) as tx:
        rights = await rights_of(tx, actor)
        locked = await nodes.get(tx, rights, node)
        if locked.locked_by is None or locked.workspace_id is None:
            raise NotPossible(f"{locked.name!r} is not checked out")
        if locked.locked_by != actor.id:
            actor.require(Permission.WRITE_WORKSPACE, locked.workspace_id)
        await store.set_lock(tx, locked, None)
        await record(engine, tx, actor, locked, "file.unlocked", locked.id, name=locked.name)
        return await found(tx, actor, locked.id)


async def left_files(engine: Engine, actor: Actor, *, of: int | None = None, limit: int) -> list[LeftFiles]:
    """What users who are gone have left, for who may give it to another; of one, by their number. Raises Forbidden."""
    _ensure_gives(actor)
    async with scoped(engine.database, actor.organization_id) as tx:
        return await store.left_files(tx, actor.organization_id, of=of, limit=limit)


async def recover(engine: Engine, actor: Actor, source: str | int, target: str | int) -> int:
    """Give the tree of a deleted or disabled user to another, who has nothing of their own yet; how many it was.

    Takes the writing of the organization's members. Raises UserNotFound, and Conflict for what does not go.
    """
    _ensure_gives(actor)
    async with scoped(engine.database, actor.organization_id) as tx:
        giver = await store.owner(tx, actor.organization_id, str(source))
        taker = await store.owner(tx, actor.organization_id, str(target))
        if giver is None or taker is None or taker.is_deleted:
            raise UserNotFound
        giving, taking = giver.id, taker.id
        if giving == taking:
            raise Conflict("these are the same user", code="REPOSITORY_CONFLICT")
        if not (giver.is_deleted or giver.is_disabled):
            raise NotPossible("only the files of a user who is gone are given to another")
        if await store.has_files(tx, actor.organization_id, taking):
            raise NotPossible("the other user has files already")
        moved = await store.give_tree(tx, actor.organization_id, giving, taking)
        await record(engine, tx, actor, actor.organization_id, "user_files.recovered", taking, source=str(giving))
        return moved


def _ensure_gives(actor: Actor) -> None:
    if not actor.uses(Permission.WRITE_MEMBERS, None):
        raise Forbidden("only an admin of the organization gives files of one user to another", code="ADMIN_ONLY")


async def _hold(tx: ScopedTx, node: Node) -> None:
    """Make check-outs, check-ins and versions of a file or package wait for each other."""
    if node.kind is NodeKind.FILE:
        await store.lock(tx, node)
    else:
        await package_store.lock(tx, place_of(node), PackageId(node.container_id))
