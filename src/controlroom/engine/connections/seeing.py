"""Who sees connections: all of them by a permission in the organization, else those that workspaces of theirs use."""

from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import Scope, ScopedTx
from controlroom.engine.connections import store
from controlroom.engine.connections.errors import ConnectionNotFound, DatabaseUnfit
from controlroom.engine.connections.model import Connection, ConnectionKind, DuckdbSettings, Storage
from controlroom.ids import ConnectionId, WorkspaceId


def sees_all(actor: Actor) -> bool:
    """Whether somebody sees every connection of the organization."""
    return any(actor.may(each, None) for each in (Permission.READ_CONNECTIONS, Permission.WRITE_CONNECTIONS))


def reading(actor: Actor) -> list[WorkspaceId]:
    """The workspaces whose connections somebody sees."""
    return [each for each in actor.grants if actor.may(Permission.READ_TARGETS, each)]


async def usable(tx: ScopedTx, actor: Actor, scope: Scope, connection: ConnectionId, *, keeps: bool) -> ConnectionKind:
    """What kind of connection it is that somebody names in a workspace; held, so that it is not deleted meanwhile.

    Whoever does not see all of them may name those that workspaces of theirs use, and leave (`keeps`) what is named.
    Raises ConnectionNotFound.
    """
    return (await _usable(tx, actor, scope, connection, keeps=keeps)).kind


async def usable_file(tx: ScopedTx, actor: Actor, scope: Scope, connection: ConnectionId, *, keeps: bool) -> None:
    """Likewise, for what works on a file that the room keeps. Raises DatabaseUnfit, too."""
    found = await _usable(tx, actor, scope, connection, keeps=keeps)
    if not isinstance(found.settings, DuckdbSettings) or found.settings.storage is not Storage.ROOM:
        raise DatabaseUnfit(found.name)


async def _usable(tx: ScopedTx, actor: Actor, scope: Scope, connection: ConnectionId, *, keeps: bool) -> Connection:
    found = await store.get(tx, scope.organization, connection, is_held=True)
    if found is None:
        raise ConnectionNotFound
    if not keeps and not sees_all(actor):
        mine = [each for each in actor.grants if actor.may(Permission.WRITE_TARGETS, each)]
        if not await store.is_visible(tx, scope.organization, connection, sees_all=False, workspaces=mine):
            raise ConnectionNotFound
    return found
