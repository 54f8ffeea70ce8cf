"""Saved views: saving what a list shows, and the page on which views are renamed, shared and deleted."""

from typing import Any

from controlroom.engine.saved_views import actions, rules
from controlroom.engine.saved_views.model import SavedView, ViewChange
from controlroom.errors import NotFound
from controlroom.ids import WorkspaceId
from controlroom.ui.asking import Asking, Crumb, Fields, Path, Shown, own_path
from controlroom.ui.refusals import REFUSED, tried
from controlroom.ui.rights import everybody
from controlroom.ui.routing import page, verb
from controlroom.ui.views.places import listed

_ABOVE = {"above_workspaces": True}


def place_of(request: Asking) -> WorkspaceId | None:
    """The workspace of the address; None above them."""
    return request.workspace if request.base else None


def path_of(request: Asking) -> str:
    """Where views are managed."""
    return f"{request.base}/views" if request.base else "/admin/views"


# ---------------------------------------------------------------------------------------------------- all of them
@page("/views")
async def list_views(request: Asking) -> Shown:
    """One's own, and those that are shared."""
    return await _show(request)


@page("/admin/views", opt=_ABOVE)
async def list_views_above(request: Asking) -> Shown:
    """Likewise, of lists above the workspaces."""
    return await _show(request)


async def _show(request: Asking, *, refused: str = "", at: int = 0, typed: str = "") -> Shown:
    place = place_of(request)
    views = await actions.list_views(request.engine, request.actor, place)
    return await request.show(
        "views/list.html",
        title="Saved views",
        crumbs=[Crumb("Saved views")],
        status=REFUSED if refused else 200,
        own=[listed(each, request.base) for each in views if not each.is_shared],
        shared=[listed(each, request.base) for each in views if each.is_shared],
        may_change=lambda view: rules.may_change(request.actor, view),
        is_mine=lambda view: view.user_id == rules.user_of(request.actor),
        may_share=request.actor.may(rules.sharing(place), place),
        here=path_of(request),
        refused=refused,
        renamed=at,
        typed=typed,
    )


# ---------------------------------------------------------------------------------------------------- saving one
@verb("/views", may=everybody)
async def save_view(request: Asking) -> Shown:
    """Save what a list shows, or have a view of the name show it."""
    return await _save(request)


@verb("/admin/views", opt=_ABOVE, may=everybody)
async def save_view_above(request: Asking) -> Shown:
    """Likewise, of lists above the workspaces."""
    return await _save(request)


async def _save(request: Asking) -> Shown:
    fields = await request.fields()
    place, name, query = place_of(request), fields.text("name"), fields.text("query")
    to = own_path(fields.text("to"), f"{request.base}/")
    if (replaced := _number(fields.text("replaces"))) is not None:
        view = await actions.change(request.engine, request.actor, place, replaced, ViewChange(query=query))
        return request.done(to, f"{view.name} shows this now.")
    made, refused = await tried(
        actions.save(
            request.engine,
            request.actor,
            place,
            of=fields.text("list"),
            name=name,
            query=query,
            is_shared=fields.has("shared"),
        )
    )
    if made is None:
        taken = await _named(request, fields)
        return await _form(request, fields, to, taken, refused=refused)
    return request.done(to, f"{made.name} is saved{', for everybody here' if made.is_shared else ''}.")


async def _named(request: Asking, fields: Fields) -> SavedView | None:
    """The view that has the name already and may be overwritten, of the kind that was wanted."""
    views = await actions.list_views(request.engine, request.actor, place_of(request), fields.text("list"))
    name = fields.text("name").lower()
    of_name = [each for each in views if each.name.lower() == name and each.is_shared == fields.has("shared")]
    return next((each for each in of_name if rules.may_change(request.actor, each)), None)


async def _form(request: Asking, fields: Fields, to: str, taken: SavedView | None, *, refused: str) -> Shown:
    place = place_of(request)
    return await request.show(
        "views/save.html",
        title="Save this view",
        crumbs=[Crumb("Saved views", path_of(request)), Crumb("Save")],
        status=REFUSED,
        fields=fields,
        to=to,
        taken=taken,
        may_share=request.actor.may(rules.sharing(place), place),
        here=path_of(request),
        refused=refused,
    )


# ---------------------------------------------------------------------------------------------------- one of them
@verb("/views/{number:str}", may=everybody)
async def change_view(request: Asking, number: Path[str]) -> Shown:
    """Give it another name; share it, or no longer."""
    return await _change(request, number)


@verb("/admin/views/{number:str}", opt=_ABOVE, may=everybody)
async def change_view_above(request: Asking, number: Path[str]) -> Shown:
    """Likewise, of lists above the workspaces."""
    return await _change(request, number)


async def _change(request: Asking, number: str) -> Shown:
    fields = await request.fields()
    wanted: dict[str, Any] = {}
    if fields.has("name"):
        wanted["name"] = fields.text("name")
    if fields.has("share"):
        wanted["is_shared"] = fields.text("share") == "yes"
    view, change = _whole(number), ViewChange(**wanted)
    after, refused = await tried(actions.change(request.engine, request.actor, place_of(request), view, change))
    if after is None:
        return await _show(request, refused=refused, at=view, typed=fields.text("name"))
    said = "is shared with everybody here" if after.is_shared else "is yours alone"
    return request.done(path_of(request), f"{after.name} {said if 'is_shared' in wanted else 'has its new name'}.")


@page("/views/{number:str}/delete")
async def ask_to_delete(request: Asking, number: Path[str]) -> Shown:
    """Who would miss it."""
    return await _ask(request, number)


@page("/admin/views/{number:str}/delete", opt=_ABOVE)
async def ask_to_delete_above(request: Asking, number: Path[str]) -> Shown:
    """Likewise, of lists above the workspaces."""
    return await _ask(request, number)


async def _ask(request: Asking, number: str) -> Shown:
    view = await actions.get(request.engine, request.actor, place_of(request), _whole(number))
    return await request.show(
        "views/delete.html",
        title=f"Delete {view.name}",
        crumbs=[Crumb("Saved views", path_of(request)), Crumb(view.name), Crumb("Delete")],
        of=listed(view, request.base),
        here=path_of(request),
    )


@verb("/views/{number:str}/delete", may=everybody)
async def delete_view(request: Asking, number: Path[str]) -> Shown:
    """Delete it."""
    return await _delete(request, number)


@verb("/admin/views/{number:str}/delete", opt=_ABOVE, may=everybody)
async def delete_view_above(request: Asking, number: Path[str]) -> Shown:
    """Likewise, of lists above the workspaces."""
    return await _delete(request, number)


async def _delete(request: Asking, number: str) -> Shown:
    gone = await actions.delete(request.engine, request.actor, place_of(request), _whole(number))
    return request.done(path_of(request), f"{gone.name} is deleted.")


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 18 else None  # noqa: PLR2004 - 64 bits


def _whole(text: str) -> int:
    if (number := _number(text)) is None:
        raise NotFound("There is no such view.", code="SAVED_VIEW_NOT_FOUND")
    return number
