"""An archive is taken: folders are made, bots and files put where they were, by the rights of who asked.

Each file is taken by itself. What is taken again, because the server died over it, finds what is there already: the
same content makes no second version.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from controlroom.aside.pool import Bounds
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import Of, by, scoped
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.assets import actions as assets
from controlroom.engine.assets import shared
from controlroom.engine.assets import store as asset_store
from controlroom.engine.engine import Engine
from controlroom.engine.packages import store as package_store
from controlroom.engine.packages.actions import package_called, read_robot, take_version
from controlroom.engine.repository import actions, contents, dependencies, nodes, stored_versions
from controlroom.engine.repository import store as repository
from controlroom.engine.repository.actions import checked_file_name, ensure_unlocked
from controlroom.engine.repository.errors import NotAContainer
from controlroom.engine.repository.model import Node, NodeKind, Right
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.transfers.model import Claimed, ImportWish
from controlroom.errors import ControlRoomError, Invalid
from controlroom.ids import PackageId, UserId, WorkspaceId, uuid7
from controlroom.objects.store import Blob
from controlroom.robots.bundles import Manifest, Packed, PackedValue, unpack

_SECONDS: Final = 60.0
_MOST_VALUES: Final = 1000
_MOST_PACKAGES: Final = 4
"""An archive has at most so many times the bytes of the largest package."""


async def take(engine: Engine, claimed: Claimed, wish: ImportWish, password: str | None) -> int:
    """Take an archive; how many bots and files were new or changed. Raises what says why it cannot be taken."""
    if claimed.hash is None:
        raise Invalid("there is no archive", code="BUNDLE_INVALID")
    with engine.scratch.folder("import") as folder:
        archive, contents_at = folder / "archive.zip", folder / "contents"
        contents_at.mkdir()
        await engine.objects.fetch_file(claimed.hash, archive)
        bounds = Bounds("The archive", seconds=_SECONDS, asker=claimed.organization_id)
        most = engine.limits.package_bytes * _MOST_PACKAGES
        manifest = await engine.aside.call(bounds, unpack, archive, contents_at, password, most)
        return await _Import(engine, claimed.user_id, wish, contents_at).take(manifest)


class _Import:
    """An import under way."""

    def __init__(self, engine: Engine, user: UserId, wish: ImportWish, folder: Path) -> None:
        self._engine = engine
        self._user = user
        self._wish = wish
        self._folder = folder
        self._places: dict[tuple[str, ...], Node] = {}
        self._taken: dict[int, Node] = {}

    async def take(self, manifest: Manifest) -> int:
        done = 0
        for number, entry in enumerate(manifest.entries):
            try:
                done += await self._entry(number, entry)
            except ControlRoomError as refused:
                path = "/".join(entry.path)[:300]
                raise Invalid(f"{path}: {refused.message}", code=refused.code) from refused
        for number, entry in enumerate(manifest.entries):
            if entry.needs and number in self._taken:
                await self._need(self._taken[number], entry)
        if self._wish.with_values and self._wish.is_public:
            for value in manifest.values:
                done += await self._value(value)
        return done

    async def _actor(self) -> Actor:
        """Who they are now: a workspace that was made a moment ago is theirs."""
        return await actor_of_user(self._engine.database, self._user)

    async def _entry(self, number: int, entry: Packed) -> bool:
        """Take a bot or file; whether anything was written."""
        if not entry.path or (self._wish.is_public and len(entry.path) < 2):  # noqa: PLR2004 - workspace and name
            raise Invalid("the archive does not say where it belongs", code="BUNDLE_INVALID")
        name = checked_file_name(entry.path[-1])
        place = await self._place(entry.path[:-1])
        blob = await self._engine.objects.put_file(self._folder / f"{number:05}") if entry.has_content else None
        if entry.is_package and self._wish.is_public:
            return await self._package(number, entry, name, place, blob)
        if entry.is_package:
            name = f"{name}.zip"
        return await self._file(number, entry, name, place, blob)

    async def _place(self, path: Sequence[str]) -> Node:
        """The folder at a path, made where it is missing."""
        known = self._places.get(tuple(path))
        if known is not None:
            return known
        actor = await self._actor()
        owner = None if self._wish.is_public else self._user
        if not path:
            root = actor.organization_id if owner is None else owner
            found = await nodes.get(self._engine.database, await rights_of(self._engine.database, actor), root)
        else:
            above = await self._place(path[:-1])
            there = await nodes.at_path(self._engine.database, actor.organization_id, path, owner)
            if there is not None and there.kind not in {NodeKind.WORKSPACE, NodeKind.FOLDER}:
                raise NotAContainer(there.name)
            found = there or await actions.create_folder(self._engine, actor, above.id, path[-1])
        self._places[tuple(path)] = found
        return found

    async def _package(self, number: int, entry: Packed, name: str, place: Node, blob: Blob | None) -> bool:
        if blob is None or place.workspace_id is None:
            return False
        engine, actor = self._engine, await self._actor()
        scope = Of(actor.organization_id, (WorkspaceId(place.workspace_id),))
        robot = await read_robot(engine, place.workspace_id, blob, folder=entry.folder, place=place.id)
        async with scoped(engine.database, scope) as tx:
            rights = await rights_of(tx, actor)
            there = await package_store.by_name(tx, scope, name)
            if there is None:
                rights.require(Right.UPDATE, place)
            else:
                node = await nodes.get(tx, rights, there.id, Right.UPDATE)
                self._taken[number] = node
                if not self._wish.overwrites:
                    return False
                ensure_unlocked(node, actor)
            package = await package_called(engine, tx, by(actor), scope, name, PackageId(uuid7()))
            if there is None:
                await repository.place_package(tx, package, place)
            is_new = await take_version(engine, tx, by(actor), scope, package, blob, robot)
            self._taken[number] = await actions.found(tx, actor, package)
        return is_new

    async def _file(self, number: int, entry: Packed, name: str, place: Node, blob: Blob | None) -> bool:
        engine, actor = self._engine, await self._actor()
        path = [*(place.path), name]
        there = await nodes.at_path(engine.database, actor.organization_id, path, place.owner_id)
        if there is not None:
            self._taken[number] = there
            if not self._wish.overwrites:
                return False
        else:
            content_type = "application/zip" if entry.is_package else entry.content_type
            there = await actions.create_file(
                engine, actor, place.id, name, content_type=content_type, description=entry.description
            )
        self._taken[number] = there
        if blob is None:
            return True
        before = await stored_versions.content(engine.database, there, None)
        if before is not None and before.hash == blob.hash:
            return False
        self._taken[number] = await contents.put(engine, actor, there.id, blob, has_errors=entry.has_errors)
        return True

    async def _need(self, node: Node, entry: Packed) -> None:
        """Say again what it needs, of what is there."""
        needs: dict[str, list[Node]] = {}
        for place, task, by_task in entry.needs:
            other = self._taken.get(place)
            if other is not None:
                needs.setdefault(by_task, []).append(await self._task(other, task))
        for by_task, others in needs.items():
            needing = await self._task(node, by_task)
            ids = [other.id for other in others if not other.is_folder]
            if not needing.is_folder and ids:
                await dependencies.set_needed(self._engine, await self._actor(), needing.id, ids)

    async def _task(self, node: Node, task: str) -> Node:
        if not task or node.kind is not NodeKind.PACKAGE:
            return node
        tasks = await nodes.children(self._engine.database, node)
        return next((each for each in tasks if each.name == task), node)

    async def _value(self, value: PackedValue) -> bool:
        """Take an asset, where the asker may write it; whether it was written."""
        engine, actor = self._engine, await self._actor()
        if not value.workspace:
            return await self._shared(actor, value)
        place = self._places.get((value.workspace,))
        if place is None or place.workspace_id is None or not actor.may(Permission.WRITE_ASSETS, place.workspace_id):
            return False
        scope = Of(actor.organization_id, (place.workspace_id,))
        there = await asset_store.get(engine.database, scope, value.name)
        if there is not None and not self._wish.overwrites:
            return False
        if there is None:
            await assets.create(engine, actor, place.workspace_id, value.name)
        data = (self._folder / f"{value.file:05}").read_bytes()
        await assets.upload_inline(
            engine, actor, place.workspace_id, value.name, content_type=value.content_type, data=data
        )
        return True

    async def _shared(self, actor: Actor, value: PackedValue) -> bool:
        """Likewise, one of the organization."""
        if not actor.may(Permission.WRITE_ASSETS, None):
            return False
        there = await shared.list_shared(self._engine, actor, limit=_MOST_VALUES)
        if not self._wish.overwrites and any(each.name == value.name for each in there):
            return False
        data = (self._folder / f"{value.file:05}").read_bytes()
        await shared.put(self._engine, actor, value.name, content_type=value.content_type, data=data)
        return True


def wish_of(claimed: Claimed) -> ImportWish:
    """What was asked for."""
    return msgspec.json.decode(claimed.wish, type=ImportWish)
