"""Short-lived tokens of users: one says for what it is (a capability), where, and until when (protocols/robocorp §8.2).

Nothing of them is stored. They are checked at each use: the pair of credentials that asked for the token still exists,
the user is not disabled, and may still do it there. So revoking a pair, or a membership, ends them at once.
"""

import time
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import Struct

from controlroom.engine.access.credentials import Signer
from controlroom.engine.access.errors import WorkspaceNotFound, WrongCredential
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.scope import Of, ensure_seen
from controlroom.engine.access.users import store as users
from controlroom.engine.access.users.model import UserCredentialId
from controlroom.engine.engine import Engine
from controlroom.errors import Forbidden, Invalid, Unauthenticated
from controlroom.ids import WorkspaceId

PREFIX = "crc_"
LONGEST = timedelta(hours=26)  # Why: a day of work, and the grace that rcc adds to it (up to two hours)


class Capability(StrEnum):
    """What a token is for."""

    EDIT_ROBOT = "edit/robot"
    GET_ROBOT = "get/robot"
    RUN_ROBOT = "run/robot"
    RUN_ASSISTANT = "run/assistant"
    VIEW_WORKSPACES = "view/workspaces"


ALLOWS: Mapping[Capability, frozenset[Permission]] = {
    Capability.EDIT_ROBOT: frozenset({Permission.READ_PACKAGES, Permission.WRITE_PACKAGES}),
    Capability.GET_ROBOT: frozenset({Permission.READ_PACKAGES}),
    Capability.RUN_ROBOT: frozenset(
        {Permission.USE_SECRETS, Permission.WRITE_SECRETS, Permission.READ_ASSETS, Permission.WRITE_ASSETS}
    ),
    Capability.RUN_ASSISTANT: frozenset({Permission.READ_ASSISTANTS, Permission.START_RUNS, Permission.READ_PACKAGES}),
    Capability.VIEW_WORKSPACES: frozenset({Permission.READ_PACKAGES}),
}
"""What a token of a capability opens at most; never more than its user may do."""


class Grant(Struct, frozen=True, array_like=True):
    """What a token says."""

    capability: Capability
    credential: UserCredentialId
    workspace: UUID | None
    """The only workspace that it opens; None: every one of the user's."""
    expires: int
    """Unix seconds."""


_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")
_decoder = msgspec.msgpack.Decoder(Grant)


async def mint(
    engine: Engine, signer: Signer, capability: Capability, *, workspace: WorkspaceId | None, seconds: int
) -> str:
    """A token for a user who has signed for it. Raises NotFound for a workspace that they are not in.

    It lives for as long as was asked, up to `LONGEST`. Without a workspace it can only view workspaces.
    """
    if seconds < 1:
        raise Invalid("expiresIn must be 1 or more seconds", code="INVALID_LIFETIME")
    if workspace is None:
        if capability is not Capability.VIEW_WORKSPACES:
            raise Invalid(f"{capability.value} is asked for in a workspace", code="CAPABILITY_NEEDS_WORKSPACE")
    elif signer.actor.is_inside(workspace):
        await ensure_seen(engine.database, Of(signer.actor.organization_id, (workspace,)))
    else:
        raise WorkspaceNotFound
    expires = int(time.time()) + min(seconds, int(LONGEST.total_seconds()))
    grant = Grant(capability, signer.credential, workspace, expires)
    return engine.keys.pack_token(PREFIX, _encoder.encode(grant))


async def authenticate(engine: Engine, token: str, *capabilities: Capability) -> Actor:
    """The user of a token of one of these capabilities, with what it opens and no more.

    Raises Unauthenticated; Forbidden `CAPABILITY_WRONG` for a token that is for something else.
    """
    grant = _read(engine, token)
    if grant.capability not in capabilities:
        raise Forbidden(f"this token is for {grant.capability.value}", code="CAPABILITY_WRONG")
    owner = await users.owner_of_credential(engine.database, grant.credential)
    if owner is None:
        raise WrongCredential("token")
    return narrowed(await users.actor_of_user(engine.database, owner), grant)


def narrowed(user: Actor, grant: Grant) -> Actor:
    """The user with what the grant opens of what they may do."""
    if grant.workspace is None:  # to view workspaces, which takes no more than being in them
        return user
    workspace = WorkspaceId(grant.workspace)
    mine = user.grants.get(workspace)
    grants = {} if mine is None else {workspace: mine & ALLOWS[grant.capability]}
    return msgspec.structs.replace(user, grants=grants, is_admin=False)


def _read(engine: Engine, token: str) -> Grant:
    try:
        grant = _decoder.decode(engine.keys.unpack_token(PREFIX, token))
    except msgspec.MsgspecError as foreign:  # signed by a release with another form
        raise WrongCredential("token") from foreign
    if time.time() >= grant.expires:
        raise Unauthenticated("the token has expired", code="TOKEN_EXPIRED")
    return grant
