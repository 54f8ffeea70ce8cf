"""What may be fetched by a signed link."""

from enum import StrEnum

from msgspec import Struct


class DownloadKind(StrEnum):
    """Which noun a link's row is."""

    WORK_ITEM_FILE = "work_item_file"
    ARTIFACT = "artifact"
    ASSISTANT_ARTIFACT = "assistant_artifact"
    ASSET = "asset"
    SHARED_ASSET = "shared_asset"
    PACKAGE_VERSION = "package_version"
    QUEUE_ARCHIVE = "queue_archive"


class Stored(Struct, frozen=True):
    """The blob behind a row: its hash, its size in bytes, and its type where the row tells one."""

    hash: str
    size: int
    content_type: str | None
