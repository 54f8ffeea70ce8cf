"""Assets of the organization: values that the robots of all its workspaces read where theirs has none of the name."""

from typing import Final

from controlroom.border.links import download_url
from controlroom.engine.access.scope import throughout
from controlroom.engine.assets import shared
from controlroom.engine.assets.listings import SHARED_ASSETS
from controlroom.engine.assets.model import Asset
from controlroom.engine.assets.shared import SHARED_ASSET
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.references import resolve
from controlroom.errors import Invalid
from controlroom.ids import AssetId
from controlroom.ui.asking import Asking, Fields, Path, Permission, Shown, elsewhere
from controlroom.ui.assets.pages import TYPES, read_text, tabs_of, typed
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.rights import in_organization
from controlroom.ui.routing import page, verb

_WRITE: Final = in_organization(Permission.WRITE_ASSETS)
_PREVIEW_BYTES: Final = 200
"""Of a value that stands in the list."""


_LIST: Final = ListPage(
    listing=SHARED_ASSETS,
    row=Asset,
    path="/shared-assets",
    noun="assets",
    noun_of_one="asset",
    topics="shared_asset",
    columns=(
        Col("name", "Asset", sort="name", always=True),
        Col("value", "Value", csv=lambda _: ""),
        Col("content_type", "Type", csv=lambda each: each.content.content_type),
        Col("size", "Size", is_number=True, sort="size", csv=lambda each: each.content.size),
        Col("created_at", "Made", is_number=True, sort="created_at", by_default=False),
        Col("updated_at", "Changed", is_number=True, sort="updated_at", always=True),
    ),
    searched=("name",),
    searched_words="Name, number or id",
    sort="name",
)


@page("/shared-assets", needs=Permission.READ_ASSETS)
async def list_shared(request: Asking) -> Shown:
    """All of them, by name; short texts stand in the list."""
    found = await _LIST.read(request, seen=throughout(request.actor, Permission.READ_ASSETS))
    previews = {
        each.id: await read_text(request, each)
        for each in found.rows
        if each.content and each.content.size <= _PREVIEW_BYTES
    }
    return await request.show(
        "assets/shared_list.html",
        title="Assets of the organization",
        at="assets",
        crumbs=request.way(("Assets", "/assets"), "Of the organization"),
        beside=tabs_of(request, "Of the organization"),
        found=found,
        previews=previews,
        may_change=_may_change(request),
    )


@page("/shared-assets/new", needs=Permission.READ_ASSETS)
async def ask_for_shared(request: Asking) -> Shown:
    """A name, and what it holds."""
    return await _form(request, None, Fields([("content_type", "text/plain")]))


@verb("/shared-assets/new", may=_WRITE)
async def create_shared(request: Asking) -> Shown:
    """Make it with its content; one of the name that is there is refused, and not written over."""
    fields = await request.fields()
    try:
        data, kind = typed(fields)
    except Invalid as wrong:
        return await _form(request, None, fields, refused=wrong.message)
    made, refused = await tried(shared.create(*request.governing, fields.text("name"), content_type=kind, data=data))
    if made is None:
        return await _form(request, None, fields, refused=refused)
    return request.done(f"{request.base}/shared-assets/{made.number}", f"The asset {made.name} is made.")


@page("/shared-assets/{number:str}", needs=Permission.READ_ASSETS)
async def show_shared(request: Asking, number: Path[str]) -> Shown:
    """What it holds."""
    asset = await _asset(request, number)
    ensure_number(request, number, asset.number)
    return await request.show(
        "assets/shared.html",
        title=asset.name,
        at="assets",
        crumbs=request.way(("Assets", "/assets"), ("Of the organization", "/shared-assets"), asset.name),
        asset_=asset,
        here=f"{request.base}/shared-assets/{asset.number}",
        text=await read_text(request, asset),
        may_change=_may_change(request),
    )


@page("/shared-assets/{number:str}/content", needs=Permission.READ_ASSETS)
async def fetch_shared(request: Asking, number: Path[str]) -> Shown:
    """The content, by a link that works for an hour."""
    asset = await _asset(request, number)
    return elsewhere(download_url(request, DownloadKind.SHARED_ASSET, asset.id, file_name=asset.name))


@page("/shared-assets/{number:str}/edit", needs=Permission.READ_ASSETS)
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """What it shall hold."""
    asset = await _asset(request, number)
    kind = asset.content.content_type if asset.content else "text/plain"
    return await _form(
        request, asset, Fields([("content_type", kind), ("content", await read_text(request, asset) or "")])
    )


@verb("/shared-assets/{number:str}/edit", may=_WRITE)
async def edit_shared(request: Asking, number: Path[str]) -> Shown:
    """Give it the content that was typed."""
    fields = await request.fields()
    asset = await _asset(request, number)
    try:
        data, kind = typed(fields)
    except Invalid as wrong:
        return await _form(request, asset, fields, refused=wrong.message)
    _, refused = await tried(shared.put(*request.governing, asset.name, content_type=kind, data=data))
    if refused:
        return await _form(request, asset, fields, refused=refused)
    return request.done(f"{request.base}/shared-assets/{number}", "Whoever reads the asset from now on reads this.")


@page("/shared-assets/{number:str}/delete", needs=Permission.READ_ASSETS)
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """Who would miss it."""
    asset = await _asset(request, number)
    return await request.show(
        "assets/shared_delete.html",
        title=f"Delete {asset.name}",
        at="assets",
        crumbs=request.way(
            ("Of the organization", "/shared-assets"), (asset.name, f"/shared-assets/{asset.number}"), "Delete"
        ),
        asset_=asset,
    )


@verb("/shared-assets/{number:str}/delete", may=_WRITE)
async def delete_shared(request: Asking, number: Path[str]) -> Shown:
    """Delete it."""
    asset = await _asset(request, number)
    await shared.delete(*request.governing, asset.id)
    return request.done(f"{request.base}/shared-assets", "The asset is deleted.")


async def _asset(request: Asking, named: str) -> Asset:
    seen = request.scope_for(Permission.READ_ASSETS)
    found: AssetId = await resolve(request.db, seen, SHARED_ASSET, named)
    return await shared.get(*request.governing, found)


def _may_change(request: Asking) -> bool:
    return request.actor.may(Permission.WRITE_ASSETS, None)


async def _form(request: Asking, asset: Asset | None, fields: Fields, *, refused: str = "") -> Shown:
    kind = fields.text("content_type")
    types = TYPES if kind in TYPES or not kind else {kind: kind, **TYPES}
    return await request.show(
        "assets/shared_form.html",
        title=f"Edit {asset.name}" if asset else "New asset of the organization",
        at="assets",
        crumbs=request.way(
            ("Of the organization", "/shared-assets"),
            (asset.name, f"/shared-assets/{asset.number}") if asset else None,
            "Edit" if asset else "New asset",
        ),
        status=REFUSED if refused else 200,
        asset_=asset,
        fields=fields,
        types=[*types.items()],
        refused=refused,
    )
