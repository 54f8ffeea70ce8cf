"""An archive is made of bots and files: of what was asked for and all that this needs, by the rights of who asked."""

from collections.abc import Collection
from datetime import UTC
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from controlroom.aside.pool import Bounds
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import Of
from controlroom.engine.assets import shared
from controlroom.engine.assets import store as assets
from controlroom.engine.assets.model import Asset
from controlroom.engine.engine import Engine
from controlroom.engine.packages import labels
from controlroom.engine.packages.errors import LabelNotFound, PackageVersionNotFound
from controlroom.engine.repository import dependencies, nodes, stored_versions
from controlroom.engine.repository.actions import place_of
from controlroom.engine.repository.model import Content, Node, NodeKind, Right
from controlroom.engine.repository.rights import Rights, rights_of
from controlroom.engine.transfers.model import Claimed, ExportWish
from controlroom.errors import Invalid
from controlroom.ids import PackageId, WorkspaceId
from controlroom.objects.store import Blob
from controlroom.robots.bundles import MOST_FILES, Manifest, Packed, PackedValue, pack

_SECONDS: Final = 60.0
_MOST_VALUES: Final = 1000


class _Chosen(Struct, frozen=True):
    """A package or file that goes into the archive, and what of it."""

    node: Node
    content: Content | None


class Made(Struct, frozen=True):
    """An archive, and how many bots and files are in it."""

    archive: Blob
    files: int


async def make(engine: Engine, actor: Actor, claimed: Claimed, wish: ExportWish, password: str | None) -> Made:
    """Make the archive and store it. Raises what says why it cannot be made."""
    rights = await rights_of(engine.database, actor)
    chosen = await _chosen(engine, rights, wish)
    if len(chosen) > MOST_FILES:
        raise Invalid(f"an archive has at most {MOST_FILES} files", code="TOO_MANY_FILES")
    with engine.scratch.folder("export") as folder:
        entries, contents = await _fetched(engine, chosen, folder)
        entries = await _needs(engine, rights, chosen, entries)
        values: list[PackedValue] = []
        if wish.with_values:
            values = await _values(engine, actor, chosen, folder, contents)
        manifest = Manifest(
            name=claimed.name,
            made_at=claimed.created_at.astimezone(UTC).isoformat(),
            made_by=actor.name,
            entries=entries,
            values=values,
        )
        target = folder / "archive.zip"
        bounds = Bounds("The export", seconds=_SECONDS, asker=actor.organization_id)
        await engine.aside.call(bounds, pack, target, msgspec.json.encode(manifest), contents, password)
        return Made(await engine.objects.put_file(target), len(entries))


async def _chosen(engine: Engine, rights: Rights, wish: ExportWish) -> list[_Chosen]:
    """What was asked for, in its order, then what that needs; each package and file once."""
    wanted: dict[UUID, tuple[Node, int | None]] = {}
    for asked in wish.files:
        node = await nodes.get(engine.database, rights, asked.id, Right.DOWNLOAD)
        for each in await _files_of(engine, node):
            wanted.setdefault(each.id, (each, asked.version))
    for each in await _needed(engine, rights, [node for node, _ in wanted.values()]):
        wanted.setdefault(each.id, (each, None))
    return [
        _Chosen(node, await _content(engine, node, version, wish.label))
        for node, version in wanted.values()
        if Right.DOWNLOAD in rights.of(node)
    ]


async def _files_of(engine: Engine, node: Node) -> list[Node]:
    """The package of a task, all that is in a folder, a file itself."""
    if node.kind in {NodeKind.FILE, NodeKind.PACKAGE}:
        return [node]
    if node.kind is NodeKind.ROOT and node.owner_id is None:
        places = await nodes.children(engine.database, node)
        return [each for place in places for each in await nodes.below(engine.database, place)]
    if node.kind is NodeKind.TASK:
        return await nodes.find_all(engine.database, node.organization_id, [node.container_id])
    return await nodes.below(engine.database, node)


