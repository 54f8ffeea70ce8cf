"""The verbs of API keys."""

from collections.abc import Collection
from typing import Any

from controlroom.engine.access import store
from controlroom.engine.access.credentials import API_KEY_PREFIX, forget
from controlroom.engine.access.errors import ApiKeyNotFound
from controlroom.engine.access.model import Actor, ActorKind, ApiKey, Permission, of_api_key
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.rules import ensure_may_give, permissions_of
from controlroom.engine.access.scope import Scope, ensure_seen, scope_of, scoped
from controlroom.engine.engine import Engine
from controlroom.ids import ApiKeyId, UserId, WorkspaceId, uuid7
from controlroom.keys import mint
from controlroom.postgres.database import Statements

_KEY_CHARACTERS = 96  # Why: with prefix and checksum 105, as long as clients expect keys to be; 570 bits


async def create_api_key(
    engine: Engine, actor: Actor, workspace: WorkspaceId, *, name: str, permissions: Collection[Permission]
) -> tuple[ApiKey, str]:
    """A new key of the workspace, and its value. Nobody can give a key more permissions than they have."""
    scope = scope_of(actor, Permission.WRITE_API_KEYS, workspace)
    ensure_may_give(actor, of_api_key(permissions), workspace)
    async with scoped(engine.database, scope) as tx:
        created_by = UserId(actor.id) if actor.kind is ActorKind.USER and actor.id else None
        key, value = await write_api_key(engine, tx, scope, name=name, permissions=permissions, created_by=created_by)
        await record(engine, tx, actor, scope, "api_key.created", key.id, **_told(key))
    return key, value


async def write_api_key(
    engine: Engine,
    tx: Statements,
    scope: Scope,
    *,
    name: str,
    permissions: Collection[Permission],
    created_by: UserId | None,
) -> tuple[ApiKey, str]:
    """Mint and write a key in the caller's transaction, who has seen to the right to do so."""
    key, value = ApiKeyId(uuid7()), mint(API_KEY_PREFIX, length=_KEY_CHARACTERS)
    written = await store.add_api_key(
        tx,
        scope,
        key=key,
        name=checked_name(name),
        permissions=frozenset(permissions),
        lookup=engine.keys.lookup(value),
        sealed=engine.keys.seal(value.encode(), place=store.place_of_api_key(key)),
        created_by=created_by,
    )
    return written, value


async def edit_api_key(
    engine: Engine,
    actor: Actor,
    workspace: WorkspaceId,
    key: ApiKeyId,
    *,
    name: str | None = None,
    permissions: Collection[Permission] | None = None,
) -> ApiKey:
    """Change name, permissions or both; None leaves them. Only what is added must be the actor's own."""
    scope = scope_of(actor, Permission.WRITE_API_KEYS, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await store.api_key(tx, scope, key, for_update=True)
        if before is None:
            raise await _missing(tx, scope)
        wanted = before.permissions if permissions is None else permissions
        ensure_may_give(actor, of_api_key(wanted) - of_api_key(before.permissions), workspace)
        after = await store.change_api_key(
            tx, scope, key, name=before.name if name is None else checked_name(name), permissions=frozenset(wanted)
        )
        assert after is not None  # noqa: S101  # the row is locked
        await record(engine, tx, actor, scope, "api_key.updated", after.id, **_told(after))
        tx.after_commit(lambda: forget(engine))
    return after


async def delete_api_key(engine: Engine, actor: Actor, workspace: WorkspaceId, key: ApiKeyId) -> None:
    """Delete a key. It is refused here at once, and by other servers within 5 s."""
    scope = scope_of(actor, Permission.WRITE_API_KEYS, workspace)
    async with scoped(engine.database, scope) as tx:
        before = await store.api_key(tx, scope, key, for_update=True)
        if before is None or not await store.delete_api_key(tx, scope, key):
            raise await _missing(tx, scope)
        await record(engine, tx, actor, scope, "api_key.deleted", before.id, **_told(before))
        tx.after_commit(lambda: forget(engine))


async def reveal_api_key(engine: Engine, actor: Actor, workspace: WorkspaceId, key: ApiKeyId) -> str:
    """A key's value once more, for those who may reveal and could do all that the key can. Audited."""
    return await _opened(engine, actor, workspace, key, "api_key.revealed")


async def try_api_key(engine: Engine, actor: Actor, workspace: WorkspaceId, key: ApiKeyId) -> str:
    """A key's value, for the room itself to ask something with it once, and to tell it to nobody.

    For whom a key is revealed, and audited, too.
    """
    return await _opened(engine, actor, workspace, key, "api_key.tried")


async def _opened(engine: Engine, actor: Actor, workspace: WorkspaceId, key: ApiKeyId, told_as: str) -> str:
    scope = scope_of(actor, Permission.REVEAL, workspace)
    async with scoped(engine.database, scope) as tx:
        found = await store.sealed_api_key(tx, scope, key)
        if found is None:
            raise await _missing(tx, scope)
        ensure_may_give(actor, of_api_key(found.permissions), workspace)
        for granted in found.granted:
            ensure_may_give(actor, permissions_of(granted.permissions, granted.workspace), granted.workspace)
        await record(engine, tx, actor, scope, told_as, key)
    return engine.keys.unseal(found.sealed, place=store.place_of_api_key(key)).decode()


async def get_api_key(db: Statements, scope: Scope, key: ApiKeyId) -> ApiKey:
    """One key, never its value. Raises NotFound."""
    found = await store.api_key(db, scope, key)
    if found is None:
        raise await _missing(db, scope)
    return found


async def _missing(tx: Statements, scope: Scope) -> ApiKeyNotFound:
    await ensure_seen(tx, scope)
    return ApiKeyNotFound()


def _told(key: ApiKey) -> dict[str, Any]:
    return {"name": key.name, "permissions": key.permissions}
