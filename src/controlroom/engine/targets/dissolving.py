"""A project goes with all that is only for it: targets, log-ins, profiles, attributes, variables, and its package."""

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.packages import actions as packages
from controlroom.engine.packages import store as package_store
from controlroom.engine.projects import store
from controlroom.engine.projects.actions import delete_in
from controlroom.engine.projects.model import Project
from controlroom.engine.workspaces import actions as workspaces
from controlroom.ids import WorkspaceId


async def dissolve(engine: Engine, actor: Actor, workspace: WorkspaceId) -> Project:
    """Let a project be gone, with what its jobs needed; as it is then. Connections are the organization's, and stay.

    The workspace goes with it, and its name is free, if nothing else is in it and the actor may make workspaces.
    Raises ProjectNotFound; ProjectNotEmpty while there are jobs.
    """
    scope = scope_of(actor, Permission.WRITE_WORKSPACE, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await store.get(tx, scope)
        gone = await delete_in(engine, tx, actor, scope)
        await _clear(tx, scope)
        if before.package_id is not None and not await package_store.users_of(tx, before.package_id):
            await packages.delete_in(engine, tx, actor, scope, before.package_id)
        if actor.may(Permission.WRITE_WORKSPACES, None):
            await workspaces.delete_in(engine, tx, actor, scope)
        return gone


async def _clear(tx: ScopedTx, scope: Scope) -> None:
    """Mark as deleted whatever of the workspace only targets have use for; variables go."""
    for statement in (
        f"delete from variable where workspace_id = {SEEN}",
        f"""
        update target set deleted_at = clock_now(), updated_at = clock_now()
         where workspace_id = {SEEN} and deleted_at is null
        """,
        f"""
        update connection_profile set deleted_at = clock_now(), updated_at = clock_now()
         where workspace_id = {SEEN} and deleted_at is null
        """,
        f"""
        update connection_login set deleted_at = clock_now(), updated_at = clock_now(), sealed = null
         where workspace_id = {SEEN} and deleted_at is null
        """,
        f"""
        update extended_attributes set deleted_at = clock_now(), updated_at = clock_now()
         where workspace_id = {SEEN} and deleted_at is null
        """,
    ):
        await tx.execute(statement, **scope.params)
