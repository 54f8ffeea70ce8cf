"""The statements over packages, their versions and tasks."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from controlroom.engine.access.scope import EACH, SEEN, Scope, ScopedTx
from controlroom.engine.nouns import InWorkspace, Missing, Noun
from controlroom.engine.packages.errors import PackageNotFound, TaskNotFound
from controlroom.engine.packages.model import Package, PackageVersion, Task, Zip
from controlroom.engine.packages.places import FOLDERS
from controlroom.ids import PackageId, PackageVersionId, TaskId, UserId, WorkspaceId, uuid7
from controlroom.objects.store import Blob
from controlroom.postgres.database import Statements, Tx
from controlroom.postgres.keyset import oldest_first
from controlroom.robots.definition import RobotDefinition

PACKAGE: Final = Noun[PackageId](
    "package",
    PackageNotFound,
    "package",
    InWorkspace("package.workspace_id"),
    there="package.deleted_at is null",
    name="package.name",
)
PACKAGE_VERSION: Final = Noun[PackageVersionId](
    "package version",
    partial(Missing, "package version"),
    "package_version",
    InWorkspace("package.workspace_id"),
    joined="join package on package.id = package_version.package_id",
    there="package.deleted_at is null",
)
TASK: Final = Noun[TaskId](
    "task",
    TaskNotFound,
    "task",
    InWorkspace("package.workspace_id"),
    joined="join package on package.id = task.package_id",
    there="package.deleted_at is null",
    name="task.name",
)

_PACKAGE: Final = """
    select package.id, package.number, package.workspace_id, package.name, package.created_at,
           package.exclude_newer,
           (select to_jsonb(latest) from package_version as latest
             where latest.package_id = package.id
             order by latest.version desc limit 1) as latest
      from package
"""

_VERSION: Final = """
    select version.id, version.number, version.package_id, version.version, version.hash, version.size,
           version.folder, version.robot, version.created_at, version.created_by
      from package_version as version join package on package.id = version.package_id
"""

_TASK: Final = """
    select task.id, task.number, task.package_id, package.name as package_name, task.name
      from task join package on package.id = task.package_id
"""


async def get(db: Statements, scope: Scope, package: PackageId) -> Package:
    """One package of the workspace; raises PackageNotFound."""
    found = await db.one_or_none(
        Package,
        f"""{_PACKAGE}
         where package.workspace_id = {SEEN} and package.id = %(package)s and package.deleted_at is null""",
        package=package,
        **scope.params,
    )
    if found is None:
        raise PackageNotFound(package)
    return found


async def by_name(db: Statements, scope: Scope, name: str) -> Package | None:
    """The package of the workspace that has the name."""
    return await db.one_or_none(
        Package,
        f"""{_PACKAGE}
         where package.workspace_id = {SEEN} and package.name = %(name)s and package.deleted_at is null""",
        name=name,
        **scope.params,
    )


async def hold(tx: Tx, scope: Scope, package: PackageId) -> Package:
    """A package that cannot be deleted before the transaction ends; raises PackageNotFound."""
    found = await tx.one_or_none(
        Package,
        f"""{_PACKAGE}
         where package.workspace_id = {SEEN} and package.id = %(package)s and package.deleted_at is null
           for share of package""",
        package=package,
        **scope.params,
    )
    if found is None:
        raise PackageNotFound(package)
    return found


async def list_packages(db: Statements, scope: Scope, *, after: PackageId | None = None, limit: int) -> list[Package]:
    """Packages in the order of their making."""
    return await db.all(
        Package,
        f"""{_PACKAGE}
         where package.workspace_id = {SEEN} and package.deleted_at is null
         {oldest_first("package.id")}""",
        after=after,
        limit=limit,
        **scope.params,
    )


async def latest_version(db: Statements, scope: Scope, package: PackageId) -> PackageVersion | None:
    """What a run that starts now would take; None before the first upload, or for a package that is gone."""
    return await db.one_or_none(
        PackageVersion,
        f"""{_VERSION}
         where package.workspace_id = {SEEN} and package.id = %(package)s and package.deleted_at is null
         order by version.version desc
         limit 1""",
        package=package,
        **scope.params,
    )


async def get_version(db: Statements, scope: Scope, version: PackageVersionId) -> PackageVersion | None:
    """One version, also of a package that was deleted meanwhile: runs that took it go on."""
    return await db.one_or_none(
        PackageVersion,
        f"{_VERSION} where package.workspace_id = {SEEN} and version.id = %(version)s",
        version=version,
        **scope.params,
    )


async def zip_by_hash(db: Statements, scope: Scope, digest: str) -> Zip | None:
    """A zip by its content, if a package of the workspaces has or had it: nobody fetches another workspace's robots."""
    return await db.one_or_none(
        Zip,
        f"""
        select package.name, version.size
          from package_version as version join package on package.id = version.package_id
         where version.hash = %(digest)s and package.workspace_id in {EACH}
        union all
        select package.name, kept.size
          from package_commit as kept join package on package.id = kept.package_id
         where kept.hash = %(digest)s and package.workspace_id in {EACH}
         limit 1
        """,
        digest=digest,
        **scope.each,
    )


