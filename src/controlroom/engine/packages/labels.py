"""The versions of a package, and the labels that they bear: names that move from version to version."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import SEEN, Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.packages import store
from controlroom.engine.packages.errors import LabelNotFound, PackageVersionNotFound
from controlroom.ids import PackageId, PackageVersionId, WorkspaceId
from controlroom.postgres.database import Statements


class LabelledVersion(Struct, frozen=True, kw_only=True):
    """A version of a package as lists show it, with the labels that it bears."""

    id: PackageVersionId
    number: int
    package_id: PackageId
    version: int
    """Counts from 1 in each package."""
    hash: str
    size: int
    tasks: list[str]
    labels: list[str]
    created_at: datetime
    created_by: UUID | None


_LABELLED = """
    select version.id, version.number, version.package_id, version.version, version.hash, version.size,
           array(select task ->> 'name' from jsonb_array_elements(version.robot -> 'tasks') as task) as tasks,
           array(select package_label.name from package_label
                  where package_label.package_id = version.package_id
                    and package_label.package_version_id = version.id
                  order by package_label.name) as labels,
           version.created_at, version.created_by
      from package_version as version join package on package.id = version.package_id
"""


async def list_versions(
    db: Statements, scope: Scope, package: PackageId, *, before: int | None = None, limit: int
) -> list[LabelledVersion]:
    """The versions of a package, newest first."""
    return await db.all(
        LabelledVersion,
        f"""{_LABELLED}
         where package.workspace_id = {SEEN} and package.id = %(package)s and package.deleted_at is null
           and version.version < coalesce(%(before)s::bigint, 9223372036854775807)
         order by version.version desc
         limit %(limit)s""",
        package=package,
        before=before,
        limit=limit,
        **scope.params,
    )


async def get_version(db: Statements, scope: Scope, package: PackageId, version: int) -> LabelledVersion:
    """One version of a package; raises PackageVersionNotFound."""
    found = await db.one_or_none(
        LabelledVersion,
        f"""{_LABELLED}
         where package.workspace_id = {SEEN} and package.id = %(package)s and package.deleted_at is null
           and version.version = %(version)s""",
        package=package,
        version=version,
        **scope.params,
    )
    if found is None:
        raise PackageVersionNotFound(version)
    return found


async def labelled(
    db: Statements, scope: Scope, packages: Collection[PackageId], label: str
) -> dict[PackageId, LabelledVersion]:
    """The versions of some packages that bear a label, by package; of those of which none does there is none."""
    found = await db.all(
        LabelledVersion,
        f"""{_LABELLED}
         join package_label as asked on asked.package_version_id = version.id and asked.name = %(label)s
         where package.workspace_id = {SEEN} and package.id = any(%(packages)s::uuid[])""",
        packages=list(packages),
        label=label,
        **scope.params,
    )
    return {version.package_id: version for version in found}


async def of_ids(
    db: Statements, scope: Scope, packages: Collection[PackageId], versions: Collection[PackageVersionId]
) -> dict[PackageId, LabelledVersion]:
    """Those of the versions that are of one of the packages, by package."""
    found = await db.all(
        LabelledVersion,
        f"""{_LABELLED}
         where package.workspace_id = {SEEN} and package.id = any(%(packages)s::uuid[])
           and version.id = any(%(versions)s::uuid[])""",
        packages=list(packages),
        versions=list(versions),
        **scope.params,
    )
    return {version.package_id: version for version in found}


async def set_label(
    engine: Engine, actor: Actor, workspace: WorkspaceId, package: PackageId, label: str, version: int
) -> LabelledVersion:
    """Give a label to a version; another one that bears it loses it in the same moment.

    Runs take the version that a label means at their start: those under way go on with theirs. Raises PackageNotFound,
    PackageVersionNotFound.
    """
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    name = checked_name(label, what="label")
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        await set_label_in(engine, tx, actor, scope, package, name, version)
        return await get_version(tx, scope, package, version)


async def set_label_in(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, package: PackageId, label: str, version: int
) -> None:
    """Likewise, for who has the right by the folder that the package lies in."""
    await store.hold(tx, scope, package)
    found = await get_version(tx, scope, package, version)
    await _move(tx, found, label)
    await record(engine, tx, actor, scope, "package.labelled", package, label=label, version=version)


async def remove_label(engine: Engine, actor: Actor, workspace: WorkspaceId, package: PackageId, label: str) -> None:
    """Take a label away from whichever version bears it; raises PackageNotFound, LabelNotFound."""
    scope = scope_of(actor, Permission.WRITE_PACKAGES, workspace)
    async with scoped(engine.database, scope) as tx:
        await ensure_seen(tx, scope)
        found = await store.hold(tx, scope, package)
        if not await _remove(tx, package, label):
            raise LabelNotFound(label, found.name)
        await record(engine, tx, actor, scope, "package.unlabelled", package, label=label)


async def _remove(tx: ScopedTx, package: PackageId, label: str) -> bool:
    """Take a label from a package that the caller has held; whether it was there."""
    return bool(
        await tx.execute(
            "delete from package_label where package_id = %(package)s and name = %(label)s",
            package=package,
            label=label,
        )
    )


async def _move(tx: ScopedTx, version: LabelledVersion, label: str) -> None:
    await tx.execute(
        """
        insert into package_label (package_id, name, package_version_id) values (%(package)s, %(label)s, %(version)s)
        on conflict (package_id, name)
        do update set package_version_id = excluded.package_version_id, moved_at = clock_now()
        """,
        package=version.package_id,
        label=label,
        version=version.id,
    )
