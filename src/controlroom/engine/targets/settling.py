"""A project with all that its jobs need: workspace, package, connection, log-in and a target, in one commit.

What is there already is taken, and changed only where it is to be otherwise: the same asked again changes nothing, and
each thing keeps its id.
"""

from typing import Final

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from controlroom.engine.access.model import EVERYTHING, Actor, ActorKind, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.scope import Of, Scope, ScopedTx, by, scope_of, scoped
from controlroom.engine.connections import actions as connections
from controlroom.engine.connections import logins
from controlroom.engine.connections.model import (
    Connection,
    ConnectionChange,
    ConnectionKind,
    DuckdbSettings,
    Login,
    LoginChange,
    LoginDefinition,
    Settings,
)
from controlroom.engine.connections.store import CONNECTION
from controlroom.engine.connections.store import get as get_connection
from controlroom.engine.engine import Engine
from controlroom.engine.nouns import Ways
from controlroom.engine.packages import actions as packages
from controlroom.engine.packages import source_store, sources
from controlroom.engine.packages.sources import Wanted
from controlroom.engine.projects import actions as projects
from controlroom.engine.projects import store as project_store
from controlroom.engine.projects.model import Project, ProjectChange
from controlroom.engine.references import find
from controlroom.engine.targets import actions, store
from controlroom.engine.targets.model import Purpose, Target, TargetDefinition
from controlroom.engine.targets.store import TARGET
from controlroom.engine.uploads.model import Upload
from controlroom.engine.workspaces import actions as workspaces
from controlroom.ids import ConnectionId, PackageId, WorkspaceId, uuid7

PRODUCTION: Final = "Production"
"""What the target is called, if nothing else is said."""
_NEEDED: Final = (Permission.WRITE_PACKAGES, Permission.WRITE_TARGETS)
_HERE: Final = DuckdbSettings()
"""Where nothing is said: a file that the room keeps."""


class Settlement(Struct, frozen=True, kw_only=True):
    """What a project and its production shall be; what is left out stays, or is as usual."""

    name: str
    description: str | UnsetType = UNSET
    subdirectory: str | UnsetType = UNSET
    source: Wanted | None = None
    """Of git; None: it stays where it is."""
    is_pushed: bool = False
    """A zip is about to come: it is fetched no more, and the answer says where to bring it."""
    connection: str | None = None
    """Its name; None: the one that the project has, else one that is called as the project is."""
    settings: Settings | None = None
    login: LoginChange = LoginChange()
    target: str = PRODUCTION


class Settled(Struct, frozen=True, kw_only=True):
    """What is there now."""

    project: Project
    package_id: PackageId
    package_number: int
    connection: Connection
    login: Login
    target: Target
    upload: Upload | None


async def settle(engine: Engine, actor: Actor, asked: Settlement) -> Settled:
    """Let a project be so, with its workspace if there is none of the name.

    Raises Forbidden that names the permission: `workspaces.write` of the organization for a new project,
    `workspace.write`, `packages.write` and `targets.write` in one that is there, `connections.write` of the
    organization for a connection that is new or changes.
    """
    checked_name(asked.name)
    async with scoped(engine.database, actor.organization_id) as tx:
        await project_store.lock_organization(tx, actor.organization_id)  # of several at once the first makes it
        scope = await _workspace(engine, tx, actor, asked.name)
        actor = _inside(actor, scope.workspace)
        await projects.found_in(engine, tx, actor, scope)
        project = await project_store.get(tx, scope)
        package = await _package(engine, tx, actor, scope, project, asked)
        connection = await _connection(engine, tx, actor, scope, project, asked)
        change = ProjectChange(
            description=asked.description,
            subdirectory=asked.subdirectory,
            package_id=package,
            connection_id=connection.id,
        )
        project = await projects.change_in(engine, tx, actor, scope, change)
        assert project.package_number is not None  # noqa: S101 - it was just given
        login, target = await _target(engine, tx, actor, scope, connection, asked)
        used = await get_connection(tx, scope.organization, connection.id)
        assert used is not None  # noqa: S101 - its row is held
        return Settled(
            project=project,
            package_id=package,
            package_number=project.package_number,
            connection=used,
            login=login,
            target=target,
            upload=await packages.promise_in(tx, actor, scope, package) if asked.is_pushed else None,
        )


