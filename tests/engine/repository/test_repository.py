"""Folders and files are made, edited, moved and deleted; a file becomes a bot."""

import pytest
from msgspec.structs import replace

from controlroom.engine.packages.actions import push
from controlroom.engine.packages.errors import PackageLocked
from controlroom.engine.repository import actions, checkouts, contents, dependencies, nodes
from controlroom.engine.repository.errors import (
    FolderNotEmpty,
    Locked,
    NodeNameTaken,
    NodeNotFound,
    NotPossible,
    OneOfSeveralTasks,
)
from controlroom.engine.repository.rights import rights_of
from controlroom.engine.workspaces.actions import WorkspaceNotEmpty
from controlroom.errors import Forbidden, Invalid
from controlroom.ids import uuid7


async def test_folders_lie_in_folders(engine, tree, ada, workspace):
    """A folder is made, found by its path and number, renamed and moved with all that lies in it."""
    outer = await actions.create_folder(engine, ada, workspace, "north")
    inner = await actions.create_folder(engine, ada, outer.number, "inner")
    file = await actions.create_file(engine, ada, inner.number, "notes.txt", content_type="text/plain")
    assert await tree.paths(ada, kind="file") == ["Robots/Default/north/inner/notes.txt"]
    with pytest.raises(NodeNameTaken):
        await actions.create_folder(engine, ada, outer.number, "INNER")

    await actions.edit(engine, ada, outer.number, name="south")
    moved = await actions.edit(engine, ada, inner.number, parent=workspace, name="deep")

    assert (moved.parent_id, moved.path) == (workspace, ["Default", "deep"])
    assert await tree.paths(ada, kind="file") == ["Robots/Default/deep/notes.txt"]
    assert (await tree.node(ada, "Robots/Default/deep/notes.txt")).number == file.number
    with pytest.raises(NotPossible):
        await actions.edit(engine, ada, moved.number, parent=moved.number)
    with pytest.raises(FolderNotEmpty):
        await actions.delete(engine, ada, moved.number)
    await actions.delete(engine, ada, file.number)
    await actions.delete(engine, ada, moved.number)
    assert await tree.paths(ada, kind="folder") == ["Robots/Default/south"]


async def test_a_name_has_no_slash(engine, ada, workspace):
    """What separates names in a path is in none."""
    for name in ("a/b", "a\\b", "", " a"):
        with pytest.raises(Invalid):
            await actions.create_folder(engine, ada, workspace, name)


async def test_a_folder_of_the_root_is_a_workspace(engine, tree, root, ada, team, invoices):
    """It takes the right to make workspaces; renamed and, while it is empty, deleted like a folder."""
    with pytest.raises(Forbidden):
        await actions.create_folder(engine, ada, team.organization, "Finance")
    made = await actions.create_folder(engine, root, team.organization, "Finance")
    assert (made.kind, made.path, made.parent_id) == ("workspace", ["Finance"], team.organization)
    again = type(root)(
        kind=root.kind,
        id=root.id,
        name=root.name,
        organization_id=root.organization_id,
        grants=root.grants | {made.id: root.throughout},
        throughout=root.throughout,
    )

    renamed = await actions.edit(engine, again, made.number, name="Money")

    assert renamed.name == "Money"
    await actions.delete(engine, again, made.number)
    with pytest.raises(WorkspaceNotEmpty):
        await actions.delete(engine, root, team.workspace)


async def test_a_users_own_tree_is_theirs(engine, tree, ada, ben):
    """Files of a user's own are seen by nobody else, however much they may."""
    file = await actions.create_file(engine, ada, ada.id, "draft.txt")
    blob = await engine.objects.put_bytes(b"hello")
    await contents.put(engine, ada, file.number, blob)

    assert await tree.paths(ada, kind="file") == ["Robots/draft.txt"]
    assert await tree.paths(ben, kind="file") == []
    with pytest.raises(NodeNotFound):
        await nodes.get(engine.database, await rights_of(engine.database, ben), file.number)
    with pytest.raises(NodeNotFound):
        await actions.create_file(engine, ben, ada.id, "mine.txt")


