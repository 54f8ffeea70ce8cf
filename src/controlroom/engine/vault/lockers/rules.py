"""Who may do what with a locker."""

from collections.abc import Collection

from controlroom.engine.access.model import Actor, ActorKind, Permission
from controlroom.engine.vault.errors import LockerRightMissing
from controlroom.engine.vault.lockers.model import Asker, LockerRight, Standing
from controlroom.ids import UserId

_INCLUDES = {
    LockerRight.PARTICIPATE: frozenset(LockerRight),
    LockerRight.MANAGE: frozenset({LockerRight.MANAGE, LockerRight.OWN}),
    LockerRight.OWN: frozenset({LockerRight.OWN}),
}
"""By which rights each is had."""


def asker_of(actor: Actor) -> Asker:
    """Who asks, as the vault sees them."""
    return Asker(
        organization=actor.organization_id,
        user=UserId(actor.id) if actor.kind is ActorKind.USER and actor.id is not None else None,
        governs=actor.may(Permission.GOVERN_LOCKERS, None),
        reveals=actor.may(Permission.USE_SECRETS, None),
    )


def has(standing: Standing, right: LockerRight) -> bool:
    """Whether somebody has a right on a locker, by itself or by one that includes it."""
    return standing.governs or not _INCLUDES[right].isdisjoint(standing.rights)


def ensure_has(standing: Standing, right: LockerRight) -> None:
    """Raise LockerRightMissing unless they have it."""
    if not has(standing, right):
        raise LockerRightMissing(right.value)


def is_kept(owners: Collection[UserId], member: UserId, rights: Collection[LockerRight]) -> bool:
    """Whether a locker still has an owner when a member's rights are these."""
    return LockerRight.OWN in rights or any(owner != member for owner in owners)
