"""Statements on API keys, on what credentials stand for, and on the keys that all servers share."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from msgspec import Struct

from controlroom.engine.access.errors import WorkspaceNotFound
from controlroom.engine.access.grants.store import OF_CREDENTIAL
from controlroom.engine.access.model import Actor, ActorKind, ApiKey, Granted, Permission, WorkerActor, of_api_key
from controlroom.engine.access.rules import union
from controlroom.engine.access.scope import SEEN, Scope
from controlroom.ids import ApiKeyId, OrganizationId, UserId, WorkspaceId
from controlroom.postgres.database import Statements
from controlroom.postgres.keyset import oldest_first

_API_KEY = """credential.id, credential.number, credential.workspace_id, credential.name, credential.permissions,
    credential.created_by, credential.created_at, credential.used_at, credential.use_count, credential.expires_at"""

_GRANTED = f"""
    coalesce((select jsonb_agg(jsonb_build_array(held.workspace_id, role.permissions))
                from {OF_CREDENTIAL} as held join role on role.id = held.role_id), '[]') as granted"""
"""What a `credential` is granted, beside what it may do by itself."""


class FoundApiKey(Struct, frozen=True, kw_only=True):
    """What authentication needs of a key."""

    id: ApiKeyId
    name: str
    lookup: bytes
    permissions: list[Permission]
    workspace_id: WorkspaceId
    organization_id: OrganizationId
    granted: list[Granted]
    workspaces: list[WorkspaceId]
    """The living ones of the organization that the grants may be about."""

    def to_actor(self) -> Actor:
        """Who speaks when the key does."""
        own = Granted(self.workspace_id, [permission.value for permission in of_api_key(self.permissions)])
        held = union([own, *self.granted], {self.workspace_id, *self.workspaces})
        return Actor(
            kind=ActorKind.API_KEY,
            id=self.id,
            name=self.name,
            organization_id=self.organization_id,
            grants=held.workspaces,
            throughout=held.throughout,
            words=held.words,
        )


class SealedApiKey(Struct, frozen=True, kw_only=True):
    """A key's encrypted value, and what it can do."""

    id: ApiKeyId
    permissions: list[Permission]
    granted: list[Granted]
    sealed: bytes


def place_of_api_key(key: ApiKeyId) -> str:
    """Where a sealed API key belongs."""
    return f"api_key/{key}/value"


async def api_key_by_lookup(tx: Statements, lookup: bytes) -> FoundApiKey | None:
    """The key with this keyed hash, unless it has expired or its workspace is gone."""
    return await tx.one_or_none(
        FoundApiKey,
        f"""
        select credential.id, credential.name, credential.lookup, credential.permissions, credential.workspace_id,
               credential.organization_id, coalesce(held.granted, '[]') as granted,
               coalesce(case when held.granted is not null then (
                   select jsonb_agg(other.id) from workspace as other
                    where other.organization_id = credential.organization_id and other.deleted_at is null
                      and (held.is_wide or other.id = any (held.workspaces))) end, '[]') as workspaces
          from credential join workspace on workspace.id = credential.workspace_id and workspace.deleted_at is null
               cross join lateral (
                   select jsonb_agg(jsonb_build_array(own.workspace_id, role.permissions)) as granted,
                          array_agg(own.workspace_id) as workspaces,
                          bool_or(own.workspace_id is null) as is_wide
                     from {OF_CREDENTIAL} as own join role on role.id = own.role_id) as held
         where credential.lookup = %(lookup)s and credential.kind = 'workspace_key'
           and (credential.expires_at is null or credential.expires_at > clock_now())
        """,
        lookup=lookup,
    )


async def worker_by_lookup(tx: Statements, lookup: bytes) -> WorkerActor | None:
    """The worker whose token has this keyed hash, unless it was deleted or nothing is left that it serves.

    One that encloses no robots, and was not told to mix workspaces, has the first of its workspaces alone.
    """
    found = await tx.one_or_none(
        WorkerActor,
        """
        select worker.id as worker_id, worker.organization_id, worker.name, worker.serves_all,
               coalesce((select jsonb_agg(served.id order by served.id)
                           from (select workspace.id from workspace
                                  where workspace.organization_id = worker.organization_id
                                    and workspace.deleted_at is null
                                    and (worker.serves_all
                                         or exists (select from serving
                                                     where serving.subject_id = worker.id
                                                       and serving.workspace_id = workspace.id))
                                  order by workspace.id
                                  limit case when worker.mixes or worker.sandbox in ('', 'bwrap') then null else 1 end
                                ) as served), '[]') as workspaces
          from worker
         where worker.lookup = %(lookup)s and worker.deleted_at is null
        """,
        lookup=lookup,
    )
    return found if found is not None and found.workspaces else None


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
        insert into credential (id, kind, organization_id, workspace_id, name, permissions, lookup, sealed, created_by)
        select %(key)s, 'workspace_key', %(organization)s, seen.id, %(name)s, %(permissions)s, %(lookup)s, %(sealed)s,
               %(created_by)s
          from {SEEN} as seen
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
        select {_API_KEY} from credential
         where workspace_id = {SEEN} and kind = 'workspace_key'
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
        f"""
        select {_API_KEY} from credential
         where id = %(key)s and workspace_id = {SEEN} and kind = 'workspace_key' {"for update" if for_update else ""}
        """,
        key=key,
        **scope.params,
    )


async def sealed_api_key(tx: Statements, scope: Scope, key: ApiKeyId) -> SealedApiKey | None:
    """A key's encrypted value."""
    return await tx.one_or_none(
        SealedApiKey,
        f"""
        select id, permissions, sealed, {_GRANTED} from credential
         where id = %(key)s and workspace_id = {SEEN} and kind = 'workspace_key'
        """,
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
        update credential set name = %(name)s, permissions = %(permissions)s
         where id = %(key)s and workspace_id = {SEEN} and kind = 'workspace_key'
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
        await tx.execute(
            f"delete from credential where id = %(key)s and workspace_id = {SEEN} and kind = 'workspace_key'",
            key=key,
            **scope.params,
        )
        > 0
    )


async def number_of_credential(tx: Statements, scope: Scope, credential: UUID) -> int:
    """The number of a credential of the organization; 0 if it is gone meanwhile."""
    number: int | None = await tx.value(
        "select number from credential where id = %(credential)s and organization_id = %(organization)s",
        credential=credential,
        organization=scope.organization,
    )
    return number or 0


async def add_uses(tx: Statements, uses: Mapping[UUID, int]) -> None:
    """Add to the use counts of credentials of any kind.

    Rows are locked in one order, so that two servers never wait for each other.
    """
    await tx.execute(
        """
        with used as (
            select credential, times
              from unnest(%(credentials)s::uuid[], %(times)s::bigint[]) as used(credential, times)
        ), locked as (
            select id from credential where id in (select credential from used) order by id for no key update
        )
        update credential set use_count = use_count + used.times, used_at = clock_now()
          from used join locked on locked.id = used.credential
         where credential.id = locked.id
        """,
        credentials=list(uses),
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
