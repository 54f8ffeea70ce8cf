"""What workers, worker groups, link tokens and provisioners serve: some workspaces of their organization, or all.

A row of `serving` for each workspace, or `serves_all` in the row of the subject itself, which counts for workspaces
that are made later, too. A subject is named by its noun and id.
"""

from typing import Any

from msgspec import Struct

from controlroom.engine.access.scope import EACH, Scope, ScopedTx
from controlroom.engine.nouns import InService, Noun
from controlroom.engine.workers.model import AllWorkspaces, Serves, TheseWorkspaces
from controlroom.ids import OrganizationId, WorkspaceId
from controlroom.postgres.database import Statements


class Service(Struct, frozen=True, kw_only=True):
    """What something serves now."""

    organization_id: OrganizationId
    serves_all: bool
    workspaces: list[WorkspaceId]
    """The living ones, in the order of their making."""


class ServedWorkspace(Struct, frozen=True):
    """A workspace that is served, as lists show it."""

    id: WorkspaceId
    name: str


class Served(Struct, frozen=True):
    """What something serves, as somebody sees it."""

    serves_all: bool
    workspaces: list[ServedWorkspace]


def serves(noun: Noun[Any], workspace: str = "") -> str:
    """The condition that a row of the noun serves a workspace of the scope (`scope.each`), or the one given as SQL."""
    within = _service_of(noun)
    if workspace:
        return f"({within.by(f'{noun.table}.id', workspace)})"
    return f"""({within.column} = %(organization)s and exists (
            select from {EACH} as seen where {within.by(f"{noun.table}.id", "seen.id")}))"""


async def lock(tx: ScopedTx, scope: Scope, noun: Noun[Any], subject: Any) -> Service | None:
    """What a subject serves, locked so that nobody changes it meanwhile; None if the scope does not see it."""
    locked = await tx.value(
        f"""
        select {noun.table}.id from {noun.table} {noun.joined}
         where {noun.table}.id = %(subject)s and {noun.there} and {serves(noun)}
           for no key update of {noun.table}
        """,
        subject=subject,
        **scope.each,
    )
    if locked is None:
        return None
    return await now(tx, noun, subject)  # a statement of its own: the one that locked may have read rows of before


async def now(tx: ScopedTx, noun: Noun[Any], subject: Any) -> Service:
    """What a locked subject serves."""
    within = _service_of(noun)
    return await tx.one(
        Service,
        f"""
        select {within.column} as organization_id, {within.serves_all} as serves_all,
               array(select workspace.id from workspace
                      where workspace.organization_id = {within.column} and workspace.deleted_at is null
                        and {within.by(f"{noun.table}.id", "workspace.id")}
                      order by workspace.id) as workspaces
          from {noun.table} {noun.joined}
         where {noun.table}.id = %(subject)s
        """,
        subject=subject,
    )


async def begin(tx: ScopedTx, subject: Any, wanted: Serves) -> None:
    """Write the workspaces of a subject that was just made, if it serves some; that it serves all stands in its row."""
    if isinstance(wanted, TheseWorkspaces):
        await tx.execute(
            """
            insert into serving (workspace_id, subject_id)
            select distinct named, %(subject)s::uuid from unnest(%(workspaces)s::uuid[]) as named
            """,
            subject=subject,
            workspaces=list(wanted.workspaces),
        )


async def change(tx: ScopedTx, noun: Noun[Any], subject: Any, wanted: Serves) -> None:
    """Write what a locked subject serves from now on."""
    within = _service_of(noun)
    table, _, column = within.serves_all.partition(".")
    key = "id" if table == noun.table else f"{noun.table}_id"
    await tx.execute(
        f"update {table} set {column} = %(all)s where {key} = %(subject)s and {column} <> %(all)s",
        subject=subject,
        all=isinstance(wanted, AllWorkspaces),
    )
    await end(tx, subject)
    await begin(tx, subject, wanted)


async def end(tx: ScopedTx, subject: Any) -> None:
    """Remove the rows of a locked subject."""
    await tx.execute("delete from serving where subject_id = %(subject)s", subject=subject)


async def seen(db: Statements, scope: Scope, noun: Noun[Any], subject: Any) -> Served:
    """Whether a subject serves all workspaces, and which of the scope's it serves. Raises the noun's NotFound."""
    within = _service_of(noun)
    serves_all: bool | None = await db.value(
        f"""
        select {within.serves_all} from {noun.table} {noun.joined}
         where {noun.table}.id = %(subject)s and {noun.there} and {serves(noun)}
        """,
        subject=subject,
        **scope.each,
    )
    if serves_all is None:
        raise noun.missing(str(subject))
    served = await db.all(
        ServedWorkspace,
        f"""
        select workspace.id, workspace.name from workspace, {noun.table} {noun.joined}
         where {noun.table}.id = %(subject)s and workspace.id in {EACH}
           and {within.by(f"{noun.table}.id", "workspace.id")}
         order by workspace.id
        """,
        subject=subject,
        **scope.each,
    )
    return Served(serves_all, served)


async def named(tx: ScopedTx, service: Service) -> Served:
    """What something serves, with the names of all workspaces."""
    workspaces = await tx.all(
        ServedWorkspace,
        "select id, name from workspace where id = any(%(ids)s::uuid[]) order by id",
        ids=service.workspaces,
    )
    return Served(service.serves_all, workspaces)


async def hold_names(tx: ScopedTx, noun: Noun[Any], organization: OrganizationId) -> None:
    """Let nobody else of the organization name one of these until the commit: names are told apart by workspaces."""
    await tx.execute(
        "select pg_advisory_xact_lock(hashtextextended(%(what)s, 0))", what=f"{noun.table} names of {organization}"
    )


async def is_taken(tx: ScopedTx, noun: Noun[Any], name: str, service: Service, *, besides: Any = None) -> bool:
    """Whether another one of the noun that serves one of the same workspaces has a name."""
    within = _service_of(noun)
    return bool(
        await tx.value(
            f"""
            select exists (
                select from {noun.table} {noun.joined}
                 where {within.column} = %(organization)s and {noun.name} = %(name)s and {noun.there}
                   and {noun.table}.id is distinct from %(besides)s::uuid
                   and ({within.serves_all} or %(all)s
                        or exists (select from serving
                                    where serving.subject_id = {noun.table}.id
                                      and serving.workspace_id = any(%(workspaces)s::uuid[]))))
            """,
            organization=service.organization_id,
            name=name,
            besides=besides,
            all=service.serves_all,
            workspaces=list(service.workspaces),
        )
    )


def _service_of(noun: Noun[Any]) -> InService:
    assert isinstance(noun.within, InService)  # noqa: S101 - of such nouns alone it is asked
    return noun.within
