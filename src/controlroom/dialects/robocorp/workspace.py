"""The workspace itself (§1.7), and those of the organization (our own management API)."""

from controlroom.border.asking import Asking, Body
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.workspaces import actions, model
from controlroom.ids import OrganizationId, WorkspaceId


class OrganizationAnswer(Shape, frozen=True):
    """Whose workspace it is."""

    id: OrganizationId
    name: str


class WorkspaceAnswer(Shape, frozen=True):
    """Where everything of a team lives."""

    id: WorkspaceId
    name: str
    organization: OrganizationAnswer


class RenameWorkspace(OwnBody, frozen=True):
    """Another name."""

    name: str


class CreateWorkspace(OwnBody, frozen=True):
    """What to call it."""

    name: str


@get("/")
async def get_workspace(request: Asking) -> WorkspaceAnswer:
    """Get the workspace; any credential of it will do."""
    return _show(await actions.get(*request.calling))


@update("/")
async def update_workspace(request: Asking, data: Body[RenameWorkspace]) -> WorkspaceAnswer:
    """Give the workspace another name."""
    return _show(await actions.rename(*request.acting, data.name))


@delete("/")
async def delete_workspace(request: Asking) -> Deleted:
    """Delete the workspace, in which nothing has been made; for admins of the organization who may write it."""
    return await Deleted.after(request.workspace, actions.delete(*request.acting))


@get("/workspaces", above_workspaces=True)
async def list_workspaces(request: Asking, paging: Pages) -> Page[WorkspaceAnswer]:
    """List the workspaces that the caller has a place in, oldest first: an API key's is one."""
    return paging.page(await actions.list_workspaces(*request.governing, **paging.after(WorkspaceId)), _show)


@post("/workspaces", above_workspaces=True)
async def create_workspace(request: Asking, data: Body[CreateWorkspace]) -> WorkspaceAnswer:
    """Create a workspace, of which the caller becomes the owner; for admins who have logged in."""
    return _show(await actions.create(*request.governing, data.name))


_show = shown_as(WorkspaceAnswer, model.Workspace)
