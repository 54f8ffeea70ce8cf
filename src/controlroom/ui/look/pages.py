"""Where a visit begins, how pages look in this browser, and the whole menu on a phone."""

from controlroom.errors import Invalid
from controlroom.ui import cookies
from controlroom.ui.asking import Asking, Shown, elsewhere, own_path
from controlroom.ui.frame import DENSITIES, THEMES
from controlroom.ui.rendering import zone_of
from controlroom.ui.rights import everybody
from controlroom.ui.routing import page, verb

_ABOVE = {"above_workspaces": True}


@page("/", opt=_ABOVE)
async def begin(request: Asking) -> Shown:
    """The workspace that was looked at last, else the first."""
    slugs = request.workspaces.slugs
    last = cookies.remembered_of(request.cookie, cookies.LAST)
    if last in slugs or slugs:
        start = cookies.remembered_of(request.cookie, cookies.START)
        path = next((each.path for each in request.app.state.places if each.at == start and not each.is_above), "")
        return elsewhere(f"/w/{last if last in slugs else next(iter(slugs))}{path.rstrip('/')}")
    return await request.show("look/nowhere.html", title="No workspace")


@page("/more")
async def show_menu(request: Asking) -> Shown:
    """All places of the workspace, for screens without a side bar."""
    # The part beside all pages is asked for here, and says which of them it stands beside
    at = request.query_params.get("at", "more") if request.parts == ("side",) else "more"
    return await request.show("look/menu.html", title="Menu", at=at, has_menu=True)


@verb("/me/look", opt=_ABOVE, may=everybody)
async def set_look(request: Asking) -> Shown:
    """Remember in this browser how pages look."""
    fields = await request.fields()
    headers = []
    for name, known in ((cookies.THEME, THEMES), (cookies.DENSITY, DENSITIES)):
        if fields.has(name):
            if fields.text(name) not in known:
                raise Invalid(f"There is no {name} of this name.", code="LOOK_UNKNOWN")
            headers.append(cookies.remembered(name, fields.text(name), request.origin))
    if fields.has(cookies.ZONE):
        if zone_of(fields.text(cookies.ZONE)) is None:
            raise Invalid("There is no time zone of this name.", code="ZONE_UNKNOWN")
        headers.append(cookies.remembered(cookies.ZONE, fields.text(cookies.ZONE), request.origin))
    return elsewhere(own_path(fields.text("to")), headers)
