"""What a signed request can ask for (§8.2): tokens, the user's details, the end of the pair it was signed with."""

from litestar import get

from controlroom.border.asking import Body
from controlroom.dialects.robocorp.answers import OlderShape, Shape, shown_as
from controlroom.dialects.robocorp.rcc.capabilities import PURPOSES, Capability
from controlroom.dialects.robocorp.rcc.signing import Signed
from controlroom.dialects.robocorp.routing import delete, post
from controlroom.engine.access.credentials import Signer
from controlroom.engine.access.model import User
from controlroom.engine.access.user_tokens import mint
from controlroom.engine.access.users import actions as users
from controlroom.engine.access.users.store import user as get_user
from controlroom.errors import Invalid
from controlroom.ids import UserCredentialId, UserId, WorkspaceId


class TokenRequest(OlderShape, frozen=True):
    """For what a token shall be, and for how many seconds."""

    capability_set: Capability
    expires_in: int = 900


class Token(OlderShape, frozen=True):
    """A token. Only `token` is looked at; the rest is passed through."""

    token: str
    expires_in: int
    capability_set: Capability


class UserDetails(Shape, frozen=True, kw_only=True):
    """The user, in the names that clients have shown."""

    id: UserId
    email: str
    email_verified: bool
    first_name: str
    last_name: str
    name: str
    nickname: str
    picture: str = ""


class RequestDetails(OlderShape, frozen=True):
    """The request: its id finds it in the log."""

    request_id: str
    credential_id: UserCredentialId


class Details(Shape, frozen=True):
    """Who asks, and how."""

    user: UserDetails
    request: RequestDetails


class Removed(OlderShape, frozen=True):
    """The pair that is no more."""

    credential_id: UserCredentialId


@post("/workspaces/{workspace_id:uuid}/tokenrequest")
async def request_token(request: Signed, data: Body[TokenRequest]) -> Token:
    """Get a token for one workspace."""
    return await _token(request, data, request.workspace)


@post("/user/tokenrequest")
async def request_user_token(request: Signed, data: Body[TokenRequest]) -> Token:
    """Get a token to view all workspaces of the user."""
    return await _token(request, data, None)


@get("/user/details")
async def get_details(request: Signed) -> Details:
    """Tell who the pair belongs to."""
    found = await get_user(request.db, request.signer.actor.organization_id, _user_of(request.signer))
    assert found is not None  # noqa: S101  # users are disabled, never deleted
    told = RequestDetails(request.scope["state"]["request_id"], request.signer.credential)
    return Details(_show_user(found), told)


@delete("/credential")
async def delete_credential(request: Signed) -> Removed:
    """End the pair that has signed this very request, and every token that it asked for."""
    pair = request.signer.credential
    await users.revoke_credential(*request.governing, _user_of(request.signer), pair)
    return Removed(pair)


_show_user = shown_as(
    UserDetails,
    User,
    email_verified=lambda _: False,
    name=lambda user: f"{user.first_name} {user.last_name}".strip() or user.username,
    nickname="username",
)


async def _token(request: Signed, asked: TokenRequest, workspace: WorkspaceId | None) -> Token:
    if asked.expires_in < 1:
        raise Invalid("expiresIn must be 1 or more seconds", code="INVALID_LIFETIME")
    purpose = PURPOSES[asked.capability_set]
    token = await mint(request.engine, request.signer, purpose, workspace=workspace, seconds=asked.expires_in)
    return Token(token, asked.expires_in, asked.capability_set)


def _user_of(signer: Signer) -> UserId:
    assert signer.actor.id is not None  # noqa: S101  # the actor of a pair is a user
    return UserId(signer.actor.id)
