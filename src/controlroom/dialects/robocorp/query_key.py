"""Who asks when the caller can send no header: the API key is in the query (§1.7, §2.1).

The dispatcher keeps it out of the log.
"""

from urllib.parse import parse_qs

from litestar.types import ASGIApp, Receive, Scope, Send

from controlroom.border.arrivals import known
from controlroom.engine.access.credentials import authenticate_api_key
from controlroom.engine.engine import Engine
from controlroom.errors import Unauthenticated


def key_in_query(app: ASGIApp) -> ASGIApp:
    """Let in who has an API key in `?token=`; an Authorization header beside it is not looked at."""

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        engine: Engine = scope["litestar_app"].state.engine
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if len(given) != 1:
            raise Unauthenticated("Send an API key as `?token=<key>`.")
        actor = await authenticate_api_key(engine, given[0])
        scope["state"]["actor"] = actor
        known(scope, f"{actor.kind.value}:{actor.id}")
        await app(scope, receive, send)

    return entrance
