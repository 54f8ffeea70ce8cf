"""Roles, groups and grants: what they give, to whom, and who may make them."""

import pytest

from controlroom.engine.access.actions import create_api_key, reveal_api_key
from controlroom.engine.access.credentials import authenticate_api_key
from controlroom.engine.access.errors import (
    BeyondOwnRights,
    GrantExists,
    GrantNotFound,
    GroupNotFound,
    LastAdmin,
    LastOwner,
    NameTaken,
    NotOfOrganization,
    PrincipalNotFound,
    RoleInUse,
    RoleNotFound,
    RoleOfSystem,
)
from controlroom.engine.access.grants.actions import get_grant, grant, list_grants, revoke
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.groups import actions as groups
from controlroom.engine.access.model import EVERYTHING, PERMISSIONS_OF_ROLE, Permission, Role
from controlroom.engine.access.roles import actions as roles
from controlroom.engine.access.roles.model import ADMIN, OF_MEMBERS
from controlroom.engine.access.rules import permissions_of
from controlroom.engine.access.users import actions as users
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.workspaces import actions as workspaces
from controlroom.errors import Forbidden, Invalid, NotFound
from controlroom.ids import UserId

pytestmark = pytest.mark.usefixtures("root")


def person(actor) -> Principal:
    return Principal(PrincipalKind.USER, actor.id)


def group_of(group) -> Principal:
    return Principal(PrincipalKind.GROUP, group.id)


async def again(engine, actor):
    """The actor as they are now."""
    return await actor_of_user(engine.database, UserId(actor.id))


async def test_the_system_s_roles_are_rows_that_say_what_the_program_says(engine, root):
    """Authentication reads rows, memberships are checked by the table in the program: they are the same."""
    rows = {role.id: role for role in await roles.list_roles(engine, root, limit=99)}

    for role, row in OF_MEMBERS.items():
        assert (rows[row].name, rows[row].is_system) == (role.value, True)
        assert permissions_of(rows[row].permissions, root.organization_id) == PERMISSIONS_OF_ROLE[role]
    assert permissions_of(rows[ADMIN].permissions, None) == frozenset(Permission)
    assert root.is_admin


async def test_roles_made_by_people_add_to_a_membership(engine, root, ben, workspace):
    """Ben operates, and by a further role reads keys; taken back, he does not any more."""
    auditor = await roles.create_role(
        engine, root, name="auditor", permissions=["api_keys.read", "audit.read", "automation360:AUDIT.view"]
    )
    assert auditor.permissions == ["api_keys.read", "audit.read", "automation360:AUDIT.view"]

    made = await grant(engine, root, person(ben), auditor.id, workspace)
    assert (await again(engine, ben)).grants == {
        workspace: PERMISSIONS_OF_ROLE[Role.OPERATOR] | {Permission.READ_API_KEYS, Permission.READ_AUDIT}
    }
    with pytest.raises(GrantExists):
        await grant(engine, root, person(ben), auditor.id, workspace)
    with pytest.raises(RoleInUse):
        await roles.delete_role(engine, root, auditor.id)

    await revoke(engine, root, made.id)
    await roles.delete_role(engine, root, auditor.id)
    assert (await again(engine, ben)).grants == {workspace: PERMISSIONS_OF_ROLE[Role.OPERATOR]}
    with pytest.raises(RoleNotFound):
        await roles.get_role(engine, root, auditor.id)


async def test_what_a_role_becomes_holds_for_all_who_have_it(engine, root, ben, workspace):
    """Editing it changes what its holders may do; the system's stay as they are, names are taken once."""
    keys = await roles.create_role(engine, root, name="Keys", permissions=["api_keys.read"])
    await grant(engine, root, person(ben), keys.id, workspace)

    await roles.edit_role(engine, root, keys.id, permissions=["api_keys.write"])

    now = (await again(engine, ben)).permissions_in(workspace)
    assert Permission.WRITE_API_KEYS in now
    assert Permission.READ_API_KEYS not in now
    with pytest.raises(NameTaken):
        await roles.create_role(engine, root, name="keys", permissions=[])
    with pytest.raises(RoleOfSystem):
        await roles.edit_role(engine, root, ADMIN, name="boss")
    with pytest.raises(Invalid):
        await roles.create_role(engine, root, name="all", permissions=["*"])


