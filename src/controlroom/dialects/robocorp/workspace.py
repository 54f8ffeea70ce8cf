"""The workspace itself (§1.7)."""

from litestar.params import JSONBody
from msgspec import Struct

from controlroom.dialects.robocorp.asking import Asker, AskerOrRobot, InWorkspace, TheEngine
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


@get("/", operation_id="getWorkspace")
async def get_workspace(engine: TheEngine, caller: AskerOrRobot, workspace_id: InWorkspace) -> WorkspaceAnswer:
    """Get the workspace; any credential of it will do."""
    return show(await actions.get(engine, caller, workspace_id))


@update("/", operation_id="updateWorkspace")
async def update_workspace(
    engine: TheEngine, actor: Asker, workspace_id: InWorkspace, data: JSONBody[RenameWorkspace]
) -> WorkspaceAnswer:
    """Give the workspace another name."""
    return show(await actions.rename(engine, actor, workspace_id, data.name))


def show(found: Workspace) -> WorkspaceAnswer:
    """A workspace as this dialect writes it."""
    return WorkspaceAnswer(found.id, found.name, OrganizationAnswer(found.organization.id, found.organization.name))


handlers = [get_workspace, update_workspace]
