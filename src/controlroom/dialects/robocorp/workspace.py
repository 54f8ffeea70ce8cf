"""The workspace itself (§1.7)."""

from msgspec import Struct

from controlroom.dialects.robocorp.asking import AskerOrRobot, InWorkspace, TheEngine
from controlroom.dialects.robocorp.routing import get
from controlroom.engine.workspaces import actions
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


@get("/", operation_id="getWorkspace")
async def get_workspace(engine: TheEngine, caller: AskerOrRobot, workspace_id: InWorkspace) -> WorkspaceAnswer:
    """Get the workspace; any credential of it will do."""
    found = await actions.get(engine, caller, workspace_id)
    return WorkspaceAnswer(found.id, found.name, OrganizationAnswer(found.organization.id, found.organization.name))


handlers = [get_workspace]
