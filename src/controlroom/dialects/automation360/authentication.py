"""Authentication v1 and v2 (§1.3): log in by a password or a key, have a token anew, ask whether it lives, log out.

Without `multipleLogin` a further log-in ends the one before, by a key it never does. A user has at most five sessions
that they began by a password: the oldest make room. A token had anew takes the place of the one before at once.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Final

from controlroom.border.credentials import header_of
from controlroom.dialects.automation360.answers import Shape, moment
from controlroom.dialects.automation360.asking import Asking, Body, QueryParameter
from controlroom.dialects.automation360.auth import token_of
from controlroom.dialects.automation360.people import Number, RoleReference, plain, text, user_told
from controlroom.dialects.automation360.permissions import PermissionTold
from controlroom.dialects.automation360.routing import Superseded, get, post
from controlroom.engine.access import jwts, logins, user_keys
from controlroom.engine.access.errors import TooManyLogins
from controlroom.engine.access.model import Actor
from controlroom.engine.access.users.people import Person, person
from controlroom.engine.access.users.store import is_user_named
from controlroom.errors import Forbidden, Invalid, Unauthenticated
from controlroom.ids import UserId, UserKeyId

_MOST_SESSIONS: Final = 5
_SOON: Final = 1.0
"""Seconds after which it may be tried again, at most, where nobody has failed."""
_TURN, _TURNS = 0.1, 100  # Why ten seconds: as long as clients wait; a log-in takes a twentieth of one
_MOST_OF_A_KEY: Final = 100  # Why: a key serves many programs at once. A guess.


class LogIn(Shape, frozen=True, kw_only=True):
    """Who logs in, by which of the two."""

    username: str | None = None
    password: str | None = None
    api_key: str | None = None
    multiple_login: bool = False
    multi_login: bool = False
    """As one of the clients spells it."""


class Refresh(Shape, frozen=True):
    """The token that shall be had anew, where it is not in a header."""

    token: str | None = None


class SessionUser(Shape, frozen=True, kw_only=True):
    """Who has logged in."""

    id: Number
    username: str
    domain: str
    first_name: str
    last_name: str
    principal_id: Number
    email: str
    email_verified: bool
    password_set: bool
    questions_set: bool
    enable_auto_login: bool
    disabled: bool
    client_registered: bool
    description: str
    license_features: list[str]
    roles: list[RoleReference]
    multiple_login_allowed: bool
    deleted: bool
    created_by: Number
    created_on: str
    updated_by: Number
    updated_on: str
    version: Number


class SessionTold(Shape, frozen=True, kw_only=True):
    """A token, whose it is, and what they may do."""

    token: str
    user: SessionUser
    permissions: list[PermissionTold]
    tenant_uuid: str
    ttl_seconds: str
    """`0` at log-in, where it means nothing."""
    expires_at: str


class Validity(Shape, frozen=True):
    """Whether a token opens anything."""

    valid: bool


@post("/v1/authentication", is_open=True, deprecated=Superseded("/v2/authentication"))
async def log_in_v1(request: Asking, data: Body[LogIn | None] = None) -> SessionTold:
    """Log in; ids are numbers."""
    return await _log_in(request, data or LogIn(), plain)


@post("/v2/authentication", is_open=True)
async def log_in(request: Asking, data: Body[LogIn | None] = None) -> SessionTold:
    """Log in by a user name and either a password or an API key."""
    return await _log_in(request, data or LogIn(), text)


@post("/v1/authentication/token", is_open=True, deprecated=Superseded("/v2/authentication/token"))
async def refresh_v1(request: Asking, data: Body[Refresh | None] = None) -> SessionTold:
    """Have a token anew; the one before opens nothing any more. Ids are numbers."""
    return await _refresh(request, data, plain)


@post("/v2/authentication/token", is_open=True)
async def refresh(request: Asking, data: Body[Refresh | None] = None) -> SessionTold:
    """Have a token anew; the one before opens nothing any more."""
    return await _refresh(request, data, text)


@get("/v1/authentication/token", is_open=True)
async def is_valid(request: Asking, token: Annotated[str, QueryParameter(name="token")] = "") -> Validity:
    """Tell whether a token opens anything."""
    try:
        shown = header_of(request.scope, b"x-authorization") or token or _token(request)
        await jwts.authenticate(request.engine, shown)
    except Unauthenticated:
        return Validity(valid=False)
    return Validity(valid=True)


@post("/v1/authentication/logout", status=204)
async def log_out(request: Asking) -> None:
    """Log out: the token opens nothing any more."""
    await jwts.end(request.engine, request.actor, _token(request))


@post("/v1/authentication/app/login", is_open=True)
async def log_in_of_services() -> None:
    """Refuse: it is for the vendor's own services."""
    raise Forbidden("This is for services of the Control Room itself.", code="NOT_FOR_CLIENTS")


