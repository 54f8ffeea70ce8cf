"""The verbs of workspaces."""

from typing import ClassVar

from controlroom.engine.access.credentials import forget
from controlroom.engine.access.errors import WorkspaceNotFound
from controlroom.engine.access.grants import store as grants
from controlroom.engine.access.model import Actor, ActorKind, Permission, Role, StepRunActor
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.roles.actions import ensure_in_organization
from controlroom.engine.access.scope import Of, Scope, ScopedTx, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.wakes import Topic
from controlroom.engine.workspaces import store
from controlroom.engine.workspaces.model import Founded, Workspace
from controlroom.errors import Conflict, Forbidden
from controlroom.ids import GrantId, UserId, WorkspaceId, uuid7


class WorkspaceNotEmpty(Conflict):
    """Something has been made in the workspace."""

    code: ClassVar[str] = "WORKSPACE_NOT_EMPTY"

    def __init__(self) -> None:
        super().__init__("there is something in the workspace: only an empty one is deleted")


async def get(engine: Engine, actor: Actor | StepRunActor, workspace: WorkspaceId) -> Workspace:
    """A workspace that the actor has a place in: it takes no permission. Raises NotFound for an outsider."""
    match actor:
        case StepRunActor():
            is_inside = actor.workspace_id == workspace
        case Actor():
            is_inside = actor.is_inside(workspace)
    found = await store.get(engine.database, _place(actor, workspace)) if is_inside else None
    if found is None:
        raise WorkspaceNotFound
    return found


async def list_workspaces(
    engine: Engine, actor: Actor, *, after: WorkspaceId | None = None, limit: int
) -> list[Workspace]:
    """The workspaces that the actor has a place in, oldest first."""
    everywhere = Of(actor.organization_id, tuple(actor.grants))
    return await store.list_workspaces(engine.database, everywhere, after=after, limit=limit)


async def create(engine: Engine, actor: Actor, name: str) -> Workspace:
    """A new workspace of the organization, for admins; a user who makes it is its first owner. Raises Conflict."""
    if not actor.uses(Permission.WRITE_WORKSPACES, None):
        raise Forbidden("only an admin of the organization makes workspaces", code="ADMIN_ONLY")
    async with scoped(engine.database, actor.organization_id) as tx:
        workspace = await create_in(engine, tx, actor, name)
        made = await store.get(tx, _place(actor, workspace))
    assert made is not None  # noqa: S101  # written in the same transaction
    return made


async def create_in(engine: Engine, tx: ScopedTx, actor: Actor, name: str) -> WorkspaceId:
    """Likewise, in a transaction that does more with it, of who was found to be allowed."""
    workspace = WorkspaceId(uuid7())
    await store.add(tx, actor.organization_id, workspace, checked_name(name))
    if actor.kind is ActorKind.USER and actor.id is not None:
        await grants.add_membership(
            tx,
            actor.organization_id,
            grant=GrantId(uuid7()),
            workspace=workspace,
            user=UserId(actor.id),
            role=Role.OWNER,
        )
    await record(engine, tx, actor, _place(actor, workspace), "workspace.created", workspace, name=name)
    tx.after_commit(lambda: forget(engine))
    tx.after_commit(lambda: engine.wakes.wake(Topic.SERVICE, actor.organization_id))
    return workspace


async def rename(engine: Engine, actor: Actor, workspace: WorkspaceId, name: str) -> Workspace:
    """Give a workspace another name. Raises Conflict if another of the organization has it."""
    scope = scope_of(actor, Permission.WRITE_WORKSPACE, workspace)
    async with scoped(engine.database, scope) as tx:
        await rename_in(engine, tx, actor, scope, name)
        renamed = await store.get(tx, scope)
    assert renamed is not None  # noqa: S101  # its row is locked by this transaction
    return renamed


async def rename_in(engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, name: str) -> None:
    """Likewise, in a transaction that does more."""
    if not await store.rename(tx, scope, checked_name(name)):
        raise WorkspaceNotFound
    await record(engine, tx, actor, scope, "workspace.renamed", scope.workspace, name=name)


async def rename_organization(engine: Engine, actor: Actor, name: str) -> Founded:
    """Give the actor's organization another name. Raises NotOfOrganization, Invalid `NAME_INVALID`."""
    ensure_in_organization(actor, Permission.WRITE_WORKSPACES)
    async with scoped(engine.database, actor.organization_id) as tx:
        await store.rename_organization(tx, actor.organization_id, checked_name(name))
        of = actor.organization_id
        await record(engine, tx, actor, of, "organization.renamed", of, name=name)
        return await store.founded(tx, actor.organization_id)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId) -> None:
    """Delete a workspace in which nothing has been made. Raises WorkspaceNotEmpty."""
    scope = scope_of(actor, Permission.WRITE_WORKSPACE, workspace)
    if not actor.uses(Permission.WRITE_WORKSPACES, None):
        raise Forbidden("only an admin of the organization deletes workspaces", code="ADMIN_ONLY")
    async with scoped(engine.database, scope) as tx:
        if not await store.lock(tx, scope):
            raise WorkspaceNotFound
        if not await delete_in(engine, tx, actor, scope):
            raise WorkspaceNotEmpty


async def delete_in(engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope) -> bool:
    """Likewise of one that is there, in a transaction that does more; False, and nothing done, if it is not empty."""
    await store.lock(tx, scope)
    if not await store.is_empty(tx, scope):
        return False
    await store.delete(tx, scope)
    await record(engine, tx, actor, scope, "workspace.deleted", scope.workspace)
    tx.after_commit(lambda: forget(engine))
    tx.after_commit(lambda: engine.wakes.wake(Topic.SERVICE, actor.organization_id))
    return True


def _place(actor: Actor | StepRunActor, workspace: WorkspaceId) -> Scope:
    """A workspace that the actor has a place in, or has just made."""
    return Of(actor.organization_id, (workspace,))
