"""The repository (our own management API): folders and files beside task packages, check-outs, labels, needs, rights.

All that lies in the workspace of the address, and in the caller's own tree.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from controlroom.border.asking import Asking, Body, Path, Permission, Query
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Reference, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import AllOf, AnyOf, Asked, behind, equal
from controlroom.engine.repository import actions, checkouts, contents, dependencies, granting, nodes
from controlroom.engine.repository.granting import FolderRights
from controlroom.engine.repository.model import Dependency, ListedNode, Node, NodeKind, Right
from controlroom.engine.repository.rights import Rights, rights_of
from controlroom.ids import RoleId

_NODES: Final = nodes.listing(
    nodes.Words(root="", root_name="", separator="/", folder_type="", task_type="", label="production")
)


class NodeAnswer(Shape, frozen=True, kw_only=True):
    """A folder, file, task package or task."""

    id: UUID
    number: int
    kind: NodeKind
    name: str
    path: str
    """Names from the workspace on, each behind a slash."""
    parent_id: UUID | None
    is_private: bool
    """In a user's own tree, which nobody else sees."""
    content_type: str
    description: str
    size: int
    version: int
    """The latest one; 0: there is no content."""
    has_errors: bool
    is_locked: bool
    """Somebody has checked it out."""
    created_at: datetime
    updated_at: datetime


class CreateFolder(OwnBody, frozen=True):
    """A folder in another one, or directly in the workspace."""

    name: str
    parent: Reference | None = None


class EditNode(OwnBody, frozen=True):
    """What to change; what is left out stays. A task package's only task stands for it."""

    name: str | None = None
    description: str | None = None
    parent: Reference | None = None


class SetFileLabel(OwnBody, frozen=True):
    """Which version shall bear a label."""

    version: int


class SetNeeds(OwnBody, frozen=True):
    """All that a task or file needs from now on."""

    needs: list[Reference]


class NeedAnswer(Shape, frozen=True, kw_only=True):
    """Something that is needed, and by what."""

    id: UUID
    name: str
    path: str
    needed_by: UUID


class SetRights(OwnBody, frozen=True, kw_only=True):
    """Rights of a role in a folder: true gives, false takes, what is left out stays."""

    view: bool | None = None
    run: bool | None = None
    update: bool | None = None
    download: bool | None = None
    delete: bool | None = None
    clone: bool | None = None


class RightsAnswer(Shape, frozen=True, kw_only=True):
    """What holders of a role may do in a folder, and below it where no nearer folder says otherwise."""

    folder_id: UUID
    rights: list[Right]
    is_inherited: bool
    """Said of a folder above, or of none."""


@get("/repository", needs=Permission.READ_PACKAGES)
async def list_repository(
    request: Asking,
    paging: Pages,
    parent: Query[UUID | None] = None,
    kind: Query[NodeKind | None] = None,
    at: Query[str | None] = None,
) -> Page[NodeAnswer]:
    """List what lies in the workspace and in your own tree: all of it, one folder's, one kind, or what is at a path."""
    rights = await rights_of(request.db, request.actor)
    places = [equal(workspace_id=request.workspace)]
    if rights.owner is not None:
        places.append(equal(owner_id=rights.owner))
    wanted = AllOf((AnyOf(tuple(places)), equal(parent_id=parent, kind=kind, path=at)))
    asked = Asked(filter=wanted, start=behind(paging.position(UUID)), length=paging.fetch)
    rows = await pages.rows(request.db, ListedNode, _NODES, rights.seen(), asked)
    return paging.page(rows, _show)


@post("/repository/folders")
async def create_repository_folder(request: Asking, data: Body[CreateFolder]) -> NodeAnswer:
    """Create a folder."""
    parent = request.workspace if data.parent is None else data.parent.id
    return _shown(await actions.create_folder(*request.governing, parent, data.name))


@get("/repository/{node_id:uuid}", needs=Permission.READ_PACKAGES)
async def get_repository_node(request: Asking, node_id: Path[UUID]) -> NodeAnswer:
    """Get a folder, file, task package or task."""
    return _shown(await nodes.get(request.db, await _rights(request), node_id))


@post("/repository/{node_id:uuid}")
async def edit_repository_node(request: Asking, node_id: Path[UUID], data: Body[EditNode]) -> NodeAnswer:
    """Rename, describe or move a folder, file or task package."""
    parent = None if data.parent is None else data.parent.id
    edited = await actions.edit(
        *request.governing, node_id, name=data.name, description=data.description, parent=parent
    )
    return _shown(edited)


@delete("/repository/{node_id:uuid}", needs=Permission.READ_PACKAGES)
async def delete_repository_node(request: Asking, node_id: Path[UUID]) -> Deleted:
    """Delete an empty folder, a file, or a task package."""
    return await Deleted.after(node_id, actions.delete(*request.governing, node_id))


