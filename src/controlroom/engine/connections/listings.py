"""The lists of connections, log-ins, profiles and extended attributes."""

from typing import Final

from controlroom.engine.access.model import Actor
from controlroom.engine.connections import attributes, logins, named_profiles
from controlroom.engine.connections.model import ConnectionKind
from controlroom.engine.connections.seeing import reading, sees_all
from controlroom.engine.connections.store import COLUMNS, JOINS, VISIBLE
from controlroom.engine.lists.model import Field, Kind, Listing, Within, among
from controlroom.ids import OrganizationId, WorkspaceId

CONNECTIONS: Final = Listing(
    noun="connections",
    table="connection",
    columns=COLUMNS,
    joins=JOINS,
    tenant="connection.id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("kind", Kind.TEXT, is_sortable=True, choices=among(ConnectionKind)),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
        Field("is_there", Kind.TRUTH, column="(connection.deleted_at is null)"),
    ),
)
"""Its rows are handed out one by one: whose they are depends on who asks. There are dozens."""

_LOGIN: Final = """(case when connection_login.username <> '' then connection_login.username
                 when connection_login.kind = 'duckdb' then 'DuckDB file' else 'PostgreSQL' end
           || case when connection_login.schema_name <> '' then ' → ' || connection_login.schema_name else '' end)"""
"""What people know a log-in by: it has no name of its own."""

LOGINS: Final = Listing(
    noun="log-ins",
    table="connection_login",
    columns=logins.COLUMNS,
    joins=logins.JOINS,
    tenant="connection_login.workspace_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("kind", Kind.TEXT, choices=among(ConnectionKind)),
        Field("username", Kind.TEXT, is_sortable=True),
        Field("schema_name", Kind.TEXT, is_sortable=True),
        Field("title", Kind.TEXT, column=_LOGIN),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
        Field("is_there", Kind.TRUTH, column="(connection_login.deleted_at is null)"),
    ),
)
PROFILES: Final = Listing(
    noun="profiles",
    table="connection_profile",
    columns=named_profiles.COLUMNS,
    joins=named_profiles.JOINS,
    tenant="connection_profile.workspace_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("key", Kind.TEXT, is_sortable=True),
        Field("connection_id", Kind.ID),
        Field("login_id", Kind.ID),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
        Field("is_there", Kind.TRUTH, column="(connection_profile.deleted_at is null)"),
    ),
)
EXTENDED_ATTRIBUTES: Final = Listing(
    noun="extended attributes",
    table="extended_attributes",
    columns=attributes.COLUMNS,
    joins=attributes.JOINS,
    tenant="extended_attributes.workspace_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field(
            "title",
            Kind.TEXT,
            column="""('#' || extended_attributes.number || coalesce((select ': ' || string_agg(key, ', ' order by key)
                        from jsonb_object_keys(extended_attributes.attributes) as key), ''))""",
        ),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
        Field("is_there", Kind.TRUTH, column="(extended_attributes.deleted_at is null)"),
    ),
)


def seen_by(actor: Actor) -> Within:
    """The connections that somebody sees: all, or those that are used where they may read targets."""
    return _within(actor.organization_id, sees_all=sees_all(actor), workspaces=reading(actor))


def used_in(organization: OrganizationId, workspace: WorkspaceId) -> Within:
    """The connections that a workspace uses."""
    return _within(organization, sees_all=False, workspaces=[workspace])


def _within(organization: OrganizationId, *, sees_all: bool, workspaces: list[WorkspaceId]) -> Within:
    return Within.several(VISIBLE, organization=organization, sees_all=sees_all, workspaces=workspaces)
