"""Logging in by the provider of identities that the operator has named.

The state of an attempt rides a cookie that is sealed, lives for ten minutes, and is `Lax`: the provider leads back from
another site. The session's own cookie stays `Strict`: a page in between opens the next one from here.
"""

import base64
import time
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from controlroom.border.arrivals import known
from controlroom.border.oidc import Attempt, Provider, new_attempt
from controlroom.engine.access import sessions
from controlroom.engine.access.identities import actions
from controlroom.engine.access.identities.model import Identity, Known, ToLink, ToProve, Unknown
from controlroom.errors import ControlRoomError, NotFound, Throttled, Unauthenticated
from controlroom.keys import Unsealable
from controlroom.ui import cookies
from controlroom.ui.asking import Asking, Shown, own_path
from controlroom.ui.rights import everybody
from controlroom.ui.routing import page, verb
from controlroom.ui.session.form import log_in_form

_OPEN: Final = {"open_to_all": True, "above_workspaces": True}
_SECONDS: Final = 600
_COOKIE: Final = "oidc"
_TICKET: Final = "oidc/ticket"


class _Ticket(Struct, frozen=True):
    """A log-in that lacks the password of the account that it is to be linked with."""

    identity: Identity
    to: str
    until: float


@page("/login/oidc", opt=_OPEN)
async def begin(request: Asking) -> Shown:
    """Lead to the provider."""
    provider = _provider(request)
    invitation = request.query_params.get("invite") or None
    to = own_path(request.query_params.get("to", "/")) if invitation is None else own_path(f"/invite/{invitation}")
    attempt = new_attempt(to, invitation, seconds=_SECONDS)
    try:
        address = await provider.address(attempt, _redirect(request))
    except ControlRoomError as away:
        return log_in_form(request, message=f"{away.message[0].upper()}{away.message[1:]}.", to=attempt.to)
    sealed = _sealed(request, msgspec.json.encode(attempt), _COOKIE)
    header = cookies.kept(
        _name(request), sealed, origin=request.origin, seconds=_SECONDS, comes_back_from_elsewhere=True
    )
    return Shown(b"", status_code=303, headers=[(b"location", address.encode()), header])


@page("/login/oidc/callback", opt=_OPEN)
async def come_back(request: Asking) -> Shown:
    """Who has come back is let in, asked for a password once, or told that nobody here knows them."""
    provider = _provider(request)
    try:
        attempt = msgspec.json.decode(_unsealed(request, request.cookie.get(_name(request), ""), _COOKIE), type=Attempt)
        identity = await provider.identity(attempt, dict(request.query_params), _redirect(request))
    except (Unsealable, msgspec.DecodeError, msgspec.ValidationError, ValueError):
        return _refused(request, "This log-in was not begun in this browser, or it has taken too long.")
    except ControlRoomError as wrong:
        return _refused(request, f"{wrong.message[0].upper()}{wrong.message[1:]}.")
    organization = await actions.organization_of_room(request.engine)
    try:
        match await actions.who(request.engine, organization, identity):
            case Known() | ToLink():
                session = await actions.enter(request.engine, organization, identity)
            case ToProve(_, username):
                return _ask_for_password(request, identity, attempt.to, username)
            case Unknown():
                if attempt.invitation is None and not request.around.oidc_creates_users:
                    told = identity.email or identity.username or "this account"
                    return _refused(request, f"Nobody here is known as {told}. Ask somebody here for an invitation.")
                session = await actions.come(request.engine, organization, identity, token=attempt.invitation)
                attempt = replace(attempt, to="/")
    except ControlRoomError as wrong:
        return _refused(request, f"{wrong.message[0].upper()}{wrong.message[1:]}.")
    return _let_in(request, session, attempt.to)


@verb("/login/oidc/link", opt=_OPEN, may=everybody)
async def link(request: Asking) -> Shown:
    """Link the log-in with the account whose password is shown."""
    _provider(request)
    fields = await request.fields()
    try:
        ticket = msgspec.json.decode(_unsealed(request, fields.raw("ticket"), _TICKET), type=_Ticket)
    except (Unsealable, msgspec.DecodeError, msgspec.ValidationError, ValueError):
        return _refused(request, "This log-in has taken too long: begin it again.")
    if time.time() > ticket.until:
        return _refused(request, "This log-in has taken too long: begin it again.")
    organization = await actions.organization_of_room(request.engine)
    try:
        session = await actions.prove(
            request.engine, organization, ticket.identity, password=fields.raw("password"), place=request.place
        )
    except Unauthenticated:
        username = fields.text("username")
        return _ask_for_password(request, ticket.identity, ticket.to, username, wrong="This is not its password.")
    except Throttled as wait:
        return _refused(request, f"Too many tries from here. Try again in {max(1, round(wait.seconds))} s.")
    return _let_in(request, session, ticket.to)


def _provider(request: Asking) -> Provider:
    if request.around.oidc is None:
        raise NotFound("No provider of identities is set here.", code="NO_OIDC")
    return request.around.oidc


def _redirect(request: Asking) -> str:
    return f"{request.origin}/login/oidc/callback"


def _name(request: Asking) -> str:
    return f"{cookies.session_cookie(request.origin)}-{_COOKIE}"


def _sealed(request: Asking, text: bytes, place: str) -> str:
    return base64.urlsafe_b64encode(request.engine.keys.seal(text, place=place)).decode()


def _unsealed(request: Asking, text: str, place: str) -> bytes:
    return request.engine.keys.unseal(base64.urlsafe_b64decode(text.encode()), place=place)


def _let_in(request: Asking, session: sessions.Session, to: str) -> Shown:
    """A page of ours that opens the next one: coming straight from another site, it would lack the session's cookie."""
    known(request.scope, f"user:{session.actor.id}")
    life = int(sessions.LIFE.total_seconds())
    headers = [
        cookies.kept(cookies.session_cookie(request.origin), session.token, origin=request.origin, seconds=life),
        cookies.kept(_name(request), "", origin=request.origin, seconds=0),
    ]
    values = {"look": request.look, "to": to}
    return Shown(request.app.state.templates.render("session/come_in.html", values, request.reader), headers=headers)


def _refused(request: Asking, message: str) -> Shown:
    return log_in_form(request, message=message, to="/", status=401)


def _ask_for_password(request: Asking, identity: Identity, to: str, username: str, wrong: str = "") -> Shown:
    provider = _provider(request)
    ticket = _sealed(request, msgspec.json.encode(_Ticket(identity, to, time.time() + _SECONDS)), _TICKET)
    values = {
        "look": request.look,
        "ticket": ticket,
        "username": username,
        "email": identity.email,
        "provider": provider.name,
        "wrong": wrong,
    }
    body = request.app.state.templates.render("session/prove.html", values, request.reader)
    return Shown(body, status_code=401 if wrong else 200)