async def test_a_grant_in_the_organization_holds_in_every_workspace(engine, root, ada, workspace):
    """Also in those that are made later; it takes a right there to give it."""
    viewer = OF_MEMBERS[Role.VIEWER]
    with pytest.raises(NotOfOrganization):
        await grant(engine, ada, person(ada), viewer, None)

    await grant(engine, root, person(ada), viewer, None)
    other = await workspaces.create(engine, root, f"other than {workspace}")

    now = await again(engine, ada)
    assert now.grants == {workspace: EVERYTHING, other.id: PERMISSIONS_OF_ROLE[Role.VIEWER]}
    assert now.throughout == PERMISSIONS_OF_ROLE[Role.VIEWER]
    assert not now.is_admin


async def test_members_of_a_group_have_what_it_is_granted(engine, root, ben, ada, workspace):
    """From the moment they are in it until they are out, or the group is gone."""
    team = await groups.create_group(engine, root, name="Finance")
    await grant(engine, root, group_of(team), OF_MEMBERS[Role.OWNER], workspace)
    await groups.add_group_members(engine, root, team.id, [UserId(ben.id)])
    await groups.add_group_members(engine, root, team.id, [UserId(ben.id)])

    assert (await again(engine, ben)).grants == {workspace: EVERYTHING}
    assert [member.username for member in await groups.list_group_members(engine, root, team.id, limit=9)] == ["ben"]
    assert (await groups.get_group(engine, ada, team.id)).member_count == 1

    await groups.remove_group_members(engine, root, team.id, [UserId(ben.id)])
    assert (await again(engine, ben)).grants == {workspace: PERMISSIONS_OF_ROLE[Role.OPERATOR]}
    await groups.delete_group(engine, root, team.id)
    with pytest.raises(GroupNotFound):
        await groups.get_group(engine, root, team.id)
    assert {made.principal_name for made in await list_grants(engine, root, workspace, limit=9)} == {
        "ada",
        "ben",
        "root",
    }


async def test_who_holds_a_role_has_what_the_role_is_granted(engine, root, ben, cleo, workspace):
    """By themselves and by a group, for as long as they hold it in the organization; whom it is taken from, no more."""
    clerks = await roles.create_role(engine, root, name="Clerks", permissions=["automation360:dashboard.view"])
    viewer, members = OF_MEMBERS[Role.VIEWER], Principal(PrincipalKind.ROLE, clerks.id)
    given = await grant(engine, root, members, viewer, workspace)
    assert (given.principal_kind, given.principal_name, given.workspace_id) == (PrincipalKind.ROLE, "Clerks", workspace)
    with pytest.raises(GrantExists):
        await grant(engine, root, members, viewer, workspace)
    second = await roles.create_role(engine, root, name="Others", permissions=[])
    await grant(engine, root, Principal(PrincipalKind.ROLE, second.id), viewer, workspace)  # another's is another

    newcomer = await users.create_user(engine, root, workspace, username="nora", password=None, role=Role.VIEWER)
    await users.remove_member(engine, root, workspace, newcomer.id)
    nora = Principal(PrincipalKind.USER, newcomer.id)
    in_workspace = await grant(engine, root, nora, clerks.id, workspace)
    assert (await actor_of_user(engine.database, newcomer.id)).grants == {workspace: frozenset()}
    await revoke(engine, root, in_workspace.id)
    held = await grant(engine, root, nora, clerks.id, None)
    assert (await actor_of_user(engine.database, newcomer.id)).grants == {workspace: PERMISSIONS_OF_ROLE[Role.VIEWER]}
    await revoke(engine, root, held.id)
    assert (await actor_of_user(engine.database, newcomer.id)).grants == {}

    team = await groups.create_group(engine, root, name="Office")
    await grant(engine, root, group_of(team), clerks.id, None)
    await groups.add_group_members(engine, root, team.id, [newcomer.id])
    assert (await actor_of_user(engine.database, newcomer.id)).grants == {workspace: PERMISSIONS_OF_ROLE[Role.VIEWER]}
    await revoke(engine, root, given.id)
    assert (await actor_of_user(engine.database, newcomer.id)).grants == {}
    with pytest.raises(PrincipalNotFound):
        await grant(engine, root, Principal(PrincipalKind.ROLE, newcomer.id), viewer, workspace)


