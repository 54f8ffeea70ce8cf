"""From a token of any kind to who speaks with it.

    caller = await resolve(engine, token, SOMEBODY)

Each kind keeps its own table, or none, and its own checks; here is only the one place that knows them all. A border
says as a `Door` which kinds it takes. What a kind is, its form tells; whoever shows something else is refused in the
words of the kind that the door is there for.
"""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Final, Generic, TypeAlias, TypeVar, cast

from msgspec import Struct

from controlroom.engine.access import jwts, personal_tokens, sessions, user_tokens
from controlroom.engine.access.credentials import (
    API_KEY_PREFIX,
    authenticate_api_key,
    authenticate_service_token,
    authenticate_worker,
)
from controlroom.engine.access.errors import PasswordTemporary
from controlroom.engine.access.model import Actor, StepRunActor, WorkerActor
from controlroom.engine.access.service_tokens import model as service_tokens
from controlroom.engine.access.tokens import STEP_RUN_PREFIX, read_step_run_token
from controlroom.engine.access.user_tokens import Purpose
from controlroom.engine.assistants import tokens as assistant_tokens
from controlroom.engine.engine import Engine
from controlroom.engine.triggers import process_secrets
from controlroom.engine.workers.model import WORKER_TOKEN_PREFIX

Caller: TypeAlias = Actor | StepRunActor | WorkerActor
C = TypeVar("C", bound=Caller)


class Kind(StrEnum):
    """What somebody can show to be let in."""

    API_KEY = "api_key"
    SESSION = "session"
    JWT = "jwt"
    USER_TOKEN = "user_token"  # noqa: S105 - a kind, not a token
    """A user's, for one purpose."""
    ASSISTANT_RUN = "assistant_run"
    """A user's, for as long as their assistant runs."""
    STEP_RUN = "step_run"
    WORKER = "worker"
    PROCESS_SECRET = "process_secret"  # noqa: S105 - likewise
    SERVICE_TOKEN = "service_token"  # noqa: S105 - likewise
    """One that stands for itself, with what it is granted."""
    PERSONAL_TOKEN = "personal_token"  # noqa: S105 - likewise
    """A user's, shown with every call."""


_PREFIXES: Final = (
    (STEP_RUN_PREFIX, Kind.STEP_RUN),
    (API_KEY_PREFIX, Kind.API_KEY),
    (sessions.SESSION_PREFIX, Kind.SESSION),
    (WORKER_TOKEN_PREFIX, Kind.WORKER),
    (user_tokens.PREFIX, Kind.USER_TOKEN),
    (assistant_tokens.RUNTIME_PREFIX, Kind.ASSISTANT_RUN),
    (service_tokens.PREFIX, Kind.SERVICE_TOKEN),
    (personal_tokens.PREFIX, Kind.PERSONAL_TOKEN),
)


class Door(Struct, Generic[C], frozen=True):
    """Which kinds of credentials one entrance takes, and so who (C) comes in by it."""

    kinds: frozenset[Kind]
    meant: Kind
    """The kind in whose words all others are refused."""
    purposes: tuple[Purpose, ...] = ()
    """Of tokens that are for one purpose: which ones."""
    lets_choose_password: bool = False
    """Whether a session opens it by a password that its user must change first: where they do."""


def kind_of(token: str) -> Kind | None:
    """What kind of credential is written so; None for none. Of a kind's own form, but not of its being valid."""
    for prefix, kind in _PREFIXES:
        if token.startswith(prefix):
            return kind
    if jwts.is_one(token):
        return Kind.JWT
    return Kind.PROCESS_SECRET if process_secrets.is_one(token) else None


async def resolve(engine: Engine, token: str, door: Door[C]) -> C:
    """Who speaks with the token. Raises Unauthenticated, Throttled; Forbidden for a token of another purpose.

    For a robot the door must still see that its attempt lives, if no statement that names the attempt follows.
    """
    kind = kind_of(token)
    if kind is None or kind not in door.kinds:
        kind = door.meant
    caller = await _resolved(engine, token, kind, door.purposes)
    if isinstance(caller, Actor) and caller.has_temporary_password and not door.lets_choose_password:
        raise PasswordTemporary
    return cast("C", caller)


async def _resolved(engine: Engine, token: str, kind: Kind, purposes: tuple[Purpose, ...]) -> Caller:
    match kind:
        case Kind.STEP_RUN:
            return read_step_run_token(engine.keys, token)
        case Kind.USER_TOKEN:
            return await user_tokens.authenticate(engine, token, purposes)
        case _:
            return await _AUTHENTICATE[kind](engine, token)


_AUTHENTICATE: Final[Mapping[Kind, Callable[[Engine, str], Awaitable[Caller]]]] = {
    Kind.API_KEY: authenticate_api_key,
    Kind.SESSION: sessions.authenticate,
    Kind.JWT: jwts.authenticate,
    Kind.WORKER: authenticate_worker,
    Kind.ASSISTANT_RUN: assistant_tokens.authenticate_runtime,
    Kind.PROCESS_SECRET: process_secrets.authenticate,
    Kind.SERVICE_TOKEN: authenticate_service_token,
    Kind.PERSONAL_TOKEN: personal_tokens.authenticate,
}
