"""Connections and what belongs to them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from controlroom.ids import (
    ConnectionId,
    ExtendedAttributesId,
    LoginId,
    OrganizationId,
    ProfileId,
    RunId,
    UserId,
    WorkerGroupId,
    WorkerId,
    WorkspaceId,
)

Plain = str | int | float | bool
"""What a setting of a database is."""


class ConnectionKind(StrEnum):
    """What a connection leads to."""

    DUCKDB = "duckdb"
    POSTGRES = "postgres"


class Storage(StrEnum):
    """Where the file of a database is."""

    ROOM = "room"
    """With the room, version by version: a worker fetches the current one and brings the next."""
    WORKER = "worker"
    """In a folder of workers, which their operator allows."""


class PostgresSettings(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag=ConnectionKind.POSTGRES.value,
):
    """A PostgreSQL server by address."""

    host: str
    port: int = 5432
    database: str
    sslmode: str | None = None
    sslrootcert: str | None = None
    search_path: str | None = None
    role: str | None = None
    connect_timeout: int | None = None
    keepalives_idle: int | None = None
    retries: int | None = None


class DuckdbSettings(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag=ConnectionKind.DUCKDB.value,
):
    """A DuckDB file."""

    storage: Storage = Storage.ROOM
    path: str = "database.duckdb"
    """The name of the file; what stands before the dot is what the database is called."""
    folder: str | None = None
    """Of workers, where the file is there."""
    worker_id: WorkerId | None = None
    """Who has the folder; this or the next, where the file is with workers."""
    worker_group_id: WorkerGroupId | None = None
    extensions: list[str] = []
    settings: dict[str, Plain] = {}


Settings = PostgresSettings | DuckdbSettings


class Connection(Struct, frozen=True, kw_only=True):
    """A connection of the organization."""

    id: ConnectionId
    number: int
    organization_id: OrganizationId
    name: str
    kind: ConnectionKind
    settings: Settings
    target_count: int
    """Targets that use it, in all workspaces."""
    created_by: UserId | None
    created_by_number: int | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class ConnectionChange(Struct, frozen=True, kw_only=True):
    """What a connection shall be; what is left out stays. Its kind stays in any case."""

    name: str | UnsetType = UNSET
    settings: Settings | UnsetType = UNSET


class LoginDefinition(Struct, frozen=True, kw_only=True):
    """As whom a connection is used. Prints without the password."""

    kind: ConnectionKind
    username: str = ""
    password: str | None = None
    """None: of a new one none; of one that is there, the one that it has."""
    schema_name: str = ""
    threads: int | None = None
    target_name: str = ""

    def __repr__(self) -> str:
        return f"LoginDefinition(kind={self.kind.value!r}, username={self.username!r}, password=‹secret›)"  # noqa: RUF001 - as everywhere


class LoginChange(Struct, frozen=True, kw_only=True):
    """What a log-in shall be; what is left out stays. Prints without the password."""

    username: str | UnsetType = UNSET
    password: str | UnsetType = UNSET
    schema_name: str | UnsetType = UNSET
    threads: int | UnsetType | None = UNSET
    target_name: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"LoginChange(username={self.username!r}, password=‹secret›)"  # noqa: RUF001 - as everywhere


class Login(Struct, frozen=True, kw_only=True):
    """A log-in of a workspace: never its password."""

    id: LoginId
    number: int
    workspace_id: WorkspaceId
    workspace_number: int
    kind: ConnectionKind
    username: str
    schema_name: str
    threads: int | None
    target_name: str
    has_password: bool
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class Profile(Struct, frozen=True, kw_only=True):
    """A connection with who logs in to it, by a key."""

    id: ProfileId
    number: int
    workspace_id: WorkspaceId
    workspace_number: int
    key: str
    connection_id: ConnectionId
    connection_number: int
    login_id: LoginId
    login_number: int
    extended_attributes_id: ExtendedAttributesId | None
    extended_attributes_number: int | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class ExtendedAttributes(Struct, frozen=True, kw_only=True):
    """What is put over a connection's settings; each secret is a mask."""

    id: ExtendedAttributesId
    number: int
    workspace_id: WorkspaceId
    workspace_number: int
    attributes: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class DatabaseVersion(Struct, frozen=True, kw_only=True):
    """A version of a connection's file."""

    connection_id: ConnectionId
    version: int
    hash: str
    size: int
    run_id: RunId
    """The run that has brought it; it may be gone."""
    created_at: datetime


class Overrides(Struct, frozen=True, kw_only=True):
    """What a run says instead of its target; None: nothing."""

    schema: str | None = None
    threads: int | None = None
    target_name: str | None = None


class Opened(Struct, frozen=True, kw_only=True):
    """A profile's output as the tool reads it, with its secrets in clear. For plans alone; prints without them."""

    connection: Connection
    output: dict[str, Any]
    """Without the path of a file: that is the worker's."""
    secrets: tuple[str, ...]
    """The values in it that are masked wherever they show."""
    schema: str
    threads: int
    target_name: str

    def __repr__(self) -> str:
        return f"Opened(connection={self.connection.name!r}, output=‹secret›)"  # noqa: RUF001 - as everywhere
