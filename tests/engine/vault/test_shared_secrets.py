"""Secrets of the organization: who sees them, who gets which values, and which robots read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from controlroom.engine.access.errors import NameTaken, UserNotFound
from controlroom.engine.access.model import Permission
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked
from controlroom.engine.vault import actions as vault
from controlroom.engine.vault.errors import (
    AttributeNotFound,
    AttributesInvalid,
    LockerRightMissing,
    NotOwner,
    RevisionStale,
    SecretNotFound,
    SecretTooLarge,
    SharedSecretNotFound,
    ValueExists,
    ValueNotFound,
)
from controlroom.engine.vault.lockers import actions as lockers
from controlroom.engine.vault.lockers.model import LockerRight, Standing
from controlroom.engine.vault.lockers.rules import asker_of
from controlroom.engine.vault.shared import actions as secrets
from controlroom.engine.vault.shared import giving, listings
from controlroom.engine.vault.shared.giving import Given
from controlroom.engine.vault.shared.model import AttributeDefinition, SecretChange, SecretStanding, SharedSecret
from controlroom.engine.vault.shared.rules import Sight, sight
from controlroom.errors import NotFound, Unauthenticated
from controlroom.ids import UserId, uuid7
from controlroom.keys import Unsealable


async def names(engine, actor, **which):
    """The secrets that somebody sees in the list."""
    within = listings.seen_by(asker_of(actor), **which)
    page = await pages.page(engine.database, SharedSecret, listings.SHARED_SECRETS, within, Asked(length=9))
    return [secret.name for secret in page.rows]


async def give(engine, actor, secret, **values):
    """Give attributes their values, by name."""
    ids = {attribute.name: attribute.id for attribute in secret.attributes}
    return await giving.give(engine, actor, secret.id, [Given(ids[name], value) for name, value in values.items()])


async def shown(engine, actor, secret, **which):
    """What somebody sees of the values, by the names of their attributes."""
    return {each.row.attribute_name: each.value for each in await giving.show(engine, actor, secret.id, **which)}


@pytest.fixture
async def share(engine, ada, hold):
    """Puts a secret of ada's into a locker that some users consume; the locker."""

    async def share(secret, *consumers, **where):
        locker = await lockers.create(engine, ada, name=f"locker {uuid7()}")
        await lockers.add_consumer(engine, ada, locker.id, await hold(*consumers, **where))
        await secrets.put_into(engine, ada, secret.id, locker.id)
        return locker

    return share


@pytest.fixture
def run_as(engine):
    """Lets a robot run as a user."""

    async def run_as(robot, user):
        await engine.database.execute(
            "update step_run set run_as = %(user)s where id = %(id)s", user=user.id, id=robot.step_run_id
        )

    return run_as


async def test_a_secret_is_its_owners(engine, bank, ada, ben, dora, root, cleo):
    """Others do not know that it is there; who governs all sees it, and none of its values."""
    await give(engine, ada, bank, user="ada", password="swordfish")

    assert [await names(engine, actor) for actor in (ada, ben, dora, root, cleo)] == [["bank"], [], [], ["bank"], []]
    governor = replace(root, throughout=frozenset({Permission.GOVERN_LOCKERS}))
    assert (await secrets.get(engine, governor, bank.id)).owner_id == ada.id
    assert await shown(engine, governor, bank) == {"user": "ada", "password": None}
    password = bank.attributes[1].id
    assert await shown(engine, governor, bank, attribute=password) == {"password": None}
    for stranger in (ben, dora, cleo):
        for nothing in (
            secrets.get(engine, stranger, bank.id),
            secrets.delete(engine, stranger, bank.id),
            secrets.edit(engine, stranger, bank.id, SecretChange(name="mine")),
            giving.show(engine, stranger, bank.id, attribute=password),
            give(engine, stranger, bank, user="eve"),
        ):
            with pytest.raises(SharedSecretNotFound):
                await nothing
    with pytest.raises(NameTaken):
        await secrets.create(engine, ben, name="bank")