async def _log_in(request: Asking, asked: LogIn, number: Callable[[int], Number]) -> SessionTold:
    actor, key = await _who(request, asked)
    is_beside = asked.multiple_login or asked.multi_login or key is not None
    who = await person(request.engine, actor, _user(actor))
    claims: dict[str, Any] = {
        "sub": str(who.number),
        "clientType": "WEB",
        "tenantUuid": str(actor.organization_id),
        "multipleLogin": is_beside,
        "licenses": user_told(who, number).license_features,
        "iss": "AutomationAnywhere",
        "nanoTime": time.monotonic_ns(),
    }
    terms = jwts.Terms(is_alone=not is_beside, by_key=key, at_most=_MOST_SESSIONS if key is None else _MOST_OF_A_KEY)
    made = await jwts.issue(request.engine, actor, life=_life(request), claims=claims, terms=terms)
    return _told(made, who, number, "0")


async def _who(request: Asking, asked: LogIn) -> tuple[Actor, UserKeyId | None]:
    """Who logs in, and by which key. Raises Invalid unless there is a name, and one of password and key."""
    if not asked.username or bool(asked.password) == bool(asked.api_key):
        raise Invalid("A log-in has a username, and either a password or an apiKey.", code="INVALID_LOGIN")
    name = asked.username.strip()
    _, slash, bare = name.rpartition("\\")
    if slash and not await is_user_named(request.db, name):
        name = bare  # `DOMAIN\user`: there is no directory behind it
    if asked.api_key:
        return await user_keys.log_in(request.engine, username=name, value=asked.api_key.strip())
    return await _by_password(request, name, asked.password or ""), None


async def _by_password(request: Asking, name: str, password: str) -> Actor:
    """Who has the password. A few of a place are looked at at once: others wait their turn, as their clients would not.

    Raises TooManyLogins for who must wait for longer, because there were too many that failed.
    """
    for _ in range(_TURNS):
        try:
            return await logins.log_in(request.engine, username=name, password=password, place=request.place)
        except TooManyLogins as busy:
            if busy.fields["seconds"] > _SOON:
                raise
        await asyncio.sleep(_TURN)
    return await logins.log_in(request.engine, username=name, password=password, place=request.place)


async def _refresh(request: Asking, data: Refresh | None, number: Callable[[int], Number]) -> SessionTold:
    given = data.token if data is not None and data.token else ""
    token = header_of(request.scope, b"x-authorization") or given or _token(request)
    life = _life(request)
    claims = {"nanoTime": time.monotonic_ns()}
    made = await jwts.refresh(request.engine, token, life=life, claims=claims, succession=timedelta())
    who = await person(request.engine, made.actor, _user(made.actor))
    return _told(made, who, number, str(int(life.total_seconds())))


def _told(made: jwts.Jwt, who: Person, number: Callable[[int], Number], ttl: str) -> SessionTold:
    told = user_told(who, number)
    shown: Any = {name: getattr(told, name) for name in SessionUser.__struct_fields__}
    return SessionTold(
        token=made.token,
        user=SessionUser(**shown),
        permissions=told.permissions,
        tenant_uuid=str(who.organization_id),
        ttl_seconds=ttl,
        expires_at=moment(made.expires_at),
    )


def _user(actor: Actor) -> UserId:
    assert actor.id is not None  # noqa: S101  # who has logged in is a user
    return UserId(actor.id)


def _token(request: Asking) -> str:
    return token_of(request.scope)


def _life(request: Asking) -> timedelta:
    return timedelta(seconds=request.engine.limits.token_seconds)
