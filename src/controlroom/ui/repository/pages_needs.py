"""What a task or file needs of other files, as people say it: exports take that along."""

from typing import Final

from controlroom.engine.repository import dependencies, nodes
from controlroom.engine.repository.errors import NodeNotFound
from controlroom.engine.repository.model import Dependency, Node, NodeKind, Right
from controlroom.engine.repository.rights import Rights, rights_of
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown
from controlroom.ui.numbers import typed_number
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.repository.pages import ICONS, crumbs_of, node_of
from controlroom.ui.rights import held
from controlroom.ui.routing import page, verb

_NEEDS: Final = (NodeKind.FILE, NodeKind.TASK)
_MOST: Final = 200
"""Things beside it that are offered to be ticked; of more, others are named by their numbers."""


@page("/repository/{number:str}/needs", needs=Permission.READ_PACKAGES, is_read=True)
async def show_needs(request: Asking, number: Path[str]) -> Shown:
    """What it needs, what that needs in turn, and what needs it."""
    rights, node = await node_of(request, number)
    needed = await dependencies.needed_by(request.db, rights, node)
    said = [("need", str(each.node.number)) for each in needed if each.needed_by == node.id]
    return await _show(request, rights, node, Fields(said))


@verb("/repository/{number:str}/needs", may=held(Right.UPDATE))
async def set_needs(request: Asking, number: Path[str]) -> Shown:
    """Say what it needs: what is ticked, and what is named."""
    fields = await request.fields()
    rights, node = await node_of(request, number)
    before = await dependencies.needed_by(request.db, rights, node)
    _, refused = await tried(_set(request, node, fields))
    if refused:
        return await _show(request, rights, node, fields, refused=refused)
    here = f"{request.base}/repository/{number}/needs"
    was = " ".join(str(each.node.number) for each in before if each.needed_by == node.id)
    return request.done(here, f"What {node.name} needs is changed.", undo=here, undo_with={"others": was})


async def _set(request: Asking, node: Node, fields: Fields) -> list[Dependency]:
    """Raises Invalid, NodeNotFound."""
    named = dict.fromkeys([*fields.texts("need"), *fields.words("others")])
    return await dependencies.set_needed(*request.governing, node.id, [typed_number(each) for each in named])


async def _show(request: Asking, rights: Rights, node: Node, fields: Fields, *, refused: str = "") -> Shown:
    if node.kind not in _NEEDS:
        raise NodeNotFound(str(node.number))
    needed = await dependencies.needed_by(request.db, rights, node)
    ticked = set(fields.texts("need"))
    return await request.show(
        "repository/needs.html",
        title=f"What {node.name} needs",
        at="repository",
        crumbs=crumbs_of(request, node, [], "Needs"),
        status=REFUSED if refused else 200,
        node=node,
        here=f"{request.base}/repository/{node.number}/needs",
        needed=needed,
        names={each.node.id: each.node.name for each in needed} | {node.id: node.name},
        needing=await dependencies.needing(request.db, rights, node),
        offered=await _offered(request, node, needed),
        ticked=ticked,
        typed=fields.text("others"),
        may_update=Right.UPDATE in rights.of(node),
        icons=ICONS,
        refused=refused,
    )


async def _offered(request: Asking, node: Node, needed: list[Dependency]) -> list[Node]:
    """What it is said to need, wherever that lies, and what lies beside it."""
    rights = await rights_of(request.db, request.actor)
    said = [each.node for each in needed if each.needed_by == node.id]
    beside: list[Node] = []
    if node.parent_number is not None:
        above, _ = await tried(nodes.get(request.db, rights, node.parent_number))
        beside = await nodes.children(request.db, above) if above is not None else []
    known = {each.id for each in said} | {node.id}
    fit = [each for each in beside if each.id not in known and each.kind in _NEEDS and Right.VIEW in rights.of(each)]
    return [*said, *sorted(fit, key=lambda each: each.name.casefold())[:_MOST]]
