"""The verbs of variables. What is secret about one goes in and never comes out but into a run."""

from collections.abc import Collection, Mapping, Sequence

from msgspec import UNSET, Struct, UnsetType

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Scope, ScopedTx, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.variables import store
from controlroom.engine.variables.errors import VariableInvalid, VariableNotFound
from controlroom.engine.variables.model import OF_WORKSPACE, Variable, Where
from controlroom.engine.variables.rules import MASK, MOST, checked_name, checked_value, is_secret
from controlroom.ids import VariableId, WorkspaceId, uuid7


class VariableChange(Struct, frozen=True, kw_only=True):
    """What a variable shall be; what is left out stays, as the value does for which a mask is brought."""

    name: str | UnsetType = UNSET
    value: str | UnsetType = UNSET


async def create(
    engine: Engine, actor: Actor, workspace: WorkspaceId, name: str, value: str, where: Where = OF_WORKSPACE
) -> Variable:
    """A new variable of one scope. Raises VariableNameInvalid, VariableInvalid, VariableExists."""
    scope = scope_of(actor, Permission.WRITE_VARIABLES, workspace)
    async with scoped(engine.database, scope) as tx:
        return await _add(engine, tx, actor, scope, name, value, where)


async def put(
    engine: Engine, actor: Actor, workspace: WorkspaceId, name: str, value: str, where: Where = OF_WORKSPACE
) -> Variable:
    """Make a variable of a scope, or give it another value. Raises VariableNameInvalid, VariableInvalid."""
    scope = scope_of(actor, Permission.WRITE_VARIABLES, workspace)
    async with scoped(engine.database, scope) as tx:
        return await _put(engine, tx, actor, scope, name, value, where)


async def put_all(
    engine: Engine, actor: Actor, workspace: WorkspaceId, name: str, values: Mapping[Where, str]
) -> list[Variable]:
    """Likewise in several scopes at once, at least one: all of them or none."""
    scope = scope_of(actor, Permission.WRITE_VARIABLES, workspace)
    if not values:
        raise VariableInvalid("value", "is told for one scope at least")
    async with scoped(engine.database, scope) as tx:
        return [await _put(engine, tx, actor, scope, name, value, where) for where, value in values.items()]


async def edit(
    engine: Engine, actor: Actor, workspace: WorkspaceId, variable: VariableId, change: VariableChange
) -> Variable:
    """Change a variable; its scope stays. One that becomes secret, or is no longer, must be told its value anew.

    Raises VariableNotFound, VariableNameInvalid, VariableInvalid, VariableExists.
    """
    scope = scope_of(actor, Permission.WRITE_VARIABLES, workspace)
    async with scoped(engine.database, scope) as tx:
        return await _change(engine, tx, actor, scope, variable, change)


async def edit_all(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    name: str,
    *,
    new_name: str | None = None,
    values: Mapping[Where, str] | None = None,
    without: Collection[Where] = (),
) -> list[Variable]:
    """Call a variable otherwise in all its scopes, give it values in some and none in others: all of it or nothing.

    Raises VariableNotFound, VariableNameInvalid, VariableInvalid, VariableExists.
    """
    scope = scope_of(actor, Permission.WRITE_VARIABLES, workspace)
    async with scoped(engine.database, scope) as tx:
        there = await _named(tx, scope, name)
        gone = [each for each in there if each.where in without]
        await _remove(engine, tx, actor, scope, gone)
        there = [each for each in there if each not in gone]
        called = name if new_name is None else new_name
        given = dict(values or {})
        for each in there:
            value = given.pop(each.where, UNSET)
            await _change(engine, tx, actor, scope, each.id, VariableChange(name=called, value=value))
        for where, value in given.items():
            await _put(engine, tx, actor, scope, called, value, where)
        return await store.named(tx, scope, called)


async def delete(engine: Engine, actor: Actor, workspace: WorkspaceId, variable: VariableId) -> Variable:
    """Delete a variable of one scope; as it was. Raises VariableNotFound."""
    scope = scope_of(actor, Permission.WRITE_VARIABLES, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await store.get(tx, scope, variable, is_held=True)
        await _remove(engine, tx, actor, scope, [before])
    return before


async def delete_all(engine: Engine, actor: Actor, workspace: WorkspaceId, name: str) -> list[Variable]:
    """Delete a variable in all its scopes; as they were. Raises VariableNotFound."""
    scope = scope_of(actor, Permission.WRITE_VARIABLES, workspace)
    async with scoped(engine.database, scope) as tx:
        there = await _named(tx, scope, name)
        await _remove(engine, tx, actor, scope, there)
    return there


async def _named(tx: ScopedTx, scope: Scope, name: str) -> list[Variable]:
    there = await store.named(tx, scope, name)
    if not there:
        await ensure_seen(tx, scope)
        raise VariableNotFound
    return there


async def _put(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, name: str, value: str, where: Where
) -> Variable:
    there = await store.find(tx, scope, name, where)
    if there is None:
        return await _add(engine, tx, actor, scope, name, value, where)
    return await _change(engine, tx, actor, scope, there, VariableChange(value=value))


async def _add(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, name: str, value: str, where: Where
) -> Variable:
    checked_name(name)
    checked_value(value)
    await ensure_seen(tx, scope)
    if not await store.ensure_known(tx, scope, where):
        raise VariableInvalid(where.scope.value, "is not there")
    if await store.count(tx, scope) >= MOST:
        raise VariableInvalid("number", f"in all scopes together is at most {MOST:,}")
    made = VariableId(uuid7())
    hides = is_secret(name)
    await store.add(
        tx,
        scope,
        made,
        name,
        where,
        value=None if hides else value,
        sealed=store.seal(engine.keys, made, value) if hides else None,
    )
    await record(engine, tx, actor, scope, "variable.created", made, name=name, of=where.scope.value)
    return await store.get(tx, scope, made)


async def _change(
    engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, variable: VariableId, change: VariableChange
) -> Variable:
    before = await store.get(tx, scope, variable, is_held=True)
    name = before.name if change.name is UNSET else checked_name(change.name)
    hides = is_secret(name)
    if change.value is UNSET or (before.is_secret and change.value == MASK):
        if hides is not before.is_secret:
            raise VariableInvalid("value", "is told anew for one that becomes secret, or is no longer")
        value, sealed = before.value, before.sealed
    else:
        given = checked_value(change.value)
        value, sealed = (None, store.seal(engine.keys, variable, given)) if hides else (given, None)
    await store.change(tx, variable, name=name, value=value, sealed=sealed)
    await record(engine, tx, actor, scope, "variable.updated", variable, name=name, of=before.scope.value)
    return await store.get(tx, scope, variable)


async def _remove(engine: Engine, tx: ScopedTx, actor: Actor, scope: Scope, variables: Sequence[Variable]) -> None:
    await store.delete(tx, [each.id for each in variables])
    for each in variables:
        await record(engine, tx, actor, scope, "variable.deleted", each.id, name=each.name, of=each.scope.value)
