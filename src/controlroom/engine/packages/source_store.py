"""Statements on where packages are fetched from."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.access.scope import SEEN, Of, Room, Scope, ScopedTx
from controlroom.engine.packages.fetches import LEASE, Fetch, RefKind
from controlroom.ids import OrganizationId, PackageId, WorkspaceId, uuid7
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

OWN_BRANCH: Final = "HEAD"
"""The branch that a repository says is its own: none can be called so."""


class Ref(Struct, frozen=True):
    """A branch, a tag or a commit, by name."""

    kind: RefKind
    name: str


class Source(Struct, frozen=True, kw_only=True):
    """Where a package's content comes from."""

    package_id: PackageId
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    url: str
    ref_kind: RefKind
    ref: str
    folder: str
    secret_name: str | None
    hook_sealed: bytes
    wanted_at: datetime | None
    fetched_at: datetime | None
    fetched_commit: str | None
    error: str

    @property
    def scope(self) -> Scope:
        """Whose package it is."""
        return Of(self.organization_id, (self.workspace_id,))


_SOURCE: Final = """
    select source.package_id, source.workspace_id, workspace.organization_id, source.url, source.ref_kind, source.ref,
           source.folder, source.secret_name, source.hook_sealed, source.wanted_at, source.fetched_at,
           source.fetched_commit, source.error
      from package_source as source
      join package on package.id = source.package_id and package.deleted_at is null
      join workspace on workspace.id = source.workspace_id
"""


async def put(
    tx: ScopedTx,
    scope: Scope,
    package: PackageId,
    *,
    url: str,
    ref: Ref,
    folder: str,
    secret_name: str | None,
    hook_sealed: bytes,
) -> None:
    """Write the source of a package that the caller holds, and that a fetch is wanted; one under way is void."""
    await tx.execute(
        """
        insert into package_source
               (package_id, workspace_id, url, ref_kind, ref, folder, secret_name, hook_sealed, wanted_at)
        values (%(package)s, %(workspace)s, %(url)s, %(kind)s, %(ref)s, %(folder)s, %(secret)s, %(hook)s, clock_now())
        on conflict (package_id) do update
           set url = excluded.url, ref_kind = excluded.ref_kind, ref = excluded.ref, folder = excluded.folder,
               secret_name = excluded.secret_name, hook_sealed = excluded.hook_sealed, wanted_at = clock_now(),
               fetched_commit = null, fetched_at = null, error = '', lease_until = null, lease_id = null
        """,
        package=package,
        workspace=scope.workspace,
        url=url,
        kind=ref.kind,
        ref=ref.name,
        folder=folder,
        secret=secret_name,
        hook=hook_sealed,
    )


async def get(tx: Statements, scope: Scope, package: PackageId) -> Source | None:
    """The source of a package."""
    return await tx.one_or_none(
        Source,
        f"{_SOURCE} where source.package_id = %(package)s and source.workspace_id = {SEEN}",
        package=package,
        **scope.params,
    )


async def list_sources(tx: Statements, scope: Scope, *, after: PackageId | None = None, limit: int) -> list[Source]:
    """The sources of the workspace's packages in the order in which the packages were made."""
    return await tx.all(
        Source,
        f"""{_SOURCE}
         where source.workspace_id = {SEEN}
         {oldest_first("source.package_id")}""",
        after=after,
        limit=limit,
        **scope.params,
    )


async def by_package(tx: Statements, package: PackageId) -> Source | None:
    """Likewise, for a caller who is not known yet."""
    return await tx.one_or_none(Source, f"{_SOURCE} where source.package_id = %(package)s", package=package)


async def remove(tx: Statements, scope: Scope, package: PackageId) -> bool:
    """Remove the source of a package; whether there was one."""
    removed = await tx.execute(
        f"delete from package_source where package_id = %(package)s and workspace_id = {SEEN}",
        package=package,
        **scope.params,
    )
    return removed > 0


async def want(tx: Statements, scope: Scope, package: PackageId) -> None:
    """Note that a fetch is wanted; one that is under way may have missed what the asker wants, and is done again."""
    await tx.execute(
        f"""
        update package_source set wanted_at = clock_now()
         where package_id = %(package)s and workspace_id = {SEEN}
        """,
        package=package,
        **scope.params,
    )


async def claim(tx: Statements, _room: Room) -> Fetch | None:
    """Claim the fetch that waits the longest; each goes to one server."""
    return await tx.one_or_none(
        Fetch,
        """
        with picked as (
            select source.package_id, workspace.organization_id,
                   coalesce((select project.subdirectory from project
                              where project.workspace_id = source.workspace_id
                                and project.package_id = source.package_id
                                and project.deleted_at is null), '') as within
              from package_source as source
              join package on package.id = source.package_id and package.deleted_at is null
              join workspace on workspace.id = source.workspace_id and workspace.deleted_at is null
             where source.wanted_at is not null and (source.lease_until is null or source.lease_until < clock_now())
             order by source.wanted_at
             limit 1
               for no key update of source skip locked
        )
        update package_source set lease_until = clock_now() + %(lease)s::interval, lease_id = %(id)s
          from picked
         where package_source.package_id = picked.package_id
        returning package_source.package_id, package_source.workspace_id, picked.organization_id, package_source.url,
                  package_source.ref_kind, package_source.ref, package_source.folder, picked.within,
                  package_source.secret_name,
                  package_source.wanted_at, package_source.lease_id
        """,
        lease=LEASE,
        id=uuid7(),
    )


async def is_at(tx: ScopedTx, scope: Scope, package: PackageId, commit: str) -> None:
    """Note that the package's own ref was fetched beside the fetches of its own."""
    await tx.execute(
        f"""
        update package_source set fetched_at = clock_now(), fetched_commit = %(commit)s, error = ''
         where package_id = %(package)s and workspace_id = {SEEN}
        """,
        package=package,
        commit=commit,
        **scope.params,
    )


async def done(tx: ScopedTx, fetch: Fetch, *, commit: str) -> None:
    """Note that a claimed fetch went well; whatever was wanted since is still wanted."""
    await tx.execute(
        """
        update package_source
           set lease_until = null, lease_id = null, wanted_at = nullif(wanted_at, %(wanted)s),
               fetched_at = clock_now(), fetched_commit = %(commit)s, error = ''
         where package_id = %(package)s and lease_id = %(id)s
        """,
        package=fetch.package_id,
        id=fetch.lease_id,
        wanted=fetch.wanted_at,
        commit=commit,
    )


async def failed(tx: ScopedTx, fetch: Fetch, why: str) -> bool:
    """Note that a claimed fetch went wrong: it is not tried again until somebody asks. Whether it was the claimer's."""
    noted = await tx.execute(
        """
        update package_source
           set lease_until = null, lease_id = null, wanted_at = nullif(wanted_at, %(wanted)s), error = %(why)s
         where package_id = %(package)s and lease_id = %(id)s
        """,
        package=fetch.package_id,
        id=fetch.lease_id,
        wanted=fetch.wanted_at,
        why=why,
    )
    return noted > 0
