"""The verbs of service tokens. They are the organization's, whatever they may do where: who makes one has all of it."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from controlroom.engine.access.credentials import forget
from controlroom.engine.access.errors import NotOfOrganization, RoleNotFound, ServiceTokenNotFound
from controlroom.engine.access.grants import store as grants
from controlroom.engine.access.grants.actions import ensure_may_hand
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.access.names import checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.roles import store as roles
from controlroom.engine.access.scope import Of, ScopedTx, ensure_seen, scoped
from controlroom.engine.access.service_tokens import store
from controlroom.engine.access.service_tokens.model import PREFIX, ServiceToken, WantedGrant
from controlroom.engine.engine import Engine
from controlroom.errors import Invalid
from controlroom.ids import GrantId, ServiceTokenId, UserId, WorkspaceId, uuid7
from controlroom.keys import mint

_CHARACTERS: Final = 36  # Why: with prefix and checksum 47; 214 bits
_MOST_GRANTS: Final = 1000
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
        await _give(tx, actor, token, wanted)
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
    """Change what is given. `wanted` is all that the token shall hold; of that only what is new must be the actor's.

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
            kept = {WantedGrant(each.role_id, each.workspace_id): each.id for each in held}
            gone = [grant for each, grant in kept.items() if each not in wanted]
            await store.revoke(tx, actor.organization_id, gone)
            await _give(tx, actor, token, [each for each in wanted if each not in kept])
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
    if not actor.may(Permission.READ_API_KEYS, None):
        raise NotOfOrganization(Permission.READ_API_KEYS.value)
    found = await store.get(engine.database, actor.organization_id, token)
    if found is None:
        raise ServiceTokenNotFound
    return found


async def _give(tx: ScopedTx, actor: Actor, token: ServiceTokenId, wanted: Collection[WantedGrant]) -> None:
    """Grant a token roles that the actor may hand, each where it is wanted."""
    if len(wanted) > _MOST_GRANTS:
        raise Invalid(f"a service token holds at most {_MOST_GRANTS:,} roles", code="TOO_MANY_GRANTS")
    await _ensure_there(tx, actor, [each.workspace for each in wanted if each.workspace is not None])
    for each in sorted(set(wanted), key=lambda one: (str(one.workspace or ""), one.role)):
        role = await roles.get(tx, actor.organization_id, each.role, lock="for share")
        if role is None:
            raise RoleNotFound
        await ensure_may_hand(tx, actor, role, each.workspace)
        await grants.add(
            tx,
            actor.organization_id,
            grant=GrantId(uuid7()),
            principal=Principal(PrincipalKind.CREDENTIAL, token),
            role=each.role,
            workspace=each.workspace,
        )


async def _ensure_there(tx: ScopedTx, actor: Actor, workspaces: Sequence[WorkspaceId]) -> None:
    for workspace in sorted(set(workspaces)):
        await ensure_seen(tx, Of(actor.organization_id, (workspace,)))


async def _there(tx: ScopedTx, actor: Actor, token: ServiceTokenId) -> ServiceToken:
    found = await store.get(tx, actor.organization_id, token)
    assert found is not None  # noqa: S101  # written or locked in the same transaction
    return found


def ensure_writes(actor: Actor) -> None:
    """Raise NotOfOrganization unless the actor may make tokens at all."""
    if not actor.may(Permission.WRITE_API_KEYS, None):
        raise NotOfOrganization(Permission.WRITE_API_KEYS.value)


def _told(token: ServiceToken) -> dict[str, Any]:
    return {
        "name": token.name,
        "roles": [
            {"name": each.role_name, "workspace": None if each.workspace_id is None else str(each.workspace_id)}
            for each in token.grants
        ],
    }
