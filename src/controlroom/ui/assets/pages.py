"""Assets: all of them, one with its content, and the verbs to make, fill and delete them."""

import json
from typing import Final

from controlroom.border.forms import form_of
from controlroom.border.links import download_url
from controlroom.engine.access import history
from controlroom.engine.assets import actions
from controlroom.engine.assets.listings import ASSETS, ListedAsset
from controlroom.engine.assets.model import Asset
from controlroom.engine.assets.store import ASSET
from controlroom.engine.downloads.model import DownloadKind
from controlroom.engine.references import resolve
from controlroom.engine.usage import store as usage
from controlroom.errors import Invalid
from controlroom.ids import AssetId
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Permission, Shown, elsewhere
from controlroom.ui.lists import Col, Link, ListPage
from controlroom.ui.numbers import ensure_number
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.routing import Place, page, verb

PLACE: Final = Place(at="assets", name="Assets", path="/assets", icon="assets", needs=Permission.READ_ASSETS)
_SHOWN_BYTES: Final = 64 * 1024
"""Of a content that is shown, and edited, in the page."""
TYPES: Final = {
    "text/plain": "Text",
    "application/json": "JSON",
    "application/x-yaml": "YAML",
    "text/csv": "CSV",
    "text/html": "HTML",
    "text/xml": "XML",
}
"""What is edited in the page; other types come as files."""
_TEXTS: Final = ("text/", "application/json", "application/xml", "application/x-yaml", "application/yaml")

_LIST: Final = ListPage(
    listing=ASSETS,
    row=ListedAsset,
    path="/assets",
    noun="assets",
    noun_of_one="asset",
    topics="asset",
    columns=(
        Col("name", "Asset", sort="name", always=True),
        Col("content_type", "Type"),
        Col("size", "Size", is_number=True, sort="size"),
        Col("created_at", "Made", is_number=True, sort="created_at", by_default=False),
        Col("updated_at", "Changed", is_number=True, sort="updated_at", always=True),
    ),
    searched=("name",),
    searched_words="Name, number or id",
    sort="name",
)


@page("/assets", needs=Permission.READ_ASSETS)
async def list_assets(request: Asking) -> Shown:
    """The list."""
    found = await _LIST.read(request)
    return await request.show(
        "assets/list.html",
        title="Assets",
        at="assets",
        found=found,
        beside=tabs_of(request, "Of this workspace"),
        may_change=_may_change(request),
    )


@page("/assets/new", needs=(Permission.WRITE_ASSETS, Permission.READ_ASSETS))
async def ask_for_asset(request: Asking) -> Shown:
    """A name, and what it holds."""
    return await _form(request, None, Fields([("content_type", "text/plain")]))


@verb("/assets/new")
async def create_asset(request: Asking) -> Shown:
    """Make it, with the content that was typed."""
    fields = await request.fields()
    try:
        data, kind = typed(fields)
    except Invalid as wrong:
        return await _form(request, None, fields, refused=wrong.message)
    made, refused = await tried(actions.create(*request.acting, fields.text("name")))
    if made is None:
        return await _form(request, None, fields, refused=refused)
    if data:
        await actions.upload_inline(*request.acting, made.id, content_type=kind, data=data)
    return request.done(f"{request.base}/assets/{made.number}", f"The asset {made.name} is made.")


@page("/assets/{number:str}", needs=Permission.READ_ASSETS)
async def show_asset(request: Asking, number: Path[str]) -> Shown:
    """What it holds, who reads it, who has changed it."""
    asset = await _seen(request, number)
    ensure_number(request, number, asset.number)
    return await request.show(
        "assets/asset.html",
        title=asset.name,
        at="assets",
        crumbs=request.way(("Assets", "/assets"), asset.name),
        asset_=asset,
        here=f"{request.base}/assets/{asset.number}",
        text=await read_text(request, asset),
        shown=_SHOWN_BYTES,
        is_image=asset.content is not None and asset.content.content_type.startswith("image/"),
        users=await usage.users_of_asset(*request.reading, asset.id),
        changes=await history.changes_of(*request.reading, asset.id),
        may_change=_may_change(request),
    )


@page("/assets/{number:str}/content", needs=Permission.READ_ASSETS)
async def fetch_content(request: Asking, number: Path[str]) -> Shown:
    """The content, by a link that works for an hour."""
    asset = await _seen(request, number)
    return elsewhere(download_url(request, DownloadKind.ASSET, asset.id, file_name=asset.name))


@page("/assets/{number:str}/edit", needs=(Permission.WRITE_ASSETS, Permission.READ_ASSETS))
async def ask_to_edit(request: Asking, number: Path[str]) -> Shown:
    """Its content, where it is a text that fits into a page; else a file to bring."""
    asset = await _seen(request, number)
    kind = asset.content.content_type if asset.content else "text/plain"
    text = await read_text(request, asset)
    return await _form(request, asset, Fields([("content_type", kind), ("content", text or "")]))


