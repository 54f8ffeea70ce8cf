"""Saved views: one's own and shared ones, who sees and who changes them, and what of them there may be."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.access.model import PERMISSIONS_OF_ROLE, Actor, ActorKind, Permission, Role
from controlroom.engine.access.users import accounts
from controlroom.engine.saved_views import actions, rules
from controlroom.engine.saved_views.errors import (
    OwnViewsAreUsers,
    SavedViewInvalid,
    SavedViewNameTaken,
    SavedViewNotFound,
    TooManySavedViews,
)
from controlroom.engine.saved_views.model import ViewChange
from controlroom.errors import Forbidden, Invalid, NotFound
from controlroom.ids import uuid7
from engine.conftest import new_user


@pytest.fixture
def hire(engine, team):
    """Makes users of a role."""

    async def hired(role=Role.OPERATOR):
        return await new_user(engine, f"user-{uuid7().hex[-12:]}", team.organization, team.workspace, role)

    return hired


async def saved(engine, actor, workspace, name="Bad ones", *, of="runs", query="tab=unresolved", is_shared=False):
    return await actions.save(engine, actor, workspace, of=of, name=name, query=query, is_shared=is_shared)


async def names(engine, actor, workspace, of="runs"):
    return [each.name for each in await actions.list_views(engine, actor, workspace, of)]


async def test_own_views_are_ones_own_and_shared_ones_everybodys(engine, workspace, hire):
    """By name, one's own first; of the list that is asked; nobody finds another one's by its id."""
    ben, vera = await hire(), await hire(Role.VIEWER)
    own = await saved(engine, ben, workspace, "mine")
    await saved(engine, ben, workspace, "Äpfel", is_shared=True)
    await saved(engine, vera, workspace, "hers", query="")
    await saved(engine, vera, workspace, "items of hers", of="items")

    assert await names(engine, ben, workspace) == ["mine", "Äpfel"]
    assert await names(engine, vera, workspace) == ["hers", "Äpfel"]
    assert (own.query, own.user_id, own.made_by.lower()) == ("tab=unresolved", ben.id, ben.name)
    with pytest.raises(SavedViewNotFound):
        await actions.get(engine, vera, workspace, own.id)
    assert (await actions.get(engine, ben, workspace, own.number)).id == own.id


async def test_who_changes_a_view(engine, workspace, hire):
    """One's own; a shared one its maker, and who may change the workspace; a viewer shares nothing."""
    ben, bob, vera, olga = await hire(), await hire(), await hire(Role.VIEWER), await hire(Role.OWNER)
    shared = await saved(engine, ben, workspace, f"v {uuid7()}", is_shared=True)
    own = await saved(engine, vera, workspace, "own")

    with pytest.raises(Forbidden):
        await saved(engine, vera, workspace, "mine", is_shared=True)
    with pytest.raises(Forbidden):
        await actions.change(engine, vera, workspace, own.id, ViewChange(is_shared=True))
    for act in (
        actions.change(engine, bob, workspace, shared.id, ViewChange(name="x")),
        actions.delete(engine, bob, workspace, shared.id),
    ):
        with pytest.raises(Forbidden):
            await act
    with pytest.raises(SavedViewInvalid):
        await actions.change(engine, olga, workspace, shared.id, ViewChange(is_shared=False))
    with pytest.raises(SavedViewNotFound):
        await actions.delete(engine, olga, workspace, own.id)
    after = await actions.change(engine, olga, workspace, shared.id, ViewChange(query="since=24h"))
    assert (after.query, after.name, after.user_id) == ("since=24h", shared.name, ben.id)
    back = await actions.change(engine, ben, workspace, shared.id, ViewChange(is_shared=False))
    assert not back.is_shared
    assert back.name not in await names(engine, bob, workspace)
    await actions.delete(engine, ben, workspace, shared.id)


async def test_names_are_one_persons_or_everybodys(engine, workspace, hire):
    """A name is taken by one's own view of the list, or by a shared one, whatever its case; not by others' own."""
    ben, bob = await hire(), await hire()
    name = f"View {uuid7()}"
    await saved(engine, ben, workspace, name)
    await saved(engine, bob, workspace, name)
    await saved(engine, ben, workspace, name, of="items")
    shared = await saved(engine, ben, workspace, name, is_shared=True)
    with pytest.raises(SavedViewNameTaken):
        await saved(engine, ben, workspace, name.upper())
    with pytest.raises(SavedViewNameTaken):
        await saved(engine, bob, workspace, name, is_shared=True)
    with pytest.raises(SavedViewNameTaken):
        await actions.change(engine, ben, workspace, shared.id, ViewChange(is_shared=False))


