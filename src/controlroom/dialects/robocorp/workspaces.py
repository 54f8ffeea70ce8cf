"""Workspaces of the organization (our own management API)."""

from msgspec import Struct

from controlroom.border.asking import Asking, JSONBody
from controlroom.dialects.robocorp.routing import Page, Pages, get, post
from controlroom.dialects.robocorp.workspace import WorkspaceAnswer, show
from controlroom.engine.workspaces import actions
from controlroom.ids import WorkspaceId


class CreateWorkspace(Struct, frozen=True, forbid_unknown_fields=True):
    """What to call it."""

    name: str


@get("/workspaces")
async def list_workspaces(request: Asking, paging: Pages) -> Page[WorkspaceAnswer]:
    """List the workspaces that the caller has a place in, oldest first: an API key's is one."""
    rows = await actions.list_workspaces(*request.governing, after=paging.after(WorkspaceId), limit=paging.fetch)
    return paging.page(rows, show)


@post("/workspaces")
async def create_workspace(request: Asking, data: JSONBody[CreateWorkspace]) -> WorkspaceAnswer:
    """Create a workspace, of which the caller becomes the owner; for admins who have logged in."""
    return show(await actions.create(*request.governing, data.name))
