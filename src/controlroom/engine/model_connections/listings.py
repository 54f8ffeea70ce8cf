"""The list of model connections: what a row shows, and by which fields they are found and sorted."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.ids import ModelConnectionId

_PROVIDER: Final = "join model_provider on model_provider.id = model_connection.provider_id"


class ListedModel(Struct, frozen=True, kw_only=True):
    """A connection to a model as a list shows it."""

    id: ModelConnectionId
    number: int
    name: str
    display_name: str
    method: str
    uri: str
    provider_name: str
    has_key: bool
    wants_key: bool
    updated_at: datetime


MODELS: Final = Listing(
    noun="models",
    table="model_connection",
    columns="""model_connection.id, model_connection.number, model_connection.name,
           coalesce(model_connection.definition ->> 'display_name', '') as display_name,
           coalesce(model_connection.definition ->> 'method', 'POST') as method,
           coalesce(model_connection.definition ->> 'uri', '') as uri, model_provider.name as provider_name,
           model_provider.key_id is not null as has_key,
           coalesce(jsonb_array_length(nullif(model_provider.auth -> 'keys', 'null')), 0) > 0 as wants_key,
           model_connection.updated_at""",
    joins=_PROVIDER,
    tenant="(select its.organization_id from model_provider as its where its.id = model_connection.provider_id)",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("uri", Kind.TEXT, column="coalesce(model_connection.definition ->> 'uri', '')"),
        Field("provider_name", Kind.TEXT, column="model_provider.name", is_sortable=True, join=_PROVIDER),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
    ),
)
"""The models of an organization's providers, `within=throughout(actor, Permission.READ_MODELS)`."""
