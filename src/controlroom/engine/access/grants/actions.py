"""The verbs of grants: who gets which role where, and who loses it. Nobody gives, or takes, what they lack."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from controlroom.engine.access.credentials import forget
from controlroom.engine.access.errors import (
    GrantExists,
    GrantNotFound,
    NotOfOrganization,
    PrincipalNotFound,
    RoleNotFound,
)
from controlroom.engine.access.grants import store
from controlroom.engine.access.grants.model import Grant, Principal
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.roles import store as roles
from controlroom.engine.access.roles.model import NamedRole
from controlroom.engine.access.rules import ensure_kept, ensure_may_give, permissions_of
from controlroom.engine.access.scope import Of, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.ids import GrantId, OrganizationId, RoleId, WorkspaceId, uuid7
from controlroom.postgres.database import Statements


async def grant(
    engine: Engine, actor: Actor, principal: Principal, role: RoleId, workspace: WorkspaceId | None
) -> Grant:
    """Give a principal a role in a workspace, or (None) in the organization.

    A user is a member of a workspace by one role of the system's; any number of others can be beside it. Raises
    BeyondOwnRights when the role can do more than the actor there, GrantExists, RoleNotFound, PrincipalNotFound.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        await _ensure_writes_members(tx, actor, workspace)
        wanted = await roles.get(tx, actor.organization_id, role, lock="for share")
        if wanted is None:
            raise RoleNotFound
        await ensure_may_hand(tx, actor, wanted, workspace)
        await store.lock_place(tx, actor.organization_id, workspace)
        if not await store.is_known(tx, actor.organization_id, principal):
            raise PrincipalNotFound
        made = GrantId(uuid7())
        if not await store.add(
            tx, actor.organization_id, grant=made, principal=principal, role=role, workspace=workspace
        ):
            raise GrantExists
        granted = await store.get(tx, actor.organization_id, made)
        assert granted is not None  # noqa: S101  # written in the same transaction
        await _record(engine, tx, actor, "grant.created", granted)
        tx.after_commit(lambda: forget(engine))
    return granted


async def revoke(engine: Engine, actor: Actor, grant: GrantId) -> None:
    """Take a grant back. Raises GrantNotFound, BeyondOwnRights, LastOwner, LastAdmin."""
    async with scoped(engine.database, actor.organization_id) as tx:
        found = await store.get(tx, actor.organization_id, grant)
        if found is None or not _may_know_of(actor, found):
            raise GrantNotFound
        await _ensure_writes_members(tx, actor, found.workspace_id)
        role = await roles.get(tx, actor.organization_id, found.role_id, lock="for share")
        if role is None:  # taken back, and deleted, by somebody else meanwhile
            raise GrantNotFound
        await ensure_may_hand(tx, actor, role, found.workspace_id)
        async with kept_governed(tx, actor.organization_id, [found.workspace_id]):
            if not await store.delete(tx, actor.organization_id, grant):
                raise GrantNotFound
        await _record(engine, tx, actor, "grant.deleted", found)
        tx.after_commit(lambda: forget(engine))


async def list_grants(
    engine: Engine, actor: Actor, workspace: WorkspaceId | None, *, after: GrantId | None = None, limit: int
) -> list[Grant]:
    """The grants in a workspace, or (None) in the organization itself, oldest first."""
    _ensure_reads_members(actor, workspace)
    return await store.list_grants(engine.database, actor.organization_id, workspace, after=after, limit=limit)


async def list_beside_memberships(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId | None,
    *,
    sought: str = "",
    after: GrantId | None = None,
    limit: int,
) -> list[Grant]:
    """Likewise, without what makes members of a workspace; `sought` in the names of who holds, or of the role."""
    _ensure_reads_members(actor, workspace)
    return await store.list_beside_memberships(
        engine.database, actor.organization_id, workspace, sought=sought, after=after, limit=limit
    )


async def get_grant(engine: Engine, actor: Actor, grant: GrantId) -> Grant:
    """One grant. Raises GrantNotFound."""
    found = await store.get(engine.database, actor.organization_id, grant)
    if found is None or not _may_know_of(actor, found):
        raise GrantNotFound
    _ensure_reads_members(actor, found.workspace_id)
    return found


@asynccontextmanager
async def kept_governed(
    tx: ScopedTx, organization: OrganizationId, places: Sequence[WorkspaceId | None]
) -> AsyncIterator[None]:
    """What is done in here leaves no workspace without an owner that had one, and no organization without an admin.

    Raises LastOwner, LastAdmin. `places` are in the order in which everybody locks them: by id, the organization (None)
    last.
    """
    before = {}
    for place in places:
        await store.lock_place(tx, organization, place)
        before[place] = await store.count_governors(tx, organization, place)
    yield
    for place, count in before.items():
        ensure_kept(place, before=count, after=await store.count_governors(tx, organization, place))


async def ensure_may_hand(tx: ScopedTx, actor: Actor, role: NamedRole, workspace: WorkspaceId | None) -> None:
    """Raise BeyondOwnRights unless the actor has all that somebody has who holds the role there."""
    ensure_may_give(actor, permissions_of(role.permissions, workspace), workspace)
    if workspace is None:  # where a role is held, what it is granted itself is held, too
        for granted in await store.of_role(tx, actor.organization_id, role.id):
            ensure_may_give(actor, permissions_of(granted.permissions, granted.workspace), granted.workspace)


def _may_know_of(actor: Actor, grant: Grant) -> bool:
    return grant.workspace_id is None or actor.is_inside(grant.workspace_id)


async def _ensure_writes_members(tx: Statements, actor: Actor, workspace: WorkspaceId | None) -> None:
    if workspace is not None:
        await ensure_seen(tx, scope_of(actor, Permission.WRITE_MEMBERS, workspace))
    elif not actor.uses(Permission.WRITE_MEMBERS, None):
        raise NotOfOrganization(Permission.WRITE_MEMBERS.value)


def _ensure_reads_members(actor: Actor, workspace: WorkspaceId | None) -> None:
    if workspace is not None:
        actor.require(Permission.READ_MEMBERS, workspace)
    elif not actor.uses(Permission.READ_MEMBERS, None):
        raise NotOfOrganization(Permission.READ_MEMBERS.value)


async def _record(engine: Engine, tx: ScopedTx, actor: Actor, kind: str, grant: Grant) -> None:
    of, workspace = actor.organization_id, grant.workspace_id
    await record(
        engine,
        tx,
        actor,
        of if workspace is None else Of(of, (workspace,)),
        kind,
        grant.id,
        role=grant.role_name,
        principal_kind=grant.principal_kind.value,
        principal=str(grant.principal_id),
        name=grant.principal_name,
    )
