"""Who asks (§1.1, §3.2): API keys (`RC-WSKEY`), tokens (`Bearer`), and which route takes which.

A session's token is taken where an API key is, under either scheme, so that a tool that knows keys can be lent one.

401 when there is no valid credential; 403 when it is valid and lacks the right, or is a robot's that names another
robot's work. This happens before a body is read: what a stranger sends is not looked at.

Who can send no header has the API key in the query (§1.7, §2.1); the dispatcher keeps it out of the log.
"""

from typing import Any
from urllib.parse import parse_qs

from litestar.types import Scope

from controlroom.border.asking import Caller, entrance, welcome
from controlroom.border.credentials import credential_of, credential_under, header_of
from controlroom.border.verbs import ensure_own, living
from controlroom.dialects.robocorp.rcc.capabilities import PURPOSES, Capability
from controlroom.engine.access.model import Actor, StepRunActor
from controlroom.engine.callers import Door, Kind, resolve
from controlroom.engine.engine import Engine
from controlroom.engine.triggers import process_secrets
from controlroom.errors import Unauthenticated

_API_KEY_SCHEME = "rc-wskey"
_BEARER_SCHEME = "bearer"

_USER_OF_A_ROBOT = frozenset({Kind.USER_TOKEN, Kind.ASSISTANT_RUN})
"""Who runs a robot by themselves: with what their robot may do, and no more."""
_RUNNING = (PURPOSES[Capability.RUN_ROBOT],)
_SOMEBODY = Door[Caller](
    frozenset({Kind.API_KEY, Kind.SESSION, Kind.STEP_RUN}) | _USER_OF_A_ROBOT, Kind.API_KEY, _RUNNING
)
_PROCESS = Door[Actor](frozenset({Kind.PROCESS_SECRET}), Kind.PROCESS_SECRET)
_KEY = Door[Actor](frozenset({Kind.API_KEY}), Kind.API_KEY)
_ROBOT_OR_ITS_USER = Door[Caller](frozenset({Kind.STEP_RUN}) | _USER_OF_A_ROBOT, Kind.STEP_RUN, _RUNNING)


@entrance
async def somebody(engine: Engine, scope: Scope) -> Caller:
    """Let in to the public API: an API key or a session under either scheme, or a step run's token."""
    said = "Send an API key as `Authorization: RC-WSKEY <key>`."
    value = credential_under(scope, _API_KEY_SCHEME, _BEARER_SCHEME, said=said)
    caller = await resolve(engine, value, _SOMEBODY)
    return await living(engine, scope, caller) if isinstance(caller, StepRunActor) else welcome(scope, caller)


@entrance
async def key_in_query(engine: Engine, scope: Scope) -> Actor:
    """Let in who has an API key in `?token=`; an Authorization header beside it is not looked at."""
    given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
    if len(given) != 1:
        raise Unauthenticated("Send an API key as `?token=<key>`.")
    return welcome(scope, await resolve(engine, given[0], _KEY))


@entrance
async def robot_anywhere(engine: Engine, scope: Scope) -> Caller:
    """Let in to what a robot is given wherever it runs: likewise, or with the token of who runs it (§8.2, §8.5)."""
    caller = await resolve(engine, _bearer(scope), _ROBOT_OR_ITS_USER)
    if not isinstance(caller, StepRunActor):
        return welcome(scope, caller)
    ensure_own(caller, scope["path_params"])
    return await living(engine, scope, caller)


@entrance
async def process_secret(engine: Engine, scope: Scope) -> Actor:
    """Let in who has the secret of the process in the address (§2.4)."""
    secret = header_of(scope, b"robocloud-process-secret")
    if not secret:
        raise Unauthenticated("Send the process's secret as `robocloud-process-secret: <secret>`.")
    named: dict[str, Any] = dict(scope["path_params"])  # read by the router: ids, not texts
    actor = await resolve(engine, secret, _PROCESS)
    process_secrets.ensure_of(actor, named["workspace_id"], named["process_id"])
    return welcome(scope, actor)


def _bearer(scope: Scope) -> str:
    scheme, value = credential_of(scope)
    if scheme != _BEARER_SCHEME:
        raise Unauthenticated("This API is for robots: `Authorization: Bearer <token of the step run>`.")
    return value