async def test_a_role_of_the_system_is_granted_things_in_each_organization_for_itself(
    engine, root, ben, workspace, team
):
    """It is everybody's; what one organization grants to it is no other's."""
    viewer = OF_MEMBERS[Role.VIEWER]
    await grant(engine, root, person(ben), viewer, None)
    await grant(engine, root, Principal(PrincipalKind.ROLE, viewer), OF_MEMBERS[Role.OWNER], workspace)
    assert (await again(engine, ben)).grants == {workspace: EVERYTHING}

    await engine.database.execute(
        """insert into access_grant (id, organization_id, workspace_id, holder_role_id, role_id)
           values (gen_random_uuid(), %(organization)s, %(workspace)s, %(viewer)s, %(owner)s)""",
        organization=team.elsewhere,
        workspace=team.other_workspace,
        viewer=viewer,
        owner=OF_MEMBERS[Role.OWNER],
    )
    assert (await again(engine, ben)).grants == {workspace: EVERYTHING}


async def test_who_gives_a_role_gives_what_the_role_is_granted(engine, root, ben, workspace):
    """So they must have it all; also who puts somebody into a group that holds it. A key that holds it has it, too."""
    clerks = await roles.create_role(engine, root, name="Clerks", permissions=[])
    await grant(engine, root, Principal(PrincipalKind.ROLE, clerks.id), OF_MEMBERS[Role.OWNER], workspace)
    manager = await roles.create_role(engine, root, name="Managers", permissions=["members.read", "members.write"])
    await grant(engine, root, person(ben), manager.id, None)
    manager_ben = await again(engine, ben)
    team = await groups.create_group(engine, root, name="Office")
    await grant(engine, root, group_of(team), clerks.id, None)

    with pytest.raises(BeyondOwnRights):
        await grant(engine, manager_ben, person(ben), clerks.id, None)
    with pytest.raises(BeyondOwnRights):
        await groups.add_group_members(engine, manager_ben, team.id, [UserId(ben.id)])

    other = await workspaces.create(engine, root, f"keys of {workspace}")
    key, value = await create_api_key(
        engine, await again(engine, root), other.id, name="key", permissions=[Permission.READ_ASSETS]
    )
    await grant(engine, root, Principal(PrincipalKind.CREDENTIAL, key.id), clerks.id, None)
    assert (await authenticate_api_key(engine, value)).permissions_in(workspace) == EVERYTHING


async def test_nobody_grants_what_they_lack(engine, root, ada, ben, workspace):
    """Not by a grant, not by taking one back, not by a role, not by a group."""
    clerk = await roles.create_role(engine, root, name="clerk", permissions=["members.read", "members.write"])
    await grant(engine, root, person(ben), clerk.id, workspace)
    clerk_ben = await again(engine, ben)
    owner = OF_MEMBERS[Role.OWNER]

    with pytest.raises(BeyondOwnRights):
        await grant(engine, clerk_ben, person(ben), owner, workspace)
    owned = next(made for made in await list_grants(engine, ada, workspace, limit=9) if made.role_id == owner)
    with pytest.raises(BeyondOwnRights):
        await revoke(engine, clerk_ben, owned.id)
    with pytest.raises(NotOfOrganization):
        await roles.create_role(engine, ada, name="mine", permissions=[])
    with pytest.raises(NotOfOrganization):
        await grant(engine, ada, person(ada), ADMIN, None)

    await grant(engine, root, person(ben), clerk.id, None)
    manager_ben = await again(engine, ben)
    team = await groups.create_group(engine, root, name="Admins")
    await grant(engine, root, group_of(team), ADMIN, None)
    for verb in (groups.add_group_members, groups.remove_group_members):
        with pytest.raises(BeyondOwnRights):
            await verb(engine, manager_ben, team.id, [UserId(ben.id)])
    with pytest.raises(BeyondOwnRights):
        await groups.delete_group(engine, manager_ben, team.id)


async def test_who_can_do_more_by_a_group_is_nobody_s_to_govern(engine, root, ada, ben):
    """Ada may give ben a new password, until he is an admin, by whatever way he became one."""
    await users.set_password(engine, ada, UserId(ben.id), "a new password")
    team = await groups.create_group(engine, root, name="Admins")
    await grant(engine, root, group_of(team), ADMIN, None)
    await groups.add_group_members(engine, root, team.id, [UserId(ben.id)])

    with pytest.raises(Forbidden):
        await users.set_password(engine, ada, UserId(ben.id), "another password")
    assert {user.username: user.is_admin for user in await users.list_users(engine, root, limit=9)} == {
        "root": True,
        "ada": False,
        "ben": True,
    }


