"""Who edits what in the repository, what it was before, and who may do what in a folder."""

import difflib
from typing import Final

from controlroom.engine.repository import checkouts, contents, granting
from controlroom.engine.repository.errors import NodeNotFound
from controlroom.engine.repository.model import Node, NodeKind, Right
from controlroom.engine.repository.rights import is_container
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown
from controlroom.ui.pickers.picker import PickRefused
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.repository import folders
from controlroom.ui.repository.pages import Editing, crumbs_of, node_of
from controlroom.ui.rights import held, in_organization
from controlroom.ui.routing import page, verb

_READS: Final = Permission.READ_PACKAGES
_SHOWN_BYTES: Final = 256 * 1024
"""Of a version that is compared in the page."""
_MOST_LINES: Final = 5000
"""Of a version that is compared. Why: what takes longer than a moment to compare would hold everybody up."""


# ---------------------------------------------------------------------------------------------------- who edits
@verb("/repository/{number:str}/check-out", may=held(Editing.BEGIN))
async def check_out(request: Asking, number: Path[str]) -> Shown:
    """Let nobody else change it meanwhile; whoever does so gets a copy of their own."""
    _, node = await node_of(request, number)
    copy = await checkouts.check_out(*request.governing, node.id)
    return request.done(
        f"{request.base}/repository/{copy.number}", f"{node.name} is checked out. This is your copy: give it a version."
    )


@verb("/repository/{number:str}/check-in", may=held(Right.UPDATE))
async def check_in(request: Asking, number: Path[str]) -> Shown:
    """What the copy holds is the next version of what it was made of."""
    _, node = await node_of(request, number)
    original = await checkouts.check_in(*request.governing, node.id)
    return request.done(_where(request, original), f"{original.name} has version {original.version}.")


@verb("/repository/{number:str}/unlock", may=held(Editing.TAKE_BACK))
async def take_back(request: Asking, number: Path[str]) -> Shown:
    """Take a check-out back: others may change it again. The copy stays its user's."""
    _, node = await node_of(request, number)
    freed = await checkouts.unlock(*request.governing, node.id)
    return request.done(_where(request, freed), f"{freed.name} is not checked out any more.")


def _where(request: Asking, node: Node) -> str:
    """The page of a node, in its workspace: what somebody has checked out stands in each of theirs."""
    found = request.workspaces.find(str(node.workspace_id))
    return f"{request.base if found is None else f'/w/{found[0]}'}/repository/{node.number}"


# ---------------------------------------------------------------------------------------------------- its versions
@page("/repository/{number:str}/versions/{version:int}", needs=_READS)
async def show_difference(request: Asking, number: Path[str], version: Path[int]) -> Shown:
    """What a version has changed against the one before it, or another (`against`), line by line."""
    _, node = await node_of(request, number, Right.DOWNLOAD)
    asked = request.query_params.get("against", "")
    is_number = asked.isdecimal() and asked.isascii() and len(asked) < 11  # noqa: PLR2004 - 32 bits
    against = int(asked) if is_number else version - 1
    before = await _lines(request, node, against) if against > 0 else []
    after = await _lines(request, node, version)
    return await request.show(
        "repository/difference.html",
        title=f"{node.name}, version {version}",
        at="repository",
        crumbs=crumbs_of(request, node, [], f"Version {version}"),
        node=node,
        here=f"{request.base}/repository/{node.number}",
        version=version,
        against=against,
        hunks=None if before is None or after is None else _hunks(before, after),
        may_go_back=version != node.version and Right.UPDATE in (await node_of(request, number))[0].of(node),
    )


@verb("/repository/{number:str}/versions/{version:int}/go-back", may=held(Right.UPDATE))
async def go_back(request: Asking, number: Path[str], version: Path[int]) -> Shown:
    """Let what it held then be its next version."""
    _, node = await node_of(request, number)
    after = await contents.go_back(*request.governing, node.id, version)
    said = f"Version {after.version} holds what version {version} held."
    return request.done(f"{request.base}/repository/{after.number}", said)


@verb("/repository/{number:str}/labels", may=held(Right.UPDATE))
async def set_label(request: Asking, number: Path[str]) -> Shown:
    """Give a version a name, which leaves the version that bore it."""
    fields = await request.fields()
    _, node = await node_of(request, number)
    version = fields.text("version")
    wanted = int(version) if version.isdecimal() and version.isascii() and len(version) < 11 else 0  # noqa: PLR2004 - 32 bits
    await contents.set_label(*request.governing, node.id, fields.text("label"), wanted)
    return request.done(f"{request.base}/repository/{number}", f"Version {wanted} is {fields.text('label')}.")


