"""Overlays (extended attributes): what is put over the settings of a connection."""

from typing import Any, Final

import msgspec

from controlroom.engine.connections import attributes
from controlroom.engine.connections.attributes import ATTRIBUTES
from controlroom.engine.connections.listings import EXTENDED_ATTRIBUTES
from controlroom.engine.connections.model import ExtendedAttributes
from controlroom.engine.references import resolve
from controlroom.errors import Invalid
from controlroom.ui.asking import Asking, Path, Permission, Shown
from controlroom.ui.connections.pages import THERE, tabs_of
from controlroom.ui.lists import Col, ListPage
from controlroom.ui.refusals import REFUSED, said, tried
from controlroom.ui.routing import page, verb

_READS: Final = Permission.READ_TARGETS
_WRITES: Final = (Permission.WRITE_TARGETS, _READS)


_LIST: Final = ListPage(
    listing=EXTENDED_ATTRIBUTES,
    row=ExtendedAttributes,
    path="/attributes",
    noun="overlays",
    noun_of_one="overlay",
    topics="extended_attributes",
    always=THERE,
    columns=(
        Col("number", "Overlay", always=True, sort="number"),
        Col("attributes", "Puts over", always=True, csv=lambda each: _written(each.attributes)),
        Col("updated_at", "Changed", sort="updated_at", is_number=True, always=True),
        Col("verbs", "", always=True, csv=lambda _: ""),
    ),
    searched=("title",),
    searched_words="Name of a setting, number or id",
    sort="id",
)


@page("/attributes", needs=_READS)
async def list_attributes(request: Asking) -> Shown:
    """What is put over settings of connections; each secret a mask."""
    return await request.show(
        "connections/attributes.html",
        title="Overlays",
        at="connections",
        crumbs=request.way(("Connections", "/connections"), "Overlays"),
        tabs=tabs_of(request, "Overlays"),
        found=await _LIST.read(request),
        written=_written,
        may_change=_may_change(request),
    )


@page("/attributes/new", needs=_WRITES)
async def ask_for_attributes(request: Asking) -> Shown:
    """What it puts over."""
    return await _form(request, None, "{\n}")


@verb("/attributes/new")
async def create_attributes(request: Asking) -> Shown:
    """Make it."""
    text = (await request.fields()).raw("attributes")
    try:
        wanted = _read(text)
    except Invalid as wrong:
        return await _form(request, None, text, refused=said(wrong))
    made, refused = await tried(attributes.create(*request.acting, wanted))
    if made is None:
        return await _form(request, None, text, refused=refused)
    return request.done(f"{request.base}/attributes", f"The overlay #{made.number} is made.")


@page("/attributes/{number:str}/edit", needs=_WRITES)
async def ask_to_edit_attributes(request: Asking, number: Path[str]) -> Shown:
    """What it shall put over; a mask stands for the secret that is there."""
    overlay = await _overlay(request, number)
    return await _form(request, overlay, _written(overlay.attributes))


@verb("/attributes/{number:str}/edit")
async def edit_attributes(request: Asking, number: Path[str]) -> Shown:
    """Change it."""
    text = (await request.fields()).raw("attributes")
    overlay = await _overlay(request, number)
    try:
        wanted = _read(text)
    except Invalid as wrong:
        return await _form(request, overlay, text, refused=said(wrong))
    _, refused = await tried(attributes.replace(*request.acting, overlay.id, wanted))
    if refused:
        return await _form(request, overlay, text, refused=refused)
    return request.done(f"{request.base}/attributes", "The overlay is changed.")


@page("/attributes/{number:str}/delete", needs=_WRITES)
async def ask_to_delete_attributes(request: Asking, number: Path[str]) -> Shown:
    """What is lost with it."""
    return await _question(request, await _overlay(request, number))


@verb("/attributes/{number:str}/delete")
async def delete_attributes(request: Asking, number: Path[str]) -> Shown:
    """Delete it, where nothing names it."""
    overlay = await _overlay(request, number)
    _, refused = await tried(attributes.delete(*request.acting, overlay.id))
    if refused:
        return await _question(request, overlay, refused=refused)
    return request.done(f"{request.base}/attributes", "The overlay is deleted.")


def _may_change(request: Asking) -> bool:
    return request.actor.may(Permission.WRITE_TARGETS, request.workspace)


def _written(values: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(values), indent=2).decode()


def _read(text: str) -> dict[str, Any]:
    """What an overlay says. Raises Invalid."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError) as broken:
        raise Invalid("an overlay is a JSON object", code="EXTENDED_ATTRIBUTES_INVALID") from broken


async def _overlay(request: Asking, named: str) -> ExtendedAttributes:
    seen = request.scope_for(_READS)
    return await attributes.get(request.db, seen, await resolve(request.db, seen, ATTRIBUTES, named))


async def _form(request: Asking, overlay: ExtendedAttributes | None, text: str, *, refused: str = "") -> Shown:
    return await request.show(
        "connections/attributes_form.html",
        title=f"Edit overlay #{overlay.number}" if overlay else "New overlay",
        at="connections",
        crumbs=request.way(("Overlays", "/attributes"), f"#{overlay.number}" if overlay else "New overlay"),
        status=REFUSED if refused else 200,
        overlay=overlay,
        text=text,
        refused=refused,
    )


async def _question(request: Asking, overlay: ExtendedAttributes, *, refused: str = "") -> Shown:
    return await request.show(
        "connections/attributes_delete.html",
        title=f"Delete overlay #{overlay.number}",
        at="connections",
        crumbs=request.way(("Overlays", "/attributes"), f"#{overlay.number}", "Delete"),
        status=REFUSED if refused else 200,
        overlay=overlay,
        refused=refused,
    )
