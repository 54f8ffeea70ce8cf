"""Repositories: the packages of projects, with where their content comes from."""

from datetime import datetime
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import EACH, SEEN, Scope, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.engine.packages import actions as packages
from controlroom.engine.packages import source_store, sources
from controlroom.engine.packages.errors import PackageNotFound
from controlroom.engine.packages.fetches import RefKind
from controlroom.engine.packages.source_store import OWN_BRANCH, Ref
from controlroom.engine.packages.sources import Wanted
from controlroom.engine.projects import store
from controlroom.engine.projects.actions import change_in
from controlroom.engine.projects.model import ProjectChange
from controlroom.ids import PackageId, SecretId, WorkspaceId
from controlroom.postgres.database import Statements


class Repository(Struct, frozen=True, kw_only=True):
    """A package of a project; `url` None: it is pushed, not fetched."""

    id: PackageId
    number: int
    workspace_id: WorkspaceId
    workspace_number: int
    organization_number: int
    name: str
    url: str | None
    ref_kind: RefKind | None
    ref: str | None
    secret_number: int | None
    fetched_at: datetime | None
    fetched_commit: str | None
    error: str | None
    created_at: datetime
    deleted_at: datetime | None


class RepositoryChange(Struct, frozen=True, kw_only=True):
    """What of a repository is to be otherwise; what is left out stays."""

    url: str | UnsetType = UNSET
    secret_id: SecretId | UnsetType | None = UNSET
    """Of the vault: how the room proves itself to it."""


_COLUMNS: Final = """package.id, package.number, package.workspace_id, workspace.number as workspace_number,
           organization.number as organization_number, package.name, source.url, source.ref_kind, source.ref,
           secret.number as secret_number, source.fetched_at, source.fetched_commit, source.error, package.created_at,
           package.deleted_at"""
_WORKSPACE: Final = "join workspace on workspace.id = package.workspace_id"
_SOURCE: Final = "left join package_source as source on source.package_id = package.id"
_JOINS: Final = f"""{_WORKSPACE}
      join organization on organization.id = workspace.organization_id
      {_SOURCE}
      left join secret on secret.workspace_id = package.workspace_id and secret.name = source.secret_name"""
_OF_PROJECTS: Final = """exists (
            select from project where project.workspace_id = package.workspace_id and project.deleted_at is null)"""

REPOSITORIES: Final = Listing(
    noun="repositories",
    table="package",
    columns=_COLUMNS,
    joins=_JOINS,
    tenant="package.workspace_id",
    always=_OF_PROJECTS,
    fields=(
        Field("id", Kind.ID, is_sortable=True, index="package_of_workspace"),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("url", Kind.TEXT, column="source.url", is_nullable=True, join=_SOURCE),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("is_there", Kind.TRUTH, column="(package.deleted_at is null)"),
    ),
)


async def get(db: Statements, scope: Scope, package: PackageId) -> Repository:
    """A repository of a project. Raises PackageNotFound."""
    found = await of_packages(db, scope, [package])
    if not found:
        raise PackageNotFound(package)
    return found[0]


async def of_packages(db: Statements, scope: Scope, ids: list[PackageId]) -> list[Repository]:
    """Those of some ids, for a list of projects that shows them."""
    return await db.all(
        Repository,
        f"""
        select {_COLUMNS} from package {_JOINS}
         where package.id = any(%(ids)s) and package.workspace_id in {EACH}
           and package.deleted_at is null and {_OF_PROJECTS}
         order by package.id
        """,
        ids=ids,
        **scope.each,
    )


async def create(
    engine: Engine, actor: Actor, workspace: WorkspaceId, name: str, url: str | None, secret: SecretId | None = None
) -> Repository:
    """A package for a project, fetched from git or (without a url) to be pushed; a project without one has it then.

    Git's is taken at the branch that the repository says is its own. Where the name is taken it gets a number. Raises
    ProjectNotFound, Invalid.
    """
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    async with scoped(engine.database, scope) as tx:
        project = await store.get(tx, scope)
        made = await packages.create_in(engine, tx, actor, scope, await _free_name(tx, scope, name))
        if url is not None:
            secret_name = await _secret_name(tx, scope, secret)
            wanted = Wanted(url=url, ref=Ref(RefKind.BRANCH, OWN_BRANCH), secret_name=secret_name)
            await sources.set_in(engine, tx, actor, scope, made, wanted)
        if project.package_id is None:
            await change_in(engine, tx, actor, scope, ProjectChange(package_id=made))
        return await get(tx, scope, made)


async def change(
    engine: Engine, actor: Actor, workspace: WorkspaceId, package: PackageId, wanted: RepositoryChange
) -> Repository:
    """Fetch a repository from elsewhere, or by another secret; its push hook stays. Raises PackageNotFound, Invalid."""
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        now = await get(tx, scope, package)
        source = await source_store.get(tx, scope, package)
        url = now.url if wanted.url is UNSET else wanted.url
        if wanted.secret_id is not UNSET:
            secret_name = await _secret_name(tx, scope, wanted.secret_id)
        else:
            secret_name = source.secret_name if source is not None else None
        if url is None or (source is not None and (source.url, source.secret_name) == (url, secret_name)):
            return now
        ref = Ref(RefKind.BRANCH, OWN_BRANCH) if source is None else Ref(source.ref_kind, source.ref)
        asked = Wanted(url=url, ref=ref, folder=source.folder if source else "", secret_name=secret_name)
        await sources.set_in(engine, tx, actor, scope, package, asked, keeps_hook=True)
        return await get(tx, scope, package)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, package: PackageId) -> Repository:
    """Delete a repository that no job uses; its project has none then. As it was. Raises PackageInUse."""
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    async with scoped(engine.database, scope) as tx:
        gone = await get(tx, scope, package)
        project = await store.get(tx, scope)
        if project.package_id == package:
            await change_in(engine, tx, actor, scope, ProjectChange(package_id=None))
        await packages.delete_in(engine, tx, actor, scope, package)
        return gone


async def _free_name(tx: Statements, scope: Scope, name: str) -> str:
    """The name, or with a number behind it if another package of the workspace has it."""
    taken = set(
        await tx.all(
            str,
            f"""
            select name from package
             where workspace_id = {SEEN} and deleted_at is null and starts_with(name, %(name)s)
            """,
            name=name,
            **scope.params,
        )
    )
    tries = (name if place == 1 else f"{name} {place}" for place in range(1, len(taken) + 2))
    return next(each for each in tries if each not in taken)


async def _secret_name(tx: Statements, scope: Scope, secret: SecretId | None) -> str | None:
    if secret is None:
        return None
    found: str | None = await tx.value(
        f"select name from secret where id = %(secret)s and workspace_id = {SEEN}", secret=secret, **scope.params
    )
    return found
