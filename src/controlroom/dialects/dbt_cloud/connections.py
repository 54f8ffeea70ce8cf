"""Connections (§3.9): of the account in version 3, with `config`; in a project and in version 2 with `details`.

Neither holds a secret: who logs in stands in credentials. `adapter_version` says what a connection leads to:
`postgres_v0`, or our own `duckdb_v0`, whose `type` is `adapter`. Other databases are not had, and said so.
"""

from typing import Any, Final, assert_never

from msgspec import UNSET, UnsetType
from msgspec.structs import asdict, replace

from controlroom.border.columns import As, Words
from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Listed, Name, Shape, Text
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.errors import FieldsWrong, NotSupported
from controlroom.dialects.dbt_cloud.ids import Id, find, of_project
from controlroom.dialects.dbt_cloud.lists import Columns, page
from controlroom.dialects.dbt_cloud.references import all_named
from controlroom.dialects.dbt_cloud.routing import BOTH, V2, V3, delete, get, patch, post
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.access.scope import Of
from controlroom.engine.connections import actions
from controlroom.engine.connections.listings import CONNECTIONS, seen_by, used_in
from controlroom.engine.connections.model import (
    Connection,
    ConnectionChange,
    ConnectionKind,
    DuckdbSettings,
    Plain,
    PostgresSettings,
    Settings,
    Storage,
)
from controlroom.engine.connections.store import CONNECTION
from controlroom.engine.lists.model import EVERYTHING, equal
from controlroom.engine.nouns import Noun
from controlroom.engine.projects.connections import create_in_project, delete_in_project
from controlroom.engine.workers.store import WORKER, WORKER_GROUP
from controlroom.ids import ConnectionId

ADAPTERS: Final = {ConnectionKind.DUCKDB: "duckdb_v0", ConnectionKind.POSTGRES: "postgres_v0"}
TYPES: Final = {ConnectionKind.DUCKDB: "adapter", ConnectionKind.POSTGRES: "postgres"}
_OTHERS: Final = "there are connections to PostgreSQL (postgres_v0) and DuckDB (duckdb_v0) here, not to {}"

STATES: Final = Words(
    {
        "1": equal(is_there=True),
        "active": equal(is_there=True),
        "2": equal(is_there=False),
        "deleted": equal(is_there=False),
        "all": EVERYTHING,
    }
)
_CONNECTIONS = Columns(
    CONNECTIONS,
    {
        "id": "number",
        "name": "name",
        "type": As("kind", read=lambda value: "duckdb" if value == "adapter" else value),
        "adapter_version": As("kind", read=lambda value: value.removesuffix("_v0")),
        "created_at": "created_at",
        "updated_at": "updated_at",
        "state": STATES,
    },
)


class ConnectionShown(Shape, frozen=True, kw_only=True):
    """A connection of the account. Lists tell no `config`."""

    id: int
    account_id: int
    name: str
    adapter_version: str
    private_link_endpoint_id: str | None = None
    is_ssh_tunnel_enabled: bool = False
    oauth_configuration_id: int | None = None
    environment__count: int
    config: dict[str, Any] | None
    state: int
    created_at: str
    updated_at: str


class ProjectConnectionShown(Shape, frozen=True, kw_only=True):
    """A connection as it is told in a project, or (None) in the older version."""

    id: int
    account_id: int
    project_id: int | None
    name: str
    type: str
    adapter_version: str
    created_by_id: int | None
    created_by_service_token_id: int | None = None
    private_link_endpoint_id: str | None = None
    oauth_configuration_id: int | None = None
    details: dict[str, Any]
    state: int
    created_at: str
    updated_at: str


class ConfigBody(Shape, frozen=True, kw_only=True):
    """Where a connection leads: what belongs to its kind."""

    hostname: Text | UnsetType | None = UNSET
    host: Text | UnsetType | None = UNSET
    port: int | UnsetType | None = UNSET
    dbname: Text | UnsetType | None = UNSET
    database: Text | UnsetType | None = UNSET
    sslmode: str | UnsetType | None = UNSET
    sslrootcert: str | UnsetType | None = UNSET
    search_path: Text | UnsetType | None = UNSET
    role: Text | UnsetType | None = UNSET
    connect_timeout: int | UnsetType | None = UNSET
    keepalives_idle: int | UnsetType | None = UNSET
    retries: int | UnsetType | None = UNSET
    path: str | UnsetType | None = UNSET
    storage: Storage | UnsetType | None = UNSET
    folder: str | UnsetType | None = UNSET
    worker_id: int | UnsetType | None = UNSET
    worker_group_id: int | UnsetType | None = UNSET
    extensions: list[str] | UnsetType | None = UNSET
    settings: dict[str, Plain] | UnsetType | None = UNSET


class ConnectionBody(Shape, frozen=True, kw_only=True):
    """What a connection shall be: its settings as `config`, or as `details`."""

    name: Name | UnsetType | None = UNSET
    adapter_version: str | None = None
    type: str | None = None
    config: ConfigBody | None = None
    details: ConfigBody | None = None
    state: int = ACTIVE


