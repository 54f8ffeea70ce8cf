"""Who asks (§1.1, §3.2): API keys (`RC-WSKEY`), tokens (`Bearer`), and which route takes which.

A session's token is taken where an API key is, under either scheme, so that a tool that knows keys can be lent one.

401 when there is no valid credential; 403 when it is valid and lacks the right, or is a robot's that names another
robot's work. This happens before a body is read: what a stranger sends is not looked at.

These are middlewares and not the framework's guards, because it copies a route's handler for every call of a guard.
"""

from litestar.types import ASGIApp, Receive, Scope, Send

from controlroom.border.arrivals import brings_much, claimed, known
from controlroom.border.credentials import credential_of
from controlroom.engine.access import capabilities, sessions
from controlroom.engine.access.capabilities import Capability
from controlroom.engine.access.credentials import authenticate_api_key
from controlroom.engine.access.model import Actor, StepRunActor
from controlroom.engine.access.scope import ensure_lives
from controlroom.engine.access.tokens import STEP_RUN_PREFIX, read_step_run_token
from controlroom.engine.assistants import tokens as assistant_tokens
from controlroom.engine.engine import Engine
from controlroom.errors import Forbidden, Unauthenticated

_API_KEY_SCHEME = "rc-wskey"
_BEARER_SCHEME = "bearer"


def somebody(app: ASGIApp) -> ASGIApp:
    """Let in to the public API: an API key or a session under either scheme, or a step run's token."""

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        engine: Engine = scope["litestar_app"].state.engine
        scheme, value = credential_of(scope)
        if scheme not in {_API_KEY_SCHEME, _BEARER_SCHEME} or not value:
            raise Unauthenticated("Send an API key as `Authorization: RC-WSKEY <key>`.")
        state = scope["state"]
        if value.startswith(STEP_RUN_PREFIX):
            robot_ = read_step_run_token(engine.keys, value)
            await ensure_lives(engine.database, robot_)
            state["actor"] = robot_
            known(scope, f"step_run:{robot_.step_run_id}")
        else:
            actor = await _person(engine, value) or await _key_or_session(engine, value)
            state["actor"] = actor
            known(scope, f"{actor.kind.value}:{actor.id}")
        await app(scope, receive, send)

    return entrance


def robot(app: ASGIApp) -> ASGIApp:
    """Let in to the runtime APIs: a step run's token, and only for the work that the token names.

    Whether the step run still lives is for the statements themselves to say, in the same round trip; but before a body
    that no stranger may send.
    """

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        engine: Engine = scope["litestar_app"].state.engine
        scheme, value = credential_of(scope)
        if scheme != _BEARER_SCHEME:
            raise Unauthenticated("This API is for robots: `Authorization: Bearer <token of the step run>`.")
        actor = _robot_of(engine, scope, value)
        scope["state"]["robot"] = actor
        who = f"step_run:{actor.step_run_id}"
        claimed(scope, who)
        if brings_much(scope):
            await ensure_lives(engine.database, actor)
            known(scope, who)
        await app(scope, receive, send)

    return entrance


def robot_anywhere(app: ASGIApp) -> ASGIApp:
    """Let in to what a robot is given wherever it runs: likewise, or with the token of who runs it (§8.2, §8.5)."""

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        engine: Engine = scope["litestar_app"].state.engine
        scheme, value = credential_of(scope)
        if scheme != _BEARER_SCHEME:
            raise Unauthenticated("This API is for robots: `Authorization: Bearer <token of the step run>`.")
        state = scope["state"]
        if (person := await _person(engine, value)) is not None:
            state["actor"] = person
            known(scope, f"{person.kind.value}:{person.id}")
        else:
            actor = _robot_of(engine, scope, value)
            await ensure_lives(engine.database, actor)
            state["actor"] = actor
            known(scope, f"step_run:{actor.step_run_id}")
        await app(scope, receive, send)

    return entrance


async def _key_or_session(engine: Engine, value: str) -> Actor:
    if value.startswith(sessions.SESSION_PREFIX):
        return await sessions.authenticate(engine, value)
    return await authenticate_api_key(engine, value)


async def _person(engine: Engine, token: str) -> Actor | None:
    """Who runs a robot by themselves, if the token is of such a kind: with what their robot may do, and no more."""
    if token.startswith(capabilities.PREFIX):
        return await capabilities.authenticate(engine, token, Capability.RUN_ROBOT)
    if token.startswith(assistant_tokens.RUNTIME_PREFIX):
        return await assistant_tokens.authenticate_runtime(engine, token)
    return None


def _robot_of(engine: Engine, scope: Scope, token: str) -> StepRunActor:
    """Whose token it is; raises Forbidden if the address names another's work."""
    actor = read_step_run_token(engine.keys, token)
    for name, named in scope["path_params"].items():
        if name in _OF_TOKEN and named != getattr(actor, name):
            raise Forbidden("This token is another step run's.", code="WRONG_STEP_RUN")
    return actor


_OF_TOKEN = frozenset({"workspace_id", "process_id", "run_id", "step_run_id"})
