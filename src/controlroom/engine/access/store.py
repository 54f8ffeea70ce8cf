"""Statements on API keys, on what credentials stand for, and on the keys that all servers share."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.errors import WorkspaceNotFound
from controlroom.engine.access.model import Actor, ActorKind, ApiKey, Permission, WorkerActor, of_api_key
from controlroom.engine.access.scope import SEEN, Scope
from controlroom.ids import ApiKeyId, OrganizationId, UserId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

_API_KEY = """api_key.id, api_key.number, api_key.workspace_id, api_key.name, api_key.permissions, api_key.created_by,
    api_key.created_at, api_key.used_at, api_key.use_count, api_key.expires_at"""


class FoundApiKey(Struct, frozen=True, kw_only=True):
    """What authentication needs of a key."""

    id: ApiKeyId
    name: str
    lookup: bytes
    permissions: list[Permission]
    workspace_id: WorkspaceId
    organization_id: OrganizationId

    def to_actor(self) -> Actor:
        """Who speaks when the key does."""
        return Actor(
            kind=ActorKind.API_KEY,
            id=self.id,
            name=self.name,
            organization_id=self.organization_id,
            grants={self.workspace_id: of_api_key(self.permissions)},
        )


class SealedApiKey(Struct, frozen=True, kw_only=True):
    """A key's encrypted value, and what it can do."""

    id: ApiKeyId
    permissions: list[Permission]
    sealed: bytes


def place_of_api_key(key: ApiKeyId) -> str:
    """Where a sealed API key belongs."""
    return f"api_key/{key}/value"


async def api_key_by_lookup(tx: Statements, lookup: bytes) -> FoundApiKey | None:
    """The key with this keyed hash, unless it has expired or its workspace is gone."""
    return await tx.one_or_none(
        FoundApiKey,
        """
        select api_key.id, api_key.name, api_key.lookup, api_key.permissions, api_key.workspace_id,
               workspace.organization_id
          from api_key join workspace on workspace.id = api_key.workspace_id and workspace.deleted_at is null
         where api_key.lookup = %(lookup)s and (api_key.expires_at is null or api_key.expires_at > clock_now())
        """,
        lookup=lookup,
    )


async def worker_by_lookup(tx: Statements, lookup: bytes) -> WorkerActor | None:
    """The worker whose token has this keyed hash, unless it was deleted."""
    return await tx.one_or_none(
        WorkerActor,
        """
        select worker.id as worker_id, worker.workspace_id, workspace.organization_id, worker.name
          from worker join workspace on workspace.id = worker.workspace_id and workspace.deleted_at is null
         where worker.lookup = %(lookup)s and worker.deleted_at is null
        """,
        lookup=lookup,
    )


async def add_api_key(
    tx: Statements,
    scope: Scope,
    *,
    key: ApiKeyId,
    name: str,
    permissions: Iterable[Permission],
    lookup: bytes,
    sealed: bytes,
    created_by: UserId | None,
) -> ApiKey:
    """Write a new key. Raises WorkspaceNotFound."""
    added = await tx.one_or_none(
        ApiKey,
        f"""
        insert into api_key (id, workspace_id, name, permissions, lookup, sealed, created_by)
        select %(key)s, seen.id, %(name)s, %(permissions)s, %(lookup)s, %(sealed)s, %(created_by)s from {SEEN} as seen
        returning {_API_KEY}
        """,
        key=key,
        name=name,
        permissions=sorted(permissions),
        lookup=lookup,
        sealed=sealed,
        created_by=created_by,
        **scope.params,
    )
    if added is None:
        raise WorkspaceNotFound
    return added


async def list_api_keys(tx: Statements, scope: Scope, *, after: ApiKeyId | None, limit: int) -> list[ApiKey]:
    """Keys of the workspace by the time of their making, those behind `after`."""
    return await tx.all(
        ApiKey,
        f"""
        select {_API_KEY} from api_key
         where workspace_id = {SEEN}
         {oldest_first("id")}
        """,
        after=after,
        limit=limit,
        **scope.params,
    )


async def api_key(tx: Statements, scope: Scope, key: ApiKeyId, *, for_update: bool = False) -> ApiKey | None:
    """One key as lists show it."""
    return await tx.one_or_none(
        ApiKey,
        f"select {_API_KEY} from api_key where id = %(key)s and workspace_id = {SEEN} "
        + ("for update" if for_update else ""),
        key=key,
        **scope.params,
    )


async def sealed_api_key(tx: Statements, scope: Scope, key: ApiKeyId) -> SealedApiKey | None:
    """A key's encrypted value."""
    return await tx.one_or_none(
        SealedApiKey,
        f"select id, permissions, sealed from api_key where id = %(key)s and workspace_id = {SEEN}",
        key=key,
        **scope.params,
    )


async def change_api_key(
    tx: Statements, scope: Scope, key: ApiKeyId, *, name: str, permissions: Iterable[Permission]
) -> ApiKey | None:
    """Write name and permissions."""
    return await tx.one_or_none(
        ApiKey,
        f"""
        update api_key set name = %(name)s, permissions = %(permissions)s
         where id = %(key)s and workspace_id = {SEEN}
        returning {_API_KEY}
        """,
        key=key,
        name=name,
        permissions=sorted(permissions),
        **scope.params,
    )


async def delete_api_key(tx: Statements, scope: Scope, key: ApiKeyId) -> bool:
    """Remove a key; whether there was one."""
    return (
        await tx.execute(f"delete from api_key where id = %(key)s and workspace_id = {SEEN}", key=key, **scope.params)
        > 0
    )


async def add_api_key_uses(tx: Statements, uses: Mapping[UUID, int]) -> None:
    """Add to the use counts. Rows are locked in one order, so that two servers never wait for each other."""
    await tx.execute(
        """
        with used as (
            select key, times from unnest(%(keys)s::uuid[], %(times)s::bigint[]) as used(key, times)
        ), locked as (
            select id from api_key where id in (select key from used) order by id for no key update
        )
        update api_key set use_count = use_count + used.times, used_at = clock_now()
          from used join locked on locked.id = used.key
         where api_key.id = locked.id
        """,
        keys=list(uses),
        times=list(uses.values()),
    )


async def server_key(tx: Statements, name: str) -> bytes | None:
    """A shared key, encrypted."""
    sealed: bytes | None = await tx.value("select sealed from server_key where name = %(name)s", name=name)
    return sealed


async def add_server_key(tx: Statements, name: str, sealed: bytes) -> None:
    """Write a shared key, unless another server was quicker."""
    await tx.execute(
        "insert into server_key (name, sealed) values (%(name)s, %(sealed)s) on conflict (name) do nothing",
        name=name,
        sealed=sealed,
    )


async def delete_server_key(tx: Statements, name: str) -> None:
    """Remove a shared key; fine if there is none."""
    await tx.execute("delete from server_key where name = %(name)s", name=name)
