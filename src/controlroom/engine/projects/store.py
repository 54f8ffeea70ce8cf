"""The statements over projects."""

from datetime import datetime
from typing import Any, Final

from msgspec import UNSET

from controlroom.engine.access.scope import EACH, SEEN, Scope, ScopedTx
from controlroom.engine.projects.errors import ProjectNotFound
from controlroom.engine.projects.model import Project, ProjectChange
from controlroom.ids import OrganizationId, PackageId, ProcessId, WorkspaceId
from controlroom.postgres.database import Statements

STATE: Final = "case when project.deleted_at is null then 'active' else 'deleted' end"
COLUMNS: Final = f"""project.workspace_id as id, workspace.number, workspace.organization_id,
           organization.number as organization_number, workspace.name, project.description, project.subdirectory,
           package.id as package_id, package.number as package_number,
           docs.id as docs_process_id, docs.number as docs_process_number,
           freshness.id as freshness_process_id, freshness.number as freshness_process_number,
           connection.id as connection_id, connection.number as connection_number,
           {STATE} as state, project.revision, project.created_at, project.updated_at"""
WORKSPACE: Final = "join workspace on workspace.id = project.workspace_id"
JOINS: Final = f"""{WORKSPACE}
      join organization on organization.id = workspace.organization_id
      left join package on package.id = project.package_id and package.deleted_at is null
      left join process as docs on docs.id = project.docs_process_id and docs.deleted_at is null
      left join process as freshness on freshness.id = project.freshness_process_id and freshness.deleted_at is null
      left join connection on connection.id = project.connection_id and connection.deleted_at is null"""


async def find(db: Statements, scope: Scope) -> Project | None:
    """The project of the workspace; None where it is none, or none any more."""
    return await db.one_or_none(
        Project,
        f"""
        select {COLUMNS} from project {JOINS}
         where project.workspace_id = {SEEN} and project.deleted_at is null
        """,
        **scope.params,
    )


async def get(db: Statements, scope: Scope) -> Project:
    """Likewise; raises ProjectNotFound."""
    found = await find(db, scope)
    if found is None:
        raise ProjectNotFound(scope.workspace)
    return found


async def of_workspaces(db: Statements, scope: Scope) -> list[Project]:
    """The projects among the workspaces that the scope sees."""
    return await db.all(
        Project,
        f"""
        select {COLUMNS} from project {JOINS}
         where project.workspace_id in {EACH} and project.deleted_at is null
        """,
        **scope.each,
    )


async def numbered(db: Statements, scope: Scope, number: int) -> Project | None:
    """The project with the workspace's number, of all that the scope sees; also one that was deleted."""
    return await db.one_or_none(
        Project,
        f"""
        select {COLUMNS} from project {JOINS}
         where project.workspace_id in {EACH} and workspace.number = %(number)s
        """,
        number=number,
        **scope.each,
    )


async def of_package(db: Statements, scope: Scope, package: PackageId) -> Project | None:
    """The project whose files a package holds."""
    return await db.one_or_none(
        Project,
        f"""
        select {COLUMNS} from project {JOINS}
         where project.workspace_id in {EACH} and project.package_id = %(package)s and project.deleted_at is null
        """,
        package=package,
        **scope.each,
    )


async def lock(tx: ScopedTx, scope: Scope) -> Project | None:
    """Likewise, so that changes wait for each other; also one that was deleted. None: the workspace never was one."""
    return await tx.one_or_none(
        Project,
        f"""
        select {COLUMNS} from project {JOINS}
         where project.workspace_id = {SEEN}
           for update of project
        """,
        **scope.params,
    )


# ---------------------------------------------------------------------------------------------------- writing
async def lock_organization(tx: ScopedTx, organization: OrganizationId) -> None:
    """Let those who make projects of an organization wait for each other."""
    await tx.execute(
        "select id from organization where id = %(organization)s for no key update", organization=organization
    )


async def workspace_called(tx: ScopedTx, organization: OrganizationId, name: str) -> WorkspaceId | None:
    """The workspace of a name, whoever has a place in it."""
    found: WorkspaceId | None = await tx.value(
        "select id from workspace where organization_id = %(organization)s and name = %(name)s and deleted_at is null",
        organization=organization,
        name=name,
    )
    return found


async def put(tx: ScopedTx, scope: Scope) -> bool:
    """Make the workspace a project, also one that was one before; whether it was none."""
    return bool(
        await tx.execute(
            f"""
            insert into project (workspace_id) select seen.id from {SEEN} as seen
            on conflict (workspace_id) do update
               set deleted_at = null, revision = project.revision + 1, updated_at = clock_now()
             where project.deleted_at is not null
            """,
            **scope.params,
        )
    )


