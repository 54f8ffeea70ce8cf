"""The verbs of values: who gives them, who changes them, who gets to see them, and robots that read them."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from controlroom.engine.access.errors import UserNotFound
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.grants.store import is_known
from controlroom.engine.access.model import Actor, StepRunActor
from controlroom.engine.access.record import record
from controlroom.engine.access.scope import Robot, ScopedTx, scoped
from controlroom.engine.engine import Engine
from controlroom.engine.vault import masks
from controlroom.engine.vault.errors import AttributeNotFound, SecretTooLarge, ValueExists, ValueNotFound
from controlroom.engine.vault.lockers.actions import ensure_current
from controlroom.engine.vault.lockers.rules import asker_of
from controlroom.engine.vault.model import SecretValues
from controlroom.engine.vault.shared import store, values
from controlroom.engine.vault.shared.actions import known
from controlroom.engine.vault.shared.model import Attribute, SealedValue, SecretValue
from controlroom.engine.vault.shared.rules import MOST_ATTRIBUTES, Sight, ensure_may_give, may_give, sight
from controlroom.errors import Invalid
from controlroom.ids import AttributeId, OrganizationId, SecretId, SecretValueId, SharedSecretId, UserId


class Given(Struct, frozen=True):
    """A value for an attribute. Prints without it."""

    attribute: AttributeId
    value: str

    def __repr__(self) -> str:
        return f"Given(attribute={self.attribute}, value=‹secret›)"  # noqa: RUF001 - as everywhere


class HeldValue(Struct, frozen=True, kw_only=True):
    """That there is a value, without it."""

    id: SecretValueId
    number: int
    attribute_name: str
    username: str | None
    """Whose it is; None: everybody's."""
    updated_at: datetime


async def show(
    engine: Engine,
    actor: Actor,
    secret: SharedSecretId,
    *,
    attribute: AttributeId | None = None,
    user: UserId | None = None,
) -> list[SecretValue]:
    """The values that the actor may know of: of one attribute alone what is masked shows, too. Audited.

    Raises SharedSecretNotFound.
    """
    asker = asker_of(actor)
    async with scoped(engine.database, asker.organization) as tx:
        held = await known(tx, actor, secret)
        shown: list[SecretValue] = []
        told: list[str] = []
        for row in await values.of_secret(tx, secret, attribute=attribute, user=user):
            is_alone = attribute is not None
            match sight(held.standing, asker.user, whose=row.user_id, is_masked=row.is_masked, is_alone=is_alone):
                case Sight.NOT:
                    continue
                case Sight.HIDDEN:
                    shown.append(SecretValue(row=row, value=None))
                case Sight.CLEAR:
                    shown.append(SecretValue(row=row, value=values.opened(engine.keys, row)))
                    told.append(row.attribute_name)
        if told:
            await record(engine, tx, actor, asker.organization, "shared_secret.shown", secret, attributes=told)
    return shown


async def give(
    engine: Engine,
    actor: Actor,
    secret: SharedSecretId,
    given: Sequence[Given],
    *,
    user: UserId | None = None,
    replaces: bool = False,
) -> list[SecretValue]:
    """Give attributes the values that they lack: everybody's by the owner, a user's own by themselves.

    With `replaces` also those that have one get another. Who gets all values may give those of another `user`.

    Raises SharedSecretNotFound, AttributeNotFound, NotOwner, ValueExists, SecretTooLarge, UserNotFound.
    """
    if len(given) > MOST_ATTRIBUTES:
        raise Invalid(f"at most {MOST_ATTRIBUTES} values are given at once", code="TOO_MANY_VALUES")
    asker = asker_of(actor)
    async with scoped(engine.database, asker.organization) as tx:
        held = await known(tx, actor, secret, lock=True)
        there = await store.get(tx, asker.organization, secret)
        attributes = {each.id: each for each in there.attributes} if there else {}
        written: list[tuple[AttributeId, UserId | None]] = []
        for each in given:
            attribute = attributes.get(each.attribute)
            if attribute is None:
                raise AttributeNotFound
            whose = await _whose(tx, asker.organization, attribute, asker.user, user)
            ensure_may_give(held.standing, asker.user, whose)
            sealed = values.seal(engine.keys, attribute.id, whose, fitting(engine, each.value))
            if replaces:
                await values.put(tx, asker, attribute.id, whose, sealed)
            elif not await values.add(tx, asker, attribute.id, whose, sealed):
                raise ValueExists(attribute.name)
            written.append((attribute.id, whose))
        names = [attributes[attribute].name for attribute, _ in written]
        await record(engine, tx, actor, asker.organization, "shared_secret.value_given", secret, attributes=names)
        rows = await values.of_secret(tx, secret, attribute=None, user=None)
    return [_returned(engine, row) for row in rows if (row.attribute_id, row.user_id) in written]


