"""Who opens a page: a session's cookie, and nobody else's right.

A cookie is sent by the browser by itself, so that nobody may make a browser do something in its owner's name: unsafe
methods must come from a page of ours. `Origin` says so, or `Sec-Fetch-Site` where a browser leaves it out; who says
neither is refused.
"""

from typing import Any, Final
from urllib.parse import urlsplit

from controlroom.border.asking import entrance, welcome
from controlroom.border.credentials import header_of
from controlroom.border.origin import Origins
from controlroom.engine.access.model import Actor
from controlroom.engine.access.scope import Of
from controlroom.engine.callers import Door, Kind, resolve
from controlroom.engine.engine import Engine
from controlroom.engine.workspaces import store as workspaces
from controlroom.errors import Forbidden, NotFound, Unauthenticated
from controlroom.ui.addresses import Workspaces
from controlroom.ui.cookies import cookies_of, session_cookie

SAFE: Final = frozenset({"GET", "HEAD"})
_SESSION: Final = Door[Actor](frozenset({Kind.SESSION}), Kind.SESSION, lets_choose_password=True)
_CHOOSE: Final = "/login/password"
"""Where a password is chosen in place of one that somebody else has given."""
_MOST_WORKSPACES: Final = 10_000


class Moved(Exception):  # noqa: N818 - no failure: the page is elsewhere
    """The page has another address."""

    def __init__(self, to: str) -> None:
        super().__init__(to)
        self.to = to


@entrance
async def somebody(engine: Engine, scope: Any) -> Actor:
    """Let in who is logged in, and find the workspace of the address. Raises Unauthenticated, NotFound, Moved."""
    origins: Origins = scope["litestar_app"].state.origins
    token = cookies_of(scope).get(session_cookie(origins.of(scope)))
    if not token:
        raise Unauthenticated("Log in to open this page.")
    actor = welcome(scope, await resolve(engine, token, _SESSION))
    state = scope["state"]
    state["token"], state["caller"] = token, actor
    if actor.has_temporary_password and scope["path"] not in {_CHOOSE, "/logout"}:
        raise Moved(_CHOOSE)
    if scope["method"] in SAFE:  # before anything is read: what happens from now on, the page hears of
        state["heard_until"] = await scope["litestar_app"].state.feed.place()
    theirs = Of(actor.organization_id, tuple(actor.grants))
    found = await workspaces.list_workspaces(engine.database, theirs, after=None, limit=_MOST_WORKSPACES)
    state["workspaces"] = Workspaces(found)
    if (named := scope["path_params"].get("workspace")) is not None:
        _enter(scope, str(named))
    return actor


async def still_there(engine: Engine, scope: Any) -> Actor:
    """Who was let in, with what they may do now. Raises Unauthenticated once their session is over."""
    return await resolve(engine, scope["state"]["token"], _SESSION)


async def who_is(engine: Engine, scope: Any) -> Actor:
    """Who opens a page that is open to all. Raises Unauthenticated for nobody who is logged in."""
    origins: Origins = scope["litestar_app"].state.origins
    token = cookies_of(scope).get(session_cookie(origins.of(scope)))
    if not token:
        raise Unauthenticated("Nobody is logged in.")
    return await resolve(engine, token, _SESSION)


async def is_somebody(engine: Engine, scope: Any) -> bool:
    """Whether who opens a page that is open to all is logged in."""
    try:
        await who_is(engine, scope)
    except Unauthenticated:
        return False
    return True


def _enter(scope: Any, named: str) -> None:
    found = scope["state"]["workspaces"].find(named)
    if found is None:
        raise NotFound("There is no such workspace, or you have no place in it.", code="WORKSPACE_NOT_FOUND")
    slug, workspace = found
    if slug != named and scope["method"] in SAFE:
        path = scope["path"].removeprefix(f"/w/{named}")
        query = scope["query_string"].decode("latin-1")
        raise Moved(f"/w/{slug}{path}" + (f"?{query}" if query else ""))
    scope["state"]["workspace"], scope["state"]["slug"] = workspace, slug
    scope["path_params"]["workspace_id"] = workspace.id


def ensure_ours(scope: Any, origins: Origins) -> None:
    """Raise Forbidden unless an unsafe request comes from a page of ours."""
    if scope["method"] in SAFE:
        return
    origin, site = header_of(scope, b"origin"), header_of(scope, b"sec-fetch-site")
    if (_is_ours(scope, origin, origins) if origin else site == "same-origin") and site in {"", "same-origin"}:
        return
    raise Forbidden("This was asked by a page of another site, and nothing was done.", code="OTHER_ORIGIN")


def _is_ours(scope: Any, origin: str, origins: Origins) -> bool:
    """Whether it is the address that we are called by; the host is one of ours, or the dispatcher had refused it."""
    if origin == origins.of(scope):
        return True
    parts = urlsplit(origin)
    return parts.scheme == scope["scheme"] and parts.netloc == header_of(scope, b"host")
