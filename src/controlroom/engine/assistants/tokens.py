"""Tokens that die with an assistant's run: what its robot may do, and the right to leave files.

Nothing of them is stored; that the run lives is looked up at each use.
"""

import msgspec
from msgspec import Struct

from controlroom.engine.access.errors import WrongCredential
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import scope_of_signed
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.access.uses import of_user
from controlroom.engine.assistants import store
from controlroom.engine.assistants.errors import AssistantRunNotFound
from controlroom.engine.assistants.model import AssistantRun, AssistantRunState
from controlroom.engine.engine import Engine
from controlroom.errors import Unauthenticated
from controlroom.ids import AssistantRunId, OrganizationId, WorkspaceId

RUNTIME_PREFIX = "cra_"
_POSTING_PREFIX = "crp_"

RUNTIME_MAY = frozenset({Permission.USE_SECRETS, Permission.READ_ASSETS, Permission.WRITE_ASSETS})
"""What the robot of an assistant may do: its author has chosen it, so that its user needs no right to the secrets."""


class _Named(Struct, frozen=True, array_like=True):
    run: AssistantRunId
    workspace: WorkspaceId
    organization: OrganizationId | None = None
    """None in tokens that a release before has given."""


_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")
_decoder = msgspec.msgpack.Decoder(_Named)


def runtime_token(engine: Engine, run: AssistantRun) -> str:
    """What the robot of this run shows to vault and assets."""
    return engine.keys.pack_token(RUNTIME_PREFIX, _encoder.encode(_named(run)))


def posting_token(engine: Engine, run: AssistantRun) -> str:
    """What stands in the address to which this run's files are announced."""
    return engine.keys.pack_token(_POSTING_PREFIX, _encoder.encode(_named(run)))


async def authenticate_runtime(engine: Engine, token: str) -> Actor:
    """The user who runs the assistant, with what its robot may do. Raises Unauthenticated once the run has ended."""
    named = _read(engine, RUNTIME_PREFIX, token)
    run = await _run_of(engine, named)
    if run is None or run.state is not AssistantRunState.IN_PROGRESS:
        raise Unauthenticated("the assistant run of this token has ended", code="TOKEN_EXPIRED")
    user = of_user(engine, await actor_of_user(engine.database, run.user_id))
    if not user.is_inside(run.workspace_id):  # no member any more
        raise WrongCredential("token")
    return msgspec.structs.replace(user, grants={run.workspace_id: RUNTIME_MAY}, throughout=frozenset())


async def run_of_posting(engine: Engine, token: str) -> AssistantRun:
    """The run whose files are announced with this token. Raises Unauthenticated, AssistantRunNotFound."""
    named = _read(engine, _POSTING_PREFIX, token)
    run = await _run_of(engine, named)
    if run is None:
        raise AssistantRunNotFound(named.run)
    return run


async def _run_of(engine: Engine, named: _Named) -> AssistantRun | None:
    scope = await scope_of_signed(engine.database, named.workspace, named.organization)
    return None if scope is None else await store.get_run(engine.database, scope, named.run)


def _named(run: AssistantRun) -> _Named:
    return _Named(run.id, run.workspace_id, run.organization_id)


def _read(engine: Engine, prefix: str, token: str) -> _Named:
    try:
        return _decoder.decode(engine.keys.unpack_token(prefix, token))
    except msgspec.MsgspecError as foreign:  # signed by a release with another form
        raise WrongCredential("token") from foreign
