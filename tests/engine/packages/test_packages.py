"""Packages are made, versioned by content, and kept while they are needed."""

import asyncio
import datetime as dt
import zipfile
from io import BytesIO

import pytest
from tests.engine.packages.conftest import robot_yaml, zipped

from controlroom.aside.pool import TooCostly
from controlroom.engine.packages import actions, labels, store
from controlroom.engine.packages.errors import PackageInUse, PackageNameTaken, PackageNotFound
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.model import NamedTask, ProcessDefinition, StepDefinition
from controlroom.engine.repository import actions as repository
from controlroom.engine.uploads import actions as uploads
from controlroom.engine.uploads.errors import UploadEnded
from controlroom.engine.uploads.model import UploadState
from controlroom.errors import Conflict, Forbidden, Invalid, NotFound


async def test_a_new_package_has_no_content(engine, ada, workspace, seen):
    """A package is there before its first upload, without tasks."""
    package = await actions.create(engine, ada, workspace, "invoices")

    assert await store.get(engine.database, seen, package.id) == package
    assert (package.name, package.latest, package.task_names) == ("invoices", None, [])


async def test_names_are_unique_in_a_workspace(engine, ada, workspace, cleo, team):
    """A second package of the same name is refused; another workspace may have one."""
    await actions.create(engine, ada, workspace, "invoices")

    with pytest.raises(PackageNameTaken):
        await actions.create(engine, ada, workspace, "invoices")
    await actions.create(engine, cleo, team.other_workspace, "invoices")


async def test_a_deleted_packages_name_is_free(engine, ada, workspace, seen):
    """After a deletion another package may have the name."""
    first = await actions.create(engine, ada, workspace, "invoices")
    await actions.delete(engine, ada, workspace, first.id)

    second = await actions.create(engine, ada, workspace, "invoices")

    assert second.id != first.id
    with pytest.raises(PackageNotFound):
        await store.get(engine.database, seen, first.id)
    with pytest.raises(PackageNotFound):
        await actions.delete(engine, ada, workspace, first.id)


async def test_a_deleted_package_is_had_again(engine, ada, cleo, workspace, robot, seen):
    """With its versions, unless another has its name by now; directly in the workspace if its folder is gone."""
    folder = await repository.create_folder(engine, ada, workspace, "ledger")
    pushed = (await actions.push(engine, ada, workspace, "invoices", await robot("Produce"))).package
    await engine.database.execute(
        "update package set folder_id = %(folder)s where id = %(id)s", folder=folder.id, id=pushed.id
    )
    with pytest.raises(PackageNotFound):
        await actions.restore(engine, ada, workspace, pushed.id)
    await actions.delete(engine, ada, workspace, pushed.id)
    await repository.delete(engine, ada, folder.id)
    with pytest.raises(NotFound):
        await actions.restore(engine, cleo, workspace, pushed.id)
    other = await actions.create(engine, ada, workspace, "invoices")
    with pytest.raises(Conflict):
        await actions.restore(engine, ada, workspace, pushed.id)
    await actions.delete(engine, ada, workspace, other.id)

    assert await actions.restore(engine, ada, workspace, pushed.id) == pushed
    assert await store.get(engine.database, seen, pushed.id) == pushed
    assert await engine.database.value("select folder_id from package where id = %(id)s", id=pushed.id) is None


async def test_push_makes_the_package_and_its_versions(engine, ada, workspace, robot, seen):
    """The first push of a name makes the package, each other content a version; tasks keep their ids and numbers."""
    first = await actions.push(engine, ada, workspace, "invoices", await robot("Produce", "Consume"))
    tasks = {
        task.name: (task.id, task.number) for task in await store.list_tasks(engine.database, seen, first.package.id)
    }
    second = await actions.push(engine, ada, workspace, "invoices", await robot("Consume", "Report"))

    assert first.is_new_version
    assert second.is_new_version
    assert second.package.id == first.package.id
    assert first.package.task_names == ["Produce", "Consume"]
    assert second.package.task_names == ["Consume", "Report"]
    assert second.package.latest.version == 2
    assert second.package.latest.number > first.package.latest.number
    known = {
        task.name: (task.id, task.number) for task in await store.list_tasks(engine.database, seen, first.package.id)
    }
    assert known.keys() == {"Produce", "Consume", "Report"}
    assert tasks.items() <= known.items()


async def test_the_same_content_makes_no_version(engine, ada, workspace, robot, seen):
    """Pushing what is the latest version already changes nothing; going back to an older content is a new version."""
    blob, other = await robot("Run"), await robot("Run", content="print(1)")
    await actions.push(engine, ada, workspace, "invoices", blob)
    again = await actions.push(engine, ada, workspace, "invoices", blob)
    await actions.push(engine, ada, workspace, "invoices", other)
    back = await actions.push(engine, ada, workspace, "invoices", blob)

    assert (again.is_new_version, again.package.latest.version) == (False, 1)
    assert (back.is_new_version, back.package.latest.version) == (True, 3)
    versions = await labels.list_versions(engine.database, seen, back.package.id, limit=10)
    assert [version.version for version in versions] == [3, 2, 1]