async def test_a_file_has_versions_and_labels(engine, tree, ada, workspace):
    """Each content is a version; one bears a label, which moves."""
    file = await actions.create_file(engine, ada, workspace, "rates.csv", content_type="text/csv")
    for text in (b"1", b"22"):
        after = await contents.put(engine, ada, file.number, await engine.objects.put_bytes(text), has_errors=True)
    assert (after.version, after.size, after.has_errors) == (2, 2, True)

    await contents.set_label(engine, ada, file.number, "live", 1)

    [row] = await tree.all(ada, kind="file")
    assert (row.version, row.labelled_version, row.content_type) == (2, 1, "text/csv")
    assert (await contents.content(engine.database, after, 1)).size == 1


async def test_a_file_becomes_a_bot_with_its_number(engine, tree, ada, workspace, zip_of):
    """A zip with a robot of one task makes a package of the file; the task has its number, for later versions too."""
    folder = await actions.create_folder(engine, ada, workspace, "north")
    file = await actions.create_file(engine, ada, folder.id, "Bill")

    bot = await contents.put(engine, ada, file.number, await zip_of("Main"))

    assert (bot.kind, bot.number, bot.version) == ("task", file.number, 1)
    assert await tree.paths(ada, kind="task") == ["Robots/Default/north/Bill/Main"]
    again = await contents.put(engine, ada, file.number, await zip_of("Main", content="print(2)"))
    assert (again.number, again.version) == (file.number, 2)
    with pytest.raises(Invalid):
        await contents.put(engine, ada, file.number, await engine.objects.put_bytes(b"no robot"))
    pushed = await push(engine, ada, workspace, "Bill", await zip_of("Main", content="print(3)"))
    assert (pushed.is_new_version, (await tree.node(ada, "Robots/Default/north/Bill/Main")).version) == (True, 3)


async def test_a_bot_of_several_tasks_is_their_folder(engine, tree, ada, workspace, zip_of):
    """The package has the file's number then; one task of it is neither renamed nor deleted."""
    file = await actions.create_file(engine, ada, workspace, "Bill")

    package = await contents.put(engine, ada, file.number, await zip_of("Read", "Write"))

    assert (package.kind, package.number) == ("package", file.number)
    task = await tree.node(ada, "Robots/Default/Bill/Read")
    for verb in (actions.delete(engine, ada, task.number), actions.edit(engine, ada, task.number, name="x")):
        with pytest.raises(OneOfSeveralTasks):
            await verb
    renamed = await actions.edit(engine, ada, package.number, name="Bills")
    assert renamed.path == ["Default", "Bills"]
    await actions.delete(engine, ada, package.number)
    assert await tree.paths(ada, kind="task") == []


async def test_a_check_out_locks_and_copies(engine, tree, ada, ben, workspace, zip_of):
    """While one has it, nobody else pushes, edits or deletes; checked in, the copy is the next version."""
    await push(engine, ada, workspace, "Bill", await zip_of("Main"))
    task = await tree.node(ada, "Robots/Default/Bill/Main")

    copy = await checkouts.check_out(engine, ben, task.number)

    assert (copy.owner_id, copy.copied_from, copy.version) == (ben.id, task.id, 1)
    with pytest.raises(PackageLocked):
        await push(engine, ada, workspace, "Bill", await zip_of("Main", content="print(2)"))
    for verb in (
        checkouts.check_out(engine, ada, task.number),
        actions.delete(engine, ada, task.number),
        contents.put(engine, ada, task.number, await zip_of("Main", content="print(2)")),
    ):
        with pytest.raises(Locked):
            await verb
    await contents.put(engine, ben, copy.number, await zip_of("Main", content="print(3)"))
    await checkouts.check_in(engine, ben, copy.number)
    assert (await tree.node(ada, "Robots/Default/Bill/Main")).version == 2
    assert await tree.paths(ben, kind="file") == []

    first = await checkouts.check_out(engine, ben, task.number)
    freed = await checkouts.unlock(engine, ada, task.number)
    assert freed.locked_by is None
    second = await checkouts.check_out(engine, ben, task.number)
    assert second.name == f"{first.name} (2)"


