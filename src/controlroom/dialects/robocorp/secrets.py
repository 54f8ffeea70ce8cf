"""Secrets for people (our own management API): names and keys are shown, values only ever written."""

from datetime import datetime
from typing import Any

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import Page, Pages, delete, get, update
from controlroom.engine.vault import actions as vault
from controlroom.engine.vault import model, store
from controlroom.ids import SecretId


class SecretAnswer(Shape, frozen=True):
    """A secret, without its values."""

    id: SecretId
    name: str
    description: str
    created_at: datetime
    updated_at: datetime


class SecretWithKeys(SecretAnswer, frozen=True):
    """A secret and the names of its values."""

    keys: list[str]


class SetSecret(OwnBody, frozen=True):
    """All values of a secret; those of before are gone. Without a description, the one there stays."""

    values: dict[str, Any]
    description: str | None = None


@get("/secrets", needs=Permission.READ_SECRETS)
async def list_secrets(request: Asking, paging: Pages) -> Page[SecretAnswer]:
    """List secrets by name."""
    rows = await store.list_secrets(*request.reading, **paging.after(str))
    return paging.page(rows, _show, lambda secret: secret.name)


@get("/secrets/{name:str}", needs=Permission.READ_SECRETS)
async def get_secret(request: Asking, name: Path[str]) -> SecretWithKeys:
    """Get a secret with the names of its values, never the values."""
    found = await vault.show(request.engine, request.seen, name)
    return _show(found.secret).widened(SecretWithKeys, keys=found.keys)


@update("/secrets/{name:str}")
async def set_secret(request: Asking, name: Path[str], data: Body[SetSecret]) -> SecretAnswer:
    """Create a secret, or replace all its values."""
    return _show(await vault.put(*request.acting, name, values=data.values, description=data.description))


@delete("/secrets/{name:str}")
async def delete_secret(request: Asking, name: Path[str]) -> Deleted:
    """Delete a secret with its values."""
    return Deleted(await vault.delete(*request.acting, name))


_show = shown_as(SecretAnswer, model.Secret)