@verb("/assets/{number:str}/edit")
async def edit_asset(request: Asking, number: Path[str]) -> Shown:
    """Give it the content that was typed."""
    fields = await request.fields()
    asset = await _asset(request, number)
    try:
        data, kind = typed(fields)
    except Invalid as wrong:
        return await _form(request, await _seen(request, number), fields, refused=wrong.message)
    _, refused = await tried(actions.upload_inline(*request.acting, asset, content_type=kind, data=data))
    if refused:
        return await _form(request, await _seen(request, number), fields, refused=refused)
    return request.done(f"{request.base}/assets/{number}", "Whoever reads the asset from now on reads this.")


@verb("/assets/{number:str}/upload", request_max_body_size=None, may=Permission.WRITE_ASSETS)
async def upload_content(request: Asking, number: Path[str]) -> Shown:
    """Give it a file; it is streamed, up to what an asset may hold."""
    asset = await _asset(request, number)
    scope = request.scope_for(Permission.WRITE_ASSETS)
    form = form_of(request.headers.get("content-type") or "", request.stream(), file="file")
    blob = await request.engine.objects.put(form.content(), max_size=request.engine.limits.asset_bytes)
    kind = form.field("content_type").strip() or "application/octet-stream"
    promised, refused = await tried(actions.upload(*request.acting, asset, content_type=kind))
    if promised is None:
        fields = Fields([("content_type", kind)])
        return await _form(request, await _seen(request, number), fields, refused=refused)
    await actions.complete_upload(request.engine, scope, promised.id, blob)
    return request.done(f"{request.base}/assets/{number}", "Whoever reads the asset from now on reads this file.")


@page("/assets/{number:str}/delete", needs=(Permission.WRITE_ASSETS, Permission.READ_ASSETS))
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """Who would miss it."""
    asset = await _seen(request, number)
    return await request.show(
        "assets/delete.html",
        title=f"Delete {asset.name}",
        at="assets",
        crumbs=_crumbs(request, asset, "Delete"),
        asset_=asset,
        users=await usage.users_of_asset(*request.reading, asset.id),
    )


@verb("/assets/{number:str}/delete")
async def delete_asset(request: Asking, number: Path[str]) -> Shown:
    """Delete it."""
    await actions.delete(*request.acting, await _asset(request, number))
    return request.done(f"{request.base}/assets", "The asset is deleted.")


def typed(fields: Fields) -> tuple[bytes, str]:
    """The content of a form, as the browser ended its lines: with LF. Raises Invalid for what is not of its type."""
    kind = fields.text("content_type") or "text/plain"
    text = fields.raw("content").replace("\r\n", "\n")
    if kind == "application/json" and text.strip():
        try:
            json.loads(text)
        except (ValueError, RecursionError) as wrong:
            at = f" in line {wrong.lineno}" if isinstance(wrong, json.JSONDecodeError) else ""
            raise Invalid(f"The content is no JSON{at}", code="MALFORMED_JSON") from wrong
    return text.encode(), kind


async def read_text(request: Asking, asset: Asset) -> str | None:
    """What it holds, as text; None for what is none, or more than a page shows."""
    content = asset.content
    if content is None or content.size > _SHOWN_BYTES or not content.content_type.startswith(_TEXTS):
        return None
    data = await request.engine.objects.read(content.hash)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def tabs_of(request: Asking, current: str) -> list[Link]:
    """Assets of the workspace, and those of the organization for who may know of them."""
    if not request.actor.may(Permission.READ_ASSETS, None):
        return []
    paths = {"Of this workspace": "/assets", "Of the organization": "/shared-assets"}
    return [Link(name, f"{request.base}{path}", current == name) for name, path in paths.items()]


async def _seen(request: Asking, named: str) -> Asset:
    seen = request.scope_for(Permission.READ_ASSETS)
    found: AssetId = await resolve(request.db, seen, ASSET, named)
    return await actions.get(request.db, seen, found)


async def _asset(request: Asking, named: str) -> AssetId:
    found: AssetId = await resolve(request.db, request.scope_for(Permission.WRITE_ASSETS), ASSET, named)
    return found


def _may_change(request: Asking) -> bool:
    return request.actor.may(Permission.WRITE_ASSETS, request.workspace)


def _crumbs(request: Asking, asset: Asset | None, last: str) -> list[Crumb]:
    return request.way(("Assets", "/assets"), (asset.name, f"/assets/{asset.number}") if asset else None, last)


async def _form(request: Asking, asset: Asset | None, fields: Fields, *, refused: str = "") -> Shown:
    kind = fields.text("content_type")
    types = TYPES if kind in TYPES or not kind else {kind: kind, **TYPES}
    is_typed = asset is None or asset.content is None or await read_text(request, asset) is not None
    return await request.show(
        "assets/form.html",
        title=f"Edit {asset.name}" if asset else "New asset",
        at="assets",
        crumbs=_crumbs(request, asset, "Edit" if asset else "New asset"),
        status=REFUSED if refused else 200,
        asset_=asset,
        fields=fields,
        types=[*types.items()],
        is_typed=is_typed,
        most=request.engine.limits.asset_bytes,
        refused=refused,
    )