async def change(
    engine: Engine,
    actor: Actor,
    secret: SharedSecretId,
    value: SecretValueId,
    new: str,
    *,
    revision: int | None = None,
) -> SecretValue:
    """Put another value in the place of one. With a `revision`, only while it is the one there.

    Raises SharedSecretNotFound, ValueNotFound, NotOwner, RevisionStale, SecretTooLarge.
    """
    asker = asker_of(actor)
    async with scoped(engine.database, asker.organization) as tx:
        row = await _changeable(tx, actor, secret, value)
        ensure_current("value", row.revision, revision)
        sealed = values.seal(engine.keys, row.attribute_id, row.user_id, fitting(engine, new))
        await values.change(tx, asker, value, sealed)
        await record(
            engine,
            tx,
            actor,
            asker.organization,
            "shared_secret.value_changed",
            secret,
            attributes=[row.attribute_name],
        )
        after = await values.lock(tx, secret, value)
        assert after is not None  # noqa: S101  # written in the same transaction
    return _returned(engine, after)


async def removable(engine: Engine, actor: Actor, secret: SharedSecretId) -> list[HeldValue]:
    """The values that are the actor's to remove, none of them opened. Raises SharedSecretNotFound."""
    asker = asker_of(actor)
    async with scoped(engine.database, asker.organization) as tx:
        held = await known(tx, actor, secret)
        rows = await values.of_secret(tx, secret, attribute=None, user=None)
    return [_held(row) for row in rows if may_give(held.standing, asker.user, row.user_id)]


async def one_removable(engine: Engine, actor: Actor, secret: SharedSecretId, value: SecretValueId) -> HeldValue:
    """One of them. Raises SharedSecretNotFound, ValueNotFound: also for what is another's to remove."""
    asker = asker_of(actor)
    async with scoped(engine.database, asker.organization) as tx:
        held = await known(tx, actor, secret)
        row = await values.get(tx, secret, value)
    if row is None or not may_give(held.standing, asker.user, row.user_id):
        raise ValueNotFound
    return _held(row)


def _held(row: SealedValue) -> HeldValue:
    return HeldValue(
        id=row.id,
        number=row.number,
        attribute_name=row.attribute_name,
        username=row.username,
        updated_at=row.updated_at,
    )


async def remove(engine: Engine, actor: Actor, secret: SharedSecretId, value: SecretValueId) -> None:
    """Delete a value, for good. Raises SharedSecretNotFound, ValueNotFound, NotOwner."""
    async with scoped(engine.database, actor.organization_id) as tx:
        row = await _changeable(tx, actor, secret, value)
        await values.delete(tx, value)
        await record(
            engine,
            tx,
            actor,
            actor.organization_id,
            "shared_secret.value_deleted",
            secret,
            attributes=[row.attribute_name],
        )


async def read(engine: Engine, tx: ScopedTx, robot: StepRunActor, scope: Robot, name: str) -> SecretValues | None:
    """What a living robot gets of the organization's secret of a name, in the caller's transaction. Audited, masked.

    None, if it runs as nobody, or as somebody who neither owns nor consumes one of this name.
    """
    found = await values.readable(tx, scope, name)
    if found is None:
        return None
    opened = await values.values_for(tx, engine.keys, found.id, found.user_id)
    await masks.remember(tx, engine.keys, robot.step_run_id, SecretId(found.id), opened)
    await record(
        engine,
        tx,
        robot,
        scope,
        "shared_secret.read",
        found.id,
        process_id=robot.process_id,
        run_id=robot.run_id,
        step_run_id=robot.step_run_id,
        name=name,
        user=found.username,
    )
    return SecretValues(name=found.name, description=found.description, values=opened)


async def _changeable(tx: ScopedTx, actor: Actor, secret: SharedSecretId, value: SecretValueId) -> SealedValue:
    """A value, locked, if it is the actor's to change. One that they may not know of is not found."""
    asker = asker_of(actor)
    held = await known(tx, actor, secret)
    row = await values.lock(tx, secret, value)
    seen = row and sight(held.standing, asker.user, whose=row.user_id, is_masked=row.is_masked, is_alone=True)
    if row is None or seen is Sight.NOT:
        raise ValueNotFound
    ensure_may_give(held.standing, asker.user, row.user_id)
    return row


async def _whose(
    tx: ScopedTx, organization: OrganizationId, attribute: Attribute, asker: UserId | None, user: UserId | None
) -> UserId | None:
    """Of whom a new value of an attribute is."""
    if not attribute.is_user_provided:
        return None
    whose = user or asker
    if whose is None:
        raise Invalid("say of which user this value is", code="USER_MISSING")
    if not await is_known(tx, organization, Principal(PrincipalKind.USER, whose)):
        raise UserNotFound
    return whose


def fitting(engine: Engine, value: str) -> str:
    """The value, if it is not too large. Raises SecretTooLarge."""
    if len(value.encode()) > engine.limits.secret_bytes:
        raise SecretTooLarge(engine.limits.secret_bytes)
    return value


def _returned(engine: Engine, row: SealedValue) -> SecretValue:
    """What is told to who has just written it: they know the value; it need not stand in more places than before."""
    return SecretValue(row=row, value=None if row.is_masked else values.opened(engine.keys, row))