async def get_task(db: Statements, scope: Scope, task: TaskId) -> Task:
    """One task of a package that is not deleted; raises TaskNotFound."""
    found = await db.one_or_none(
        Task,
        f"""{_TASK}
         where package.workspace_id = {SEEN} and task.id = %(task)s and package.deleted_at is null""",
        task=task,
        **scope.params,
    )
    if found is None:
        raise TaskNotFound(task)
    return found


async def list_tasks(db: Statements, scope: Scope, package: PackageId) -> list[Task]:
    """Every task that any version of a package had, in the order of their making."""
    return await db.all(
        Task,
        f"""{_TASK}
         where package.workspace_id = {SEEN} and package.id = %(package)s and package.deleted_at is null
         order by task.id""",
        package=package,
        **scope.params,
    )


class Named(Struct, frozen=True, kw_only=True):
    """A task with the names on the way to it."""

    id: TaskId
    number: int
    name: str
    package_name: str
    folders: list[str]
    """In which the package lies, below the workspace."""
    workspace_id: WorkspaceId
    workspace_name: str


_NAMED: Final = f"""
    select task.id, task.number, task.name, package.name as package_name, {FOLDERS} as folders,
           workspace.id as workspace_id, workspace.name as workspace_name
      from task join package on package.id = task.package_id and package.deleted_at is null
      join workspace on workspace.id = package.workspace_id and workspace.deleted_at is null
"""


async def task_named(
    db: Statements, scope: Scope, *, workspace: str, folders: Sequence[str], package: str, task: str
) -> Named | None:
    """The task of these names, in whichever case the workspace's and the folders' are written, of all that is seen.

    Without folders it is in whichever its package lies: a workspace has one package of a name.
    """
    return await db.one_or_none(
        Named,
        f"""{_NAMED}
         where package.workspace_id in {EACH} and lower(workspace.name) = lower(%(workspace)s)
           and package.name = %(package)s and task.name = %(task)s
           and (cardinality(%(folders)s::text[]) = 0 or lower({FOLDERS}::text) = lower(%(folders)s::text[]::text))
         order by task.id
         limit 1""",
        workspace=workspace,
        folders=list(folders),
        package=package,
        task=task,
        **scope.each,
    )


async def task_with_id(db: Statements, scope: Scope, task: TaskId) -> Named | None:
    """The task of an id, likewise."""
    return await db.one_or_none(
        Named,
        f"{_NAMED} where package.workspace_id in {EACH} and task.id = %(task)s",
        task=task,
        **scope.each,
    )


async def task_numbered(db: Statements, scope: Scope, number: int) -> Named | None:
    """The task of a number, likewise."""
    return await db.one_or_none(
        Named,
        f"{_NAMED} where package.workspace_id in {EACH} and task.number = %(number)s",
        number=number,
        **scope.each,
    )


async def task_of(tx: ScopedTx, package: PackageId, name: str) -> TaskId:
    """The id of a task that the package is known to have."""
    return await tx.one(
        TaskId, "select id from task where package_id = %(package)s and name = %(name)s", package=package, name=name
    )


async def hold_task(tx: Tx, scope: Scope, task: TaskId) -> Task:
    """One task, whose package cannot be deleted before the transaction ends; raises TaskNotFound."""
    found = await tx.one_or_none(
        Task,
        f"""{_TASK}
         where package.workspace_id = {SEEN} and task.id = %(task)s and package.deleted_at is null
           for share of package""",
        task=task,
        **scope.params,
    )
    if found is None:
        raise TaskNotFound(task)
    return found


# ---------------------------------------------------------------------------------------------------- writing
async def insert(tx: Tx, scope: Scope, name: str) -> PackageId | None:
    """A new package without a version; None if the scope sees no such workspace.

    Raises UniqueViolation if the name is taken.
    """
    found: PackageId | None = await tx.value(
        f"""
        insert into package (id, workspace_id, name)
        select %(id)s, seen.id, %(name)s from {SEEN} as seen
        returning id
        """,
        id=uuid7(),
        name=name,
        **scope.params,
    )
    return found


