"""An earlier version of a package is the latest again."""

from controlroom.engine.access.model import Actor
from controlroom.engine.access.scope import by, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.packages.actions import read_robot, take_version
from controlroom.engine.packages.errors import PackageVersionNotFound
from controlroom.engine.repository import nodes, stored_versions
from controlroom.engine.repository.actions import Named, ensure_unlocked, place_of
from controlroom.engine.repository.errors import NotPossible
from controlroom.engine.repository.model import NodeKind, Right
from controlroom.engine.repository.rights import rights_of
from controlroom.ids import PackageId
from controlroom.objects.store import Blob


async def take_again(engine: Engine, actor: Actor, package: Named, version: int) -> int:
    """Make the content of a version the next one of its package, unless it is the latest; which that is then.

    Raises PackageVersionNotFound, Locked.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        node = await nodes.get(tx, await rights_of(tx, actor), package, Right.UPDATE)
        if node.kind not in {NodeKind.PACKAGE, NodeKind.TASK} or node.workspace_id is None:
            raise NotPossible(f"{node.name!r} is no package")
        content = await stored_versions.content(tx, node, version)
    if content is None:
        raise PackageVersionNotFound(version)
    blob = Blob(content.hash, content.size)
    robot = await read_robot(engine, node.workspace_id, blob, folder=content.folder, place=node.container_id)
    async with scoped(engine.database, actor.organization_id) as tx:
        node = await nodes.get(tx, await rights_of(tx, actor), package, Right.UPDATE)
        ensure_unlocked(node, actor)
        of = PackageId(node.container_id)
        await take_version(engine, tx, by(actor), place_of(node), of, blob, robot)
        latest = await stored_versions.content(tx, node, None)
        return version if latest is None else latest.version