async def test_nobody_hears_of_a_list_that_they_may_not_see(engine, workspace, hire):
    """A viewer sees no secrets, and no view of their list."""
    ben, vera = await hire(), await hire(Role.VIEWER)
    view = await saved(engine, ben, workspace, f"s {uuid7()}", of="secrets", query="q=bank", is_shared=True)
    assert {each.list for each in await actions.list_views(engine, vera, workspace)} <= {"runs", "items"}
    with pytest.raises(SavedViewNotFound):
        await actions.get(engine, vera, workspace, view.id)
    with pytest.raises(Forbidden):
        await saved(engine, vera, workspace, of="secrets")


async def test_outsiders_and_programs(engine, workspace, hire):
    """Who has no place in the workspace finds nothing; a key has no views of its own, and shares one if it may."""
    ben = await hire()
    outsider = Actor(kind=ActorKind.USER, id=uuid7(), name="x", organization_id=ben.organization_id)
    with pytest.raises(NotFound):
        await actions.list_views(engine, outsider, workspace)
    powerless = Actor(
        kind=ActorKind.API_KEY,
        id=uuid7(),
        name="x",
        organization_id=ben.organization_id,
        grants={workspace: frozenset()},
    )
    with pytest.raises(Forbidden):
        await actions.list_views(engine, powerless, workspace)
    may = frozenset({Permission.READ_RUNS, Permission.WRITE_PROCESSES})
    key = Actor(
        kind=ActorKind.API_KEY, id=uuid7(), name="k", organization_id=ben.organization_id, grants={workspace: may}
    )
    with pytest.raises(OwnViewsAreUsers):
        await saved(engine, key, workspace)
    shared = await saved(engine, key, workspace, f"k {uuid7()}", is_shared=True)
    assert (shared.user_id, shared.made_by) == (None, "")


async def test_lists_above_the_workspaces_have_views_of_their_own(engine, workspace, hire):
    """Who governs the organization has them there; a view of a workspace is none of them."""
    ben, olga = await hire(), await hire(Role.OWNER)
    with pytest.raises(Forbidden):
        await saved(engine, ben, None, of="users")
    governing = Actor(
        kind=ActorKind.USER,
        id=olga.id,
        name=olga.name,
        organization_id=olga.organization_id,
        grants=olga.grants,
        throughout=frozenset({Permission.READ_MEMBERS, Permission.READ_AUDIT}),
    )
    await saved(engine, governing, None, "silent", of="users", query="tab=never")
    await saved(engine, governing, workspace, "audit here", of="audit", query="")
    assert await names(engine, governing, None, "users") == ["silent"]
    assert await names(engine, governing, None, "audit") == []
    with pytest.raises(Forbidden):
        await saved(engine, governing, None, "all", of="users", is_shared=True)


async def test_there_is_an_end_to_views(engine, workspace, hire, monkeypatch):
    """Of one's own and of shared ones, each for itself."""
    ben = await hire()
    monkeypatch.setattr(actions, "MOST_OWN", 2)
    await saved(engine, ben, workspace, "1")
    await saved(engine, ben, workspace, "2", of="items")
    with pytest.raises(TooManySavedViews):
        await saved(engine, ben, workspace, "3")
    shared = await saved(engine, ben, workspace, f"4 {uuid7()}", is_shared=True)
    with pytest.raises(TooManySavedViews):
        await actions.change(engine, ben, workspace, shared.id, ViewChange(is_shared=False))


async def test_views_of_a_deleted_user_go_with_them(engine, workspace, hire, root):
    """What they have shared stays with who works with it."""
    ben, bob = await hire(), await hire()
    own = await saved(engine, ben, workspace, "own")
    shared = await saved(engine, ben, workspace, f"s {uuid7()}", is_shared=True)
    await accounts.delete(engine, root, ben.id)
    left = "select count(*) from saved_view where id = any (%(ids)s::uuid[])"
    assert await engine.database.value(left, ids=[own.id]) == 0
    assert shared.name in await names(engine, bob, workspace)


@pytest.mark.parametrize("name", ["", " a", "a\nb", "x" * 61])
async def test_what_is_no_name(name):
    """Is said."""
    with pytest.raises(Invalid):
        rules.checked_view_name(name)


@pytest.mark.parametrize(
    "query", ["a", "&&", "q=\u00e6", "q=%00", "x=" + "y" * 2000, "&".join("a=b" for _ in range(41)), "a=b\r\nc: d"]
)
def test_what_is_no_query(query):
    """An address's query has fields and values, in ASCII, and an end."""
    with pytest.raises(SavedViewInvalid):
        rules.checked_query(query)


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=5).filter(lambda x: "\0" not in x),
        st.text(max_size=5).filter(lambda x: "\0" not in x),
        max_size=5,
    )
)
def test_what_a_form_makes_is_a_query(fields):
    """Whatever is sought."""
    query = urlencode(fields)
    assert rules.checked_query(query) == query


def test_whoever_reads_anything_sees_some_list():
    """No role of members is refused its own views."""
    for role in Role:
        assert set(rules.LISTS.values()) & PERMISSIONS_OF_ROLE[role]
