"""The verbs of connections. They are the organization's: who makes one need not be in the workspaces that use it."""

from msgspec import UNSET

from controlroom.engine.access.errors import NotOfOrganization
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.roles.actions import ensure_in_organization
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.connections import store
from controlroom.engine.connections.errors import ConnectionInvalid, ConnectionNotFound, ConnectionUsed
from controlroom.engine.connections.model import Connection, ConnectionChange, Settings
from controlroom.engine.connections.rules import checked_settings, kind_of, lock_of
from controlroom.engine.connections.seeing import reading, sees_all
from controlroom.engine.engine import Engine
from controlroom.engine.locks import store as locks
from controlroom.ids import ConnectionId, UserId, uuid7
from controlroom.postgres.database import Statements


async def create(engine: Engine, actor: Actor, *, name: str, settings: Settings) -> Connection:
    """A new connection; one to a file has a lock of the organization, so that one run at a time writes it.

    Raises NotOfOrganization, ConnectionInvalid, Invalid `NAME_INVALID`.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        return await add(engine, tx, actor, name=name, settings=settings)


async def add(engine: Engine, tx: ScopedTx, actor: Actor, *, name: str, settings: Settings) -> Connection:
    """Likewise, in the caller's transaction."""
    ensure_in_organization(actor, Permission.WRITE_CONNECTIONS)
    organization = actor.organization_id
    made = ConnectionId(uuid7())
    await store.add(
        tx,
        organization,
        connection=made,
        name=checked_name(name, what="connection's name"),
        kind=kind_of(settings),
        settings=checked_settings(settings),
        author=UserId(actor.id) if actor.kind is ActorKind.USER and actor.id else None,
    )
    connection = await _found(tx, actor, made)
    lock = lock_of(connection)
    if lock is not None:
        await locks.declare(tx, organization, organization, lock.name, 1)
    await record(engine, tx, actor, organization, "connection.created", made, name=name, of=connection.kind.value)
    return connection


async def get(engine: Engine, actor: Actor, connection: ConnectionId) -> Connection:
    """A connection, for who sees all of them or works on this one. Raises ConnectionNotFound, NotOfOrganization."""
    workspaces = reading(actor)
    if not sees_all(actor) and not workspaces:
        raise NotOfOrganization(Permission.READ_CONNECTIONS.value)
    if not await store.is_visible(
        engine.database, actor.organization_id, connection, sees_all=sees_all(actor), workspaces=workspaces
    ):
        raise ConnectionNotFound
    return await _found(engine.database, actor, connection)


async def edit(engine: Engine, actor: Actor, connection: ConnectionId, change: ConnectionChange) -> Connection:
    """Change a connection; its kind stays. Raises ConnectionNotFound, ConnectionInvalid, NotOfOrganization."""
    async with scoped(engine.database, actor.organization_id) as tx:
        return await edit_in(engine, tx, actor, connection, change)


async def edit_in(
    engine: Engine, tx: ScopedTx, actor: Actor, connection: ConnectionId, change: ConnectionChange
) -> Connection:
    """Likewise, in the caller's transaction."""
    ensure_in_organization(actor, Permission.WRITE_CONNECTIONS)
    before = await _found(tx, actor, connection, is_held=True)
    settings = before.settings if change.settings is UNSET else checked_settings(change.settings)
    if kind_of(settings) is not before.kind:
        raise ConnectionInvalid("kind", f"stays {before.kind.value}: make another connection")
    await store.change(
        tx,
        connection,
        name=before.name if change.name is UNSET else checked_name(change.name, what="connection's name"),
        settings=settings,
    )
    after = await _found(tx, actor, connection)
    await record(engine, tx, actor, actor.organization_id, "connection.updated", connection, name=after.name)
    return after


async def delete(engine: Engine, actor: Actor, connection: ConnectionId) -> Connection:
    """Delete a connection that nothing uses, with all versions of its file and its lock; as it was.

    Raises ConnectionNotFound, ConnectionUsed, NotOfOrganization.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        return await remove(engine, tx, actor, connection)


async def remove(engine: Engine, tx: ScopedTx, actor: Actor, connection: ConnectionId) -> Connection:
    """Likewise, in the caller's transaction."""
    ensure_in_organization(actor, Permission.WRITE_CONNECTIONS)
    organization = actor.organization_id
    before = await _found(tx, actor, connection, is_held=True)
    user = await store.user_of(tx, connection)
    if user is not None:
        raise ConnectionUsed(user)
    lock = lock_of(before)
    if lock is not None:
        await locks.forget(tx, organization, lock.name)  # waits for starts that name it
        if await locks.is_wanted(tx, organization, lock.name):
            raise ConnectionUsed("runs that have not ended")
    await store.delete(tx, connection)
    await record(engine, tx, actor, organization, "connection.deleted", connection, name=before.name)
    return await store.deleted(tx, organization, connection)


async def _found(tx: Statements, actor: Actor, connection: ConnectionId, *, is_held: bool = False) -> Connection:
    found = await store.get(tx, actor.organization_id, connection, is_held=is_held)
    if found is None:
        raise ConnectionNotFound
    return found
