"""Personal tokens (§3.9): a program speaks by one as its user. The value is told once."""

from typing import Final

from msgspec.structs import replace

from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Listed, Shape, Text
from controlroom.dialects.dbt_cloud.asking import Asking, Body
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.ids import Id, find
from controlroom.dialects.dbt_cloud.lists import whole
from controlroom.dialects.dbt_cloud.routing import V3, delete, get, post
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.access import personal_tokens
from controlroom.engine.access.nouns import PERSONAL_TOKEN, USER
from controlroom.engine.access.personal_tokens import PersonalToken
from controlroom.engine.access.scope import Of
from controlroom.ids import PersonalTokenId, UserId

_ALL: Final = "/accounts/{account}/users/{user}/account-apikeys"
_ONE: Final = f"{_ALL}/{{key}}"


class KeyShown(Shape, frozen=True, kw_only=True):
    """A personal token; `token_string` only when it is made, or made anew."""

    id: int
    uid: str
    account_id: int
    user_id: int
    name: str
    state: int = ACTIVE
    type: int = 2
    token_string: str | None = None
    last_used: str | None
    created_at: str
    updated_at: str
    expires_at: str | None


class KeyAsked(Shape, frozen=True, kw_only=True):
    """A new personal token."""

    name: Text = ""


@get(_ALL, versions=V3)
async def list_account_apikeys(request: Asking, user: Id) -> Listed[KeyShown]:
    """The personal tokens of a user: one's own, or of one whom the caller governs."""
    found = await personal_tokens.list_tokens(request.engine, request.actor, await _user(request, user))
    return whole(request, [_show(request, each) for each in found])


@post(_ALL, versions=V3)
async def create_account_apikey(request: Asking, user: Id, data: Body[KeyAsked]) -> KeyShown:
    """A new personal token; its value is told this once."""
    owner = await _user(request, user)
    if not data.name.strip():
        raise FieldsWrong({"name": "what it is to be called"})
    made, value = await personal_tokens.make(request.engine, request.actor, owner, name=data.name.strip())
    return replace(_show(request, made), token_string=value)


@get(_ONE, versions=V3)
async def get_account_apikey(request: Asking, user: Id, key: Id) -> KeyShown:
    """A personal token, without its value."""
    return _show(request, await personal_tokens.get(request.engine, request.actor, *await _both(request, user, key)))


@post(_ONE, versions=V3)
async def rotate_account_apikey(request: Asking, user: Id, key: Id) -> KeyShown:
    """Give a personal token another value; the one before opens nothing more."""
    found, value = await personal_tokens.rotate(request.engine, request.actor, *await _both(request, user, key))
    return replace(_show(request, found), token_string=value)


@delete(_ONE, versions=V3)
async def delete_account_apikey(request: Asking, user: Id, key: Id) -> KeyShown:
    """Delete a personal token; it opens nothing more."""
    gone = await personal_tokens.delete(request.engine, request.actor, *await _both(request, user, key))
    return replace(_show(request, gone), state=DELETED)


async def _user(request: Asking, number: str) -> UserId:
    return (await find(request, USER, number, Of(request.actor.organization_id, ()))).id


async def _both(request: Asking, user: str, key: str) -> tuple[UserId, PersonalTokenId]:
    owner = await _user(request, user)
    return owner, (await find(request, PERSONAL_TOKEN, key, Of(request.actor.organization_id, ()))).id


def _show(request: Asking, token: PersonalToken) -> KeyShown:
    at = with_t(token.created_at)
    return KeyShown(
        id=token.number,
        uid=str(token.id),
        account_id=request.account,
        user_id=token.user_number,
        name=token.name,
        last_used=None if token.used_at is None else with_t(token.used_at),
        created_at=at,
        updated_at=at,
        expires_at=None if token.expires_at is None else with_t(token.expires_at),
    )
