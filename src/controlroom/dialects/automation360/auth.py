"""Who asks (§1.2): the room's JWT, bare in `X-Authorization` or as `Authorization: Bearer`.

Clients that send both send the same token in both; two that differ are refused, because nobody can tell which is meant.
This happens before a body is read: what a stranger sends is not looked at.
"""

from litestar.types import Scope

from controlroom.border.asking import entrance, welcome
from controlroom.border.credentials import credential_of, header_of
from controlroom.engine.access.model import Actor
from controlroom.engine.callers import Door, Kind, resolve
from controlroom.engine.engine import Engine
from controlroom.errors import Unauthenticated

NO_TOKEN = "UM1117"  # noqa: S105 - a code, not a token
"""The vendor's code for a request without a token, by which clients know that they must log in."""

USER = Door[Actor](frozenset({Kind.JWT}), Kind.JWT)
"""What opens to users."""


@entrance
async def somebody(engine: Engine, scope: Scope) -> Actor:
    """Let in who shows a token of this room."""
    return welcome(scope, await resolve(engine, token_of(scope), USER))


def token_of(scope: Scope) -> str:
    """The token of a request; raises Unauthenticated where there is none, or two that differ."""
    bare = header_of(scope, b"x-authorization")
    scheme, value = credential_of(scope)
    bearer = value if scheme == "bearer" else ""
    if bare and bearer and bare != bearer:
        raise Unauthenticated("X-Authorization and Authorization carry two tokens that differ: send one.")
    if not (bare or bearer):
        raise Unauthenticated("An access token is expected in the header X-Authorization.", code=NO_TOKEN)
    return bare or bearer
