"""What grants add up to, and who may give what to whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.access.errors import BeyondOwnRights, LastAdmin, LastOwner
from controlroom.engine.access.model import (
    EVERYTHING,
    OF_ORGANIZATION,
    Actor,
    ActorKind,
    Granted,
    Held,
    Permission,
)
from controlroom.engine.access.rules import ensure_kept, ensure_may_give, may_govern, permissions_of, union
from controlroom.ids import OrganizationId, WorkspaceId, uuid7

ORGANIZATION = OrganizationId(uuid7())
WORKSPACES = [WorkspaceId(uuid7()) for _ in range(3)]

permissions = st.frozensets(st.sampled_from(sorted(EVERYTHING)))
throughout = st.frozensets(st.sampled_from(Permission))
grants = st.dictionaries(st.sampled_from(WORKSPACES), permissions)
names = st.lists(st.sampled_from([*(p.value for p in Permission), "*", "automation360:bots.run", "new.write"]))
granted = st.lists(st.builds(Granted, st.sampled_from([None, *WORKSPACES]), names))


def actor_with(
    granted: dict[WorkspaceId, frozenset[Permission]], throughout: frozenset[Permission] = frozenset()
) -> Actor:
    return Actor(
        kind=ActorKind.USER,
        id=uuid7(),
        name="ada",
        organization_id=ORGANIZATION,
        grants=granted,
        throughout=throughout,
    )


@given(granted, st.frozensets(st.sampled_from(WORKSPACES)))
def test_grants_add_up(given_, living):
    """One may what any of one's grants allows there: in its workspace, if that lives, or in all of them."""
    held = union(given_, living)

    assert set(held.workspaces) <= living
    for workspace in living:
        allowed = {
            permission
            for grant in given_
            if grant.workspace in {None, workspace}
            for permission in permissions_of(grant.permissions, grant.workspace)
        }
        allowed -= OF_ORGANIZATION
        is_somebody_there = any(grant.workspace == workspace for grant in given_) or not allowed <= {Permission.RUNTIME}
        assert held.workspaces.get(workspace, frozenset()) == (allowed if is_somebody_there else frozenset())
    assert held.throughout == {
        permission
        for grant in given_
        if grant.workspace is None
        for permission in permissions_of(grant.permissions, None)
    }


@given(granted, granted, st.frozensets(st.sampled_from(WORKSPACES)))
def test_another_grant_takes_nothing_away(given_, more, living):
    """Whoever is granted more has all that they had."""
    before, after = union(given_, living), union([*given_, *more], living)

    assert before.throughout <= after.throughout
    for workspace, held in before.workspaces.items():
        assert held <= after.workspaces[workspace]


@given(names, st.sampled_from([None, *WORKSPACES]))
def test_names_that_mean_nothing_allow_nothing(named, workspace):
    """A grammar's own, those of a newer release, and in a workspace those of the organization."""
    allowed = permissions_of(named, workspace)

    assert {p.value for p in allowed} <= set(named) | ({p.value for p in EVERYTHING} if "*" in named else set())
    assert workspace is None or not allowed & OF_ORGANIZATION


@given(grants, throughout, throughout, st.sampled_from([None, *WORKSPACES]))
def test_what_is_given_is_ones_own(granted_, wide, given_, workspace):
    """Permissions can be given if, and only if, the giver has every one of them in that scope."""
    actor = actor_with(granted_, wide)
    own = wide if workspace is None else granted_.get(workspace, frozenset())

    if given_ <= own:
        ensure_may_give(actor, given_, workspace)
    else:
        with pytest.raises(BeyondOwnRights):
            ensure_may_give(actor, given_, workspace)


@given(grants, throughout, grants, throughout)
def test_whom_one_governs_can_do_no_more(mine, wide, theirs, their_wide):
    """Taking over the account of somebody whom an actor may govern gives the actor nothing that they lacked."""
    actor = actor_with(mine, wide)

    if may_govern(actor, Held(theirs, their_wide)):
        assert their_wide <= wide
        for workspace, held in theirs.items():
            assert held <= actor.permissions_in(workspace)


def test_an_admin_governs_everybody():
    """Also other admins, and users without any place."""
    everything = EVERYTHING | OF_ORGANIZATION
    admin = actor_with(dict.fromkeys(WORKSPACES, EVERYTHING), everything)

    assert may_govern(admin, Held(dict.fromkeys(WORKSPACES, EVERYTHING), everything))
    assert may_govern(admin, Held())
    assert not may_govern(actor_with(dict.fromkeys(WORKSPACES, EVERYTHING)), Held())


@given(st.sampled_from([None, *WORKSPACES]), st.integers(0, 3), st.integers(0, 3))
def test_the_last_one_who_governs_stays(place, before, after):
    """A workspace that had owners keeps one, an organization that had admins likewise."""
    if before and not after:
        with pytest.raises(LastAdmin if place is None else LastOwner):
            ensure_kept(place, before=before, after=after)
    else:
        ensure_kept(place, before=before, after=after)


def test_who_may_only_have_robots_run_has_no_place_in_a_workspace():
    """Of the organization, that is; who has it in the workspace is there."""
    [here, *_] = WORKSPACES
    runtime = [Permission.RUNTIME.value]

    assert union([Granted(None, runtime)], WORKSPACES).workspaces == {}
    assert union([Granted(here, runtime)], WORKSPACES).workspaces == {here: frozenset({Permission.RUNTIME})}
