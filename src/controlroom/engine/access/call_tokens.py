"""Short-lived tokens for calling one task: JSON Web Tokens (RS512), of which nothing is stored.

Such a token says for whom it was made, which task it calls, and until when. What its user may do there now is looked up
at each use, and of that it opens what a call takes and no more; so it ends with its user, or with their membership.
"""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from msgspec import Struct

from controlroom.engine.access.errors import WrongCredential
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.signing_keys import ALGORITHM, LONGEST_LIFE, checking, signing
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.access.uses import of_user
from controlroom.engine.engine import Engine
from controlroom.errors import Unauthenticated
from controlroom.ids import TaskId, UserId, WorkspaceId, as_uuid

_AUDIENCE: Final = "task call"
_LONGEST: Final = 8192
_OPENS: Final = frozenset({Permission.START_RUNS, Permission.READ_WORK_ITEMS})
_OURS: Final = frozenset({"aud", "uid", "wid", "tid", "iat", "exp"})


class Caller(Struct, frozen=True):
    """Who calls by such a token, with what a call takes; which task it is for, and where that is."""

    actor: Actor
    workspace: WorkspaceId
    task: TaskId


async def mint(
    engine: Engine,
    user: Actor,
    workspace: WorkspaceId,
    task: TaskId,
    *,
    life: timedelta,
    claims: Mapping[str, Any] | None = None,
) -> str:
    """A token by which a user calls a task, for so long. The claims stand beside ours."""
    assert user.id is not None  # noqa: S101 - a user
    key = await signing(engine)
    now = int(time.time())
    said = {
        **{name: value for name, value in (claims or {}).items() if name not in _OURS},
        "aud": _AUDIENCE,
        "uid": str(user.id),
        "wid": str(workspace),
        "tid": str(task),
        "iat": now,
        "exp": now + int(min(life, LONGEST_LIFE).total_seconds()),
    }
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, said, key.private, algorithms=[ALGORITHM])


async def authenticate(engine: Engine, token: str) -> Caller | None:
    """Who calls by a token, if it is such a one; None for a token of another kind, which is not judged here.

    Raises Unauthenticated for one that was not signed by us, has ended, or whose user may not log in any more.
    """
    said = await _read(engine, token)
    if said is None or said.get("aud") != _AUDIENCE:
        return None
    if time.time() >= said["exp"]:
        raise Unauthenticated("the token has expired", code="TOKEN_EXPIRED")
    user, workspace, task = (as_uuid(str(said[name])) for name in ("uid", "wid", "tid"))
    if user is None or workspace is None or task is None:
        raise WrongCredential("token")
    actor = of_user(engine, await actor_of_user(engine.database, UserId(user)))
    mine = actor.grants.get(WorkspaceId(workspace))
    grants = {} if mine is None else {WorkspaceId(workspace): mine & _OPENS}
    narrowed = msgspec.structs.replace(actor, grants=grants, throughout=frozenset())
    return Caller(narrowed, WorkspaceId(workspace), TaskId(task))


async def _read(engine: Engine, token: str) -> Mapping[str, Any] | None:
    """What a token says; None if it is none of ours."""
    if len(token) > _LONGEST or not token.isascii():
        return None
    try:
        header = jws.extract_compact(token.encode()).headers()
        kid = header.get("kid")
        key = await checking(engine, kid) if isinstance(kid, str) and header.get("alg") == ALGORITHM else None
        return None if key is None else jwt.decode(token, key, algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError, TypeError, RecursionError):
        return None
