"""Statements on service tokens."""

from typing import Final

from msgspec import Struct

from controlroom.engine.access.grants.model import PrincipalKind
from controlroom.engine.access.grants.store import OF_CREDENTIAL, held_by
from controlroom.engine.access.model import Actor, ActorKind, Granted
from controlroom.engine.access.rules import union
from controlroom.engine.access.scope import ScopedTx
from controlroom.engine.access.service_tokens.model import ServiceToken
from controlroom.engine.lists.model import Field, Kind, Listing
from controlroom.ids import OrganizationId, ServiceTokenId, UserId, WorkspaceId
from controlroom.postgres.database import Statements

SERVICE_TOKENS: Final = Listing(
    noun="service tokens",
    table="credential",
    columns=f"""credential.id, credential.number, credential.organization_id, credential.name,
           organization.number as organization_number, credential.created_by, credential.created_at,
           credential.used_at, credential.use_count,
           credential.expires_at, credential.disabled_at,
           {held_by(PrincipalKind.CREDENTIAL, "credential.id")} as grants""",
    joins="join organization on organization.id = credential.organization_id",
    tenant="credential.organization_id",
    always="credential.kind = 'service_token'",
    fields=(
        Field("id", Kind.ID, is_sortable=True),
        Field("number", Kind.INTEGER, is_sortable=True),
        Field("name", Kind.TEXT, is_sortable=True),
        Field("created_at", Kind.INSTANT, is_sortable=True),
        Field("used_at", Kind.INSTANT, is_nullable=True, is_sortable=True),
        Field("is_disabled", Kind.TRUTH, column="(credential.disabled_at is not null)"),
    ),
)
"""The organization's tokens, `within=throughout(actor, Permission.READ_API_KEYS)`."""


class FoundServiceToken(Struct, frozen=True, kw_only=True):
    """What authentication needs of a token."""

    id: ServiceTokenId
    name: str
    lookup: bytes
    organization_id: OrganizationId
    granted: list[Granted]
    workspaces: list[WorkspaceId]
    """The living ones of the organization that the grants may be about."""

    def to_actor(self) -> Actor:
        """Who speaks when the token does."""
        held = union(self.granted, self.workspaces)
        return Actor(
            kind=ActorKind.SERVICE_TOKEN,
            id=self.id,
            name=self.name,
            organization_id=self.organization_id,
            grants=held.workspaces,
            throughout=held.throughout,
            words=held.words,
        )


async def service_token_by_lookup(tx: Statements, lookup: bytes) -> FoundServiceToken | None:
    """The token with this keyed hash, unless it has expired or is disabled."""
    return await tx.one_or_none(
        FoundServiceToken,
        f"""
        select credential.id, credential.name, credential.lookup, credential.organization_id,
               coalesce(held.granted, '[]') as granted,
               coalesce(case when held.granted is not null then (
                   select jsonb_agg(other.id) from workspace as other
                    where other.organization_id = credential.organization_id and other.deleted_at is null
                      and (held.is_wide or other.id = any (held.workspaces))) end, '[]') as workspaces
          from credential
               cross join lateral (
                   select jsonb_agg(jsonb_build_array(own.workspace_id, role.permissions)) as granted,
                          array_agg(own.workspace_id) as workspaces,
                          bool_or(own.workspace_id is null) as is_wide
                     from {OF_CREDENTIAL} as own join role on role.id = own.role_id) as held
         where credential.lookup = %(lookup)s and credential.kind = 'service_token' and credential.disabled_at is null
           and (credential.expires_at is null or credential.expires_at > clock_now())
        """,
        lookup=lookup,
    )


async def get(tx: Statements, organization: OrganizationId, token: ServiceTokenId) -> ServiceToken | None:
    """One token of the organization."""
    return await tx.one_or_none(
        ServiceToken,
        f"""
        {SERVICE_TOKENS.select}
         where credential.id = %(token)s and {SERVICE_TOKENS.tenant} = %(organization)s and {SERVICE_TOKENS.always}
        """,
        token=token,
        organization=organization,
    )


async def lock(tx: ScopedTx, organization: OrganizationId, token: ServiceTokenId) -> bool:
    """Keep a token from being changed by others until the transaction ends; whether it is there."""
    found = await tx.value(
        """
        select id from credential
         where id = %(token)s and organization_id = %(organization)s and kind = 'service_token' for no key update
        """,
        token=token,
        organization=organization,
    )
    return found is not None


async def add(
    tx: ScopedTx,
    organization: OrganizationId,
    *,
    token: ServiceTokenId,
    name: str,
    lookup: bytes,
    days: int | None,
    created_by: UserId | None,
) -> None:
    """Write a new token, which holds nothing yet."""
    await tx.execute(
        """
        insert into credential (id, kind, organization_id, name, lookup, created_by, expires_at)
        values (%(token)s, 'service_token', %(organization)s, %(name)s, %(lookup)s, %(created_by)s,
                clock_now() + make_interval(days => %(days)s))
        """,
        token=token,
        organization=organization,
        name=name,
        lookup=lookup,
        created_by=created_by,
        days=days,
    )


async def change(
    tx: ScopedTx, organization: OrganizationId, token: ServiceTokenId, *, name: str | None, is_disabled: bool | None
) -> None:
    """Write what a locked token is called, and whether it opens anything; None leaves it."""
    await tx.execute(
        """
        update credential
           set name = coalesce(%(name)s, name),
               disabled_at = case %(is_disabled)s::boolean when true then coalesce(disabled_at, clock_now())
                                                           when false then null else disabled_at end
         where id = %(token)s and organization_id = %(organization)s and kind = 'service_token'
        """,
        token=token,
        organization=organization,
        name=name,
        is_disabled=is_disabled,
    )


async def delete(tx: ScopedTx, organization: OrganizationId, token: ServiceTokenId) -> None:
    """Remove a locked token, with all that it holds."""
    await tx.execute(
        """
        delete from credential
         where id = %(token)s and organization_id = %(organization)s and kind = 'service_token'
        """,
        token=token,
        organization=organization,
    )
