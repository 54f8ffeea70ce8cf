"""Lockers: who sees them, who changes them, and that somebody always owns them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.access.errors import NameTaken, RoleNotFound, UserNotFound
from controlroom.engine.access.roles.model import ADMIN
from controlroom.engine.access.scope import Room, scoped
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import Asked
from controlroom.engine.vault.errors import (
    ConsumerExists,
    LastLockerOwner,
    LockerNotFound,
    LockerRightMissing,
    RevisionStale,
)
from controlroom.engine.vault.lockers import actions as lockers
from controlroom.engine.vault.lockers import listings
from controlroom.engine.vault.lockers.model import Locker, LockerRight, Standing
from controlroom.engine.vault.lockers.restoring import forget, restore
from controlroom.engine.vault.lockers.rules import asker_of, has
from controlroom.engine.vault.shared import actions as secrets
from controlroom.errors import Forbidden
from controlroom.ids import RoleId, UserId, uuid7

PARTICIPATE, MANAGE, OWN = LockerRight


@pytest.fixture
async def locker(engine, ada) -> Locker:
    """A locker that ada owns."""
    return await lockers.create(engine, ada, name="Finance", description="Of the bank")


async def names(engine, actor):
    """The lockers that somebody sees in the list."""
    within = listings.seen_by(asker_of(actor))
    page = await pages.page(engine.database, Locker, listings.LOCKERS, within, Asked(length=9, with_total=True))
    assert page.total is not None
    assert page.total.rows == len(page.rows)
    return [locker.name for locker in page.rows]


async def test_who_makes_a_locker_owns_it(engine, ada, dora):
    """Its first member may do everything; who may not keep secrets makes none; no two have one name."""
    locker = await lockers.create(engine, ada, name="Finance")

    assert (locker.revision, locker.secret_count, locker.created_by) == (1, 0, ada.id)
    assert [(member.username, member.rights) for member in locker.members] == [("ada", [OWN])]
    with pytest.raises(Forbidden):
        await lockers.create(engine, dora, name="Doras")
    with pytest.raises(NameTaken):
        await lockers.create(engine, ada, name="Finance")


async def test_only_those_see_it_who_have_to_do_with_it(engine, locker, ada, ben, dora, root, cleo, hold):
    """Members, holders of a consuming role, and who governs all: in the list and by its id alike."""
    role = await hold(dora)
    assert [await names(engine, actor) for actor in (ada, ben, dora, root, cleo)] == [
        ["Finance"],
        [],
        [],
        ["Finance"],
        [],
    ]
    with pytest.raises(LockerNotFound):
        await lockers.get(engine, ben, locker.id)

    await lockers.add_consumer(engine, ada, locker.id, role)
    await lockers.set_member(engine, ada, locker.id, UserId(ben.id), [PARTICIPATE])

    assert [await names(engine, actor) for actor in (ben, dora)] == [["Finance"], ["Finance"]]
    for actor in (ben, dora, root):
        assert (await lockers.get(engine, actor, locker.id)).name == "Finance"
        assert [consumer.role_id for consumer in await lockers.consumers(engine, actor, locker.id)] == [role]
    for nothing in (
        lockers.get(engine, cleo, locker.id),
        lockers.members(engine, cleo, locker.id),
        lockers.delete(engine, cleo, locker.id),
        lockers.edit(engine, cleo, locker.id, name="Mine"),
    ):
        with pytest.raises(LockerNotFound):
            await nothing


async def test_rights_include_each_other(engine, locker, ada, ben, hold):
    """A manager changes it and its consumers, not its members; a participant neither; an owner alone deletes it."""
    role = await hold()
    await lockers.set_member(engine, ada, locker.id, UserId(ben.id), [PARTICIPATE])
    for refused in (
        lockers.edit(engine, ben, locker.id, name="Bens"),
        lockers.add_consumer(engine, ben, locker.id, role),
        lockers.set_member(engine, ben, locker.id, UserId(ben.id), [OWN]),
    ):
        with pytest.raises(LockerRightMissing):
            await refused

    await lockers.set_member(engine, ada, locker.id, UserId(ben.id), [MANAGE])
    changed = await lockers.edit(engine, ben, locker.id, name="Bank", revision=1)
    await lockers.add_consumer(engine, ben, locker.id, role)
    await lockers.remove_consumer(engine, ben, locker.id, role)

    assert (changed.name, changed.description, changed.revision, changed.updated_by) == (
        "Bank",
        "Of the bank",
        2,
        ben.id,
    )
    for refused in (
        lockers.set_member(engine, ben, locker.id, UserId(ben.id), [OWN]),
        lockers.remove_member(engine, ben, locker.id, UserId(ada.id)),
        lockers.delete(engine, ben, locker.id),
    ):
        with pytest.raises(LockerRightMissing):
            await refused
    await lockers.delete(engine, ada, locker.id)
    assert await names(engine, ada) == []


async def test_who_saw_another_revision_changes_nothing(engine, locker, ada):
    """Of two who have seen the same one, the second is told."""
    await lockers.edit(engine, ada, locker.id, description="new", revision=1)

    with pytest.raises(RevisionStale) as stale:
        await lockers.edit(engine, ada, locker.id, description="newer", revision=1)

    assert stale.value.fields["revision"] == 2
    assert (await lockers.get(engine, ada, locker.id)).description == "new"


async def test_a_locker_keeps_an_owner(engine, locker, ada, ben, root):
    """Its last one neither goes nor becomes less; another one lets them."""
    for refused in (
        lockers.remove_member(engine, ada, locker.id, UserId(ada.id)),
        lockers.set_member(engine, root, locker.id, UserId(ada.id), [MANAGE]),
    ):
        with pytest.raises(LastLockerOwner):
            await refused

    await lockers.set_member(engine, ada, locker.id, UserId(ben.id), [OWN])
    await lockers.remove_member(engine, ada, locker.id, UserId(ada.id))

    assert [member.username for member in await lockers.members(engine, ben, locker.id)] == ["ben"]


async def test_nobody_of_elsewhere_comes_in(engine, locker, ada, cleo):
    """Neither a user nor a role of another organization; a role of the system does, once."""
    with pytest.raises(UserNotFound):
        await lockers.set_member(engine, ada, locker.id, UserId(cleo.id), [OWN])
    with pytest.raises(UserNotFound):
        await lockers.remove_member(engine, ada, locker.id, UserId(cleo.id))
    for role in (RoleId(uuid7()),):
        with pytest.raises(RoleNotFound):
            await lockers.add_consumer(engine, ada, locker.id, role)
    await lockers.add_consumer(engine, ada, locker.id, ADMIN)
    with pytest.raises(ConsumerExists):
        await lockers.add_consumer(engine, ada, locker.id, ADMIN)


async def test_what_is_done_to_lockers_is_recorded(engine, locker, ada, ben, team):
    """Each verb writes its event, of the organization."""
    await lockers.set_member(engine, ada, locker.id, UserId(ben.id), [MANAGE, PARTICIPATE])
    await lockers.delete(engine, ada, locker.id)

    kinds = await engine.database.value(
        """
        select array_agg(kind order by id) from event
         where organization_id = %(of)s and workspace_id is null and subject_id = %(id)s
        """,
        of=team.organization,
        id=locker.id,
    )
    assert kinds == ["locker.created", "locker.member_set", "locker.deleted"]


async def test_a_deleted_locker_is_had_again(engine, locker, later, ada, ben, cleo, dora, hold, team):
    """With who looks after it, who uses it and what was in it; what changed meanwhile stays as it is now."""
    roles = [await hold(dora), await hold()]
    for role in roles:
        await lockers.add_consumer(engine, ada, locker.id, role)
    await lockers.set_member(engine, ada, locker.id, UserId(ben.id), [MANAGE])
    kept, moved = [await secrets.create(engine, ada, name=name, locker=locker.id) for name in ("Kept", "Moved")]
    other = await lockers.create(engine, ada, name="Other")
    with pytest.raises(LockerNotFound):
        await restore(engine, ada, locker.id)
    await lockers.delete(engine, ada, locker.id)
    await engine.database.execute("delete from role where id = %(role)s", role=roles[1])
    await secrets.put_into(engine, ada, moved.id, other.id)
    for actor, refused in ((cleo, LockerNotFound), (dora, LockerNotFound), (ben, LockerRightMissing)):
        with pytest.raises(refused):
            await restore(engine, actor, locker.id)

    again = await restore(engine, ada, locker.id)

    assert (again.id, again.number, again.name) == (locker.id, locker.number, locker.name)
    assert {each.username: each.rights for each in again.members} == {"ada": [OWN], "ben": [MANAGE]}
    assert [each.role_id for each in await lockers.consumers(engine, ada, locker.id)] == [roles[0]]
    assert [(await secrets.get(engine, ada, each.id)).locker_id for each in (kept, moved)] == [locker.id, other.id]
    with pytest.raises(LockerNotFound):
        await restore(engine, ada, locker.id)

    await lockers.delete(engine, ada, locker.id)
    await lockers.edit(engine, ada, other.id, name=locker.name)
    with pytest.raises(NameTaken):
        await restore(engine, ada, locker.id)
    await lockers.edit(engine, ada, other.id, name="Other")
    await later(minutes=61)
    with pytest.raises(LockerNotFound):
        await restore(engine, ada, locker.id)
    noted = "select count(*) from deleted_locker where locker_id = %(locker)s"
    assert await engine.database.value(noted, locker=locker.id) == 1
    async with scoped(engine.database, Room()) as tx:
        await forget(tx, Room())
    assert await engine.database.value(noted, locker=locker.id) == 0


@given(st.sets(st.sampled_from(LockerRight)), st.booleans(), st.booleans())
def test_a_greater_right_includes_the_lesser(rights, consumes, governs):
    """Whoever owns manages, and whoever manages participates; who governs all may all; consuming gives no right."""
    standing = Standing(rights=frozenset(rights), consumes=consumes, governs=governs)

    assert has(standing, PARTICIPATE) >= has(standing, MANAGE) >= has(standing, OWN)
    assert has(standing, PARTICIPATE) == bool(rights or governs)
    assert has(standing, OWN) == (OWN in rights or governs)
