"""Logging in by name and password, for those who govern more than one workspace (our own management API).

What comes back is sent like an API key, and may do what its user may.
"""

from datetime import datetime

from controlroom.border.arrivals import known
from controlroom.border.asking import Asking, Body
from controlroom.border.credentials import credential_of
from controlroom.dialects.robocorp.answers import OwnBody, Shape
from controlroom.dialects.robocorp.routing import post
from controlroom.engine.access import sessions
from controlroom.ids import UserId, WorkspaceId


class LogIn(OwnBody, frozen=True):
    """Who somebody says they are."""

    username: str
    password: str


class LoggedInUser(Shape, frozen=True):
    """Who they are."""

    id: UserId
    username: str
    is_admin: bool


class LoggedIn(Shape, frozen=True, kw_only=True):
    """A session: its token is sent as `Authorization: Bearer <token>`."""

    token: str
    expires_at: datetime
    user: LoggedInUser
    workspaces: list[WorkspaceId]
    """Those that the user has a place in."""


class LoggedOut(Shape, frozen=True):
    """Whether the credential was a session's, which has ended."""

    ended: bool


@post("/login", security=[{}])
async def log_in(request: Asking, data: Body[LogIn]) -> LoggedIn:
    """Begin a session. After several failures a user must wait, at the address that they came from."""
    session = await sessions.begin(request.engine, username=data.username, password=data.password, place=request.place)
    known(request.scope, f"user:{session.actor.id}")
    actor = session.actor
    assert actor.id is not None  # noqa: S101  # the actor of a session is a user
    return LoggedIn(
        token=session.token,
        expires_at=session.expires_at,
        user=LoggedInUser(UserId(actor.id), actor.name, actor.is_admin),
        workspaces=sorted(actor.grants),
    )


@post("/logout")
async def log_out(request: Asking) -> LoggedOut:
    """End the session with whose token this is called."""
    _, token = credential_of(request.scope)
    return LoggedOut(await sessions.end(request.engine, token))
