"""Who may do what in which folder."""

import pytest

from controlroom.engine.packages.actions import push
from controlroom.engine.repository import actions, granting, nodes
from controlroom.engine.repository.errors import NodeNotFound, NotPossible, RightMissing
from controlroom.engine.repository.model import Right
from controlroom.engine.repository.rights import rights_of
from controlroom.errors import Forbidden, Invalid


async def test_who_may_read_packages_sees_the_whole_workspace(tree, ada, ben, cleo, invoices):
    """Members see root, workspace, package and tasks; outsiders nothing of it; everybody their own root."""
    everything = ["Robots", "Robots", "Robots/Default", "Robots/Default/invoices"]
    everything += ["Robots/Default/invoices/Read", "Robots/Default/invoices/Write"]
    assert await tree.paths(ada) == everything
    assert await tree.paths(ben) == everything
    assert await tree.paths(cleo) == ["Robots", "Robots", "Robots/Default"]
    assert {
        row.name: (row.kind, row.content_type, row.version) for row in await tree.all(ada) if not row.is_folder
    } == {
        "Read": ("task", "bot", 1),
        "Write": ("task", "bot", 1),
    }


async def test_who_has_no_right_sees_and_runs_nothing(engine, tree, ada, clerk, invoices):
    """A user without a role's rights and without membership has the roots alone."""
    dora = await clerk.actor()
    rights = await rights_of(engine.database, dora)
    task = await tree.node(ada, "Robots/Default/invoices/Read")

    assert await tree.paths(dora) == ["Robots", "Robots"]
    assert (rights.workspaces(Right.RUN), rights.folders(Right.RUN)) == ((), ())
    with pytest.raises(NodeNotFound):
        await nodes.get(engine.database, rights, task.number)
    with pytest.raises(NodeNotFound):
        rights.require(Right.RUN, task)


async def test_a_roles_right_holds_below_its_folder(engine, tree, ada, root, clerk, workspace, invoices, zip_of):
    """Rights in a folder reach what lies in it, and the folders that lead there are seen; beside it nothing is."""
    await push(engine, ada, workspace, "letters", await zip_of("Send"))
    await granting.set_rights(engine, root, clerk.role, [(invoices.number, {Right.VIEW: True})])
    dora = await clerk.actor()

    assert await tree.paths(dora) == [
        "Robots",
        "Robots",
        "Robots/Default",
        "Robots/Default/invoices",
        "Robots/Default/invoices/Read",
        "Robots/Default/invoices/Write",
    ]
    rights = await rights_of(engine.database, dora)
    task = await tree.node(dora, "Robots/Default/invoices/Read")
    assert rights.of(task) == {Right.VIEW}
    with pytest.raises(RightMissing):
        rights.require(Right.RUN, task)
    assert rights.scope(Right.VIEW).workspaces == (workspace,)

    await granting.set_rights(engine, root, clerk.role, [(invoices.number, {Right.RUN: True})])

    rights = await rights_of(engine.database, dora)
    assert rights.of(task) == {Right.VIEW, Right.RUN}
    assert rights.folders(Right.RUN) == (invoices.id,)
    rights.require(Right.RUN, task)


async def test_the_nearest_folder_counts(engine, tree, ada, root, clerk, workspace, invoices):
    """What is said of a folder stands against what is said of the one above; cleared, that holds again."""
    folder = await actions.create_folder(engine, ada, workspace, "north")
    inner = await actions.create_folder(engine, ada, folder.id, "inner")
    file = await actions.create_file(engine, ada, inner.id, "notes.txt")
    await granting.set_rights(engine, root, clerk.role, [(workspace, {Right.VIEW: True, Right.DOWNLOAD: True})])
    dora = await clerk.actor()
    assert (await rights_of(engine.database, dora)).of(file) == {Right.VIEW, Right.DOWNLOAD}

    [told] = await granting.set_rights(engine, root, clerk.role, [(folder.number, {Right.DOWNLOAD: False})])

    assert (told.rights, told.is_inherited) == ({Right.VIEW}, False)
    assert (await rights_of(engine.database, dora)).of(file) == {Right.VIEW}
    [below] = await granting.rights_in(engine, root, clerk.role, inner.number)
    assert (below.rights, below.is_inherited) == ({Right.VIEW}, True)
    await granting.clear_rights(engine, root, clerk.role, folder.number)
    assert (await rights_of(engine.database, dora)).of(file) == {Right.VIEW, Right.DOWNLOAD}
    told = await granting.rights_in(engine, root, clerk.role, workspace, with_children=True)
    assert {each.folder_number for each in told} >= {folder.number, invoices.number}


async def test_a_right_is_enough_for_the_verb(engine, tree, ada, root, clerk, workspace):
    """Who may update a folder makes files in it and moves nothing out of it; who may delete deletes."""
    folder = await actions.create_folder(engine, ada, workspace, "north")
    given = {Right.VIEW: True, Right.UPDATE: True}
    await granting.set_rights(engine, root, clerk.role, [(folder.number, given)])
    dora = await clerk.actor()

    file = await actions.create_file(engine, dora, folder.number, "notes.txt")

    with pytest.raises(RightMissing):
        await actions.edit(engine, dora, file.number, parent=workspace)
    with pytest.raises(RightMissing):
        await actions.delete(engine, dora, file.number)
    await granting.set_rights(engine, root, clerk.role, [(folder.number, {Right.DELETE: True})])
    await actions.delete(engine, dora, file.number)
    assert await tree.paths(dora, kind="file") == []


async def test_only_who_edits_roles_gives_rights(engine, ada, root, clerk, workspace, team):
    """Not the owner of a workspace; and roles of the system, or roots and files, have none."""
    with pytest.raises(Forbidden):
        await granting.set_rights(engine, ada, clerk.role, [(workspace, {Right.VIEW: True})])
    with pytest.raises(Invalid):
        await granting.set_rights(engine, root, clerk.role, [(team.organization, {Right.VIEW: True})])
    with pytest.raises(NodeNotFound):
        await granting.set_rights(engine, root, clerk.role, [(team.other_workspace, {Right.VIEW: True})])
    with pytest.raises(NotPossible):
        await granting.set_rights(
            engine, root, "00000000-0000-7000-8000-000000000003", [(workspace, {Right.VIEW: True})]
        )
