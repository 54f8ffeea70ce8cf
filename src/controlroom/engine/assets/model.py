"""Assets: named contents that robots share, from a line of text to a model of gigabytes."""

from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from controlroom.ids import AssetId


class Content(Struct, frozen=True):
    """What an asset holds: a blob and its content type."""

    content_type: str
    size: int
    hash: str


class Asset(Struct, frozen=True, kw_only=True):
    """An asset; one that never got content has none."""

    id: AssetId
    number: int
    name: str
    content: Content | None
    created_at: datetime
    updated_at: datetime
    is_shared: bool = False
    """The organization's, read where the workspace has none of its name."""


AssetRef: TypeAlias = AssetId | str
"""How callers name an asset: by its id, or by its name as text."""
