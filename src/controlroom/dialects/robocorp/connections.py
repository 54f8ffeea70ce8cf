"""Connections to databases (our own management API): of the organization, without secrets; some are files of ours."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.connections import actions, files, model
from controlroom.engine.connections.listings import CONNECTIONS, seen_by
from controlroom.engine.connections.model import ConnectionChange, ConnectionKind, Settings
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked, behind, equal
from controlroom.ids import ConnectionId, RunId


class ConnectionAnswer(Shape, frozen=True, kw_only=True):
    """A connection."""

    id: ConnectionId
    number: int
    name: str
    kind: ConnectionKind
    settings: Settings
    target_count: int
    """Targets that use it, in all workspaces."""
    created_at: datetime
    updated_at: datetime


class CreateConnection(OwnBody, frozen=True, kw_only=True):
    """A new connection. The `kind` of its settings says what it leads to."""

    name: str
    settings: Settings


class EditConnection(OwnBody, frozen=True, kw_only=True):
    """What to change; what is left out stays. Settings are replaced as a whole, of the same kind."""

    name: str | UnsetType = UNSET
    settings: Settings | UnsetType = UNSET


class DatabaseVersionAnswer(Shape, frozen=True, kw_only=True):
    """A version of a connection's file; the highest is the current one."""

    version: int
    hash: str
    size: int
    run_id: RunId
    """The process run that has brought it; it may be gone."""
    created_at: datetime


@get("/connections", needs=Permission.READ_TARGETS)
async def list_connections(request: Asking, paging: Pages) -> Page[ConnectionAnswer]:
    """List the connections of the organization that you see: all, or those that are used where you may read targets."""
    position = paging.after(ConnectionId)
    asked = Asked(filter=equal(is_there=True), start=behind(position["after"]), length=position["limit"])
    rows = await pages.rows(request.db, model.Connection, CONNECTIONS, seen_by(request.actor), asked)
    return paging.page(rows, _show)


@post("/connections", needs=Permission.READ_TARGETS)
async def create_connection(request: Asking, data: Body[CreateConnection]) -> ConnectionAnswer:
    """Create a connection, for who may in the organization."""
    return _show(await actions.create(*request.governing, name=data.name, settings=data.settings))


@get("/connections/{connection_id:uuid}", needs=Permission.READ_TARGETS)
async def get_connection(request: Asking, connection_id: Path[ConnectionId]) -> ConnectionAnswer:
    """Get a connection."""
    return _show(await actions.get(*request.governing, connection_id))


@update("/connections/{connection_id:uuid}", needs=Permission.READ_TARGETS)
async def update_connection(
    request: Asking, connection_id: Path[ConnectionId], data: Body[EditConnection]
) -> ConnectionAnswer:
    """Change a connection, for who may in the organization."""
    change = ConnectionChange(name=data.name, settings=data.settings)
    return _show(await actions.edit(*request.governing, connection_id, change))


@delete("/connections/{connection_id:uuid}", needs=Permission.READ_TARGETS)
async def delete_connection(request: Asking, connection_id: Path[ConnectionId]) -> Deleted:
    """Delete a connection that nothing uses, with all versions of its file."""
    return await Deleted.after(connection_id, actions.delete(*request.governing, connection_id))


@get("/connections/{connection_id:uuid}/versions", needs=Permission.READ_TARGETS)
async def list_database_versions(request: Asking, connection_id: Path[ConnectionId]) -> list[DatabaseVersionAnswer]:
    """List the versions of a connection's file that are kept, the current one first."""
    found = await actions.get(*request.governing, connection_id)
    return [_show_version(each) for each in await files.versions(request.db, found.organization_id, found.id)]


_show = shown_as(ConnectionAnswer, model.Connection)
_show_version = shown_as(DatabaseVersionAnswer, model.DatabaseVersion)
