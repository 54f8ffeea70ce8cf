"""Short-lived tokens of users: one says for what it is (a purpose), where, and until when.

Nothing of them is stored. They are checked at each use: the pair of credentials that asked for the token still exists,
the user is not disabled, and may still do it there. So revoking a pair, or a membership, ends them at once.
"""

import time
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from controlroom.engine.access.credentials import Signer
from controlroom.engine.access.errors import WorkspaceNotFound, WrongCredential
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import Of, ensure_seen
from controlroom.engine.access.users import actors, pairs
from controlroom.engine.access.uses import noted
from controlroom.engine.engine import Engine
from controlroom.errors import Forbidden, Invalid, Unauthenticated
from controlroom.ids import UserCredentialId, WorkspaceId

PREFIX = "crc_"
LONGEST = timedelta(hours=26)  # Why: a day of work, and the grace that programs add to it (two hours have been seen)


class Purpose(Struct, frozen=True, kw_only=True):
    """What a token is for."""

    name: str
    """The word of the grammar that gives such tokens; it stands in them."""
    opens: frozenset[Permission]
    """What a token opens at most; never more than its user may do."""
    is_of_workspace: bool = True
    """Whether a token is for one workspace only; else it may be for all of the user's, and opens what they are in."""


class _Token(Struct, frozen=True, array_like=True):
    purpose: str
    credential: UserCredentialId
    workspace: UUID | None
    """The only workspace that it opens; None: every one of the user's."""
    expires: int
    """Unix seconds."""


_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")
_decoder = msgspec.msgpack.Decoder(_Token)


async def mint(engine: Engine, signer: Signer, purpose: Purpose, *, workspace: WorkspaceId | None, seconds: int) -> str:
    """A token for a user who has signed for it. Raises NotFound for a workspace that they are not in.

    It lives for as long as was asked, up to `LONGEST`.
    """
    if workspace is None:
        if purpose.is_of_workspace:
            raise Invalid(f"{purpose.name} is asked for in a workspace", code="PURPOSE_NEEDS_WORKSPACE")
    elif signer.actor.is_inside(workspace):
        await ensure_seen(engine.database, Of(signer.actor.organization_id, (workspace,)))
    else:
        raise WorkspaceNotFound
    expires = int(time.time()) + min(seconds, int(LONGEST.total_seconds()))
    token = _Token(purpose.name, signer.credential, workspace, expires)
    return engine.keys.pack_token(PREFIX, _encoder.encode(token))


async def authenticate(engine: Engine, token: str, purposes: Iterable[Purpose]) -> Actor:
    """The user of a token for one of these purposes, with what it opens and no more.

    Raises Unauthenticated; Forbidden `PURPOSE_WRONG` for a token that is for something else.
    """
    said = _read(engine, token)
    purpose = next((purpose for purpose in purposes if purpose.name == said.purpose), None)
    if purpose is None:
        raise Forbidden(f"this token is for {said.purpose}", code="PURPOSE_WRONG")
    owner = await pairs.owner_of_credential(engine.database, said.credential)
    if owner is None:
        raise WrongCredential("token")
    user = noted(engine, await actors.actor_of_user(engine.database, owner), said.credential)
    if said.workspace is None:
        return user
    return narrowed(user, purpose, WorkspaceId(said.workspace))


def narrowed(user: Actor, purpose: Purpose, workspace: WorkspaceId) -> Actor:
    """The user with what the purpose opens, in one workspace, of what they may do."""
    mine = user.grants.get(workspace)
    grants = {} if mine is None else {workspace: mine & purpose.opens}
    return msgspec.structs.replace(user, grants=grants, throughout=frozenset())


def _read(engine: Engine, token: str) -> _Token:
    try:
        said = _decoder.decode(engine.keys.unpack_token(PREFIX, token))
    except msgspec.MsgspecError as foreign:  # signed by a release with another form
        raise WrongCredential("token") from foreign
    if time.time() >= said.expires:
        raise Unauthenticated("the token has expired", code="TOKEN_EXPIRED")
    return said
