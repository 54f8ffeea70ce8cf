"""Logging in and out: a session's token as a cookie that no script sees."""

from controlroom.border.arrivals import known
from controlroom.engine.access import sessions
from controlroom.errors import Throttled, Unauthenticated
from controlroom.ui import cookies
from controlroom.ui.asking import Asking, Shown, elsewhere, own_path
from controlroom.ui.entrance import is_somebody
from controlroom.ui.rights import everybody
from controlroom.ui.routing import page, verb
from controlroom.ui.session.form import log_in_form

_OPEN = {"open_to_all": True, "above_workspaces": True}


@page("/login", opt=_OPEN)
async def show_log_in(request: Asking) -> Shown:
    """The form; who is logged in goes where they wanted to."""
    to = own_path(request.query_params.get("to", "/"))
    if await is_somebody(request.engine, request.scope):
        return elsewhere(to)
    return log_in_form(request, to=to)


@verb("/login", opt=_OPEN, may=everybody)
async def log_in(request: Asking) -> Shown:
    """Begin a session; after several failures a user must wait, at the address that they came from."""
    fields = await request.fields()
    username, to = fields.text("username"), own_path(fields.text("to"))
    try:
        session = await sessions.begin(
            request.engine, username=username, password=fields.raw("password"), place=request.place
        )
    except Unauthenticated:
        message = "User name and password do not go together."
        return log_in_form(request, message=message, username=username, to=to, status=401)
    except Throttled as wait:
        message = f"Too many tries from here. Try again in {max(1, round(wait.seconds))} s."
        return log_in_form(request, message=message, username=username, to=to, status=429)
    known(request.scope, f"user:{session.actor.id}")
    name, life = cookies.session_cookie(request.origin), int(sessions.LIFE.total_seconds())
    return elsewhere(to, [cookies.kept(name, session.token, origin=request.origin, seconds=life)])


@verb("/logout", opt={"above_workspaces": True}, may=everybody)
async def log_out(request: Asking) -> Shown:
    """End the session. What the browser has kept of its pages goes with it: back leads to none of them."""
    await sessions.end(request.engine, request.scope["state"]["token"])
    name = cookies.session_cookie(request.origin)
    return elsewhere("/", [cookies.kept(name, "", origin=request.origin, seconds=0), (b"clear-site-data", b'"cache"')])