async def _workspace(engine: Engine, tx: ScopedTx, actor: Actor, name: str) -> Scope:
    """The workspace of the name, in which the actor may do all that is to be done."""
    found = await project_store.workspace_called(tx, actor.organization_id, name)
    needed: tuple[Permission, ...] = (Permission.WRITE_WORKSPACE, *_NEEDED)
    if found is not None and all(actor.may(each, None) for each in needed):  # also one that was just made
        return Of(actor.organization_id, (found,))
    if found is not None and actor.is_inside(found):  # else the name is found taken
        for each in needed:
            scope_of(actor, each, found)
        return Of(actor.organization_id, (found,))
    needed = (Permission.WRITE_WORKSPACES, *(_NEEDED if actor.kind is not ActorKind.USER else ()))  # whose it becomes
    for permission in needed:
        if not actor.may(permission, None):
            raise projects.lacking(permission)
    return Of(actor.organization_id, (await workspaces.create_in(engine, tx, actor, name),))


def _inside(actor: Actor, workspace: WorkspaceId) -> Actor:
    """The actor, also in a workspace that was made since they were known: its owner, who is a user."""
    if workspace in actor.grants:
        return actor
    held = EVERYTHING if actor.kind is ActorKind.USER else actor.throughout
    return replace(actor, grants=actor.grants | {workspace: held})


async def _package(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, project: Project, asked: Settlement
) -> PackageId:
    """Where its files are, fetched from where it is asked to be."""
    package = project.package_id
    if package is None:
        package = await packages.package_called(engine, tx, by(actor), scope, asked.name, PackageId(uuid7()))
    if asked.is_pushed:
        await sources.remove_in(engine, tx, actor, scope, package)
    if asked.source is not None:
        there = await source_store.get(tx, scope, package)
        is_so = there is not None and (there.url, there.ref_kind, there.ref, there.folder, there.secret_name) == (
            asked.source.url,
            asked.source.ref.kind,
            asked.source.ref.name,
            asked.source.folder,
            asked.source.secret_name,
        )
        if is_so:
            await source_store.want(tx, scope, package)
        else:
            await sources.set_in(engine, tx, actor, scope, package, asked.source, keeps_hook=True)
    return package


async def _connection(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, project: Project, asked: Settlement
) -> Connection:
    found = project.connection_id
    if asked.connection is not None or found is None:
        name = asked.connection or asked.name
        named: ConnectionId | None = await find(tx, scope, CONNECTION, name, Ways.NAME)
        if named is None:
            return await connections.add(engine, tx, actor, name=name, settings=asked.settings or _HERE)
        found = named
    there = await get_connection(tx, scope.organization, found, is_held=True)
    assert there is not None  # noqa: S101 - it was found in this transaction
    if asked.settings is None or asked.settings == there.settings:
        return there
    return await connections.edit_in(engine, tx, actor, there.id, ConnectionChange(settings=asked.settings))


async def _target(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, connection: Connection, asked: Settlement
) -> tuple[Login, Target]:
    """The production of the project, and as whom it works on the connection."""
    found = await find(tx, scope, TARGET, asked.target, Ways.NAME)
    before = None if found is None else await store.get(tx, scope, found, is_held=True)
    login = await _login(engine, tx, actor, scope, connection.kind, before, asked.login)
    if before is None:
        definition = TargetDefinition(name=asked.target, purpose=Purpose.PRODUCTION)
    else:
        definition = before.definition
    wanted = replace(definition, connection_id=connection.id, login_id=login.id, profile_id=None)
    if before is None:
        return login, await actions.add(engine, tx, actor, scope, wanted)
    if wanted == definition:
        return login, before
    return login, await actions.replace_in(engine, tx, actor, scope, before.id, wanted)


async def _login(
    engine: Engine,
    tx: ScopedTx,
    actor: Actor,
    scope: Scope,
    kind: ConnectionKind,
    target: Target | None,
    wanted: LoginChange,
) -> Login:
    there = None if target is None or target.login_id is None else await logins.get(tx, scope, target.login_id)
    if there is None or there.kind is not kind:
        made = LoginDefinition(
            kind=kind,
            username=wanted.username or "",
            password=wanted.password or None,
            schema_name=wanted.schema_name or "",
            threads=wanted.threads or None,
            target_name=wanted.target_name or "",
        )
        return await logins.add(engine, tx, actor, scope, made)
    now = await logins.opened(tx, engine.keys, scope, there.id)
    names = [name for name in LoginChange.__struct_fields__ if getattr(wanted, name) is not UNSET]
    if all(getattr(wanted, name) == (getattr(now, name) or "") for name in names if name != "threads") and (
        wanted.threads in {UNSET, now.threads}
    ):
        return there
    return await logins.edit_in(engine, tx, actor, scope, there.id, wanted)
