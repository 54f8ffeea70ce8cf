"""Secrets for people (our own management API): names and keys are shown, values only ever written."""

from datetime import datetime
from typing import Any

from litestar.params import FromPath, JSONBody
from msgspec import Struct

from controlroom.dialects.robocorp.answers import Deleted
from controlroom.dialects.robocorp.asking import Asker, InWorkspace, Pages, TheEngine
from controlroom.dialects.robocorp.paging import Page
from controlroom.dialects.robocorp.routing import delete, get, update
from controlroom.engine.vault import actions as vault
from controlroom.engine.vault.model import Secret
from controlroom.ids import SecretId


class SecretAnswer(Struct, frozen=True):
    """A secret, without its values."""

    id: SecretId
    name: str
    description: str
    created_at: datetime
    updated_at: datetime


class SecretWithKeys(SecretAnswer, frozen=True):
    """A secret and the names of its values."""

    keys: list[str]


class SetSecret(Struct, frozen=True, forbid_unknown_fields=True):
    """All values of a secret; those of before are gone. Without a description, the one there stays."""

    values: dict[str, Any]
    description: str | None = None


@get("/secrets", operation_id="listSecrets")
async def list_secrets(engine: TheEngine, actor: Asker, paging: Pages, workspace_id: InWorkspace) -> Page[SecretAnswer]:
    """List secrets by name."""
    rows = await vault.list_secrets(engine, actor, workspace_id, after=paging.after(str), limit=paging.fetch)
    return paging.page(rows, _show, lambda secret: secret.name)


@get("/secrets/{name:str}", operation_id="getSecret")
async def get_secret(engine: TheEngine, actor: Asker, workspace_id: InWorkspace, name: FromPath[str]) -> SecretWithKeys:
    """Get a secret with the names of its values, never the values."""
    found = await vault.show(engine, actor, workspace_id, name)
    secret = found.secret
    return SecretWithKeys(secret.id, secret.name, secret.description, secret.created_at, secret.updated_at, found.keys)


@update("/secrets/{name:str}", operation_id="setSecret")
async def set_secret(
    engine: TheEngine, actor: Asker, workspace_id: InWorkspace, name: FromPath[str], data: JSONBody[SetSecret]
) -> SecretAnswer:
    """Create a secret, or replace all its values."""
    return _show(await vault.put(engine, actor, workspace_id, name, values=data.values, description=data.description))


@delete("/secrets/{name:str}", operation_id="deleteSecret")
async def delete_secret(engine: TheEngine, actor: Asker, workspace_id: InWorkspace, name: FromPath[str]) -> Deleted:
    """Delete a secret with its values."""
    return Deleted(await vault.delete(engine, actor, workspace_id, name))


def _show(secret: Secret) -> SecretAnswer:
    return SecretAnswer(secret.id, secret.name, secret.description, secret.created_at, secret.updated_at)


handlers = [list_secrets, get_secret, set_secret, delete_secret]
