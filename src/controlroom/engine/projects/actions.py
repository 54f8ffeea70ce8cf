"""The verbs of projects."""

from msgspec import UNSET

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_description
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Of, Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.connections import store as connections
from controlroom.engine.connections.errors import ConnectionNotFound
from controlroom.engine.connections.seeing import reading, sees_all
from controlroom.engine.engine import Engine
from controlroom.engine.projects import store
from controlroom.engine.projects.errors import (
    NotOfProject,
    ProjectChanged,
    ProjectInvalid,
    ProjectNotEmpty,
    ProjectNotFound,
)
from controlroom.engine.projects.model import Project, ProjectChange, ProjectState
from controlroom.engine.workspaces import actions as workspaces
from controlroom.errors import Forbidden, Invalid
from controlroom.ids import WorkspaceId
from controlroom.robots.choosing import inner_folder

NOTHING = ProjectChange()


async def create(engine: Engine, actor: Actor, name: str, settings: ProjectChange = NOTHING) -> Project:
    """A new workspace that is a project, for who may make workspaces.

    Raises Conflict `WORKSPACE_NAME_TAKEN`; Forbidden that names the permission.
    """
    if not actor.may(Permission.WRITE_WORKSPACES, None):
        raise lacking(Permission.WRITE_WORKSPACES)
    async with scoped(engine.database, actor.organization_id) as tx:
        workspace = await workspaces.create_in(engine, tx, actor, name)
        scope = Of(actor.organization_id, (workspace,))
        await found_in(engine, tx, actor, scope)
        return await change_in(engine, tx, actor, scope, settings)


async def found(engine: Engine, actor: Actor, workspace: WorkspaceId, settings: ProjectChange = NOTHING) -> Project:
    """Make a workspace a project, unless it is one, and settle what it is like."""
    scope = scope_of(actor, Permission.WRITE_WORKSPACE, workspace)
    async with scoped(engine.database, scope) as tx:
        await found_in(engine, tx, actor, scope)
        return await change_in(engine, tx, actor, scope, settings)


async def found_in(engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope) -> bool:
    """Likewise, in a transaction that does more with it; whether it was none before."""
    is_new = await store.put(tx, scope)
    if is_new:
        await record(engine, tx, actor, scope, "project.created", scope.workspace)
    else:
        await ensure_seen(tx, scope)
    return is_new


async def change(engine: Engine, actor: Actor, workspace: WorkspaceId, wanted: ProjectChange) -> Project:
    """Change a project. Raises ProjectNotFound, ProjectChanged, NotOfProject for what its workspace does not have."""
    scope = scope_of(actor, Permission.WRITE_WORKSPACE, workspace)
    async with scoped(engine.database, scope) as tx:
        return await change_in(engine, tx, actor, scope, wanted)


async def change_in(engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, wanted: ProjectChange) -> Project:
    """Likewise, in a transaction that does more; what is so already is not written again."""
    now = await store.lock(tx, scope)
    if now is None or now.state is ProjectState.DELETED:
        raise ProjectNotFound(scope.workspace)
    if wanted.revision not in {None, now.revision}:
        raise ProjectChanged(now.revision)
    wanted = _without_what_is_so(now, _checked(wanted))
    if wanted == NOTHING:
        return now
    if wanted.name is not UNSET:
        await workspaces.rename_in(engine, tx, actor, scope, wanted.name)
    await _ensure_there(tx, actor, scope, wanted)
    await store.change(tx, scope, wanted)
    if wanted.package_id is not UNSET:
        await store.let_jobs_follow(tx, scope, wanted.package_id)
    await record(engine, tx, actor, scope, "project.changed", scope.workspace)
    return await store.get(tx, scope)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId) -> Project:
    """Let a workspace be a project no more; what is in it stays. It can be made one again.

    Raises ProjectNotEmpty while jobs run commands in its files.
    """
    scope = scope_of(actor, Permission.WRITE_WORKSPACE, workspace)
    async with scoped(engine.database, scope) as tx:
        return await delete_in(engine, tx, actor, scope)


async def delete_in(engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope) -> Project:
    """Likewise, in a transaction that does more."""
    now = await store.lock(tx, scope)
    if now is None or now.state is ProjectState.DELETED:
        raise ProjectNotFound(scope.workspace)
    if jobs := await store.jobs_of(tx, scope, now.package_id):
        raise ProjectNotEmpty(f"the jobs {', '.join(jobs[:5])}{' …' if len(jobs) > 5 else ''}")  # noqa: PLR2004 - a few
    await store.delete(tx, scope)
    await record(engine, tx, actor, scope, "project.deleted", scope.workspace)
    gone = await store.lock(tx, scope)
    if gone is None:
        raise ProjectNotFound(scope.workspace)
    return gone


def lacking(permission: Permission) -> Forbidden:
    """The refusal of who may not do it in the organization."""
    return Forbidden(
        f"this needs the permission {permission.value} in the organization",
        code="PERMISSION_MISSING",
        permission=permission,
    )


# ---------------------------------------------------------------------------------------------------- rules
def _checked(wanted: ProjectChange) -> ProjectChange:
    """What is wanted in its normal form. Raises Invalid."""
    description = wanted.description if wanted.description is UNSET else checked_description(wanted.description)
    folder = wanted.subdirectory if wanted.subdirectory is UNSET else _within(wanted.subdirectory)
    return ProjectChange(
        name=wanted.name,
        description=description,
        subdirectory=folder,
        package_id=wanted.package_id,
        docs_process_id=wanted.docs_process_id,
        freshness_process_id=wanted.freshness_process_id,
        connection_id=wanted.connection_id,
    )


def _within(folder: str) -> str:
    """A folder in what is fetched or pushed, in its normal form."""
    try:
        return inner_folder(folder.strip("/"))
    except Invalid as wrong:
        raise ProjectInvalid("subdirectory", "is a folder within its files, without ..") from wrong


def _without_what_is_so(now: Project, wanted: ProjectChange) -> ProjectChange:
    def new(name: str) -> object:
        value = getattr(wanted, name)
        return UNSET if value is UNSET or value == getattr(now, name) else value

    names = [name for name in ProjectChange.__struct_fields__ if name != "revision"]
    return ProjectChange(**{name: new(name) for name in names})  # type: ignore[arg-type]  # as their fields


async def _ensure_there(tx: ScopedTx, actor: Actor, scope: Scope, wanted: ProjectChange) -> None:
    package = wanted.package_id
    if package is not UNSET and package is not None and not await store.has_package(tx, scope, package):
        raise NotOfProject("repository")
    for process in (wanted.docs_process_id, wanted.freshness_process_id):
        if process is not UNSET and process is not None and not await store.has_process(tx, scope, process):
            raise NotOfProject("job")
    connection = wanted.connection_id
    if connection is not UNSET and connection is not None:
        if await connections.get(tx, scope.organization, connection, is_held=True) is None:
            raise ConnectionNotFound
        used = reading(actor)
        if not await connections.is_visible(
            tx, scope.organization, connection, sees_all=sees_all(actor), workspaces=used
        ):
            raise ConnectionNotFound
