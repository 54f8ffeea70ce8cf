"""The workspace itself (§1.7)."""

from msgspec import Struct

from controlroom.border.asking import Asking, JSONBody
from controlroom.dialects.robocorp.routing import get, update
from controlroom.engine.workspaces import actions
from controlroom.engine.workspaces.model import Workspace
from controlroom.ids import OrganizationId, WorkspaceId


class OrganizationAnswer(Struct, frozen=True):
    """Whose workspace it is."""

    id: OrganizationId
    name: str


class WorkspaceAnswer(Struct, frozen=True):
    """Where everything of a team lives."""

    id: WorkspaceId
    name: str
    organization: OrganizationAnswer


class RenameWorkspace(Struct, frozen=True, forbid_unknown_fields=True):
    """Another name."""

    name: str


@get("/")
async def get_workspace(request: Asking) -> WorkspaceAnswer:
    """Get the workspace; any credential of it will do."""
    return show(await actions.get(*request.calling))


@update("/")
async def update_workspace(request: Asking, data: JSONBody[RenameWorkspace]) -> WorkspaceAnswer:
    """Give the workspace another name."""
    return show(await actions.rename(*request.acting, data.name))


def show(found: Workspace) -> WorkspaceAnswer:
    """A workspace as this dialect writes it."""
    return WorkspaceAnswer(found.id, found.name, OrganizationAnswer(found.organization.id, found.organization.name))
