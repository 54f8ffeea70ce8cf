"""A throw-away grammar, to show what one more of them takes: this file, and one for each of its nouns.

It thinks in numbers, offsets and totals, and not in workspaces: what it shows is of all that its caller sees.
"""

import msgspec
from litestar import Litestar, Response, Router
from litestar.datastructures import State
from litestar.types import Scope

from controlroom.border.asking import Asking, entrance, welcome
from controlroom.border.bodies import JsonResponse
from controlroom.border.credentials import credential_of
from controlroom.border.dispatcher import App
from controlroom.border.failures import Failure, handlers
from controlroom.engine.access import sessions
from controlroom.engine.access.credentials import authenticate_api_key
from controlroom.engine.access.model import Actor
from controlroom.engine.engine import Engine
from controlroom.errors import Unauthenticated
from dialects.toy import runs

PREFIX = "/toy/v1"


async def _somebody(engine: Engine, scope: Scope) -> Actor:
    """Who shows an API key or a session's token, as `Authorization: Toy …`."""
    scheme, value = credential_of(scope)
    if scheme != "toy" or not value:
        raise Unauthenticated("Send `Authorization: Toy <key>`.")
    is_session = value.startswith(sessions.SESSION_PREFIX)
    return welcome(scope, await (sessions.authenticate if is_session else authenticate_api_key)(engine, value))


def _answered(failure: Failure) -> Response[bytes]:
    body = msgspec.json.encode({"toy": failure.code, "says": failure.message})
    return Response(body, status_code=failure.status, media_type="application/json")


def application(engine: Engine) -> App:
    """The grammar as one ASGI app."""
    return Litestar(
        [Router(PREFIX, route_handlers=[runs.list_runs, runs.stop_run], middleware=[entrance(_somebody)])],
        state=State({"engine": engine}),
        request_class=Asking,
        response_class=JsonResponse,
        exception_handlers=handlers(answer=_answered),
        openapi_config=None,
        logging_config=None,
    )