async def test_what_is_masked_shows_to_its_owner_alone(engine, bank, ada, dora, root, share):
    """In clear only if they ask for this one; consumers see what is not masked, and what they gave themselves."""
    await share(bank, dora)
    await give(engine, ada, bank, user="ada", password="swordfish")
    await give(engine, dora, bank, pin="1234")
    _, password, pin = (attribute.id for attribute in bank.attributes)

    assert await shown(engine, ada, bank) == {"user": "ada", "password": None}
    assert await shown(engine, ada, bank, attribute=password) == {"password": "swordfish"}
    assert await shown(engine, dora, bank) == {"user": "ada", "password": None, "pin": None}
    assert await shown(engine, dora, bank, attribute=password) == {"password": None}
    assert await shown(engine, dora, bank, attribute=pin) == {"pin": "1234"}
    assert await shown(engine, ada, bank, attribute=pin) == {}
    assert await shown(engine, root, bank, attribute=pin, user=UserId(dora.id)) == {"pin": "1234"}
    told = await engine.database.value(
        "select jsonb_agg(data order by id) from event where kind = 'shared_secret.shown' and subject_id = %(id)s",
        id=bank.id,
    )
    assert {"attributes": ["password"]} in told
    assert "swordfish" not in str(told)


async def test_values_are_given_once_and_changed_by_revision(engine, bank, ada, dora, share):
    """Everybody's by the owner, a user's own by themselves; who saw another revision changes nothing."""
    await share(bank, dora)
    [value] = await give(engine, ada, bank, password="swordfish")
    assert "swordfish" not in repr(value)
    with pytest.raises(ValueExists):
        await give(engine, ada, bank, password="again")
    with pytest.raises(NotOwner):
        await give(engine, dora, bank, user="dora")
    with pytest.raises(NotOwner):
        await giving.change(engine, dora, bank.id, value.row.id, "mine")

    changed = await giving.change(engine, ada, bank.id, value.row.id, "marlin", revision=1)
    assert changed.row.revision == 2
    with pytest.raises(RevisionStale):
        await giving.change(engine, ada, bank.id, value.row.id, "perch", revision=1)
    assert await shown(engine, ada, bank, attribute=bank.attributes[1].id) == {"password": "marlin"}

    [pin] = await give(engine, dora, bank, pin="1234")
    with pytest.raises(ValueNotFound):
        await giving.remove(engine, ada, bank.id, pin.row.id)
    await giving.remove(engine, dora, bank.id, pin.row.id)
    with pytest.raises(SecretTooLarge):
        await give(engine, dora, bank, pin="1" * (engine.limits.secret_bytes + 1))
    with pytest.raises(AttributeNotFound):
        await giving.give(engine, ada, bank.id, [Given(uuid7(), "x")])


async def test_it_is_complete_when_nobody_owes_a_value(engine, bank, ada, ben, dora, share):
    """Everybody's values are there, and each consumer has given theirs: where nobody consumes it, the owner."""

    async def is_completed():
        return (await secrets.get(engine, ada, bank.id)).is_completed

    await give(engine, ada, bank, user="ada", password="swordfish")
    assert not await is_completed()
    await give(engine, ada, bank, pin="1")
    assert await is_completed()

    await share(bank, ben, dora)
    assert not await is_completed()
    await give(engine, ben, bank, pin="2")
    assert not await is_completed()
    await give(engine, dora, bank, pin="3")
    assert await is_completed()
    assert [await names(engine, ada, consumed=is_consumed) for is_consumed in (True, False)] == [[], ["bank"]]
    assert [await names(engine, dora, consumed=is_consumed) for is_consumed in (True, False)] == [["bank"], []]


