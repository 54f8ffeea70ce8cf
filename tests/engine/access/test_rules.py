"""Who may give what to whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.access.errors import BeyondOwnRights
from controlroom.engine.access.model import PERMISSIONS_OF_ROLE, Actor, ActorKind, Permission, Role
from controlroom.engine.access.rules import ensure_may_give, may_govern
from controlroom.ids import OrganizationId, WorkspaceId, uuid7

ORGANIZATION = OrganizationId(uuid7())
WORKSPACES = [WorkspaceId(uuid7()) for _ in range(3)]

permissions = st.frozensets(st.sampled_from(Permission))
grants = st.dictionaries(st.sampled_from(WORKSPACES), permissions)


def actor_with(granted: dict[WorkspaceId, frozenset[Permission]], *, is_admin: bool = False) -> Actor:
    return Actor(
        kind=ActorKind.USER, id=uuid7(), name="ada", organization_id=ORGANIZATION, grants=granted, is_admin=is_admin
    )


@given(grants, permissions, st.sampled_from(WORKSPACES))
def test_what_is_given_is_ones_own(granted, given_, workspace):
    """Permissions can be given if, and only if, the giver has every one of them in that workspace."""
    actor = actor_with(granted)

    if given_ <= granted.get(workspace, frozenset()):
        ensure_may_give(actor, given_, workspace)
    else:
        with pytest.raises(BeyondOwnRights):
            ensure_may_give(actor, given_, workspace)


@given(grants, st.dictionaries(st.sampled_from(WORKSPACES), st.sampled_from(Role)), st.booleans())
def test_whom_one_governs_can_do_no_more(granted, roles, is_admin):
    """Taking over the account of somebody whom an actor may govern gives the actor nothing that they lacked."""
    actor = actor_with(granted)

    if may_govern(actor, is_admin=is_admin, roles=roles):
        assert not is_admin
        for workspace, role in roles.items():
            assert PERMISSIONS_OF_ROLE[role] <= actor.permissions_in(workspace)


def test_an_admin_governs_everybody():
    """Also other admins, and users without any place."""
    admin = actor_with({}, is_admin=True)

    assert may_govern(admin, is_admin=True, roles={})
    assert not may_govern(actor_with({}), is_admin=False, roles={})
