"""Assets of the organization (our own management API): robots of all its workspaces read them by their names."""

from datetime import datetime

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape
from controlroom.dialects.robocorp.assets import content_url
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post
from controlroom.engine.assets import model, shared
from controlroom.ids import AssetId


class SharedAssetAnswer(Shape, frozen=True, kw_only=True):
    """An asset of the organization, and where its content is fetched."""

    id: AssetId
    name: str
    content_type: str
    size: int
    url: str
    created_at: datetime
    updated_at: datetime


class PutSharedAsset(OwnBody, frozen=True, kw_only=True):
    """An asset with its content, as base64; one of this name gets this content."""

    name: str
    content_type: str = "text/plain"
    data: bytes


@get("/shared-assets", needs=Permission.READ_ASSETS)
async def list_shared_assets(request: Asking, paging: Pages) -> Page[SharedAssetAnswer]:
    """List the assets of the organization, oldest first."""
    rows = await shared.list_shared(*request.governing, **paging.after(AssetId))
    return paging.page(rows, lambda asset: _show(request, asset))


@post("/shared-assets", needs=Permission.READ_ASSETS)
async def put_shared_asset(request: Asking, data: Body[PutSharedAsset]) -> SharedAssetAnswer:
    """Make an asset of the organization, or give it other content."""
    made = await shared.put(*request.governing, data.name, content_type=data.content_type, data=data.data)
    return _show(request, made)


@get("/shared-assets/{asset_id:uuid}", needs=Permission.READ_ASSETS)
async def get_shared_asset(request: Asking, asset_id: Path[AssetId]) -> SharedAssetAnswer:
    """Get an asset of the organization."""
    return _show(request, await shared.get(*request.governing, asset_id))


@delete("/shared-assets/{asset_id:uuid}", needs=Permission.READ_ASSETS)
async def delete_shared_asset(request: Asking, asset_id: Path[AssetId]) -> Deleted:
    """Delete an asset of the organization."""
    return await Deleted.after(asset_id, shared.delete(*request.governing, asset_id))


def _show(request: Asking, asset: model.Asset) -> SharedAssetAnswer:
    assert asset.content is not None  # noqa: S101  # one is made with its content
    return SharedAssetAnswer(
        id=asset.id,
        name=asset.name,
        content_type=asset.content.content_type,
        size=asset.content.size,
        url=content_url(request, asset),
        created_at=asset.created_at,
        updated_at=asset.updated_at,
    )
