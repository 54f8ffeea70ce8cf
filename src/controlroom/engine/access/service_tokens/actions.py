"""The verbs of service tokens. They are the organization's, whatever they may do where: who makes one has all of it."""

from collections.abc import Collection
from typing import Any, Final

from controlroom.engine.access.credentials import forget
from controlroom.engine.access.errors import NotOfOrganization, ServiceTokenNotFound
from controlroom.engine.access.grants.handing import hand, rehand
from controlroom.engine.access.grants.model import Principal, PrincipalKind, WantedGrant
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.access.service_tokens import store
from controlroom.engine.access.service_tokens.model import PREFIX, ServiceToken
from controlroom.engine.engine import Engine
from controlroom.errors import Invalid
from controlroom.ids import ServiceTokenId, UserId, uuid7
from controlroom.keys import mint

_CHARACTERS: Final = 36  # Why: with prefix and checksum 47; 214 bits
_MOST_DAYS: Final = 3650


async def create(
    engine: Engine, actor: Actor, *, name: str, wanted: Collection[WantedGrant], days: int | None = None
) -> tuple[ServiceToken, str]:
    """A new token, and its value, which is told this once. `days` is how long it lives; None: until it is deleted.

    Raises NotOfOrganization, BeyondOwnRights for a role that may do more than the actor, RoleNotFound,
    WorkspaceNotFound.
    """
    ensure_writes(actor)
    if days is not None and not 1 <= days <= _MOST_DAYS:
        raise Invalid(f"a service token lives for 1 to {_MOST_DAYS:,} days", code="INVALID_LIFETIME")
    token, value = ServiceTokenId(uuid7()), mint(PREFIX, length=_CHARACTERS)
    async with scoped(engine.database, actor.organization_id) as tx:
        await store.add(
            tx,
            actor.organization_id,
            token=token,
            name=checked_name(name, what="token's name"),
            lookup=engine.keys.lookup(value),
            days=days,
            created_by=UserId(actor.id) if actor.kind is ActorKind.USER and actor.id else None,
        )
        await hand(tx, actor, Principal(PrincipalKind.CREDENTIAL, token), wanted)
        made = await _there(tx, actor, token)
        await record(engine, tx, actor, actor.organization_id, "service_token.created", token, **_told(made))
        tx.after_commit(lambda: forget(engine))
    return made, value


async def edit(
    engine: Engine,
    actor: Actor,
    token: ServiceTokenId,
    *,
    name: str | None = None,
    wanted: Collection[WantedGrant] | None = None,
    is_disabled: bool | None = None,
) -> ServiceToken:
    """Change what is given. `wanted` is all that the token shall hold; what comes and what goes must be the actor's.

    Raises ServiceTokenNotFound, and as `create`.
    """
    ensure_writes(actor)
    async with scoped(engine.database, actor.organization_id) as tx:
        if not await store.lock(tx, actor.organization_id, token):
            raise ServiceTokenNotFound
        called = None if name is None else checked_name(name, what="token's name")
        await store.change(tx, actor.organization_id, token, name=called, is_disabled=is_disabled)
        if wanted is not None:
            held = (await _there(tx, actor, token)).grants
            await rehand(tx, actor, Principal(PrincipalKind.CREDENTIAL, token), held, wanted)
        after = await _there(tx, actor, token)
        await record(engine, tx, actor, actor.organization_id, "service_token.updated", token, **_told(after))
        tx.after_commit(lambda: forget(engine))
    return after


async def delete(engine: Engine, actor: Actor, token: ServiceTokenId) -> ServiceToken:
    """Delete a token, as it was. It opens nothing here at once, and on other servers within 5 s."""
    ensure_writes(actor)
    async with scoped(engine.database, actor.organization_id) as tx:
        if not await store.lock(tx, actor.organization_id, token):
            raise ServiceTokenNotFound
        before = await _there(tx, actor, token)
        await store.delete(tx, actor.organization_id, token)
        await record(engine, tx, actor, actor.organization_id, "service_token.deleted", token, **_told(before))
        tx.after_commit(lambda: forget(engine))
    return before


async def get(engine: Engine, actor: Actor, token: ServiceTokenId) -> ServiceToken:
    """One token. Raises NotOfOrganization, ServiceTokenNotFound."""
    if not actor.uses(Permission.READ_API_KEYS, None):
        raise NotOfOrganization(Permission.READ_API_KEYS.value)
    found = await store.get(engine.database, actor.organization_id, token)
    if found is None:
        raise ServiceTokenNotFound
    return found


async def _there(tx: ScopedTx, actor: Actor, token: ServiceTokenId) -> ServiceToken:
    found = await store.get(tx, actor.organization_id, token)
    assert found is not None  # noqa: S101  # written or locked in the same transaction
    return found


def ensure_writes(actor: Actor) -> None:
    """Raise NotOfOrganization unless the actor may make tokens at all."""
    if not actor.uses(Permission.WRITE_API_KEYS, None):
        raise NotOfOrganization(Permission.WRITE_API_KEYS.value)


def _told(token: ServiceToken) -> dict[str, Any]:
    return {
        "name": token.name,
        "roles": [
            {"name": each.role_name, "workspace": None if each.workspace_id is None else str(each.workspace_id)}
            for each in token.grants
        ],
    }