async def test_lockers_take_what_participants_own(engine, bank, ada, ben, dora):
    """A participant puts in their own, and sees no others'; the owner of the secret or a manager takes it out."""
    locker = await lockers.create(engine, ada, name="Finance")
    await lockers.set_member(engine, ada, locker.id, UserId(ben.id), [LockerRight.PARTICIPATE])
    bens = await secrets.create(engine, ben, name="bens")
    await secrets.put_into(engine, ada, bank.id, locker.id)
    await secrets.put_into(engine, ben, bens.id, locker.id)

    assert [secret.name for secret in await secrets.in_locker(engine, ada, locker.id)] == ["bank", "bens"]
    assert [secret.name for secret in await secrets.in_locker(engine, ben, locker.id)] == ["bens"]
    assert (await names(engine, ben), await names(engine, ada)) == (["bens"], ["bank", "bens"])
    with pytest.raises(SharedSecretNotFound):
        await secrets.take_out(engine, ben, bank.id, locker.id)
    with pytest.raises(NotOwner):
        await secrets.give_to(engine, ada, bens.id, UserId(ada.id))
    await secrets.take_out(engine, ada, bens.id, locker.id)
    with pytest.raises(SharedSecretNotFound):
        await secrets.take_out(engine, ben, bens.id, locker.id)

    await lockers.delete(engine, ada, locker.id)
    assert (await secrets.get(engine, ada, bank.id)).locker_id is None
    theirs = await lockers.create(engine, ada, name="Adas")
    with pytest.raises(NotFound):
        await secrets.put_into(engine, ben, bens.id, theirs.id)
    with pytest.raises(NotFound):
        await secrets.put_into(engine, dora, bank.id, theirs.id)


async def test_consumers_put_nothing_in(engine, bank, ada, ben, share):
    """To use a locker is no right to fill it."""
    locker = await share(bank, ben)
    bens = await secrets.create(engine, ben, name="bens")

    with pytest.raises(LockerRightMissing):
        await secrets.put_into(engine, ben, bens.id, locker.id)
    with pytest.raises(LockerRightMissing):
        await secrets.take_out(engine, ben, bank.id, locker.id)


async def test_an_owner_gives_it_away(engine, bank, ada, ben, cleo):
    """It is the other's then, and theirs no more; nobody of another organization gets it."""
    with pytest.raises(UserNotFound):
        await secrets.give_to(engine, ada, bank.id, UserId(cleo.id))
    await secrets.give_to(engine, ada, bank.id, UserId(ben.id))

    assert (await secrets.get(engine, ben, bank.id)).owner_name == "ben"
    with pytest.raises(SharedSecretNotFound):
        await secrets.get(engine, ada, bank.id)


async def test_attributes_are_replaced_as_a_whole(engine, bank, ada):
    """Those that stay keep their values, under another name, too; what becomes each user's loses everybody's."""
    await give(engine, ada, bank, user="ada", password="swordfish")
    user, password, _ = bank.attributes
    wanted = [
        AttributeDefinition(id=password.id, name="user", is_masked=True),
        AttributeDefinition(id=user.id, name="password"),
        AttributeDefinition(name="host"),
    ]

    changed = await secrets.edit(engine, ada, bank.id, SecretChange(attributes=wanted), revision=1)

    assert [(each.name, each.revision) for each in changed.attributes] == [("user", 2), ("password", 2), ("host", 1)]
    assert await shown(engine, ada, bank, attribute=password.id) == {"user": "swordfish"}
    personal = [AttributeDefinition(name="user", is_user_provided=True)]
    await secrets.edit(engine, ada, bank.id, SecretChange(attributes=personal))
    assert await shown(engine, ada, bank) == {}
    with pytest.raises(RevisionStale):
        await secrets.edit(engine, ada, bank.id, SecretChange(description="old"), revision=1)
    for wrong in ([AttributeDefinition(name="a")] * 2, [AttributeDefinition(name=str(n)) for n in range(51)]):
        with pytest.raises(AttributesInvalid):
            await secrets.edit(engine, ada, bank.id, SecretChange(attributes=wrong))


async def test_values_are_not_in_the_database(engine, bank, ada, dora, share):
    """What is stored tells nothing, and is of no use in another place: another attribute's, another user's."""
    await share(bank, dora)
    await give(engine, ada, bank, password="swordfish", pin="4711")
    await give(engine, dora, bank, pin="1234")
    stored = await engine.database.value("select string_agg(sealed, '') from secret_value")
    assert b"swordfish" not in stored

    await engine.database.execute(
        """
        update secret_value set sealed = other.sealed from secret_value as other
         where secret_value.attribute_id = %(pin)s and other.attribute_id = %(pin)s
           and secret_value.user_id = %(dora)s and other.user_id = %(ada)s
        """,
        pin=bank.attributes[2].id,
        ada=ada.id,
        dora=dora.id,
    )
    with pytest.raises(Unsealable):
        await shown(engine, dora, bank, attribute=bank.attributes[2].id)