async def test_pushes_at_once_make_one_package(engine, ada, workspace, robot, seen):
    """Any number of first pushes at the same moment lead to one package, with every content as a version."""
    blobs = [await robot("Run", content=f"print({n})") for n in range(5)]

    pushed = await asyncio.gather(*(actions.push(engine, ada, workspace, "invoices", blob) for blob in blobs))

    [package] = await store.list_packages(engine.database, seen, limit=10)
    assert {one.package.id for one in pushed} == {package.id}
    assert package.latest.version == 5


async def test_what_is_no_robot_is_refused_and_changes_nothing(engine, ada, workspace, robot, seen):
    """A refused push says why; the version before stays the latest, and no package is made for it."""
    good = await actions.push(engine, ada, workspace, "invoices", await robot("Run"))
    bad = await engine.objects.put_bytes(b"this is no zip")

    for name in ("invoices", "orders"):
        with pytest.raises(Invalid) as refused:
            await actions.push(engine, ada, workspace, name, bad)
        assert refused.value.code == "PACKAGE_INVALID"

    assert [good.package] == await store.list_packages(engine.database, seen, limit=10)


async def test_an_archive_that_leaves_its_folder_is_refused(engine, ada, workspace):
    """A zip with a name that leads out of its folder is not stored as a version."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr("robot.yaml", "tasks:\n  Run:\n    shell: python x.py\nartifactsDir: output\n")
        package.writestr("../evil.py", "")
    blob = await engine.objects.put_bytes(content.getvalue())

    with pytest.raises(Invalid, match="leads out"):
        await actions.push(engine, ada, workspace, "invoices", blob)


async def test_a_promised_upload_becomes_the_latest_version(engine, ada, workspace, robot, seen):
    """Completing an upload adds the version once, however often the completion is repeated."""
    package = await actions.create(engine, ada, workspace, "invoices")
    upload = await actions.promise_upload(engine, ada, workspace, package.id)
    blob = await robot("Run")

    await actions.complete_upload(engine, upload.scope, upload.id, blob)
    await actions.complete_upload(engine, upload.scope, upload.id, blob)

    latest = (await store.get(engine.database, seen, package.id)).latest
    assert (latest.version, latest.hash, latest.size) == (1, blob.hash, blob.size)
    assert (await uploads.get(engine, upload.scope, upload.id)).state is UploadState.COMPLETED
    with pytest.raises(UploadEnded):
        await actions.complete_upload(engine, upload.scope, upload.id, await robot("Other"))


async def test_first_pushes_of_a_name_at_once_all_succeed(engine, ada, workspace, robot, seen):
    """The package is made by whichever comes first; each content is a version."""
    blobs = [await robot(f"Run {number % 4}") for number in range(8)]
    promised = [await actions.promise_push(engine, ada, workspace, "invoices") for _ in blobs]
    assert await store.by_name(engine.database, seen, "invoices") is None

    await asyncio.gather(
        *(
            actions.complete_upload(engine, upload.scope, upload.id, blob)
            for upload, blob in zip(promised, blobs, strict=True)
        )
    )

    [package] = await store.list_packages(engine.database, seen, limit=10)
    tasks = await store.list_tasks(engine.database, seen, package.id)
    assert package.id in {upload.target_id for upload in promised}
    assert sorted(task.name for task in tasks) == ["Run 0", "Run 1", "Run 2", "Run 3"]
    assert package.latest.created_by == ada.id


async def test_a_first_push_that_is_refused_leaves_nothing(engine, ada, workspace, seen):
    """There is no package of the name, and whoever polls the upload is told why."""
    upload = await actions.promise_push(engine, ada, workspace, "invoices")

    with pytest.raises(Invalid):
        await actions.complete_upload(engine, upload.scope, upload.id, await engine.objects.put_bytes(b"no zip"))

    assert await store.list_packages(engine.database, seen, limit=10) == []
    assert "zip" in (await uploads.get(engine, upload.scope, upload.id)).reason


async def test_a_robot_of_several_in_a_zip_is_chosen(engine, ada, workspace):
    """Without a choice the refusal lists them; the same zip with another choice is another version."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        for name in ("one", "two"):
            package.writestr(f"{name}/robot.yaml", f"tasks: {{{name}: {{shell: x}}}}\nartifactsDir: o")
    blob = await engine.objects.put_bytes(content.getvalue())

    with pytest.raises(Invalid, match="2 robots in the package: `one`, `two`"):
        await actions.push(engine, ada, workspace, "invoices", blob)
    first = await actions.push(engine, ada, workspace, "invoices", blob, folder="one")
    again = await actions.push(engine, ada, workspace, "invoices", blob, folder="one/")
    other = await actions.push(engine, ada, workspace, "invoices", blob, folder="two")

    assert [each.is_new_version for each in (first, again, other)] == [True, False, True]
    assert (other.package.latest.folder, other.package.task_names) == ("two", ["two"])


