"""The lists of assets: what a row shows, and by which fields they are found and sorted."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from controlroom.engine.assets.shared import COLUMNS
from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.ids import AssetId


class ListedAsset(Struct, frozen=True, kw_only=True):
    """An asset as a list shows it: without its content."""

    id: AssetId
    number: int
    name: str
    content_type: str | None
    """None: it has got no content yet."""
    size: int | None
    created_at: datetime
    updated_at: datetime


ASSETS: Final = Listing(
    noun="assets",
    table="asset",
    columns="""asset.id, asset.number, asset.name, asset.content_type, asset.size, asset.created_at,
           asset.updated_at""",
    tenant="asset.workspace_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("content_type", Kind.TEXT, is_nullable=True),
        Field("size", Kind.INTEGER, is_nullable=True, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
    ),
)
"""Assets of workspaces; there are few of them, and their order is by name or time."""

SHARED_ASSETS: Final = Listing(
    noun="assets",
    table="shared_asset",
    columns=COLUMNS,
    tenant="shared_asset.organization_id",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("content_type", Kind.TEXT),
        Field("size", Kind.INTEGER, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("updated_at", Kind.INSTANT, is_sortable=True),
    ),
)
"""Assets of an organization, `within=throughout(actor, Permission.READ_ASSETS)`."""
