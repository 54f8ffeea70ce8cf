"""The repository of the workspace as a tree: folders, packages with their tasks, and files; each with its verbs."""

from enum import Enum
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from litestar.response import Stream

from controlroom.border.forms import form_of
from controlroom.engine.access import history
from controlroom.engine.analyses.actions import policy_of
from controlroom.engine.analyses.store import folder_policy
from controlroom.engine.repository import actions, contents, nodes, restoring, stored_versions
from controlroom.engine.repository.errors import NodeNotFound
from controlroom.engine.repository.model import Node, NodeKind, Right
from controlroom.engine.repository.rights import Rights, is_container, rights_of
from controlroom.ids import PackageId
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.code_policies.pages import offered
from controlroom.ui.entrance import Moved
from controlroom.ui.numbers import id_of
from controlroom.ui.pickers.picker import PickRefused
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.repository import folders
from controlroom.ui.rights import held
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(
    at="repository",
    name="Repository",
    path="/repository",
    is_rare=True,
    icon="repository",
    needs=Permission.READ_PACKAGES,
)
ICONS: Final = {
    NodeKind.WORKSPACE: "repository",
    NodeKind.FOLDER: "repository",
    NodeKind.PACKAGE: "packages",
    NodeKind.TASK: "start",
    NodeKind.FILE: "assets",
}
_ORDER: Final = {NodeKind.FOLDER: 0, NodeKind.PACKAGE: 1, NodeKind.TASK: 2, NodeKind.FILE: 3}


class Editing(Enum):
    """What somebody may do about who edits a file."""

    BEGIN = "begin"
    TAKE_BACK = "take_back"


_ROOTS: Final = (NodeKind.WORKSPACE, NodeKind.ROOT)
_TITLES: Final = {NodeKind.WORKSPACE: "Repository", NodeKind.ROOT: "What I have checked out"}
_CHECKED_OUT: Final = (NodeKind.FILE, NodeKind.PACKAGE)
_MOST: Final = 500
MOST_VERSIONS: Final = 100


@page("/repository", needs=Permission.READ_PACKAGES)
async def show_root(request: Asking) -> Shown:
    """What lies directly in the workspace."""
    rights = await rights_of(request.db, request.actor)
    return await _show(request, rights, await nodes.get(request.db, rights, request.workspace))


@page("/repository/mine", needs=Permission.READ_PACKAGES)
async def show_own(request: Asking) -> Shown:
    """The actor's own tree: copies of what they have checked out, and files that nobody else sees."""
    rights = await rights_of(request.db, request.actor)
    if rights.owner is None:
        raise NodeNotFound("mine")
    return await _show(request, rights, await nodes.get(request.db, rights, rights.owner))


@page("/repository/{number:str}", needs=Permission.READ_PACKAGES)
async def show_node(request: Asking, number: Path[str]) -> Shown:
    """A folder with what lies in it, or a file. Packages and tasks have a page of their own."""
    rights, node = await node_of(request, number)
    if node.kind in _ROOTS:
        raise Moved(f"{request.base}/repository{'/mine' if node.kind is NodeKind.ROOT else ''}")
    if node.kind in {NodeKind.PACKAGE, NodeKind.TASK}:
        raise Moved(f"{request.base}/packages/{node.container_id}")
    if number != str(node.number):
        raise Moved(f"{request.base}/repository/{node.number}")
    return await _show(request, rights, node)


@page("/repository/{number:str}/content", needs=Permission.READ_PACKAGES)
async def fetch_content(request: Asking, number: Path[str]) -> Stream:
    """The bytes of a file: as a download, which no browser opens in our name."""
    _, node = await node_of(request, number, Right.DOWNLOAD)
    asked = request.query_params.get("version", "")
    version = int(asked) if asked.isdecimal() and asked.isascii() and len(asked) < 11 else None  # noqa: PLR2004 - 32 bits
    found = await contents.content(request.db, node, version)
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(node.name)}",
        "content-length": str(found.size),
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox",
    }
    return Stream(request.engine.objects.stream(found.hash), media_type="application/octet-stream", headers=headers)


@verb("/repository/{number:str}/folder", may=held(Right.UPDATE))
async def create_folder(request: Asking, number: Path[str]) -> Shown:
    """A folder in this one."""
    fields = await request.fields()
    rights, node = await node_of(request, number, Right.UPDATE)
    made, refused = await tried(actions.create_folder(*request.governing, node.id, fields.text("name")))
    if made is None:
        return await _show(request, rights, node, fields=fields, refused=refused)
    return request.done(f"{request.base}/repository/{made.number}", f"The folder {made.name} is made.")


