"""Choosing a password in place of one that somebody else has given."""

from controlroom.engine.access import sessions
from controlroom.engine.access.errors import WeakPassword
from controlroom.engine.access.passwords import LONGEST, SHORTEST
from controlroom.engine.access.users import actions
from controlroom.errors import NotFound
from controlroom.ids import UserId
from controlroom.ui import cookies
from controlroom.ui.asking import Asking, Shown, elsewhere
from controlroom.ui.rights import everybody
from controlroom.ui.routing import page, verb
from controlroom.ui.users.pages import ABOVE


@page("/login/password", opt=ABOVE)
async def ask(request: Asking) -> Shown:
    """The form; who has a password of their own is led on."""
    return _form(request) if request.actor.has_temporary_password else elsewhere("/")


@verb("/login/password", opt=ABOVE, may=everybody)
async def choose(request: Asking) -> Shown:
    """Take it; the session goes on as another."""
    fields = await request.fields()
    password, actor = fields.raw("password"), request.actor
    if not actor.has_temporary_password or actor.id is None:
        raise NotFound("Your password is your own already.", code="PASSWORD_OWN")
    if password != fields.raw("again"):
        return _form(request, "The two are not the same.")
    try:
        await actions.set_password(*request.governing, UserId(actor.id), password)
    except WeakPassword:
        return _form(request, f"A password has {SHORTEST} to {LONGEST:,} characters.")
    session = await sessions.begin(request.engine, username=actor.name, password=password, place=request.place)
    name, life = cookies.session_cookie(request.origin), int(sessions.LIFE.total_seconds())
    return elsewhere("/", [cookies.kept(name, session.token, origin=request.origin, seconds=life)])


def _form(request: Asking, wrong: str = "") -> Shown:
    values = {"look": request.look, "wrong": wrong, "actor": request.actor}
    body = request.app.state.templates.render("users/choose_password.html", values, request.reader)
    return Shown(body, status_code=400 if wrong else 200)
