"""API keys of the workspace (our own management API)."""

from datetime import datetime

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.permissions import names_of, permission_named
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, post, update
from controlroom.engine.access import actions, model, store
from controlroom.ids import ApiKeyId, UserId


class ApiKeyAnswer(Shape, frozen=True, kw_only=True):
    """An API key, without its value."""

    id: ApiKeyId
    name: str
    permissions: list[str]
    created_by: UserId | None
    created_at: datetime
    last_used_at: datetime | None
    use_count: int
    expires_at: datetime | None


class NewApiKey(ApiKeyAnswer, frozen=True, kw_only=True):
    """A key with its value: what to send behind `RC-WSKEY`."""

    value: str


class Revealed(Shape, frozen=True):
    """A key's value."""

    id: ApiKeyId
    value: str


class CreateApiKey(OwnBody, frozen=True):
    """A new key, with permissions by name."""

    name: str
    permissions: list[str]


class EditApiKey(OwnBody, frozen=True):
    """What to change; what is left out stays."""

    name: str | None = None
    permissions: list[str] | None = None


@get("/api-keys", needs=Permission.READ_API_KEYS)
async def list_api_keys(request: Asking, paging: Pages) -> Page[ApiKeyAnswer]:
    """List API keys, oldest first."""
    return paging.page(await store.list_api_keys(*request.reading, **paging.after(ApiKeyId)), _show)


@post("/api-keys")
async def create_api_key(request: Asking, data: Body[CreateApiKey]) -> NewApiKey:
    """Create an API key; nobody can give it more permissions than they have."""
    key, value = await actions.create_api_key(
        *request.acting, name=data.name, permissions=_permissions(data.permissions)
    )
    return _show(key).widened(NewApiKey, value=value)


@get("/api-keys/{api_key_id:uuid}", needs=Permission.READ_API_KEYS)
async def get_api_key(request: Asking, api_key_id: Path[ApiKeyId]) -> ApiKeyAnswer:
    """Get an API key, without its value."""
    return _show(await actions.get_api_key(*request.reading, api_key_id))


@update("/api-keys/{api_key_id:uuid}")
async def update_api_key(request: Asking, api_key_id: Path[ApiKeyId], data: Body[EditApiKey]) -> ApiKeyAnswer:
    """Change the name or the permissions of an API key; its value stays."""
    permissions = None if data.permissions is None else _permissions(data.permissions)
    return _show(await actions.edit_api_key(*request.acting, api_key_id, name=data.name, permissions=permissions))


@delete("/api-keys/{api_key_id:uuid}")
async def delete_api_key(request: Asking, api_key_id: Path[ApiKeyId]) -> Deleted:
    """Delete an API key."""
    return await Deleted.after(api_key_id, actions.delete_api_key(*request.acting, api_key_id))


@post("/api-keys/{api_key_id:uuid}/reveal")
async def reveal_api_key(request: Asking, api_key_id: Path[ApiKeyId]) -> Revealed:
    """Show the value of an API key once more. It is recorded who saw it."""
    return Revealed(api_key_id, await actions.reveal_api_key(*request.acting, api_key_id))


def _permissions(names: list[str]) -> frozenset[Permission]:
    return frozenset(permission_named(name) for name in names)


_show = shown_as(ApiKeyAnswer, model.ApiKey, permissions=lambda key: names_of(key.permissions))