async def test_needs_are_read_both_ways(engine, ada, ben, cleo, workspace, tree, invoices):
    """What a file needs brings what that needs; outsiders are told of nothing."""
    files = [await actions.create_file(engine, ada, workspace, f"{name}.txt") for name in "abc"]
    await dependencies.set_needed(engine, ada, files[1].number, [files[2].number])

    needed = await dependencies.set_needed(engine, ada, files[0].number, [files[1].number])

    assert [each.node.name for each in needed] == ["b.txt", "c.txt"]
    rights = await rights_of(engine.database, ben)
    [parent] = await dependencies.needing(engine.database, rights, files[1])
    assert (parent.node.name, parent.needed_by) == ("a.txt", files[1].id)
    assert await dependencies.needed_by(engine.database, await rights_of(engine.database, cleo), files[0]) == []
    with pytest.raises(Invalid):
        await dependencies.set_needed(engine, ada, files[0].number, [files[0].number])
    with pytest.raises(NodeNotFound):
        await dependencies.set_needed(engine, cleo, files[0].number, [])


async def test_a_copy_is_another(engine, tree, ada, workspace, zip_of):
    """A copied bot is a package of its own; a copied file has its content; neither takes the place of what is there."""
    await push(engine, ada, workspace, "Bill", await zip_of("Main"))
    task = await tree.node(ada, "Robots/Default/Bill/Main")

    copy = await contents.copy(engine, ada, task.number, "Bill 2")

    assert (copy.kind, copy.path, copy.version) == ("task", ["Default", "Bill 2", "Main"], 1)
    private = await contents.copy(engine, ada, task.number, "mine.zip", ada.id)
    assert (private.kind, private.owner_id, private.version) == ("file", ada.id, 1)
    with pytest.raises(NodeNameTaken):
        await contents.copy(engine, ada, task.number, "Bill")


async def test_a_gone_users_files_are_given_on(engine, root, ada, ben, tree):
    """An admin gives the tree of a disabled user to somebody who has none."""
    folder = await actions.create_folder(engine, ben, ben.id, "north")
    await actions.create_file(engine, ben, folder.number, "a.txt")
    with pytest.raises(Forbidden):
        await checkouts.recover(engine, ada, str(ben.id), str(ada.id))
    with pytest.raises(NotPossible):
        await checkouts.recover(engine, root, str(ben.id), str(ada.id))
    with pytest.raises(Forbidden):
        await checkouts.left_files(engine, ada, limit=9)
    assert ben.id not in {each.id for each in await checkouts.left_files(engine, root, limit=99)}
    await engine.database.execute("update app_user set disabled_at = clock_now() where id = %(id)s", id=ben.id)

    [left] = [each for each in await checkouts.left_files(engine, root, limit=99) if each.id == ben.id]
    assert (left.username, left.files, left.is_deleted) == (ben.name, 2, False)
    assert await checkouts.left_files(engine, root, of=left.number, limit=9) == [left]
    assert await checkouts.left_files(engine, replace(root, organization_id=uuid7()), limit=99) == []

    assert await checkouts.recover(engine, root, str(ben.id), str(ada.id)) == 2

    assert await checkouts.left_files(engine, root, of=left.number, limit=9) == []
    assert await tree.paths(ada, kind="file") == ["Robots/north/a.txt"]
    await engine.database.execute("update app_user set deleted_at = clock_now() where id = %(id)s", id=ben.id)
    await engine.database.execute(
        "update repository_file set owner_id = %(ben)s where owner_id = %(ada)s", ben=ben.id, ada=ada.id
    )
    assert await checkouts.recover(engine, root, str(ben.id), str(ada.id)) == 2
