"""The verbs of lockers. Who has nothing to do with a locker is told that there is none."""

from collections.abc import Collection

from controlroom.engine.access.errors import RoleNotFound, UserNotFound
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_description, checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.roles.actions import ensure_in_organization
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.vault import kept
from controlroom.engine.vault.errors import (
    ConsumerExists,
    LastLockerOwner,
    LockerNotFound,
    OwnerMissing,
    RevisionStale,
)
from controlroom.engine.vault.kept import Kept
from controlroom.engine.vault.lockers import restoring, store
from controlroom.engine.vault.lockers.model import Consumer, Locker, LockerMember, LockerRight
from controlroom.engine.vault.lockers.rules import asker_of, ensure_has, is_kept
from controlroom.errors import Invalid
from controlroom.ids import LockerId, RoleId, UserId, uuid7
from controlroom.postgres.database import Statements


async def create(
    engine: Engine, actor: Actor, *, name: str, description: str = "", owner: UserId | None = None
) -> Locker:
    """A new locker, owned by the actor unless another user is said to. Raises NameTaken, OwnerMissing."""
    ensure_in_organization(actor, Permission.OWN_SECRETS)
    asker = asker_of(actor)
    owning = owner or asker.user
    if owning is None:
        raise OwnerMissing
    async with scoped(engine.database, asker.organization) as tx:
        locker = LockerId(uuid7())
        await store.add(
            tx,
            asker,
            locker,
            name=checked_name(name, what="locker's name"),
            description=checked_description(description),
        )
        if not await store.set_member(tx, asker.organization, locker, owning, [LockerRight.OWN]):
            raise UserNotFound
        await record(engine, tx, actor, asker.organization, "locker.created", locker, name=name)
        return await _shown(tx, actor, locker)


async def get(engine: Engine, actor: Actor, locker: LockerId) -> Locker:
    """One locker, for its members, its consumers, and who governs all. Raises LockerNotFound."""
    await _known(engine.database, actor, locker)
    return await _shown(engine.database, actor, locker)


async def edit(
    engine: Engine,
    actor: Actor,
    locker: LockerId,
    *,
    name: str | None = None,
    description: str | None = None,
    revision: int | None = None,
) -> Locker:
    """Call a locker otherwise; None leaves what is there. With a `revision`, only while it is the one there.

    Raises LockerNotFound, LockerRightMissing, RevisionStale, NameTaken.
    """
    asker = asker_of(actor)
    async with scoped(engine.database, asker.organization) as tx:
        held = await _known(tx, actor, locker, lock=True)
        ensure_has(held.standing, LockerRight.MANAGE)
        ensure_current("locker", held.revision, revision)
        before = await _shown(tx, actor, locker)
        await kept.change(
            tx,
            asker,
            Kept.LOCKER,
            locker,
            name=before.name if name is None else checked_name(name, what="locker's name"),
            description=before.description if description is None else checked_description(description),
        )
        after = await _shown(tx, actor, locker)
        await record(engine, tx, actor, asker.organization, "locker.updated", locker, name=after.name)
    return after