# ---------------------------------------------------------------------------------------------------- of the account
@get("/accounts/{account}/connections", versions=V3, rows=_CONNECTIONS)
async def list_connections(request: Asking) -> Listed[ConnectionShown]:
    """The connections of the account; who sees only projects, sees those that these use."""
    found = await page(request, Connection, within=seen_by(request.actor))
    return found.shown([replace(_show(request, each), config=None) for each in found.rows])


@get("/accounts/{account}/connections", versions=V2, rows=_CONNECTIONS)
async def list_connections_with_details(request: Asking) -> Listed[ProjectConnectionShown]:
    """Likewise, in the older form."""
    found = await page(request, Connection, within=seen_by(request.actor))
    return found.shown([show_older(request, each, None) for each in found.rows])


@post("/accounts/{account}/connections", versions=V3, asks=Permission.WRITE_CONNECTIONS)
async def create_connection(request: Asking, data: Body[ConnectionBody]) -> ConnectionShown:
    """Make a connection."""
    name, settings = await _made(request, data)
    return _show(request, await actions.create(*request.governing, name=name, settings=settings))


@get("/accounts/{account}/connections/{connection}", versions=V3)
async def get_connection(request: Asking, connection: Id) -> ConnectionShown:
    """A connection, with its `config`."""
    return _show(request, await actions.get(*request.governing, await _named(request, connection)))


@get("/accounts/{account}/connections/{connection}", versions=V2)
async def get_connection_with_details(request: Asking, connection: Id) -> ProjectConnectionShown:
    """Likewise, in the older form."""
    found = await actions.get(*request.governing, await _named(request, connection))
    return show_older(request, found, None)


@patch("/accounts/{account}/connections/{connection}", versions=V3, asks=Permission.WRITE_CONNECTIONS)
async def change_connection(request: Asking, connection: Id, data: Body[ConnectionBody]) -> ConnectionShown:
    """Change a connection: what is left out stays."""
    return _show(request, await _changed(request, connection, data))


@delete("/accounts/{account}/connections/{connection}", versions=V3, asks=Permission.WRITE_CONNECTIONS)
async def delete_connection(request: Asking, connection: Id) -> ConnectionShown:
    """Delete a connection that nothing uses."""
    return _show(request, await actions.delete(*request.governing, await _named(request, connection)))


# ---------------------------------------------------------------------------------------------------- in a project
@get(
    "/accounts/{account}/projects/{project}/connections",
    versions=BOTH,
    needs=Permission.READ_TARGETS,
    rows=_CONNECTIONS,
)
async def list_project_connections(request: Asking, project: Id) -> Listed[ProjectConnectionShown]:
    """The connections that a project uses."""
    seen = await of_project(request, project)
    found = await page(request, Connection, within=used_in(seen.organization, seen.workspace))
    return found.shown([show_older(request, each, project) for each in found.rows])


@get("/accounts/{account}/projects/{project}/connections/{connection}", versions=BOTH, needs=Permission.READ_TARGETS)
async def get_project_connection(request: Asking, project: Id, connection: Id) -> ProjectConnectionShown:
    """A connection, of those that the caller sees."""
    await of_project(request, project)
    found = await actions.get(*request.governing, await _named(request, connection))
    return show_older(request, found, project)


@post(
    "/accounts/{account}/projects/{project}/connections",
    versions=V3,
    needs=Permission.WRITE_TARGETS,
    asks=Permission.WRITE_CONNECTIONS,
)
async def create_project_connection(request: Asking, project: Id, data: Body[ConnectionBody]) -> ProjectConnectionShown:
    """Make a connection of the account, with which the project's environments begin if it has none."""
    seen = await of_project(request, project)
    name, settings = await _made(request, data)
    made = await create_in_project(*request.governing, seen.workspace, name=name, settings=settings)
    return show_older(request, made, project)


@post(
    "/accounts/{account}/projects/{project}/connections/{connection}",
    versions=V3,
    needs=Permission.WRITE_TARGETS,
    asks=Permission.WRITE_CONNECTIONS,
)
async def change_project_connection(
    request: Asking, project: Id, connection: Id, data: Body[ConnectionBody]
) -> ProjectConnectionShown:
    """Change a connection: what is left out stays."""
    await of_project(request, project)
    return show_older(request, await _changed(request, connection, data), project)


@delete(
    "/accounts/{account}/projects/{project}/connections/{connection}",
    versions=V3,
    needs=Permission.WRITE_TARGETS,
    asks=Permission.WRITE_CONNECTIONS,
)
async def delete_project_connection(request: Asking, project: Id, connection: Id) -> ProjectConnectionShown:
    """Delete a connection that nothing uses but the project."""
    seen = await of_project(request, project)
    gone = await delete_in_project(*request.governing, seen.workspace, await _named(request, connection))
    return show_older(request, gone, project)


# ---------------------------------------------------------------------------------------------------- reading
async def _named(request: Asking, number: str) -> ConnectionId:
    return (await find(request, CONNECTION, number, _organization(request))).id


def _organization(request: Asking) -> Of:
    """No workspace: of the organization's own things, whose verbs see to who may know of them."""
    return Of(request.actor.organization_id, ())


