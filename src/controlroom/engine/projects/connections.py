"""The connection that a project's targets begin with."""

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import scope_of, scoped
from controlroom.engine.connections import actions as connections
from controlroom.engine.connections.model import Connection, Settings
from controlroom.engine.engine import Engine
from controlroom.engine.projects import store
from controlroom.engine.projects.actions import change_in
from controlroom.engine.projects.model import ProjectChange, ProjectState
from controlroom.ids import ConnectionId, WorkspaceId


async def create_in_project(
    engine: Engine, actor: Actor, workspace: WorkspaceId, *, name: str, settings: Settings
) -> Connection:
    """A new connection of the organization, with which the project's targets begin if they have had none.

    Raises NotOfOrganization, ConnectionInvalid.
    """
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        made = await connections.add(engine, tx, actor, name=name, settings=settings)
        project = await store.lock(tx, scope)
        if project is not None and project.state is ProjectState.ACTIVE and project.connection_id is None:
            await change_in(engine, tx, actor, scope, ProjectChange(connection_id=made.id))
    return made


async def delete_in_project(
    engine: Engine, actor: Actor, workspace: WorkspaceId, connection: ConnectionId
) -> Connection:
    """Delete a connection that nothing uses, but perhaps the project, whose targets begin with none then.

    Raises ConnectionNotFound, ConnectionUsed, NotOfOrganization.
    """
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        project = await store.lock(tx, scope)
        if project is not None and project.state is ProjectState.ACTIVE and project.connection_id == connection:
            await change_in(engine, tx, actor, scope, ProjectChange(connection_id=None))
        return await connections.remove(engine, tx, actor, connection)