async def delete(engine: Engine, actor: Actor, locker: LockerId) -> None:
    """Delete a locker; the secrets in it stay their owners', and for a while it can be had again (see `restoring`).

    Raises LockerNotFound, LockerRightMissing.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        held = await _known(tx, actor, locker, lock=True)
        ensure_has(held.standing, LockerRight.OWN)
        before = await _shown(tx, actor, locker)
        await restoring.keep(tx, actor.organization_id, locker)
        await kept.delete(tx, actor.organization_id, Kept.LOCKER, locker)
        await record(engine, tx, actor, actor.organization_id, "locker.deleted", locker, name=before.name)


async def members(engine: Engine, actor: Actor, locker: LockerId) -> list[LockerMember]:
    """Who looks after a locker. Raises LockerNotFound."""
    await _known(engine.database, actor, locker)
    return await store.members(engine.database, actor.organization_id, locker)


async def set_member(
    engine: Engine, actor: Actor, locker: LockerId, user: UserId, rights: Collection[LockerRight]
) -> None:
    """Let a user look after a locker, with these rights and no others.

    Raises LockerNotFound, LockerRightMissing, UserNotFound, LastLockerOwner.
    """
    if not rights:
        raise Invalid("a member of a locker has at least one right", code="LOCKER_RIGHTS_MISSING")
    async with scoped(engine.database, actor.organization_id) as tx:
        held = await _known(tx, actor, locker, lock=True)
        ensure_has(held.standing, LockerRight.OWN)
        await _ensure_kept(tx, actor, locker, user, rights)
        if not await store.set_member(tx, actor.organization_id, locker, user, rights):
            raise UserNotFound
        await record(
            engine,
            tx,
            actor,
            actor.organization_id,
            "locker.member_set",
            locker,
            user=str(user),
            rights=sorted(right.value for right in rights),
        )


async def remove_member(engine: Engine, actor: Actor, locker: LockerId, user: UserId) -> None:
    """End that a user looks after a locker.

    Raises LockerNotFound, LockerRightMissing, UserNotFound, LastLockerOwner.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        held = await _known(tx, actor, locker, lock=True)
        ensure_has(held.standing, LockerRight.OWN)
        await _ensure_kept(tx, actor, locker, user, ())
        if not await store.remove_member(tx, locker, user):
            raise UserNotFound
        await record(engine, tx, actor, actor.organization_id, "locker.member_removed", locker, user=str(user))


async def consumers(engine: Engine, actor: Actor, locker: LockerId) -> list[Consumer]:
    """The roles that use a locker. Raises LockerNotFound."""
    await _known(engine.database, actor, locker)
    return await store.consumers(engine.database, actor.organization_id, locker)


async def add_consumer(engine: Engine, actor: Actor, locker: LockerId, role: RoleId) -> None:
    """Let those who hold a role use what is in a locker, as what their robots read.

    Raises LockerNotFound, LockerRightMissing, RoleNotFound, ConsumerExists.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        held = await _known(tx, actor, locker, lock=True)
        ensure_has(held.standing, LockerRight.MANAGE)
        added = await store.add_consumer(tx, actor.organization_id, locker, role)
        if added is None:
            raise RoleNotFound
        if not added:
            raise ConsumerExists
        await record(engine, tx, actor, actor.organization_id, "locker.consumer_added", locker, role=str(role))


async def remove_consumer(engine: Engine, actor: Actor, locker: LockerId, role: RoleId) -> None:
    """End that a role uses a locker. Raises LockerNotFound, LockerRightMissing, RoleNotFound."""
    async with scoped(engine.database, actor.organization_id) as tx:
        held = await _known(tx, actor, locker, lock=True)
        ensure_has(held.standing, LockerRight.MANAGE)
        if not await store.remove_consumer(tx, locker, role):
            raise RoleNotFound
        await record(engine, tx, actor, actor.organization_id, "locker.consumer_removed", locker, role=str(role))


def ensure_current(what: str, revision: int, seen: int | None) -> None:
    """Raise RevisionStale if somebody says that they have seen another revision."""
    if seen is not None and seen != revision:
        raise RevisionStale(what, revision)


async def _known(tx: Statements, actor: Actor, locker: LockerId, *, lock: bool = False) -> store.Held:
    held = await store.standing(tx, asker_of(actor), locker, lock="for update" if lock else "")
    if held is None or held.standing.is_none:
        raise LockerNotFound
    return held


async def _shown(tx: Statements, actor: Actor, locker: LockerId) -> Locker:
    found = await store.get(tx, actor.organization_id, locker)
    if found is None:
        raise LockerNotFound
    return found


async def _ensure_kept(
    tx: ScopedTx, actor: Actor, locker: LockerId, user: UserId, rights: Collection[LockerRight]
) -> None:
    there = await store.members(tx, actor.organization_id, locker)
    owners = [member.user_id for member in there if LockerRight.OWN in member.rights]
    if owners and not is_kept(owners, user, rights):
        raise LastLockerOwner