@verb("/repository/{number:str}/upload", request_max_body_size=None, may=held(Right.UPDATE))
async def upload_file(request: Asking, number: Path[str]) -> Shown:
    """A file in this folder, or the next version of this file; a zip with a robot.yaml becomes a package."""
    rights, node = await node_of(request, number, Right.UPDATE)
    form = form_of(request.headers.get("content-type") or "", request.stream(), file="file")
    blob = await request.engine.objects.put(form.content(), max_size=request.engine.limits.package_bytes)
    name = form.file_name.replace("\\", "/").rpartition("/")[2]
    target: UUID = node.id
    if node.is_folder:
        file, refused = await tried(actions.create_file(*request.governing, node.id, name))
        if file is None:
            return await _show(request, rights, node, refused=refused)
        target = file.id
    after, refused = await tried(contents.put(*request.governing, target, blob))
    if after is None:
        return await _show(request, rights, node, refused=refused)
    return request.done(f"{request.base}/repository/{after.number}", f"{after.name} has version {after.version}.")


@page("/repository/{number:str}/edit", needs=Permission.READ_PACKAGES)
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Its name and its description."""
    _, node = await node_of(request, number)
    pairs = [("name", node.name), ("description", node.description), ("folder", str(node.parent_number or ""))]
    return await _form(request, node, Fields(pairs))


@verb("/repository/{number:str}/edit", may=held(Right.UPDATE))
async def edit_node(request: Asking, number: Path[str]) -> Shown:
    """Rename, describe and move it."""
    fields = await request.fields()
    _, node = await node_of(request, number, Right.UPDATE)
    try:
        parent = await folders.chosen(request, node, fields.text("folder"))
    except PickRefused as wrong:
        return await _form(request, node, fields, refused=said(wrong))
    _, refused = await tried(
        actions.edit(
            *request.governing,
            node.id,
            name=fields.text("name"),
            description=fields.text("description"),
            parent=parent,
        )
    )
    if refused:
        return await _form(request, node, fields, refused=refused)
    here = f"{request.base}/repository/{number}"
    before = {"name": node.name, "description": node.description or ""}
    return request.done(here, "It is changed.", undo=f"{here}/edit", undo_with=before)


@page("/repository/{number:str}/delete", needs=Permission.READ_PACKAGES)
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """What is lost."""
    _, node = await node_of(request, number)
    return await _question(request, node)


@verb("/repository/{number:str}/delete", may=held(Right.DELETE))
async def delete_node(request: Asking, number: Path[str]) -> Shown:
    """Delete an empty folder, or a file; a half minute's Undo has it there again."""
    _, node = await node_of(request, number, Right.DELETE)
    _, refused = await tried(actions.delete(*request.governing, node.id))
    if refused:
        return await _question(request, node, refused=refused)
    above = f"/{node.parent_number}" if node.parent_number and len(node.path) > 2 else ""  # noqa: PLR2004 - workspace, itself
    undo = f"{request.base}/repository/{node.id}/restore"
    return request.done(f"{request.base}/repository{above}", f"{node.name} is deleted.", undo=undo)


@verb("/repository/{number:str}/restore", may=Permission.READ_PACKAGES)
async def restore_node(request: Asking, number: Path[str]) -> Shown:
    """Have a folder or file again that was deleted."""
    found = await restoring.restore(*request.governing, id_of(number), here=request.workspace)
    return request.done(f"{request.base}/repository/{found.number}", f"{found.name} is there again.")


async def node_of(request: Asking, named: str, right: Right = Right.VIEW) -> tuple[Rights, Node]:
    """What an address names in this workspace. Raises NodeNotFound, RightMissing."""
    rights = await rights_of(request.db, request.actor)
    node = await nodes.get(request.db, rights, named, right)
    is_own = node.owner_id is not None and node.owner_id == rights.owner
    if node.workspace_id != request.workspace and not is_own:
        raise NodeNotFound(named)
    request.holds_rights(rights.of(node))
    request.holds_rights(_editing(request, rights, node))
    return rights, node


def _editing(request: Asking, rights: Rights, node: Node) -> set[Editing]:
    """What the actor may do about who edits a file."""
    found = set()
    is_taken = node.locked_by is not None
    is_there = node.workspace_id is not None and node.kind in _CHECKED_OUT and rights.owner is not None
    if is_there and not is_taken and {Right.UPDATE, Right.CLONE} <= rights.of(node):
        found.add(Editing.BEGIN)
    if is_taken and (
        node.locked_by == rights.owner or request.actor.may(Permission.WRITE_WORKSPACE, request.workspace)
    ):
        found.add(Editing.TAKE_BACK)
    return found