async def test_a_refused_upload_is_failed_with_its_reason(engine, ada, workspace, robot, seen):
    """An upload that is no robot is failed and says why; the version before stays."""
    pushed = await actions.push(engine, ada, workspace, "invoices", await robot("Run"))
    upload = await actions.promise_upload(engine, ada, workspace, pushed.package.id)

    with pytest.raises(Invalid):
        await actions.complete_upload(engine, upload.scope, upload.id, await engine.objects.put_bytes(b"no zip"))

    ended = await uploads.get(engine, upload.scope, upload.id)
    assert ended.state is UploadState.FAILED
    assert "zip" in ended.reason
    assert await store.get(engine.database, seen, pushed.package.id) == pushed.package


async def test_a_package_that_takes_too_long_to_read_is_refused(engine, ada, workspace, monkeypatch, seen):
    """Texts of a robot are bounded in length, and in what reading them takes; the server goes on meanwhile."""
    monkeypatch.setattr(actions, "_SECONDS", 0.2)
    content = zipped(robot_yaml=f"{robot_yaml('Run')}PATH: [{'a,' * 120_000}a]\n")
    blob = await engine.objects.put_bytes(content)

    with pytest.raises(TooCostly, match=r"The package cannot be taken: .* more than 0\.2 s"):
        await actions.push(engine, ada, workspace, "endless", blob)

    assert await store.list_packages(engine.database, seen, limit=10) == []


async def test_a_package_in_use_is_not_deleted(engine, ada, workspace, robot):
    """A package stays while a step of a process runs its task, and may go with the process."""
    package = (await actions.push(engine, ada, workspace, "invoices", await robot("Run"))).package
    step = StepDefinition(name="one", work=NamedTask("invoices", "Run"))
    process = await processes.create(engine, ada, workspace, ProcessDefinition(name="Daily", steps=(step,)))

    with pytest.raises(PackageInUse) as refused:
        await actions.delete(engine, ada, workspace, package.id)
    assert refused.value.fields["processes"] == ["Daily"]

    await processes.delete(engine, ada, workspace, process.id)
    await actions.delete(engine, ada, workspace, package.id)


async def test_how_new_the_world_may_be_is_set_and_taken_back(engine, ada, cleo, workspace, robot):
    """A package says until when packages of the world count; an outsider finds no package to say it of."""
    package = (await actions.push(engine, ada, workspace, "invoices", await robot("Run"))).package
    assert package.exclude_newer is None

    moment = dt.datetime(2023, 5, 2, tzinfo=dt.UTC)
    edited = await actions.set_exclude_newer(engine, ada, workspace, package.id, moment)
    assert edited.exclude_newer == moment
    with pytest.raises(NotFound):
        await actions.set_exclude_newer(engine, cleo, workspace, package.id, None)
    assert (await actions.set_exclude_newer(engine, ada, workspace, package.id, None)).exclude_newer is None
    assert (await actions.create(engine, ada, workspace, "new", exclude_newer=moment)).exclude_newer == moment


async def test_pages_go_on_behind_the_last_row(engine, ada, workspace, seen):
    """Packages are listed in the order of their making, page by page."""
    made = [(await actions.create(engine, ada, workspace, f"package {n}")).id for n in range(5)]

    first = await store.list_packages(engine.database, seen, limit=3)
    second = await store.list_packages(engine.database, seen, after=first[-1].id, limit=3)

    assert [package.id for package in (*first, *second)] == made


async def test_outsiders_see_nothing(engine, ada, cleo, workspace, team, robot, seen, strange):
    """Somebody of another organization finds neither package nor zip, and can write none."""
    blob = await robot("Run")
    package = (await actions.push(engine, ada, workspace, "invoices", blob)).package

    for attempt in (
        actions.create(engine, cleo, workspace, "theirs"),
        actions.push(engine, cleo, workspace, "invoices", blob),
        actions.delete(engine, cleo, workspace, package.id),
        actions.delete(engine, cleo, team.other_workspace, package.id),
        actions.promise_upload(engine, cleo, team.other_workspace, package.id),
        store.get(engine.database, strange, package.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await store.zip_by_hash(engine.database, strange, blob.hash) is None
    assert (await store.zip_by_hash(engine.database, seen, blob.hash)).size == blob.size


async def test_another_organizations_admin_is_an_outsider(engine, root, team, robot):
    """Being an admin ends at the organization: nothing is written in another one's workspace."""
    with pytest.raises(NotFound):
        await actions.create(engine, root, team.other_workspace, "theirs")
    with pytest.raises(NotFound):
        await actions.push(engine, root, team.other_workspace, "theirs", await robot("Run"))


async def test_writing_needs_the_permission(engine, ada, workspace, robot):
    """Who may only read packages cannot write them, and is told which permission is missing."""
    reader = type(ada)(
        kind=ada.kind, id=ada.id, name="x", organization_id=ada.organization_id, grants={workspace: frozenset()}
    )

    with pytest.raises(Forbidden) as refused:
        await actions.push(engine, reader, workspace, "invoices", await robot("Run"))

    assert refused.value.fields["permission"] == "packages.write"