@post("/repository/{node_id:uuid}/check-out")
async def check_out_repository_node(request: Asking, node_id: Path[UUID]) -> NodeAnswer:
    """Lock a file or task package; the answer is the copy in your own tree. Takes a user, not a workspace's key."""
    return _shown(await checkouts.check_out(*request.governing, node_id))


@post("/repository/{node_id:uuid}/check-in")
async def check_in_repository_node(request: Asking, node_id: Path[UUID]) -> NodeAnswer:
    """Make the content of a copy the next version of what was checked out, which is free again."""
    return _shown(await checkouts.check_in(*request.governing, node_id))


@post("/repository/{node_id:uuid}/unlock")
async def unlock_repository_node(request: Asking, node_id: Path[UUID]) -> NodeAnswer:
    """Take a check-out back; another's takes the writing of the workspace."""
    return _shown(await checkouts.unlock(*request.governing, node_id))


@post("/repository/{node_id:uuid}/copies")
async def copy_repository_node(request: Asking, node_id: Path[UUID], data: Body[CreateFolder]) -> NodeAnswer:
    """Copy a file or task package, in the same folder or another."""
    parent = None if data.parent is None else data.parent.id
    return _shown(await contents.copy(*request.governing, node_id, data.name, parent))


@post("/repository/{node_id:uuid}/labels/{label:str}")
async def set_repository_label(
    request: Asking, node_id: Path[UUID], label: Path[str], data: Body[SetFileLabel]
) -> NodeAnswer:
    """Give a label to a version of a file or task package; another one that bears it loses it."""
    return _shown(await contents.set_label(*request.governing, node_id, label, data.version))


@get("/repository/{node_id:uuid}/needs", needs=Permission.READ_PACKAGES)
async def list_repository_needs(request: Asking, node_id: Path[UUID]) -> list[NeedAnswer]:
    """List what a task or file needs, however far."""
    rights = await _rights(request)
    node = await nodes.get(request.db, rights, node_id)
    return [_need(each) for each in await dependencies.needed_by(request.db, rights, node)]


@post("/repository/{node_id:uuid}/needs")
async def set_repository_needs(request: Asking, node_id: Path[UUID], data: Body[SetNeeds]) -> list[NeedAnswer]:
    """Say what a task or file needs, instead of what was said before."""
    needed = [each.id for each in data.needs]
    return [_need(each) for each in await dependencies.set_needed(*request.governing, node_id, needed)]


@get("/repository/{node_id:uuid}/rights/{role_id:uuid}", needs=Permission.READ_MEMBERS)
async def get_repository_rights(request: Asking, node_id: Path[UUID], role_id: Path[RoleId]) -> RightsAnswer:
    """Get what a role may do in a folder. Takes the editing of roles in the organization."""
    [found] = await granting.rights_in(*request.governing, role_id, node_id)
    return _rights_shown(found)


@post("/repository/{node_id:uuid}/rights/{role_id:uuid}")
async def set_repository_rights(
    request: Asking, node_id: Path[UUID], role_id: Path[RoleId], data: Body[SetRights]
) -> RightsAnswer:
    """Give a role rights in a folder, and take others."""
    asked = {right: getattr(data, right.value) for right in Right}
    given = {right: on for right, on in asked.items() if on is not None}
    [found] = await granting.set_rights(*request.governing, role_id, [(node_id, given)])
    return _rights_shown(found)


@delete("/repository/{node_id:uuid}/rights/{role_id:uuid}", needs=Permission.READ_MEMBERS)
async def clear_repository_rights(request: Asking, node_id: Path[UUID], role_id: Path[RoleId]) -> Deleted:
    """Let what is said of the folder above hold again."""
    return await Deleted.after(node_id, granting.clear_rights(*request.governing, role_id, node_id))


async def _rights(request: Asking) -> Rights:
    return await rights_of(request.db, request.actor)


def _need(found: Dependency) -> NeedAnswer:
    node = found.node
    return NeedAnswer(id=node.id, name=node.name, path=_path(node), needed_by=found.needed_by)


def _rights_shown(found: FolderRights) -> RightsAnswer:
    return RightsAnswer(folder_id=found.folder_id, rights=sorted(found.rights), is_inherited=found.is_inherited)


def _path(node: Node) -> str:
    return "".join(f"/{name}" for name in node.path)


_show = shown_as(
    NodeAnswer,
    ListedNode,
    is_private=lambda row: row.owner_id is not None,
    is_locked=lambda row: row.locked_by_number is not None,
)
_shown = shown_as(
    NodeAnswer,
    Node,
    path=_path,
    is_private=lambda node: node.owner_id is not None,
    is_locked=lambda node: node.locked_by is not None,
)
