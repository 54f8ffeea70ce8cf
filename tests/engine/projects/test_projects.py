"""Projects are workspaces: made with one or of one, changed while nobody else did, and seen by nobody outside."""

import pytest

from controlroom.engine.access.scope import within
from controlroom.engine.lists import pages
from controlroom.engine.lists.model import AllOf, Asked, Compare, Operator
from controlroom.engine.packages import actions as packages
from controlroom.engine.projects import actions, store
from controlroom.engine.projects.errors import NotOfProject, ProjectChanged, ProjectNotFound
from controlroom.engine.projects.listings import PROJECTS
from controlroom.engine.projects.model import Project, ProjectChange
from controlroom.errors import Conflict, Forbidden, Invalid, NotFound


async def test_a_workspace_becomes_a_project_once(engine, workspace, ada, ben, seen):
    """It keeps its id, number and name; asking again changes nothing but what is asked for."""
    with pytest.raises(ProjectNotFound):
        await store.get(engine.database, seen)
    made = await actions.found(engine, ada, workspace, ProjectChange(subdirectory="transform/"))
    again = await actions.found(engine, ada, workspace)

    assert made.id == workspace
    assert again == made
    assert (made.subdirectory, made.package_id) == ("transform", None)
    with pytest.raises(Forbidden):
        await actions.found(engine, ben, workspace)


async def test_outsiders_see_no_project(engine, workspace, ada, cleo):
    """Neither to change it nor to delete it."""
    await actions.found(engine, ada, workspace)

    with pytest.raises(NotFound):
        await actions.change(engine, cleo, workspace, ProjectChange(description="mine"))
    with pytest.raises(NotFound):
        await actions.delete(engine, cleo, workspace)


async def test_a_project_is_changed_as_asked(engine, workspace, ada, cleo, team, seen):
    """What is left out stays, what is null is taken away; an older revision, or what is another's, is refused."""
    made = await actions.found(engine, ada, workspace, ProjectChange(description="first"))
    package = await packages.create(engine, ada, workspace, "shop")
    strange = await packages.create(engine, cleo, team.other_workspace, "strange")

    changed = await actions.change(
        engine, ada, workspace, ProjectChange(name="shop", package_id=package.id, revision=made.revision)
    )
    assert (changed.name, changed.description, changed.package_id) == ("shop", "first", package.id)
    assert changed.package_number == package.number
    for wrong in (ProjectChange(package_id=strange.id), ProjectChange(subdirectory="../elsewhere")):
        with pytest.raises((NotOfProject, Invalid)):
            await actions.change(engine, ada, workspace, wrong)
    with pytest.raises(ProjectChanged):
        await actions.change(engine, ada, workspace, ProjectChange(name="other", revision=made.revision))
    assert await store.get(engine.database, seen) == changed
    emptied = await actions.change(engine, ada, workspace, ProjectChange(package_id=None))
    assert (emptied.package_id, emptied.name) == (None, "shop")


async def test_a_deleted_project_is_listed_as_such(engine, workspace, ada, seen):
    """The workspace stays, and can be a project again."""
    await actions.found(engine, ada, workspace)
    gone = await actions.delete(engine, ada, workspace)

    assert gone.state == "deleted"
    assert await store.find(engine.database, seen) is None
    with pytest.raises(ProjectNotFound):
        await actions.delete(engine, ada, workspace)
    active = Asked(length=10, filter=Compare("state", Operator.EQ, "active"))
    assert await pages.rows(engine.database, Project, PROJECTS, within(seen), active) == []
    [listed] = await pages.rows(engine.database, Project, PROJECTS, within(seen), Asked(length=10, filter=AllOf()))
    assert listed == gone
    assert (await actions.found(engine, ada, workspace)).state == "active"


async def test_a_project_is_made_with_its_workspace(engine, root):
    """In one commit: if anything of it is refused, there is no workspace."""
    with pytest.raises(Invalid):
        await actions.create(engine, root, "stock", ProjectChange(subdirectory="../x"))
    made = await actions.create(engine, root, "stock", ProjectChange(description="Stock"))

    assert (made.name, made.description) == ("stock", "Stock")
    with pytest.raises(Conflict):
        await actions.create(engine, root, "stock")


async def test_who_may_not_make_workspaces_makes_no_project(engine, ada):
    """The refusal names the permission."""
    with pytest.raises(Forbidden, match=r"workspaces\.write"):
        await actions.create(engine, ada, "stock")
