"""Service tokens and what they hold (§3.9). The value is told once, when a token is made."""

from typing import Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from controlroom.dialects.dbt_cloud.answers import ACTIVE, DELETED, Listed, Name, Shape
from controlroom.dialects.dbt_cloud.asking import Asking, Body, Permission
from controlroom.dialects.dbt_cloud.errors import FieldsWrong
from controlroom.dialects.dbt_cloud.ids import Id, find
from controlroom.dialects.dbt_cloud.lists import Columns, listed, whole
from controlroom.dialects.dbt_cloud.permission_sets import (
    PermissionAsked,
    PermissionsAsked,
    PermissionShown,
    flat,
    showing,
    wanted_of,
)
from controlroom.dialects.dbt_cloud.routing import V3, delete, get, post, put
from controlroom.dialects.dbt_cloud.times import with_t
from controlroom.engine.access.nouns import SERVICE_TOKEN
from controlroom.engine.access.scope import Of, throughout
from controlroom.engine.access.service_tokens import actions
from controlroom.engine.access.service_tokens.model import ServiceToken
from controlroom.engine.access.service_tokens.store import SERVICE_TOKENS
from controlroom.ids import ServiceTokenId

_ALL: Final = "/accounts/{account}/service-tokens"
_ONE: Final = f"{_ALL}/{{token}}"
_PERMISSIONS: Final = f"{_ONE}/permissions"
_COLUMNS: Final = Columns(
    SERVICE_TOKENS, {"id": "number", "name": "name", "created_at": "created_at", "last_used": "used_at"}
)


class TokenShown(Shape, frozen=True, kw_only=True):
    """A service token; `token_string` only when it is made."""

    id: int
    uid: str
    account_id: int
    name: str
    state: int = ACTIVE
    type: int = 1
    token_string: str | None = None
    last_used: str | None
    last_used_at: str | None
    use_count: int
    expires_at: str | None
    is_disabled: bool
    created_at: str
    updated_at: str
    permission_grants: list[PermissionShown]
    service_token_permissions: list[PermissionShown]


class TokenAsked(Shape, frozen=True, kw_only=True):
    """A new token, or what of one shall be otherwise."""

    name: Name | UnsetType = UNSET
    permission_grants: tuple[PermissionAsked, ...] | UnsetType | None = UNSET
    service_token_permissions: tuple[PermissionAsked, ...] | UnsetType | None = UNSET
    is_disabled: bool | None = None
    state: int = ACTIVE


@get(_ALL, versions=V3, rows=_COLUMNS, asks=Permission.READ_API_KEYS)
async def list_service_tokens(request: Asking) -> Listed[TokenShown]:
    """The service tokens of the account."""
    seen = throughout(request.actor, Permission.READ_API_KEYS)
    return await listed(request, ServiceToken, lambda token: _show(request, token), within=seen)


@post(_ALL, versions=V3, asks=Permission.WRITE_API_KEYS)
async def create_service_token(request: Asking, data: Body[TokenAsked]) -> TokenShown:
    """A new service token; its value is told this once."""
    actions.ensure_writes(request.actor)
    if not isinstance(data.name, str) or not data.name.strip():
        raise FieldsWrong({"name": "what it is to be called"})
    wanted = await wanted_of(request, _grants(data) or (), "permission_grants")
    token, value = await actions.create(request.engine, request.actor, name=data.name.strip(), wanted=wanted)
    return replace(_show(request, token), token_string=value)


@get(_ONE, versions=V3, asks=Permission.READ_API_KEYS)
async def get_service_token(request: Asking, token: Id) -> TokenShown:
    """A service token, without its value."""
    return _show(request, await _get(request, token))


@put(_ONE, versions=V3, asks=Permission.WRITE_API_KEYS)
async def update_service_token(request: Asking, token: Id, data: Body[TokenAsked]) -> TokenShown:
    """Change a service token; with `state: 2`, delete it."""
    return await _change(request, token, data)


@post(_ONE, versions=V3, asks=Permission.WRITE_API_KEYS)
async def post_service_token(request: Asking, token: Id, data: Body[TokenAsked]) -> TokenShown:
    """Likewise, by POST."""
    return await _change(request, token, data)


@delete(_ONE, versions=V3, asks=Permission.WRITE_API_KEYS)
async def delete_service_token(request: Asking, token: Id) -> TokenShown:
    """Delete a service token; it opens nothing more."""
    return await _delete(request, token)


@get(_PERMISSIONS, versions=V3, asks=Permission.READ_API_KEYS)
async def list_token_permissions(request: Asking, token: Id) -> Listed[PermissionShown]:
    """What a service token holds."""
    return whole(request, _show(request, await _get(request, token)).permission_grants)


@post(_PERMISSIONS, versions=V3, asks=Permission.WRITE_API_KEYS)
async def set_token_permissions(
    request: Asking, token: Id, data: Body[tuple[PermissionsAsked, ...]]
) -> list[PermissionShown]:
    """Have a service token hold this, and nothing else."""
    actions.ensure_writes(request.actor)
    found = await _find(request, token)
    wanted = await wanted_of(request, flat(data), "permission_grants")
    changed = await actions.edit(request.engine, request.actor, found, wanted=wanted)
    return _show(request, changed).permission_grants


async def _change(request: Asking, number: str, data: TokenAsked) -> TokenShown:
    actions.ensure_writes(request.actor)
    if data.state == DELETED:
        return await _delete(request, number)
    found, asked = await _find(request, number), _grants(data)
    changed = await actions.edit(
        request.engine,
        request.actor,
        found,
        name=data.name.strip() if isinstance(data.name, str) else None,
        wanted=None if asked is None else await wanted_of(request, asked, "permission_grants"),
        is_disabled=data.is_disabled,
    )
    return _show(request, changed)


async def _delete(request: Asking, number: str) -> TokenShown:
    actions.ensure_writes(request.actor)
    gone = await actions.delete(request.engine, request.actor, await _find(request, number))
    return replace(_show(request, gone), state=DELETED)


async def _get(request: Asking, number: str) -> ServiceToken:
    throughout(request.actor, Permission.READ_API_KEYS)
    return await actions.get(request.engine, request.actor, await _find(request, number))


async def _find(request: Asking, number: str) -> ServiceTokenId:
    return (await find(request, SERVICE_TOKEN, number, Of(request.actor.organization_id, ()))).id


def _grants(data: TokenAsked) -> tuple[PermissionAsked, ...] | None:
    """What it shall hold; None where nothing is said of it."""
    for asked in (data.permission_grants, data.service_token_permissions):
        if isinstance(asked, tuple):
            return asked
    return None


def _show(request: Asking, token: ServiceToken) -> TokenShown:
    permissions = [showing(request, service_token_id=token.number)(each) for each in token.grants]
    used = None if token.used_at is None else with_t(token.used_at)
    return TokenShown(
        id=token.number,
        uid=str(token.id),
        account_id=request.account,
        name=token.name,
        last_used=used,
        last_used_at=used,
        use_count=token.use_count,
        expires_at=None if token.expires_at is None else with_t(token.expires_at),
        is_disabled=token.disabled_at is not None,
        created_at=with_t(token.created_at),
        updated_at=with_t(token.created_at),
        permission_grants=permissions,
        service_token_permissions=permissions,
    )