async def insert_if_new(tx: Tx, scope: Scope, name: str, *, package: PackageId | None = None) -> PackageId | None:
    """A new package, or None if the name is taken (or the workspace not seen); waits for whoever is making it now."""
    found: PackageId | None = await tx.value(
        f"""
        insert into package (id, workspace_id, name)
        select %(id)s, seen.id, %(name)s from {SEEN} as seen
        on conflict (workspace_id, name) where deleted_at is null do nothing
        returning id
        """,
        id=package or uuid7(),
        name=name,
        **scope.params,
    )
    return found


async def set_exclude_newer(tx: Tx, scope: Scope, package: PackageId, moment: datetime | None) -> None:
    """Say how new the packages of the world may be for a package that the transaction has locked."""
    await tx.execute(
        f"update package set exclude_newer = %(moment)s where id = %(package)s and workspace_id = {SEEN}",
        package=package,
        moment=moment,
        **scope.params,
    )


class _Locked(Struct, frozen=True):
    locked_by: UserId | None


async def lock(tx: Tx, scope: Scope, package: PackageId) -> UserId | None:
    """Make versions, deletions and new uses of a package wait for each other; who alone may write it now.

    Raises PackageNotFound.
    """
    found = await tx.one_or_none(
        _Locked,
        f"""
        select locked_by from package
         where id = %(package)s and workspace_id = {SEEN} and deleted_at is null
           for update
        """,
        package=package,
        **scope.params,
    )
    if found is None:
        raise PackageNotFound(package)
    return found.locked_by


async def add_version(
    tx: ScopedTx, package: PackageId, blob: Blob, robot: RobotDefinition, *, folder: str, created_by: UUID | None
) -> PackageVersionId:
    """The next version of a package that the transaction has locked."""
    version = PackageVersionId(uuid7())
    await tx.execute(
        """
        insert into package_version (id, package_id, version, hash, size, folder, robot, created_by)
        select %(id)s, %(package)s, coalesce(max(version), 0) + 1, %(hash)s, %(size)s, %(folder)s, %(robot)s,
               %(created_by)s
          from package_version where package_id = %(package)s
        """,
        id=version,
        package=package,
        hash=blob.hash,
        size=blob.size,
        folder=folder,
        robot=msgspec.Raw(msgspec.json.encode(robot)),
        created_by=created_by,
    )
    return version


async def add_tasks(tx: ScopedTx, package: PackageId, names: Sequence[str]) -> None:
    """Make the tasks that the package did not have before; those that it had keep their ids."""
    await tx.execute(
        """
        insert into task (id, package_id, name)
        select id, %(package)s, name from unnest(%(ids)s::uuid[], %(names)s::text[]) as new (id, name)
        on conflict (package_id, name) do nothing
        """,
        package=package,
        ids=[uuid7() for _ in names],
        names=list(names),
    )


async def users_of(tx: ScopedTx, package: PackageId) -> list[str]:
    """The names of the processes whose steps run a task or commands of the package, and of the assistants that do.

    Reads tables of other slices: only a deletion needs to know. The processes of bare tasks do not count.
    """
    return await tx.all(
        str,
        """
        select process.name
          from task
          join step on step.task_id = task.id and step.deleted_at is null
          join process on process.id = step.process_id
         where task.package_id = %(package)s and process.deleted_at is null and process.implicit_task_id is null
        union
        select process.name
          from step join process on process.id = step.process_id
         where step.package_id = %(package)s and step.deleted_at is null and process.deleted_at is null
        union
        select assistant.name
          from task join assistant on assistant.task_id = task.id and assistant.deleted_at is null
         where task.package_id = %(package)s
         order by name
        """,
        package=package,
    )


async def delete(tx: Tx, scope: Scope, package: PackageId) -> bool:
    """Mark a package as deleted, so that its name is free; whether it was there. Its versions stay for their runs."""
    return bool(
        await tx.execute(
            f"""
            update package set deleted_at = clock_now()
             where id = %(package)s and workspace_id = {SEEN} and deleted_at is null
            """,
            package=package,
            **scope.params,
        )
    )


async def leave_gone_folder(tx: ScopedTx, scope: Scope, package: PackageId) -> None:
    """Have a package lie directly in its workspace, if the folder that it lay in was deleted."""
    await tx.execute(
        f"""
        update package set folder_id = null
         where id = %(package)s and workspace_id = {SEEN}
           and exists (select from repository_file where id = package.folder_id and deleted_at is not null)
        """,
        package=package,
        **scope.params,
    )
