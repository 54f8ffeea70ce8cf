"""Handing somebody all that they shall hold, in the caller's transaction."""

from collections.abc import Collection
from typing import Final

from controlroom.engine.access.errors import RoleNotFound
from controlroom.engine.access.grants import store
from controlroom.engine.access.grants.actions import ensure_may_hand
from controlroom.engine.access.grants.model import HeldGrant, Principal, WantedGrant
from controlroom.engine.access.model import Actor
from controlroom.engine.access.roles import store as roles
from controlroom.engine.access.scope import Of, ScopedTx, ensure_seen
from controlroom.errors import Invalid
from controlroom.ids import GrantId, uuid7

_MOST: Final = 1000


async def hand(tx: ScopedTx, actor: Actor, principal: Principal, wanted: Collection[WantedGrant]) -> None:
    """Grant somebody roles, each where it is wanted, that the actor may hand.

    Raises BeyondOwnRights, RoleNotFound, WorkspaceNotFound.
    """
    if len(wanted) > _MOST:
        raise Invalid(f"nobody holds more than {_MOST:,} roles", code="TOO_MANY_GRANTS")
    for workspace in sorted({each.workspace for each in wanted if each.workspace is not None}):
        await ensure_seen(tx, Of(actor.organization_id, (workspace,)))
    for each in sorted(set(wanted), key=lambda one: (str(one.workspace or ""), one.role)):
        await _ensure_hands(tx, actor, each)
        await store.add(
            tx,
            actor.organization_id,
            grant=GrantId(uuid7()),
            principal=principal,
            role=each.role,
            workspace=each.workspace,
        )


async def rehand(
    tx: ScopedTx, actor: Actor, principal: Principal, held: Collection[HeldGrant], wanted: Collection[WantedGrant]
) -> None:
    """Have somebody hold what is wanted of what they hold and what they do not, and nothing else of it.

    What is taken must be the actor's, too. The caller has locked the principal, and sees to it that an owner is left.
    """
    kept = {WantedGrant(each.role_id, each.workspace_id): each.id for each in held}
    gone = [each for each in kept if each not in wanted]
    for each in gone:
        await _ensure_hands(tx, actor, each)
    await store.take(tx, actor.organization_id, [kept[each] for each in gone])
    await hand(tx, actor, principal, [each for each in wanted if each not in kept])


async def _ensure_hands(tx: ScopedTx, actor: Actor, wanted: WantedGrant) -> None:
    role = await roles.get(tx, actor.organization_id, wanted.role, lock="for share")
    if role is None:
        raise RoleNotFound
    await ensure_may_hand(tx, actor, role, wanted.workspace)
