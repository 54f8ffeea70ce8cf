"""Statements on organizations and workspaces."""

from datetime import datetime
from functools import partial
from typing import Final

from controlroom.engine.access.errors import WorkspaceNotFound
from controlroom.engine.access.scope import SEEN, Of, Scope, ScopedTx
from controlroom.engine.nouns import InOrganization, InWorkspace, Missing, Noun
from controlroom.engine.workspaces.model import Founded, Workspace
from controlroom.errors import Conflict
from controlroom.ids import OrganizationId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.postgres.errors import UniqueViolation
from controlroom.postgres.keyset import oldest_first

ORGANIZATION: Final = Noun[OrganizationId](
    "organization",
    partial(Missing, "organization"),
    "organization",
    InOrganization("organization.id"),
)
WORKSPACE: Final = Noun[WorkspaceId](
    "workspace",
    lambda _: WorkspaceNotFound(),
    "workspace",
    InWorkspace("workspace.id"),
    name="workspace.name",
)

_WORKSPACE = """workspace.id, workspace.number, workspace.name, workspace.created_at,
    jsonb_build_object('id', organization.id, 'number', organization.number,
                       'name', organization.name) as organization"""

FIRST_START_LOCK = 0x436F6E74  # the advisory lock under which one of several servers makes the first organization


async def lock_first_start(tx: Statements) -> None:
    """Wait until no other server is making the first organization; held until the transaction ends."""
    await tx.execute("select pg_advisory_xact_lock(%(key)s::bigint)", key=FIRST_START_LOCK)


async def is_founded(tx: Statements) -> bool:
    """Whether there is an organization."""
    return bool(await tx.value("select exists (select from organization)"))


async def add_organization(tx: Statements, organization: OrganizationId, name: str) -> None:
    """Write an organization."""
    await tx.execute(
        "insert into organization (id, name) values (%(organization)s, %(name)s)",
        organization=organization,
        name=name,
    )


async def founded_at(db: Statements, organization: OrganizationId) -> datetime:
    """Since when an organization is there."""
    founded: datetime = await db.value(
        "select created_at from organization where id = %(organization)s", organization=organization
    )
    return founded


async def founded(db: Statements, organization: OrganizationId) -> Founded:
    """An organization that there is."""
    return await db.one(
        Founded,
        "select id, number, name, created_at from organization where id = %(organization)s",
        organization=organization,
    )


async def rename_organization(tx: ScopedTx, organization: OrganizationId, name: str) -> None:
    """Write the name of an organization that there is."""
    await tx.execute(
        "update organization set name = %(name)s where id = %(organization)s", name=name, organization=organization
    )


async def organization_number(db: Statements, organization: OrganizationId) -> int:
    """The number of an organization that there is."""
    return await db.one(int, "select number from organization where id = %(organization)s", organization=organization)


async def get(tx: Statements, scope: Scope) -> Workspace | None:
    """The workspace of the scope."""
    return await tx.one_or_none(
        Workspace,
        f"""
        select {_WORKSPACE} from workspace join organization on organization.id = workspace.organization_id
         where workspace.id = {SEEN}
        """,
        **scope.params,
    )


async def list_workspaces(tx: Statements, scope: Of, *, after: WorkspaceId | None, limit: int) -> list[Workspace]:
    """The workspaces of the scope, by the time of their making."""
    return await tx.all(
        Workspace,
        f"""
        select {_WORKSPACE} from workspace join organization on organization.id = workspace.organization_id
         where organization.id = %(organization)s and workspace.deleted_at is null
           and workspace.id = any(%(workspaces)s)
         {oldest_first("workspace.id")}
        """,
        organization=scope.organization,
        workspaces=scope.workspaces,
        after=after,
        limit=limit,
    )


async def add(tx: Statements, organization: OrganizationId, workspace: WorkspaceId, name: str) -> None:
    """Write a new workspace. Raises Conflict `WORKSPACE_NAME_TAKEN`, upon which the transaction is lost."""
    try:
        await tx.execute(
            """
            insert into workspace (id, organization_id, name)
            values (%(workspace)s, %(organization)s, %(name)s)
            """,
            workspace=workspace,
            organization=organization,
            name=name,
        )
    except UniqueViolation as taken:
        raise _name_taken(name) from taken


async def rename(tx: Statements, scope: Scope, name: str) -> bool:
    """Write the name; whether there is such a workspace. Raises Conflict `WORKSPACE_NAME_TAKEN`."""
    try:
        return (
            await tx.execute(
                f"update workspace set name = %(name)s where id = {SEEN}",
                name=name,
                **scope.params,
            )
            > 0
        )
    except UniqueViolation as taken:
        raise _name_taken(name) from taken


async def lock(tx: ScopedTx, scope: Scope) -> bool:
    """Make what is done to the workspace as a whole wait for each other; whether it is there."""
    return await tx.value(f"select id from workspace where id = {SEEN} for update", **scope.params) is not None


async def is_empty(tx: ScopedTx, scope: Scope) -> bool:
    """Whether nothing that anybody made is in the workspace, nor in any other's use. Reads tables of other slices."""
    return not await tx.value(
        f"""
        select exists (select from package where workspace_id = {SEEN} and deleted_at is null)
            or exists (select from repository_file where workspace_id = {SEEN} and deleted_at is null)
            or exists (select from process where workspace_id = {SEEN} and deleted_at is null)
            or exists (select from queue where workspace_id = {SEEN} and is_standing and deleted_at is null)
            or exists (select from secret where workspace_id = {SEEN})
            or exists (select from asset where workspace_id = {SEEN})
        """,
        **scope.params,
    )


async def delete(tx: ScopedTx, scope: Scope) -> None:
    """Mark a locked workspace as deleted; its name is free."""
    await tx.execute(f"update workspace set deleted_at = clock_now() where id = {SEEN}", **scope.params)


def _name_taken(name: str) -> Conflict:
    return Conflict(f"there is a workspace {name} already", code="WORKSPACE_NAME_TAKEN", name=name)
