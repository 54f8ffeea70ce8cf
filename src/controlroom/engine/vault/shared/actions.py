"""The verbs of secrets of the organization. Who has nothing to do with one is told that there is none."""

from collections.abc import Sequence

from msgspec import UNSET

from controlroom.engine.access.errors import UserNotFound
from controlroom.engine.access.model import Actor, Permission
from controlroom.engine.access.names import checked_description, checked_name
from controlroom.engine.access.record import record
from controlroom.engine.access.roles.actions import ensure_in_organization
from controlroom.engine.access.scope import ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.vault import kept
from controlroom.engine.vault.errors import (
    LockerNotFound,
    LockerRightMissing,
    OwnerMissing,
    SharedSecretNotFound,
)
from controlroom.engine.vault.kept import Kept
from controlroom.engine.vault.lockers import store as lockers
from controlroom.engine.vault.lockers.actions import ensure_current
from controlroom.engine.vault.lockers.model import LockerRight
from controlroom.engine.vault.lockers.rules import asker_of, ensure_has, has
from controlroom.engine.vault.shared import store
from controlroom.engine.vault.shared.model import AttributeDefinition, SecretChange, SharedSecret
from controlroom.engine.vault.shared.rules import checked_attributes, ensure_may_edit, matched
from controlroom.ids import LockerId, SharedSecretId, UserId, uuid7
from controlroom.postgres.database import Statements


async def create(
    engine: Engine,
    actor: Actor,
    *,
    name: str,
    description: str = "",
    attributes: Sequence[AttributeDefinition] = (),
    owner: UserId | None = None,
    locker: LockerId | None = None,
) -> SharedSecret:
    """A new secret without values, the actor's unless another user is said to own it; in a locker, if one is named.

    Raises NameTaken, OwnerMissing, UserNotFound, LockerNotFound, LockerRightMissing, Invalid.
    """
    ensure_in_organization(actor, Permission.OWN_SECRETS)
    asker = asker_of(actor)
    owning = owner or asker.user
    if owning is None:
        raise OwnerMissing
    checked = checked_attributes(attributes)
    async with scoped(engine.database, asker.organization) as tx:
        if locker is not None:
            await _ensure_takes(tx, actor, locker)
        secret = SharedSecretId(uuid7())
        if not await store.add(
            tx,
            asker,
            secret,
            name=checked_name(name, what="secret's name"),
            description=checked_description(description),
            owner=owning,
        ):
            raise UserNotFound
        await store.add_attributes(tx, asker, secret, list(enumerate(checked)))
        await record(engine, tx, actor, asker.organization, "shared_secret.created", secret, name=name)
        if locker is not None:
            await _put_into(engine, tx, actor, secret, locker)
        return await _shown(tx, actor, secret)


async def get(engine: Engine, actor: Actor, secret: SharedSecretId) -> SharedSecret:
    """One secret, never its values, for its owner, and for who sees it for its locker's sake."""
    await known(engine.database, actor, secret)
    return await _shown(engine.database, actor, secret)


async def edit(
    engine: Engine,
    actor: Actor,
    secret: SharedSecretId,
    change: SecretChange,
    *,
    revision: int | None = None,
    locker: LockerId | None = None,
) -> SharedSecret:
    """Change what a secret is, and put it into a locker if one is named. With a `revision`, only while it is that.

    Raises SharedSecretNotFound, NotOwner, RevisionStale, NameTaken, AttributeNotFound, LockerNotFound, Invalid.
    """
    asker = asker_of(actor)
    async with scoped(engine.database, asker.organization) as tx:
        if locker is not None:
            await _ensure_takes(tx, actor, locker)
        held = await known(tx, actor, secret, lock=True)
        ensure_may_edit(held.standing)
        ensure_current("secret", held.revision, revision)
        before = await _shown(tx, actor, secret)
        if change.attributes is not UNSET:
            await _write_attributes(tx, actor, before, change.attributes)
        await kept.change(
            tx,
            asker,
            Kept.SECRET,
            secret,
            name=before.name if change.name is UNSET else checked_name(change.name, what="secret's name"),
            description=before.description if change.description is UNSET else checked_description(change.description),
        )
        if locker is not None:
            await _put_into(engine, tx, actor, secret, locker)
        after = await _shown(tx, actor, secret)
        await record(engine, tx, actor, asker.organization, "shared_secret.updated", secret, name=after.name)
    return after


async def delete(engine: Engine, actor: Actor, secret: SharedSecretId) -> None:
    """Delete a secret with all its values, for good. Raises SharedSecretNotFound, NotOwner."""
    async with scoped(engine.database, actor.organization_id) as tx:
        ensure_may_edit((await known(tx, actor, secret, lock=True)).standing)
        before = await _shown(tx, actor, secret)
        await kept.delete(tx, actor.organization_id, Kept.SECRET, secret)
        await record(engine, tx, actor, actor.organization_id, "shared_secret.deleted", secret, name=before.name)


