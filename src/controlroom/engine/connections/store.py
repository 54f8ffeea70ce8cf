"""Statements on connections. They are the organization's; whoever works on one sees it."""

from typing import Final

from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.connections.errors import ConnectionNotFound
from controlroom.engine.connections.model import Connection, ConnectionKind, Settings
from controlroom.engine.nouns import InOrganization, Noun
from controlroom.ids import ConnectionId, OrganizationId, UserId, WorkspaceId
from controlroom.postgres.database import Statements

CONNECTION: Final = Noun[ConnectionId](
    "connection",
    lambda _: ConnectionNotFound(),
    "connection",
    InOrganization("connection.organization_id"),
    there="connection.deleted_at is null",
    name="connection.name",
)

COLUMNS: Final = """connection.id, connection.number, connection.organization_id, connection.name, connection.kind,
    connection.settings, connection.created_by, author.number as created_by_number, connection.created_at,
    connection.updated_at, connection.deleted_at,
    (select count(*) from target where target.connection_id = connection.id and target.deleted_at is null)
        as target_count"""
JOINS: Final = "left join app_user as author on author.id = connection.created_by"

VISIBLE: Final = """(
    select seen.id from connection as seen
     where seen.organization_id = %(organization)s
       and (%(sees_all)s
            or exists (select from target
                        where target.connection_id = seen.id and target.deleted_at is null
                          and target.workspace_id = any(%(workspaces)s::uuid[]))
            or exists (select from connection_profile
                        where connection_profile.connection_id = seen.id and connection_profile.deleted_at is null
                          and connection_profile.workspace_id = any(%(workspaces)s::uuid[]))
            or exists (select from project
                        where project.connection_id = seen.id and project.deleted_at is null
                          and project.workspace_id = any(%(workspaces)s::uuid[]))
            or exists (select from step join process on process.id = step.process_id
                        where step.database_id = seen.id and step.deleted_at is null and process.deleted_at is null
                          and step.workspace_id = any(%(workspaces)s::uuid[]))))"""
"""The connections that somebody sees: all, or those that their workspaces use."""


async def get(
    tx: Statements, organization: OrganizationId, connection: ConnectionId, *, is_held: bool = False
) -> Connection | None:
    """A connection that is there; held, it cannot change before the transaction ends."""
    return await tx.one_or_none(
        Connection,
        f"""
        select {COLUMNS} from connection {JOINS}
         where connection.id = %(connection)s and connection.organization_id = %(organization)s
           and connection.deleted_at is null
         {"for update of connection" if is_held else ""}
        """,
        connection=connection,
        organization=organization,
    )


async def of_ids(tx: Statements, organization: OrganizationId, ids: list[ConnectionId]) -> list[Connection]:
    """Those of some ids that are there."""
    return await tx.all(
        Connection,
        f"""
        select {COLUMNS} from connection {JOINS}
         where connection.id = any(%(ids)s::uuid[]) and connection.organization_id = %(organization)s
           and connection.deleted_at is null
         order by connection.id
        """,
        ids=ids,
        organization=organization,
    )


async def deleted(tx: Statements, organization: OrganizationId, connection: ConnectionId) -> Connection:
    """A connection that has been deleted."""
    return await tx.one(
        Connection,
        f"""
        select {COLUMNS} from connection {JOINS}
         where connection.id = %(connection)s and connection.organization_id = %(organization)s
           and connection.deleted_at is not null
        """,
        connection=connection,
        organization=organization,
    )


async def is_visible(
    tx: Statements,
    organization: OrganizationId,
    connection: ConnectionId,
    *,
    sees_all: bool,
    workspaces: list[WorkspaceId],
) -> bool:
    """Whether somebody sees a connection: all, or those that these workspaces use."""
    return bool(
        await tx.value(
            f"select %(connection)s::uuid in {VISIBLE}",
            connection=connection,
            organization=organization,
            sees_all=sees_all,
            workspaces=workspaces,
        )
    )


async def add(
    tx: ScopedTx,
    organization: OrganizationId,
    *,
    connection: ConnectionId,
    name: str,
    kind: ConnectionKind,
    settings: Settings,
    author: UserId | None,
) -> None:
    """Write a new connection."""
    await tx.execute(
        """
        insert into connection (id, organization_id, name, kind, settings, created_by)
        values (%(connection)s, %(organization)s, %(name)s, %(kind)s, %(settings)s, %(author)s)
        """,
        connection=connection,
        organization=organization,
        name=name,
        kind=kind,
        settings=settings,
        author=author,
    )


async def change(tx: ScopedTx, connection: ConnectionId, *, name: str, settings: Settings) -> None:
    """Write what a held connection shall be."""
    await tx.execute(
        """
        update connection set name = %(name)s, settings = %(settings)s, updated_at = clock_now()
         where id = %(connection)s
        """,
        connection=connection,
        name=name,
        settings=settings,
    )


async def delete(tx: ScopedTx, connection: ConnectionId) -> None:
    """Let a held connection be gone, and the versions of its file with it: their objects are swept."""
    await tx.execute(
        "update connection set deleted_at = clock_now(), updated_at = clock_now() where id = %(connection)s",
        connection=connection,
    )
    await tx.execute("delete from connection_file where connection_id = %(connection)s", connection=connection)


async def user_of(tx: ScopedTx, connection: ConnectionId) -> str | None:
    """What needs a held connection: the name of a target, a project or a process, or the key of a profile."""
    found: str | None = await tx.value(
        """
        (select 'the target ' || target.name from target
          where target.connection_id = %(connection)s and target.deleted_at is null limit 1)
        union all
        (select 'the profile ' || connection_profile.key from connection_profile
          where connection_profile.connection_id = %(connection)s and connection_profile.deleted_at is null limit 1)
        union all
        (select 'the project ' || workspace.name from project join workspace on workspace.id = project.workspace_id
          where project.connection_id = %(connection)s and project.deleted_at is null
            and workspace.deleted_at is null limit 1)
        union all
        (select 'the process ' || process.name from step join process on process.id = step.process_id
          where step.database_id = %(connection)s and step.deleted_at is null and process.deleted_at is null limit 1)
        """,
        connection=connection,
    )
    return found