async def _show(
    request: Asking, rights: Rights, node: Node, *, fields: Fields | None = None, refused: str = ""
) -> Shown:
    seen = request.scope_for(Permission.READ_PACKAGES)
    below = await nodes.children(request.db, node) if node.is_folder else []
    above = await nodes.find_all(request.db, node.organization_id, node.above[:-1]) if node.above else []
    held = rights.of(node)
    request.holds_rights(held)
    return await request.show(
        "repository/node.html",
        title=_TITLES.get(node.kind, node.name),
        at="repository",
        crumbs=crumbs_of(request, node, above),
        status=REFUSED if refused else 200,
        node=node,
        here=f"{request.base}/repository/{node.number}",
        children=sorted(below, key=lambda each: (_ORDER.get(each.kind, 9), each.name.lower()))[:_MOST],
        is_cut=len(below) > _MOST,
        icons=ICONS,
        fields=fields or Fields([]),
        changes=await history.changes_of(request.db, seen, node.id),
        may_update=Right.UPDATE in held,
        may_delete=Right.DELETE in held and node.kind not in _ROOTS,
        is_root=node.kind in _ROOTS,
        is_own=node.owner_id is not None,
        own_tree=rights.owner is not None and node.kind is NodeKind.WORKSPACE,
        **await _of_file(request, rights, node),
        **await _policy_of(request, node),
        may_grant=node.owner_id is None and is_container(node) and request.actor.may(Permission.WRITE_ROLES, None),
        refused=refused,
    )


async def checked_out(request: Asking, rights: Rights, node: Node) -> dict[str, Any]:
    """Who edits a file or package, the copies of the actor who does, and what they may do about that."""
    mine = node.locked_by is not None and node.locked_by == rights.owner
    return {
        "is_checked_out": node.locked_by is not None,
        "editor": await nodes.editor_of(request.db, node) if node.locked_by else "",
        "copies": await nodes.copies_of(request.db, node, rights.owner) if mine and rights.owner else [],
        "may_check_out": Editing.BEGIN in request.asker.held,
        "may_unlock": Editing.TAKE_BACK in request.asker.held,
    }


async def who_edits(request: Asking, package: PackageId) -> dict[str, Any]:
    """Likewise of a package, on its own page; nothing for who may not view where it lies."""
    rights = await rights_of(request.db, request.actor)
    node = await nodes.find(request.db, rights.organization, package)
    if node is None or Right.VIEW not in rights.of(node):
        return {"is_checked_out": False, "copies": [], "may_check_out": False, "may_unlock": False}
    request.holds_rights(rights.of(node))
    request.holds_rights(_editing(request, rights, node))
    return await checked_out(request, rights, node)


async def _of_file(request: Asking, rights: Rights, node: Node) -> dict[str, Any]:
    """What the page of a file tells beside: its versions, who edits it, and what the actor may do about that."""
    held = rights.of(node)
    is_file = node.kind is NodeKind.FILE
    return {
        **await checked_out(request, rights, node),
        "versions": await stored_versions.versions(request.db, node, limit=MOST_VERSIONS) if is_file else [],
        "is_copy": node.owner_id is not None and node.copied_from is not None,
        "may_copy": is_file and Right.CLONE in held,
    }


async def _policy_of(request: Asking, node: Node) -> dict[str, Any]:
    """By which code policy packages in a folder of the workspace are read, and which ones may be given to it."""
    if node.kind is not NodeKind.FOLDER or node.workspace_id is None:
        return {"policy": None, "own_policy": None, "policies": None}
    seen = request.scope_for(Permission.READ_PACKAGES)
    own = await folder_policy(request.db, seen, node.id)
    return {
        "policy": await policy_of(request.engine, seen, node.id),
        "own_policy": own,
        "policies": await offered(request, None if own is None else own.id),
    }


def crumbs_of(request: Asking, node: Node, above: list[Node], last: str = "") -> list[Crumb]:
    """The way to something in the repository."""
    root = Crumb("Repository", f"{request.base}/repository")
    if node.kind is NodeKind.WORKSPACE:
        return [root, *([Crumb(last)] if last else [])]
    if node.kind is NodeKind.ROOT:
        return [root, Crumb("What I have checked out")]
    places = {each.id: each for each in above}
    between = [
        Crumb(places[id_].name, f"{request.base}/repository/{places[id_].number}")
        for id_ in node.above[:-1]
        if id_ in places and places[id_].kind is NodeKind.FOLDER
    ]
    its = Crumb(node.name, f"{request.base}/repository/{node.number}" if last else "")
    if node.owner_id is not None:
        between.insert(0, Crumb("What I have checked out", f"{request.base}/repository/mine"))
    return [root, *between, its, *([Crumb(last)] if last else [])]


async def _form(request: Asking, node: Node, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "repository/form.html",
        title=f"Edit {node.name}",
        at="repository",
        crumbs=crumbs_of(request, node, [], "Edit"),
        status=REFUSED if refused else 200,
        node=node,
        folder=await folders.offered(request, node, fields.text("folder")),
        fields=fields,
        refused=refused,
    )


async def _question(request: Asking, node: Node, *, refused: str = "") -> Shown:
    below: list[Any] = await nodes.children(request.db, node) if node.is_folder else []
    return await request.show(
        "repository/delete.html",
        title=f"Delete {node.name}",
        at="repository",
        crumbs=crumbs_of(request, node, [], "Delete"),
        status=REFUSED if refused else 200,
        node=node,
        below=below,
        refused=refused,
    )
