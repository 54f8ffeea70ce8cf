"""The verbs of targets."""

from collections.abc import Callable

from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.connections import attributes, logins, named_profiles
from controlroom.engine.connections.rules import fitting
from controlroom.engine.connections.seeing import usable
from controlroom.engine.engine import Engine
from controlroom.engine.targets import store
from controlroom.engine.targets.model import Target, TargetDefinition
from controlroom.engine.targets.rules import checked
from controlroom.ids import TargetId, UserId, WorkspaceId, uuid7


async def create(engine: Engine, actor: Actor, workspace: WorkspaceId, definition: TargetDefinition) -> Target:
    """A new target. Raises TargetInvalid, TargetNameTaken, LoginUnfit, and NotFound for what it names and is not."""
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        return await add(engine, tx, actor, scope, definition)


async def add(engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, definition: TargetDefinition) -> Target:
    """Likewise, in the caller's transaction."""
    checked(definition)
    await ensure_seen(tx, scope)
    await _ensure_known(tx, actor, scope, definition, before=None)
    made = TargetId(uuid7())
    author = UserId(actor.id) if actor.kind is ActorKind.USER and actor.id else None
    await store.add(tx, scope, made, definition, author=author)
    await record(engine, tx, actor, scope, "target.created", made, name=definition.name)
    return await store.get(tx, scope, made)


async def replace(
    engine: Engine, actor: Actor, workspace: WorkspaceId, target: TargetId, definition: TargetDefinition
) -> Target:
    """Let a target be this, whole. Raises TargetNotFound, and as `create`."""
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        return await replace_in(engine, tx, actor, scope, target, definition)


async def replace_in(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, target: TargetId, definition: TargetDefinition
) -> Target:
    """Likewise, in the caller's transaction."""
    before = await store.get(tx, scope, target, is_held=True)
    checked(definition)
    await _ensure_known(tx, actor, scope, definition, before=before)
    await store.change(tx, target, definition)
    await record(engine, tx, actor, scope, "target.updated", target, name=definition.name)
    return await store.get(tx, scope, target)


async def edit(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    target: TargetId,
    change: Callable[[TargetDefinition], TargetDefinition],
) -> Target:
    """Let a target be what is made of what it is. Raises TargetNotFound, and as `create`."""
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await store.get(tx, scope, target, is_held=True)
        return await replace_in(engine, tx, actor, scope, target, change(before.definition))


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, target: TargetId) -> Target:
    """Delete a target, as it is then; what has run on it goes on to name it. Raises TargetNotFound."""
    scope = scope_of(actor, Permission.WRITE_TARGETS, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await store.get(tx, scope, target, is_held=True)
        await store.delete(tx, target)
        await record(engine, tx, actor, scope, "target.deleted", target, name=before.name)
        return await store.get(tx, scope, target, deleted=True)


async def _ensure_known(
    tx: ScopedTx, actor: Actor, scope: Scope, definition: TargetDefinition, *, before: Target | None
) -> None:
    """What a target names is there, and the actor may name it."""
    to = None
    if definition.connection_id is not None:
        keeps = before is not None and before.connection_id == definition.connection_id
        to = await usable(tx, actor, scope, definition.connection_id, keeps=keeps)
    if definition.login_id is not None:
        login = await logins.get(tx, scope, definition.login_id)
        if to is not None:
            fitting(to, login.kind)
    if definition.profile_id is not None:
        await named_profiles.get(tx, scope, definition.profile_id)
    if definition.extended_attributes_id is not None:
        await attributes.get(tx, scope, definition.extended_attributes_id)