async def change(tx: ScopedTx, scope: Scope, change: ProjectChange) -> None:
    """Write what is to be otherwise of a project that the transaction has locked; its name is the workspace's."""
    given: dict[str, Any] = {
        name: None if value is UNSET else value
        for name, value in (
            ("description", change.description),
            ("subdirectory", change.subdirectory),
            ("package", change.package_id),
            ("docs", change.docs_process_id),
            ("freshness", change.freshness_process_id),
            ("connection", change.connection_id),
        )
    }
    await tx.execute(
        f"""
        update project
           set description = coalesce(%(description)s, description),
               subdirectory = coalesce(%(subdirectory)s, subdirectory),
               package_id = case when %(has_package)s then %(package)s::uuid else package_id end,
               docs_process_id = case when %(has_docs)s then %(docs)s::uuid else docs_process_id end,
               freshness_process_id =
                   case when %(has_freshness)s then %(freshness)s::uuid else freshness_process_id end,
               connection_id = case when %(has_connection)s then %(connection)s::uuid else connection_id end,
               revision = revision + 1, updated_at = clock_now()
         where workspace_id = {SEEN}
        """,
        has_package=change.package_id is not UNSET,
        has_docs=change.docs_process_id is not UNSET,
        has_freshness=change.freshness_process_id is not UNSET,
        has_connection=change.connection_id is not UNSET,
        **given,
        **scope.params,
    )


async def let_jobs_follow(tx: ScopedTx, scope: Scope, package: PackageId | None) -> None:
    """Let the jobs of a locked project run their commands in the files of another package.

    Without one their steps run nothing, and the commands wait in the jobs' settings until there is one. Writes rows of
    slices above: what a project has is what its jobs run.
    """
    await tx.execute(
        f"""
        with of_job as (
            select job.process_id, step.id, coalesce(step.commands, job.settings -> 'waiting', '[]') as commands
              from job
              join step on step.process_id = job.process_id and step.deleted_at is null and step.position = 0
             where job.workspace_id = {SEEN} and step.task_id is null and step.form is null
        ), moved as (
            update step
               set package_id = %(package)s::uuid,
                   commands = case when %(package)s::uuid is not null then of_job.commands end
              from of_job where step.id = of_job.id
        )
        update job
           set settings = case when %(package)s::uuid is null
                               then jsonb_set(job.settings, '{{waiting}}', of_job.commands)
                               else job.settings - 'waiting' end
          from of_job where job.process_id = of_job.process_id
        """,
        package=package,
        **scope.params,
    )


async def delete(tx: ScopedTx, scope: Scope) -> datetime | None:
    """Mark a locked project as deleted; when it was."""
    found: datetime | None = await tx.value(
        f"""
        update project set deleted_at = clock_now(), updated_at = clock_now(), revision = revision + 1
         where workspace_id = {SEEN} and deleted_at is null
        returning deleted_at
        """,
        **scope.params,
    )
    return found


# ---------------------------------------------------------------------------------------------------- what it names
async def has_package(tx: ScopedTx, scope: Scope, package: PackageId) -> bool:
    """Whether the workspace has the package, which cannot be deleted before the transaction ends."""
    found = await tx.value(
        f"""
        select id from package where id = %(package)s and workspace_id = {SEEN} and deleted_at is null for key share
        """,
        package=package,
        **scope.params,
    )
    return found is not None


async def has_process(tx: ScopedTx, scope: Scope, process: ProcessId) -> bool:
    """Likewise of a process."""
    found = await tx.value(
        f"""
        select id from process where id = %(process)s and workspace_id = {SEEN} and deleted_at is null for key share
        """,
        process=process,
        **scope.params,
    )
    return found is not None


async def jobs_of(tx: ScopedTx, scope: Scope, package: PackageId | None) -> list[str]:
    """The names of the project's jobs, and of other processes that run commands in its files.

    Reads tables of other slices: only a deletion needs to know.
    """
    return await tx.all(
        str,
        f"""
        select process.name
          from job join process on process.id = job.process_id
         where job.workspace_id = {SEEN} and process.deleted_at is null
        union
        select process.name
          from step join process on process.id = step.process_id
         where step.workspace_id = {SEEN} and step.package_id = %(package)s and step.deleted_at is null
           and process.deleted_at is null and process.implicit_task_id is null
         order by name
        """,
        package=package,
        **scope.params,
    )