async def test_a_robot_reads_what_its_user_owns_or_consumes(
    engine, bank, robot, team, workspace, ada, ben, dora, share, run_as
):
    """By the secret's name, with its user's own values; who neither owns nor consumes it, or nobody, gets none."""
    await give(engine, ada, bank, user="ada", password="swordfish", pin="1")
    with pytest.raises(SecretNotFound):
        await vault.read(engine, robot, workspace, "bank")
    await run_as(robot, ada)
    assert (await vault.read(engine, robot, workspace, "bank")).values == {
        "user": "ada",
        "password": "swordfish",
        "pin": "1",
    }

    await run_as(robot, dora)
    with pytest.raises(SecretNotFound):
        await vault.read(engine, robot, workspace, "bank")
    await share(bank, dora, workspace=team.workspace)
    read = await vault.read(engine, robot, workspace, "bank")
    assert (read.description, read.values) == ("The bank", {"user": "ada", "password": "swordfish"})
    await run_as(robot, ben)
    with pytest.raises(SecretNotFound):
        await vault.read(engine, robot, workspace, "bank")

    recorded = await engine.database.value(
        """
        select jsonb_agg(jsonb_build_array(step_run_id, data ->> 'user') order by id) from event
         where kind = 'shared_secret.read' and subject_id = %(id)s
        """,
        id=bank.id,
    )
    assert recorded == [[str(robot.step_run_id), "ada"], [str(robot.step_run_id), "dora"]]
    assert await engine.database.value("select mask_count from step_run where id = %(id)s", id=robot.step_run_id) == 2


async def test_the_workspaces_own_secret_comes_first(engine, bank, robot, workspace, ada, run_as):
    """Where both have the name, the robot gets the workspace's, whatever it runs as."""
    await give(engine, ada, bank, user="organization's")
    await run_as(robot, ada)
    await vault.put(engine, ada, workspace, "bank", values={"user": "workspace's"})
    assert (await vault.read(engine, robot, workspace, "bank")).values == {"user": "workspace's"}

    await vault.delete(engine, ada, workspace, "bank")
    assert (await vault.read(engine, robot, workspace, "bank")).values == {"user": "organization's"}


async def test_who_is_gone_reads_nothing_more(engine, bank, robot, workspace, ada, run_as, overtake):
    """Neither a robot of a disabled user, nor an attempt that was overtaken; people do not read so at all."""
    await run_as(robot, ada)
    with pytest.raises(SecretNotFound):
        await vault.read(engine, ada, workspace, "bank")
    await engine.database.execute("update app_user set disabled_at = clock_now() where id = %(id)s", id=ada.id)
    with pytest.raises(SecretNotFound):
        await vault.read(engine, robot, workspace, "bank")
    await engine.database.execute("update app_user set disabled_at = null where id = %(id)s", id=ada.id)
    assert (await vault.read(engine, robot, workspace, "bank")).values == {}

    await overtake(robot)

    with pytest.raises(Unauthenticated):
        await vault.read(engine, robot, workspace, "bank")


@given(st.data())
def test_a_masked_value_shows_in_clear_to_few(data):
    """To whose it is, to the owner of the secret if it is everybody's, to who gets all values; asked for alone."""
    asker, other = UserId(uuid7()), UserId(uuid7())
    whose = data.draw(st.sampled_from([None, asker, other]))
    rights = frozenset(data.draw(st.sets(st.sampled_from(LockerRight))))
    consumes, governs, is_owner, reveals, is_masked, is_alone = (data.draw(st.booleans()) for _ in range(6))
    locker = Standing(rights=rights, consumes=consumes, governs=governs)
    standing = SecretStanding(is_owner=is_owner, locker=locker, reveals=reveals)

    seen = sight(standing, asker, whose=whose, is_masked=is_masked, is_alone=is_alone)

    assert (seen is Sight.NOT) == (whose == other and not reveals)
    if seen is Sight.CLEAR and is_masked:
        assert is_alone
        assert reveals or whose == asker or (whose is None and is_owner)
