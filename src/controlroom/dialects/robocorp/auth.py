"""Who asks (§1.1, §3.2): API keys (`RC-WSKEY`), tokens (`Bearer`), and which route takes which.

401 when there is no valid credential; 403 when it is valid and lacks the right, or is a robot's that names another
robot's work. Guards run before a body is read: what a stranger sends is not looked at.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from controlroom.engine.access.credentials import authenticate_api_key
from controlroom.engine.access.model import Actor, StepRunActor
from controlroom.engine.access.tokens import STEP_RUN_PREFIX, read_step_run_token
from controlroom.engine.engine import Engine
from controlroom.errors import Forbidden, Unauthenticated

Connection = ASGIConnection[Any, Any, Any, Any]

_API_KEY_SCHEME = "rc-wskey"
_BEARER_SCHEME = "bearer"


async def somebody(connection: Connection, handler: BaseRouteHandler) -> None:  # noqa: ARG001 - a guard's signature
    """Guard of the public API: an API key under either scheme, or a step run's token."""
    engine: Engine = connection.app.state.engine
    scheme, value = _credential_of(connection)
    if scheme not in {_API_KEY_SCHEME, _BEARER_SCHEME} or not value:
        raise Unauthenticated("Send an API key as `Authorization: RC-WSKEY <key>`.")
    found: Actor | StepRunActor
    if value.startswith(STEP_RUN_PREFIX):
        found = read_step_run_token(engine.keys, value)
        who = f"step_run:{found.step_run_id}"
    else:
        found = await authenticate_api_key(engine, value)
        who = f"{found.kind}:{found.id}"
    connection.scope["state"] |= {"actor": found, "who": who}


async def robot(connection: Connection, handler: BaseRouteHandler) -> None:  # noqa: ARG001 - a guard's signature
    """Guard of the runtime APIs: a step run's token, and only for the work that the token names.

    Whether the step run still lives is for the statements themselves to say, in the same round trip.
    """
    engine: Engine = connection.app.state.engine
    scheme, value = _credential_of(connection)
    if scheme != _BEARER_SCHEME:
        raise Unauthenticated("This API is for robots: `Authorization: Bearer <token of the step run>`.")
    actor = read_step_run_token(engine.keys, value)
    for name, named in connection.scope["path_params"].items():
        if name in _OF_TOKEN and named != getattr(actor, name):
            raise Forbidden("This token is another step run's.", code="WRONG_STEP_RUN")
    connection.scope["state"] |= {"robot": actor, "who": f"step_run:{actor.step_run_id}"}


_OF_TOKEN = frozenset({"workspace_id", "process_id", "run_id", "step_run_id"})


def _credential_of(connection: Connection) -> tuple[str, str]:
    """The scheme (lower case) and the value of the Authorization header; two empty texts if there is none."""
    for name, value in connection.scope["headers"]:
        if name == b"authorization":
            scheme, _, credential = value.decode("latin-1").strip().partition(" ")
            return scheme.lower(), credential.strip()
    return "", ""