async def _made(request: Asking, data: ConnectionBody) -> tuple[str, Settings]:
    """The name and the settings of a new connection."""
    kind = _kind(data)
    if not data.name:
        raise FieldsWrong({"name": "what the connection is called"})
    if kind is None:
        raise FieldsWrong({"adapter_version": "postgres_v0 or duckdb_v0"})
    config = data.config or data.details or ConfigBody()
    if kind is ConnectionKind.DUCKDB:
        return data.name, await _settings(request, DuckdbSettings(), config)
    lacking = {
        f"config.{name}": "is wanted"
        for name, of in _HOST_AND_DATABASE.items()
        if not any(_said(config, each) for each in of)
    }
    if lacking:
        raise FieldsWrong(lacking)
    return data.name, await _settings(request, PostgresSettings(host="", database=""), config)


_HOST_AND_DATABASE: Final = {"hostname": ("hostname", "host"), "dbname": ("dbname", "database")}


async def _changed(request: Asking, connection: str, data: ConnectionBody) -> Connection:
    named = await _named(request, connection)
    if data.state == DELETED:
        return await actions.delete(*request.governing, named)
    before = await actions.get(*request.governing, named)
    if _kind(data) not in {None, before.kind}:
        raise FieldsWrong({"adapter_version": f"stays {ADAPTERS[before.kind]}"})
    config = data.config or data.details
    change = ConnectionChange(
        name=data.name or UNSET,
        settings=UNSET if config is None else await _settings(request, before.settings, config),
    )
    return await actions.edit(*request.governing, named, change)


def _kind(data: ConnectionBody) -> ConnectionKind | None:
    """What a body says that a connection leads to; None: nothing. Raises NotSupported for what is not had."""
    said = (data.adapter_version or "").removesuffix("_v0") or data.type or ""
    if said in {"", "adapter"}:
        return ConnectionKind.DUCKDB if said else None
    try:
        return ConnectionKind(said)
    except ValueError:
        raise NotSupported(_OTHERS.format(data.adapter_version or data.type)) from None


_SYNONYMS: Final = {"hostname": "host", "dbname": "database"}


def _said(config: ConfigBody, field: str) -> Any:
    value = getattr(config, field)
    return None if value is UNSET else value


async def _settings(request: Asking, before: Settings, config: ConfigBody) -> Settings:
    """The settings that were there, with all that a config says of such; null is nothing where one is wanted."""
    defaults = type(before).__struct_fields__
    changes: dict[str, Any] = {}
    for field, value in asdict(config).items():
        ours = _SYNONYMS.get(field, field)
        if value is UNSET or ours not in defaults:
            continue
        if value is None and ours in {"host", "database", "port", "path", "storage", "extensions", "settings"}:
            continue
        changes[ours] = value
    nouns: dict[str, Noun[Any]] = {"worker_id": WORKER, "worker_group_id": WORKER_GROUP}
    said = {field: (noun, changes[field]) for field, noun in nouns.items() if field in changes}
    if said:
        changes |= zip(said, await all_named(request, _everywhere(request), said), strict=True)
    return replace(before, **changes)


def _everywhere(request: Asking) -> Of:
    return Of(request.actor.organization_id, tuple(request.actor.grants))


# ---------------------------------------------------------------------------------------------------- telling
def _config(settings: Settings) -> dict[str, Any]:
    match settings:
        case PostgresSettings():
            told = {"hostname": settings.host, "port": settings.port, "dbname": settings.database}
            rest = ("sslmode", "sslrootcert", "search_path", "role", "connect_timeout", "keepalives_idle", "retries")
            return told | {field: value for field in rest if (value := getattr(settings, field)) is not None}
        case DuckdbSettings():
            told = {"path": settings.path, "storage": settings.storage.value}
            told |= {"extensions": settings.extensions, "settings": settings.settings}
            if settings.storage is Storage.WORKER:
                told |= {"folder": settings.folder}
            return told
        case _:
            assert_never(settings)


def _show(request: Asking, connection: Connection) -> ConnectionShown:
    return ConnectionShown(
        id=connection.number,
        account_id=request.account,
        name=connection.name,
        adapter_version=ADAPTERS[connection.kind],
        environment__count=connection.target_count,
        config=_config(connection.settings),
        state=ACTIVE if connection.deleted_at is None else DELETED,
        created_at=with_t(connection.created_at),
        updated_at=with_t(connection.updated_at),
    )


def show_older(request: Asking, connection: Connection, project: str | int | None) -> ProjectConnectionShown:
    """A connection as it is told in a project, or (None) in the older version."""
    return ProjectConnectionShown(
        id=connection.number,
        account_id=request.account,
        project_id=None if project is None else int(project),
        name=connection.name,
        type=TYPES[connection.kind],
        adapter_version=ADAPTERS[connection.kind],
        created_by_id=connection.created_by_number,
        details=_config(connection.settings),
        state=ACTIVE if connection.deleted_at is None else DELETED,
        created_at=with_t(connection.created_at),
        updated_at=with_t(connection.updated_at),
    )
