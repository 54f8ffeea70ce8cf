"""Repository Management API v2 (§2.14): searches, folders, and what lies in them."""

from collections.abc import Sequence
from uuid import UUID

from controlroom.dialects.automation360.answers import Shape
from controlroom.dialects.automation360.asking import Asking, Body, Permission
from controlroom.dialects.automation360.ids import Id, number_of
from controlroom.dialects.automation360.lists import Listed, Sought, listed, page
from controlroom.dialects.automation360.preconditions import preconditions
from controlroom.dialects.automation360.repository_answers import ANALYSED, FILES, Bot, File, bot_of, file_of
from controlroom.dialects.automation360.routing import Pair, delete, get, post, put
from controlroom.engine.access.scope import Of
from controlroom.engine.analyses import store as analyses
from controlroom.engine.analyses.rules import worst
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, equal
from controlroom.engine.repository import actions, nodes
from controlroom.engine.repository.errors import FolderNotEmpty, NodeNotFound
from controlroom.engine.repository.model import ListedNode, NodeKind, Right
from controlroom.engine.repository.rights import Rights, rights_of
from controlroom.ids import PackageId, WorkspaceId

_VIEW = Pair("repositorymanager", "view")
_FOLDERS = Pair("repositorymanager", "createfolders")


class CreateFolder(Shape, frozen=True):
    """A folder in another one."""

    folder_name: str


class EditFolder(Shape, frozen=True):
    """What is said of a folder; what is left out stays."""

    folder_id: str = ""
    name: str = ""
    description: str | None = None
    parent_id: str = ""


@post("/v2/repository/file/list", pair=_VIEW)
async def search_repository(request: Asking, data: Sought = None) -> Listed[Bot]:
    """Search all bots, files and folders that you may see, public and your own."""
    rights = await rights_of(request.db, request.actor)
    return await listed(request, data, FILES, ListedNode, bot_of(rights), within=rights.seen())


@post("/v2/repository/workspaces/{workspace:str}/files/list", pair=_VIEW)
async def list_workspace_files(request: Asking, workspace: Id, data: Sought = None) -> Listed[File]:
    """List all files and folders of the public workspace, or of your private one, however deep, with its root."""
    is_private = {"public": False, "private": True}.get(workspace.casefold())
    if is_private is None:
        raise NodeNotFound(workspace)
    rights = await rights_of(request.db, request.actor)
    only = equal(is_private=is_private)
    found = await page(request, data, FILES, ListedNode, within=rights.seen(), only=only)
    return found.shown(await _files(request, rights, found.rows))


@post("/v2/repository/folders/{folder:str}/list", pair=_VIEW)
async def list_folder(request: Asking, folder: Id, data: Sought = None) -> Listed[File]:
    """List the files and folders that lie in a folder."""
    rights = await rights_of(request.db, request.actor)
    node = await nodes.get_passage(request.db, rights, number_of(folder))
    only = equal(parent_id=node.id)
    found = await page(request, data, FILES, ListedNode, within=rights.seen(), only=only)
    return found.shown(await _files(request, rights, found.rows))


async def _files(request: Asking, rights: Rights, rows: Sequence[ListedNode]) -> list[File]:
    """Rows as they are told, with what was found in the code of those that are bots."""
    bots = [row for row in rows if row.kind is NodeKind.TASK and row.workspace_id is not None]
    places = Of(rights.organization, tuple({row.workspace_id for row in bots if row.workspace_id is not None}))
    packages = {PackageId(row.container_id) for row in bots}
    results = await analyses.results(request.db, places, packages) if packages else []
    analysed: dict[UUID, str] = {result.package: ANALYSED[worst(result)] for result in results}
    makes_workspaces = request.actor.may(Permission.WRITE_WORKSPACES, None)
    show = file_of(rights, analysed, makes_workspaces=makes_workspaces)
    return [show(row) for row in rows]


@post("/v2/repository/folders/{folder:str}", pair=_FOLDERS)
async def create_folder(request: Asking, folder: Id, data: Body[CreateFolder]) -> Bot:
    """Make a folder in another one; in `Bots` itself, a workspace."""
    with preconditions():
        made = await actions.create_folder(*request.governing, number_of(folder), data.folder_name)
    rights = await rights_of(request.db, request.actor)
    if made.kind is NodeKind.WORKSPACE:
        rights = rights.with_own(WorkspaceId(made.id))
    return bot_of(rights)(await _row(request, rights, made.number))


@put("/v2/repository/folders/{folder:str}", pair=Pair("repositorymanager", "renamefolders"))
async def edit_folder(request: Asking, folder: Id, data: Body[EditFolder]) -> Bot:
    """Rename, describe or move a folder, or the package that shows as one."""
    parent = data.parent_id.strip()
    with preconditions():
        edited = await actions.edit(
            *request.governing,
            number_of(folder),
            name=data.name or None,
            description=data.description,
            parent=number_of(parent) if parent not in {"", "0"} else None,
        )
    return await told_bot(request, edited.number)


@delete("/v2/repository/folders/{folder:str}", pair=_FOLDERS)
async def delete_folder(request: Asking, folder: Id) -> None:
    """Delete an empty folder."""
    rights = await rights_of(request.db, request.actor)
    node = await nodes.get(request.db, rights, number_of(folder))
    if not node.is_folder:
        raise NodeNotFound(folder)
    with preconditions():
        if node.kind is NodeKind.PACKAGE and await nodes.children(request.db, node):
            rights.require(Right.DELETE, node)
            raise FolderNotEmpty(node.name)
        await actions.delete(*request.governing, node.id)


@delete("/v2/repository/files/{file:str}", status=200, pair=_VIEW)
async def delete_file(request: Asking, file: Id) -> None:
    """Delete a file, or a bot with all its versions; one of several tasks of a package is not."""
    with preconditions():
        await actions.delete(*request.governing, number_of(file))


@get("/v2/repository/files/{file:str}", pair=_VIEW)
async def get_file(request: Asking, file: Id) -> File:
    """Get what is known of a file, a bot or a folder."""
    return await told_file(request, number_of(file))


async def told_bot(request: Asking, number: int) -> Bot:
    """Something by its number, for who may see it. Raises NodeNotFound."""
    rights = await rights_of(request.db, request.actor)
    return bot_of(rights)(await _row(request, rights, number))


async def told_file(request: Asking, number: int) -> File:
    """Likewise."""
    rights = await rights_of(request.db, request.actor)
    [told] = await _files(request, rights, [await _row(request, rights, number)])
    return told


async def _row(request: Asking, rights: Rights, number: int) -> ListedNode:
    asked = Asked(filter=equal(number=number), length=1)
    rows = await pages.rows(request.db, ListedNode, FILES.listing, rights.seen(), asked)
    if not rows:
        raise NodeNotFound(number)
    return rows[0]