async def give_to(engine: Engine, actor: Actor, secret: SharedSecretId, owner: UserId) -> None:
    """Let another user own a secret. Raises SharedSecretNotFound, NotOwner, UserNotFound."""
    async with scoped(engine.database, actor.organization_id) as tx:
        held = await known(tx, actor, secret, lock=True)
        ensure_may_edit(held.standing)
        if not await store.set_owner(tx, asker_of(actor), secret, owner):
            raise UserNotFound
        await record(
            engine,
            tx,
            actor,
            actor.organization_id,
            "shared_secret.given",
            secret,
            owner=str(owner),
            was=str(held.owner),
        )


async def put_into(engine: Engine, actor: Actor, secret: SharedSecretId, locker: LockerId) -> None:
    """Share a secret by a locker: one's own, by who participates in the locker. It leaves the one where it was.

    Raises SharedSecretNotFound, LockerNotFound, NotOwner, LockerRightMissing.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        await _ensure_takes(tx, actor, locker)
        held = await known(tx, actor, secret, lock=True)
        ensure_may_edit(held.standing)
        await _put_into(engine, tx, actor, secret, locker)


async def take_out(engine: Engine, actor: Actor, secret: SharedSecretId, locker: LockerId) -> None:
    """End that a locker shares a secret: by its owner, or who manages the locker.

    Raises SharedSecretNotFound, also where it is not in this locker; LockerRightMissing.
    """
    async with scoped(engine.database, actor.organization_id) as tx:
        held = await known(tx, actor, secret, lock=True)
        if held.locker != locker:
            raise SharedSecretNotFound
        if not (held.standing.is_owner or has(held.standing.locker, LockerRight.MANAGE)):
            raise LockerRightMissing(LockerRight.MANAGE.value)
        await store.put_into(tx, asker_of(actor), secret, None)
        await record(
            engine, tx, actor, actor.organization_id, "shared_secret.taken_from_locker", secret, locker=str(locker)
        )


async def in_locker(engine: Engine, actor: Actor, locker: LockerId) -> list[SharedSecret]:
    """What is in a locker: all for who manages or consumes it, their own for who participates in it."""
    asker = asker_of(actor)
    held = await lockers.standing(engine.database, asker, locker)
    if held is None or held.standing.is_none:
        raise LockerNotFound
    found = await store.in_locker(engine.database, asker.organization, locker)
    sees_all = held.standing.manages or held.standing.consumes
    return [secret for secret in found if sees_all or secret.owner_id == asker.user]


async def known(tx: Statements, actor: Actor, secret: SharedSecretId, *, lock: bool = False) -> store.Held:
    """What the actor is to a secret. Raises SharedSecretNotFound for who is nothing to it."""
    held = await store.standing(tx, asker_of(actor), secret, lock=lock)
    if held is None or held.standing.is_none:
        raise SharedSecretNotFound
    return held


async def _ensure_takes(tx: ScopedTx, actor: Actor, locker: LockerId) -> None:
    """A locker takes what the actor puts into it. Before the secret is locked: lockers come first."""
    into = await lockers.standing(tx, asker_of(actor), locker, lock="for key share")
    if into is None or into.standing.is_none:
        raise LockerNotFound
    ensure_has(into.standing, LockerRight.PARTICIPATE)


async def _put_into(engine: Engine, tx: ScopedTx, actor: Actor, secret: SharedSecretId, locker: LockerId) -> None:
    await store.put_into(tx, asker_of(actor), secret, locker)
    await record(engine, tx, actor, actor.organization_id, "shared_secret.put_into_locker", secret, locker=str(locker))


async def _write_attributes(
    tx: ScopedTx, actor: Actor, before: SharedSecret, wanted: Sequence[AttributeDefinition]
) -> None:
    asker = asker_of(actor)
    pairs = matched(before.attributes, checked_attributes(wanted))
    await store.keep_attributes(tx, before.id, [found.id for found, _ in pairs if found is not None])
    for position, (found, definition) in enumerate(pairs):
        if found is not None:
            await store.change_attribute(tx, asker, found.id, position, definition)
    new = [(position, definition) for position, (found, definition) in enumerate(pairs) if found is None]
    if new:
        await store.add_attributes(tx, asker, before.id, new)


async def _shown(tx: Statements, actor: Actor, secret: SharedSecretId) -> SharedSecret:
    found = await store.get(tx, actor.organization_id, secret)
    if found is None:
        raise SharedSecretNotFound
    return found
