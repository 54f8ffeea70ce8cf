"""Workspaces of the organization, for who makes them."""

from collections.abc import Mapping
from typing import Final

from controlroom.engine.access.model import Permission
from controlroom.engine.workspaces import actions, store
from controlroom.engine.workspaces.model import Workspace
from controlroom.errors import NotFound
from controlroom.ui.asking import Asking, Crumb, Path, Shown
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.rights import Asker, every, in_organization
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(
    at="workspaces",
    name="Workspaces",
    path="/admin/workspaces",
    icon="organization",
    needs=Permission.WRITE_WORKSPACES,
    is_above=True,
)
_ABOVE: Final = {"above_workspaces": True}


def _may_rename(asker: Asker, named: Mapping[str, str]) -> bool:
    found = asker.workspaces.find(named["slug"]) if asker.workspaces else None
    return found is not None and asker.actor is not None and asker.actor.may(Permission.WRITE_WORKSPACE, found[1].id)


_MAY_DELETE: Final = every(_may_rename, in_organization(Permission.WRITE_WORKSPACES))


@page("/admin/workspaces", opt=_ABOVE, is_read=True)
async def list_workspaces(request: Asking) -> Shown:
    """Those that the actor has a place in: all of them, for admins."""
    return await request.show(
        "workspaces/list.html",
        title="Workspaces",
        at="workspaces",
        crumbs=[Crumb("Workspaces")],
        organization=await store.founded(request.db, request.actor.organization_id),
        of=request.workspaces.slugs,
        can_make=request.actor.may(Permission.WRITE_WORKSPACES, None),
    )


@verb("/admin/workspaces", opt=_ABOVE, may=in_organization(Permission.WRITE_WORKSPACES))
async def create_workspace(request: Asking) -> Shown:
    """Make one; who makes it owns it."""
    fields = await request.fields()
    made = await actions.create(*request.governing, fields.text("name"))
    return request.done(f"/w/{made.number}", f"{made.name} is there. Link a worker, push a robot, invite people.")


@verb("/admin/organization/rename", opt=_ABOVE, may=in_organization(Permission.WRITE_WORKSPACES))
async def rename_organization(request: Asking) -> Shown:
    """Call the organization otherwise: people read it beside its workspaces, programs go by its number."""
    fields = await request.fields()
    before = await store.founded(request.db, request.actor.organization_id)
    renamed = await actions.rename_organization(*request.governing, fields.text("organization"))
    undo_with = {"organization": before.name}
    said = f"The organization is called {renamed.name} now."
    return request.done("/admin/workspaces", said, undo="/admin/organization/rename", undo_with=undo_with)


@verb("/admin/workspaces/{slug:str}/rename", opt=_ABOVE, may=_may_rename)
async def rename_workspace(request: Asking, slug: Path[str]) -> Shown:
    """Call it otherwise: its addresses change with it."""
    fields = await request.fields()
    renamed = await actions.rename(*request.governing, _workspace(request, slug).id, fields.text("name"))
    return request.done("/admin/workspaces", f"It is called {renamed.name} now, and so are its addresses.")


@page("/admin/workspaces/{slug:str}/delete", opt=_ABOVE)
async def ask_to_delete(request: Asking, slug: Path[str]) -> Shown:
    """Whether it may go."""
    return await _question(request, slug)


async def _question(request: Asking, slug: str, *, refused: str = "") -> Shown:
    workspace = _workspace(request, slug)
    crumbs = [Crumb("Workspaces", "/admin/workspaces"), Crumb(f"Delete {workspace.name}")]
    return await request.show(
        "workspaces/delete.html",
        title=f"Delete {workspace.name}",
        at="workspaces",
        crumbs=crumbs,
        status=REFUSED if refused else 200,
        workspace=workspace,
        slug=slug,
        refused=refused,
    )


@verb("/admin/workspaces/{slug:str}/delete", opt=_ABOVE, may=_MAY_DELETE)
async def delete_workspace(request: Asking, slug: Path[str]) -> Shown:
    """Delete one in which nothing has been made."""
    _, refused = await tried(actions.delete(*request.governing, _workspace(request, slug).id))
    if refused:
        return await _question(request, slug, refused=refused)
    return request.done("/admin/workspaces", "The workspace is deleted.")


def _workspace(request: Asking, slug: str) -> Workspace:
    found = request.workspaces.find(slug)
    if found is None:
        raise NotFound("There is no such workspace, or you have no place in it.", code="WORKSPACE_NOT_FOUND")
    return found[1]
