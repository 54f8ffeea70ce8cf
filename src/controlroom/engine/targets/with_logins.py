"""Targets together with as whom they are used: a target and its log-in are made, or changed, in one transaction."""

from collections.abc import Callable

from msgspec import UNSET
from msgspec.structs import asdict, replace

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import Scope, ScopedTx, scope_of, scoped
from controlroom.engine.connections import logins
from controlroom.engine.connections import store as connections
from controlroom.engine.connections.model import ConnectionKind, LoginChange, LoginDefinition
from controlroom.engine.engine import Engine
from controlroom.engine.projects import store as projects
from controlroom.engine.targets import actions, store
from controlroom.engine.targets.model import Target, TargetDefinition
from controlroom.ids import TargetId, WorkspaceId


async def create(
    engine: Engine, actor: Actor, workspace: WorkspaceId, definition: TargetDefinition, login: LoginChange
) -> Target:
    """A new target with a log-in of its own: both or none. Raises as `targets.create`, LoginInvalid."""
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        return await actions.add(
            engine, tx, actor, scope, await _with_login(engine, tx, actor, scope, definition, login)
        )


async def edit(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    target: TargetId,
    change: Callable[[TargetDefinition], TargetDefinition],
    login: LoginChange,
) -> Target:
    """Let a target be what is made of what it is, and its log-in likewise; one without gets one. Both or none.

    Raises as `targets.edit`, LoginInvalid.
    """
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await store.get(tx, scope, target, is_held=True)
        definition = await _with_login(engine, tx, actor, scope, change(before.definition), login)
        return await actions.replace_in(engine, tx, actor, scope, target, definition)


async def _with_login(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, definition: TargetDefinition, login: LoginChange
) -> TargetDefinition:
    if definition.login_id is not None:
        await logins.edit_in(engine, tx, actor, scope, definition.login_id, login)
        return definition
    given = {field: value for field, value in asdict(login).items() if value is not UNSET}
    kind = await _kind(tx, scope, definition)
    made = await logins.add(engine, tx, actor, scope, LoginDefinition(kind=kind, **given))
    return replace(definition, login_id=made.id)


async def _kind(tx: ScopedTx, scope: Scope, definition: TargetDefinition) -> ConnectionKind:
    """For what a target's log-in is: its connection, else the project's; where there is none, a file of the room's."""
    connection = definition.connection_id
    if connection is None and (project := await projects.find(tx, scope)) is not None:
        connection = project.connection_id
    found = None if connection is None else await connections.get(tx, scope.organization, connection)
    return ConnectionKind.DUCKDB if found is None else found.kind