async def _needed(engine: Engine, rights: Rights, found: list[Node]) -> list[Node]:
    """What some packages and files need, a task being its package."""
    ids = await _with_tasks(engine, found)
    pairs = await dependencies.pairs_below(engine.database, rights.organization, ids)
    needed = await nodes.find_all(engine.database, rights.organization, {needed for _, needed in pairs})
    return [each for node in needed for each in await _files_of(engine, node)]


async def _with_tasks(engine: Engine, found: Collection[Node]) -> dict[UUID, tuple[Node, str]]:
    """The ids of packages, of their tasks and of files: of which of these each is, and the task's name."""
    ids: dict[UUID, tuple[Node, str]] = {}
    for node in found:
        ids[node.id] = node, ""
        if node.kind is NodeKind.PACKAGE:
            ids |= {task.id: (node, task.name) for task in await nodes.children(engine.database, node)}
    return ids


async def _content(engine: Engine, node: Node, version: int | None, label: str | None) -> Content | None:
    if label is not None and version is None and node.kind is NodeKind.PACKAGE:
        package = PackageId(node.id)
        bearing = (await labels.labelled(engine.database, place_of(node), [package], label)).get(package)
        if bearing is None:
            raise LabelNotFound(label, node.name)
        version = bearing.version
    content = await stored_versions.content(engine.database, node, version)
    if content is None and version is not None:
        raise PackageVersionNotFound(version)
    return content


async def _fetched(engine: Engine, chosen: list[_Chosen], folder: Path) -> tuple[list[Packed], list[Path]]:
    """The entries of the archive, and their contents in files of this machine."""
    entries, contents = [], []
    for number, each in enumerate(chosen):
        node, path = each.node, folder / f"{number:05}"
        if each.content is None:
            path.touch()
        else:
            await engine.objects.fetch_file(each.content.hash, path)
        contents.append(path)
        entries.append(
            Packed(
                path=node.path,
                is_package=node.kind is NodeKind.PACKAGE,
                content_type=node.content_type,
                description=node.description,
                has_errors=node.has_errors,
                version=0 if each.content is None else each.content.version,
                folder="" if each.content is None else each.content.folder,
                size=0 if each.content is None else each.content.size,
                has_content=each.content is not None,
            )
        )
    return entries, contents


async def _needs(engine: Engine, rights: Rights, chosen: list[_Chosen], entries: list[Packed]) -> list[Packed]:
    """The entries with what they need of each other."""
    places = {each.node.id: number for number, each in enumerate(chosen)}
    of = await _with_tasks(engine, [each.node for each in chosen])
    needs: dict[int, list[tuple[int, str, str]]] = {}
    for needing, needed in await dependencies.pairs_below(engine.database, rights.organization, of):
        if needing in of and needed in of:
            (node, by_task), (other, task) = of[needing], of[needed]
            needs.setdefault(places[node.id], []).append((places[other.id], task, by_task))
    return [replace(entry, needs=needs.get(number, [])) for number, entry in enumerate(entries)]


async def _values(
    engine: Engine, actor: Actor, chosen: list[_Chosen], folder: Path, contents: list[Path]
) -> list[PackedValue]:
    """The assets of the organization and of the workspaces that bots come from, where the asker may read them.

    Their contents are added.
    """
    places: dict[WorkspaceId | None, str] = {None: ""} | {
        each.node.workspace_id: each.node.path[0] for each in chosen if each.node.workspace_id is not None
    }
    values = []
    for workspace, name in places.items():
        if not actor.may(Permission.READ_ASSETS, workspace):
            continue
        for asset in await _assets(engine, actor, workspace):
            if asset.content is None:
                continue
            path = folder / f"{len(contents):05}"
            await engine.objects.fetch_file(asset.content.hash, path)
            values.append(
                PackedValue(
                    workspace=name, name=asset.name, content_type=asset.content.content_type, file=len(contents)
                )
            )
            contents.append(path)
    return values


async def _assets(engine: Engine, actor: Actor, workspace: WorkspaceId | None) -> list[Asset]:
    if workspace is None:
        return await shared.list_shared(engine, actor, limit=_MOST_VALUES)
    scope = Of(actor.organization_id, (workspace,))
    return await assets.list_assets(engine.database, scope, after=None, limit=_MOST_VALUES)
