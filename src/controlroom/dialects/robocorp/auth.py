"""Who asks (§1.1, §3.2): API keys (`RC-WSKEY`), tokens (`Bearer`), and which route takes which.

A session's token is taken where an API key is, under either scheme, so that a tool that knows keys can be lent one.

401 when there is no valid credential; 403 when it is valid and lacks the right, or is a robot's that names another
robot's work. This happens before a body is read: what a stranger sends is not looked at.

"""

from litestar.types import Scope

from controlroom.border.arrivals import brings_much, claimed, known
from controlroom.border.asking import Caller, entrance, welcome
from controlroom.border.credentials import credential_of
from controlroom.dialects.robocorp.rcc import capabilities
from controlroom.dialects.robocorp.rcc.capabilities import Capability
from controlroom.engine.access import sessions, user_tokens
from controlroom.engine.access.credentials import authenticate_api_key
from controlroom.engine.access.model import Actor, StepRunActor
from controlroom.engine.access.scope import ensure_lives
from controlroom.engine.access.tokens import STEP_RUN_PREFIX, read_step_run_token
from controlroom.engine.assistants import tokens as assistant_tokens
from controlroom.engine.engine import Engine
from controlroom.errors import Forbidden, Unauthenticated

_API_KEY_SCHEME = "rc-wskey"
_BEARER_SCHEME = "bearer"


async def _somebody(engine: Engine, scope: Scope) -> Caller:
    scheme, value = credential_of(scope)
    if scheme not in {_API_KEY_SCHEME, _BEARER_SCHEME} or not value:
        raise Unauthenticated("Send an API key as `Authorization: RC-WSKEY <key>`.")
    if value.startswith(STEP_RUN_PREFIX):
        return await _living(engine, scope, read_step_run_token(engine.keys, value))
    return welcome(scope, await _person(engine, value) or await _key_or_session(engine, value))


async def _robot(engine: Engine, scope: Scope) -> StepRunActor:
    """Whether the step run still lives is for the statements themselves to say, in the same round trip; but before a
    body that no stranger may send.
    """  # noqa: D205 - it says why
    robot = _robot_of(engine, scope, _bearer(scope))
    claimed(scope, _name_of(robot))
    return await _living(engine, scope, robot) if brings_much(scope) else robot


async def _robot_anywhere(engine: Engine, scope: Scope) -> Caller:
    token = _bearer(scope)
    if (person := await _person(engine, token)) is not None:
        return welcome(scope, person)
    return await _living(engine, scope, _robot_of(engine, scope, token))


somebody = entrance(_somebody)
"""Let in to the public API: an API key or a session under either scheme, or a step run's token."""

robot = entrance(_robot)
"""Let in to the runtime APIs: a step run's token, and only for the work that the token names."""

robot_anywhere = entrance(_robot_anywhere)
"""Let in to what a robot is given wherever it runs: likewise, or with the token of who runs it (§8.2, §8.5)."""


def _bearer(scope: Scope) -> str:
    scheme, value = credential_of(scope)
    if scheme != _BEARER_SCHEME:
        raise Unauthenticated("This API is for robots: `Authorization: Bearer <token of the step run>`.")
    return value


async def _living(engine: Engine, scope: Scope, robot: StepRunActor) -> StepRunActor:
    await ensure_lives(engine.database, robot)
    known(scope, _name_of(robot))
    return robot


def _name_of(robot: StepRunActor) -> str:
    return f"step_run:{robot.step_run_id}"


async def _key_or_session(engine: Engine, value: str) -> Actor:
    if value.startswith(sessions.SESSION_PREFIX):
        return await sessions.authenticate(engine, value)
    return await authenticate_api_key(engine, value)


async def _person(engine: Engine, token: str) -> Actor | None:
    """Who runs a robot by themselves, if the token is of such a kind: with what their robot may do, and no more."""
    if token.startswith(user_tokens.PREFIX):
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
