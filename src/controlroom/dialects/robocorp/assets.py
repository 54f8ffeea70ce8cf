"""Assets (§1.7), also as robots ask for them (§5). Named by id, or by `name:` and a name that may have slashes."""

import re
from typing import TypeAlias
from uuid import UUID

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.border.links import download_url, upload_url
from controlroom.dialects.robocorp.answers import Deleted, Named, Shape
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post
from controlroom.engine.assets import actions as assets
from controlroom.engine.assets import model
from controlroom.engine.assets.errors import AssetNotFound
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.uploads.model import Upload, UploadState
from controlroom.ids import AssetId, UploadId

_BY_NAME = "name:"
_NAMED = re.compile(r"/assets/name:(.+)", re.DOTALL)
_JOINT = "\x1f"  # Why this one: no name has it (names are printable), so that nothing is joined that was not apart


def joined(path: str, method: str) -> str:
    """The path with the slashes of an asset's name replaced, so that the name is one segment to the router.

    Uploads are addressed by `…/uploads` behind the name, by POST only; read and deleted is what the whole rest names.
    """
    found = _NAMED.search(path)
    if found is None or "/" not in found[1]:
        return path
    name, end = found[1], ""
    if method == "POST" and name.endswith("/uploads"):
        name, end = name.removesuffix("/uploads"), "/uploads"
    return f"{path[: found.start(1)]}{name.replace('/', _JOINT)}{end}"


class EmptyPayload(Shape, frozen=True, tag_field="type", tag="empty"):
    """Nothing was uploaded yet, or it is still on its way."""


class UrlPayload(Shape, frozen=True, tag_field="type", tag="url"):
    """Where the content is fetched, without a credential."""

    content_type: str
    url: str


class AssetAnswer(Shape, frozen=True):
    """An asset with its content."""

    id: AssetId
    name: str
    payload: EmptyPayload | UrlPayload


class PendingUpload(Shape, frozen=True, tag_field="status", tag="pending"):
    """The raw bytes are to be PUT to the address."""

    id: UploadId
    content_type: str
    upload_url: str


class CompletedUpload(Shape, frozen=True, tag_field="status", tag="completed"):
    """The content is the asset's."""

    id: UploadId
    content_type: str


class FailedUpload(Shape, frozen=True, tag_field="status", tag="failed"):
    """Nothing will come of it."""

    id: UploadId
    content_type: str
    reason: str


UploadAnswer: TypeAlias = PendingUpload | CompletedUpload | FailedUpload


class CreateAsset(Shape, frozen=True):
    """A new asset."""

    name: str


class UploadAsset(Shape, frozen=True):
    """New content: given here as base64, or to be PUT to a link."""

    content_type: str
    data: bytes | None = None


@get("/assets", needs=Permission.READ_ASSETS, open_to_robots=True)
async def list_assets(request: Asking, paging: Pages) -> Page[Named]:
    """List assets, oldest first."""
    rows = await assets.list_assets(*request.reading, **paging.after(_asset_id))
    return paging.page(rows, lambda asset: Named(asset.id, asset.name))


@post("/assets")
async def create_asset(request: Asking, data: Body[CreateAsset]) -> AssetAnswer:
    """Create an asset, without content yet."""
    return _show(request, await assets.create(*request.calling, data.name))


@get("/assets/{asset_id:str}", needs=Permission.READ_ASSETS, open_to_robots=True)
async def get_asset(request: Asking, asset_id: Path[str]) -> AssetAnswer:
    """Get an asset by id or by `name:` and its name."""
    return _show(request, await assets.read(request.engine, request.caller, request.seen, named(asset_id)))


@delete("/assets/{asset_id:str}")
async def delete_asset(request: Asking, asset_id: Path[str]) -> Deleted:
    """Delete an asset by id or by `name:` and its name."""
    return Deleted(await assets.delete(*request.calling, named(asset_id)))


@post("/assets/{asset_id:str}/uploads")
async def create_asset_upload(request: Asking, asset_id: Path[str], data: Body[UploadAsset]) -> UploadAnswer:
    """Give an asset new content: completed at once when it is in the request, else pending until it is PUT."""
    asset = named(asset_id)
    if data.data is None:
        upload = await assets.upload(*request.calling, asset, content_type=data.content_type)
    else:
        upload = await assets.upload_inline(*request.calling, asset, content_type=data.content_type, data=data.data)
    return _show_upload(request, upload)


@get("/assets/{asset_id:str}/uploads/{upload_id:uuid}", needs=Permission.WRITE_ASSETS, open_to_robots=True)
async def get_asset_upload(request: Asking, asset_id: Path[str], upload_id: Path[UploadId]) -> UploadAnswer:
    """Get the state of an upload."""
    return _show_upload(request, await assets.get_upload(request.engine, request.seen, named(asset_id), upload_id))


def named(asset_id: str) -> model.AssetRef:
    """The asset that a segment of the path names."""
    if asset_id.startswith(_BY_NAME):
        return asset_id.removeprefix(_BY_NAME).replace(_JOINT, "/")
    try:
        return _asset_id(asset_id)
    except ValueError:
        raise AssetNotFound from None


def _asset_id(text: str) -> AssetId:
    return AssetId(UUID(text))


def _show(request: Asking, asset: model.Asset) -> AssetAnswer:
    if asset.content is None:
        return AssetAnswer(asset.id, asset.name, EmptyPayload())
    return AssetAnswer(asset.id, asset.name, UrlPayload(asset.content.content_type, content_url(request, asset)))


def content_url(request: Asking, asset: model.Asset) -> str:
    """Where an asset's content is fetched."""
    kind = DownloadKind.SHARED_ASSET if asset.is_shared else DownloadKind.ASSET
    return download_url(request, kind, asset.id, file_name=asset.name.rpartition("/")[2])


def _show_upload(request: Asking, upload: Upload) -> UploadAnswer:
    match upload.state:
        case UploadState.PENDING:
            return PendingUpload(upload.id, upload.content_type, upload_url(request, upload))
        case UploadState.COMPLETED:
            return CompletedUpload(upload.id, upload.content_type)
        case UploadState.FAILED:
            return FailedUpload(upload.id, upload.content_type, upload.reason)
