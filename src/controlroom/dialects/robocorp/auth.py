"""Who asks (§1.1, §3.2): API keys (`RC-WSKEY`), tokens (`Bearer`), and which route takes which.

401 when there is no valid credential; 403 when it is valid and lacks the right, or is a robot's that names another
robot's work. This happens before a body is read: what a stranger sends is not looked at.

These are middlewares and not the framework's guards, because it copies a route's handler for every call of a guard.
"""

from litestar.types import ASGIApp, Receive, Scope, Send

from controlroom.engine.access.credentials import authenticate_api_key
from controlroom.engine.access.tokens import STEP_RUN_PREFIX, read_step_run_token
from controlroom.engine.engine import Engine
from controlroom.errors import Forbidden, Unauthenticated

_API_KEY_SCHEME = "rc-wskey"
_BEARER_SCHEME = "bearer"


def somebody(app: ASGIApp) -> ASGIApp:
    """Let in to the public API: an API key under either scheme, or a step run's token."""

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        engine: Engine = scope["litestar_app"].state.engine
        scheme, value = _credential_of(scope)
        if scheme not in {_API_KEY_SCHEME, _BEARER_SCHEME} or not value:
            raise Unauthenticated("Send an API key as `Authorization: RC-WSKEY <key>`.")
        state = scope["state"]
        if value.startswith(STEP_RUN_PREFIX):
            robot_ = read_step_run_token(engine.keys, value)
            state["actor"], state["who"] = robot_, f"step_run:{robot_.step_run_id}"
        else:
            actor = await authenticate_api_key(engine, value)
            state["actor"], state["who"] = actor, f"{actor.kind.value}:{actor.id}"
        await app(scope, receive, send)

    return entrance


def robot(app: ASGIApp) -> ASGIApp:
    """Let in to the runtime APIs: a step run's token, and only for the work that the token names.

    Whether the step run still lives is for the statements themselves to say, in the same round trip.
    """

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        engine: Engine = scope["litestar_app"].state.engine
        scheme, value = _credential_of(scope)
        if scheme != _BEARER_SCHEME:
            raise Unauthenticated("This API is for robots: `Authorization: Bearer <token of the step run>`.")
        actor = read_step_run_token(engine.keys, value)
        for name, named in scope["path_params"].items():
            if name in _OF_TOKEN and named != getattr(actor, name):
                raise Forbidden("This token is another step run's.", code="WRONG_STEP_RUN")
        state = scope["state"]
        state["robot"], state["who"] = actor, f"step_run:{actor.step_run_id}"
        await app(scope, receive, send)

    return entrance


_OF_TOKEN = frozenset({"workspace_id", "process_id", "run_id", "step_run_id"})


def _credential_of(scope: Scope) -> tuple[str, str]:
    """The scheme (lower case) and the value of the Authorization header; two empty texts if there is none."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, credential = value.decode("latin-1").strip().partition(" ")
            return scheme.lower(), credential.strip()
    return "", ""
