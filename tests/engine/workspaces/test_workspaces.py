"""Workspaces: seen by those inside, made by admins."""

import pytest

from controlroom.engine.access.model import Permission, Role
from controlroom.engine.access.scope import scope_of
from controlroom.engine.access.users.actions import get_member
from controlroom.engine.access.users.actors import actor_of_user
from controlroom.engine.workspaces import actions as workspaces
from controlroom.errors import Conflict, Forbidden, Invalid, NotFound
from controlroom.ids import UserId


async def test_those_inside_see_the_workspace(engine, ada, ben, robot, root, workspace, team):
    """It takes no permission, only a place in it."""
    for actor in (ada, ben, robot, root):
        found = await workspaces.get(engine, actor, workspace)
        assert (found.id, found.name) == (workspace, "Default")
        assert (found.organization.id, found.organization.name) == (team.organization, "Acme")


async def test_outsiders_are_told_that_there_is_none(engine, cleo, robot, root, workspace, team):
    """Also the admin of another organization, and a robot of another workspace."""
    for actor, asked in ((cleo, workspace), (robot, team.other_workspace), (root, team.other_workspace)):
        with pytest.raises(NotFound):
            await workspaces.get(engine, actor, asked)


async def test_everybody_lists_their_own(engine, ada, cleo, root, workspace, team):
    """Members see where they have a place, admins all of their organization."""
    second = await workspaces.create(engine, root, "Second")
    root = await actor_of_user(engine.database, UserId(root.id))

    assert [found.id for found in await workspaces.list_workspaces(engine, ada, limit=9)] == [workspace]
    assert [found.id for found in await workspaces.list_workspaces(engine, root, limit=9)] == [workspace, second.id]
    assert [found.id for found in await workspaces.list_workspaces(engine, root, after=workspace, limit=9)] == [
        second.id
    ]
    assert [found.id for found in await workspaces.list_workspaces(engine, cleo, limit=9)] == [team.other_workspace]


async def test_admins_make_workspaces_and_own_them(engine, ada, root):
    """Nobody else does; a name is unique in the organization."""
    made = await workspaces.create(engine, root, "Finance")
    root = await actor_of_user(engine.database, UserId(root.id))

    seen = scope_of(root, Permission.READ_MEMBERS, made.id)
    assert (await get_member(engine.database, seen, UserId(root.id))).role is Role.OWNER
    with pytest.raises(Conflict):
        await workspaces.create(engine, root, "Finance")
    with pytest.raises(Forbidden):
        await workspaces.create(engine, ada, "Mine")
    with pytest.raises(Invalid):
        await workspaces.create(engine, root, "  ")


async def test_owners_rename_their_workspace(engine, ada, ben, cleo, root, workspace):
    """To a name that no other workspace of the organization has."""
    await workspaces.create(engine, root, "Finance")

    assert (await workspaces.rename(engine, ada, workspace, "Sales")).name == "Sales"

    with pytest.raises(Conflict):
        await workspaces.rename(engine, ada, workspace, "Finance")
    with pytest.raises(Forbidden):
        await workspaces.rename(engine, ben, workspace, "Bens")
    with pytest.raises(NotFound):
        await workspaces.rename(engine, cleo, workspace, "Cleos")
