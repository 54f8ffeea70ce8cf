"""The list of secrets of workspaces: names and times, never a value."""

from typing import Final

from controlroom.engine.lists.model import Field, Kind, Listing

SECRETS: Final = Listing(
    noun="secrets",
    table="secret",
    columns="secret.id, secret.number, secret.name, secret.description, secret.created_at, secret.updated_at",
    tenant="secret.workspace_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("description", Kind.TEXT),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
    ),
)