async def _lines(request: Asking, node: Node, version: int) -> list[str] | None:
    """A version as lines; None for what is no text, or too much of it."""
    found = await contents.content(request.db, node, version)
    if found.size > _SHOWN_BYTES:
        return None
    try:
        lines = (await request.engine.objects.read(found.hash)).decode().splitlines()
    except UnicodeDecodeError:
        return None
    return lines if len(lines) <= _MOST_LINES else None


def _hunks(before: list[str], after: list[str]) -> list[tuple[str, str]]:
    """Lines of a difference: `come`, `gone`, `same`, and `place` where lines are left out."""
    kinds = {"+": "come", "-": "gone", " ": "same"}
    told = list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]
    return [("place", _line_of(line)) if line.startswith("@@") else (kinds[line[0]], line[1:]) for line in told]


def _line_of(head: str) -> str:
    """At which line of the later version a part begins, as `@@ -1,3 +1,4 @@` says it."""
    return head.split("+")[1].split(" ", maxsplit=1)[0].split(",", maxsplit=1)[0]


# ---------------------------------------------------------------------------------------------------- copies
@page("/repository/{number:str}/copy", needs=_READS)
async def ask_to_copy(request: Asking, number: Path[str]) -> Shown:
    """Its name and its folder."""
    _, node = await node_of(request, number, Right.CLONE)
    pairs = [("name", f"{node.name} (copy)"), ("folder", str(node.parent_number or ""))]
    return await _copy_form(request, node, Fields(pairs))


@verb("/repository/{number:str}/copy", may=held(Right.CLONE))
async def copy_file(request: Asking, number: Path[str]) -> Shown:
    """A file of its own, with what this one holds now."""
    fields = await request.fields()
    _, node = await node_of(request, number)
    try:
        folder = await folders.chosen(request, node, fields.text("folder"))
    except PickRefused as wrong:
        return await _copy_form(request, node, fields, refused=said(wrong))
    made, refused = await tried(contents.copy(*request.governing, node.id, fields.text("name"), folder))
    if made is None:
        return await _copy_form(request, node, fields, refused=refused)
    return request.done(f"{request.base}/repository/{made.number}", f"{made.name} is made.")


async def _copy_form(request: Asking, node: Node, fields: Fields, *, refused: str = "") -> Shown:
    return await request.show(
        "repository/copy.html",
        title=f"Copy {node.name}",
        at="repository",
        crumbs=crumbs_of(request, node, [], "Copy"),
        status=REFUSED if refused else 200,
        node=node,
        folder=await folders.offered(request, node, fields.text("folder")),
        fields=fields,
        refused=refused,
    )


# ---------------------------------------------------------------------------------------------------- rights
@page("/repository/{number:str}/rights", needs=_READS)
async def show_rights(request: Asking, number: Path[str]) -> Shown:
    """What each role may do in a folder, and where that is said."""
    _, node = await node_of(request, number)
    if node.owner_id is not None or not is_container(node):
        raise NodeNotFound(number)
    told = await granting.roles_in(*request.governing, node.id)
    return await request.show(
        "repository/rights.html",
        title=f"Rights in {node.name}",
        at="repository",
        crumbs=[*crumbs_of(request, node, [], ""), Crumb("Rights")],
        node=node,
        here=f"{request.base}/repository/{node.number}",
        rights=list(Right),
        roles=told,
        is_root=node.kind is NodeKind.WORKSPACE,
    )


@verb("/repository/{number:str}/rights", may=in_organization(Permission.WRITE_ROLES))
async def set_rights(request: Asking, number: Path[str]) -> Shown:
    """Give a role just the rights that are ticked, or let the folder above say."""
    fields = await request.fields()
    _, node = await node_of(request, number)
    role = fields.text("role")
    if fields.has("clear"):
        await granting.clear_rights(*request.governing, role, node.id)
        said = "The folder above says again what the role may do."
    else:
        ticked = fields.texts("right")
        given = {right: right.value in ticked for right in Right}
        await granting.set_rights(*request.governing, role, [(node.id, given)])
        said = "The rights of the role are changed, here and in what lies below."
    return request.done(f"{request.base}/repository/{node.number}/rights", said)