async def test_the_last_who_governs_stays(engine, root, ada, workspace):
    """Neither a grant taken back, nor leaving a group, nor its end leaves a workspace without owner or no admin."""
    for made in await list_grants(engine, root, workspace, limit=9):
        if made.principal_name == "root":
            await revoke(engine, root, made.id)
    (hers,) = [made for made in await list_grants(engine, root, workspace, limit=9) if made.principal_name == "ada"]
    with pytest.raises(LastOwner):
        await revoke(engine, root, hers.id)

    team = await groups.create_group(engine, root, name="Owners")
    await grant(engine, root, group_of(team), OF_MEMBERS[Role.OWNER], workspace)
    with pytest.raises(LastOwner):  # nobody is in it
        await revoke(engine, root, hers.id)
    await groups.add_group_members(engine, root, team.id, [UserId(ada.id)])
    await revoke(engine, root, hers.id)
    with pytest.raises(LastOwner):
        await groups.remove_group_members(engine, root, team.id, [UserId(ada.id)])
    with pytest.raises(LastOwner):
        await groups.delete_group(engine, root, team.id)

    (admin,) = await list_grants(engine, root, None, limit=9)
    with pytest.raises(LastAdmin):
        await revoke(engine, root, admin.id)


async def test_a_key_can_be_granted_more_than_its_workspace(engine, root, ada, workspace):
    """It stands for itself: grants come on top of its own permissions; it is shown to who could give all of that."""
    other = await workspaces.create(engine, root, f"beside {workspace}")
    key, value = await create_api_key(engine, ada, workspace, name="ci", permissions=[Permission.START_RUNS])
    root = await again(engine, root)
    await grant(engine, root, Principal(PrincipalKind.CREDENTIAL, key.id), OF_MEMBERS[Role.VIEWER], other.id)

    actor = await authenticate_api_key(engine, value)

    assert actor.grants == {
        workspace: frozenset({Permission.START_RUNS}),
        other.id: PERMISSIONS_OF_ROLE[Role.VIEWER],
    }
    with pytest.raises(BeyondOwnRights):
        await reveal_api_key(engine, ada, workspace, key.id)
    assert await reveal_api_key(engine, root, workspace, key.id) == value
    granted = await list_grants(engine, root, other.id, limit=9)
    assert ("credential", "ci") in {(each.principal_kind, each.principal_name) for each in granted}


async def test_outsiders_see_and_reach_nothing(engine, root, ada, cleo, workspace, team):
    """Neither roles, nor groups, nor grants of another organization, where nobody of theirs can have a role."""
    role = await roles.create_role(engine, root, name="secret", permissions=["runs.read"])
    group = await groups.create_group(engine, root, name="secret")
    made = await grant(engine, root, person(ada), role.id, workspace)

    assert role.id not in {found.id for found in await roles.list_roles(engine, cleo, limit=99)}
    assert await groups.list_groups(engine, cleo, limit=9) == []
    for call in (
        roles.get_role(engine, cleo, role.id),
        groups.get_group(engine, cleo, group.id),
        get_grant(engine, cleo, made.id),
        revoke(engine, cleo, made.id),
        list_grants(engine, cleo, workspace, limit=9),
        grant(engine, cleo, person(cleo), OF_MEMBERS[Role.VIEWER], workspace),
        grant(engine, cleo, person(cleo), role.id, team.other_workspace),
    ):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(PrincipalNotFound):
        await grant(engine, root, person(cleo), role.id, workspace)
    with pytest.raises(GrantNotFound):
        await get_grant(engine, cleo, made.id)


async def test_what_is_done_to_roles_groups_and_grants_is_recorded(engine, root, ben, workspace):
    """Each verb is an event: of the organization, a grant in a workspace one of that."""
    role = await roles.create_role(engine, root, name="r", permissions=[])
    await roles.edit_role(engine, root, role.id, description="what for")
    group = await groups.create_group(engine, root, name="g")
    await groups.edit_group(engine, root, group.id, name="h")
    made = await grant(engine, root, group_of(group), role.id, workspace)
    await groups.add_group_members(engine, root, group.id, [UserId(ben.id)])
    await groups.remove_group_members(engine, root, group.id, [UserId(ben.id)])
    await revoke(engine, root, made.id)
    await groups.delete_group(engine, root, group.id)
    await roles.delete_role(engine, root, role.id)

    kinds = await engine.database.all(
        str,
        "select kind from event where organization_id = %(organization)s order by id",
        organization=root.organization_id,
    )
    assert kinds == [
        "role.created",
        "role.updated",
        "user_group.created",
        "user_group.updated",
        "grant.created",
        "user_group.member_added",
        "user_group.member_removed",
        "grant.deleted",
        "user_group.deleted",
        "role.deleted",
    ]
