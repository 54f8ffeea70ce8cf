"""Folders, check-outs, needs and rights by our own management API."""

from tests.dialects.robocorp.test_task_packages import post_form, robot_zip


async def _bot(ada, name="bills"):
    made = await ada.post("/task-packages", {"name": name, "type": "zip"})
    assert (await post_form(made["upload"], robot_zip("Main"))).status_code == 204
    return made["id"]


async def test_a_package_is_put_into_a_folder(ada, ben, cleo):
    """It is found at its new path, by parent and kind; an outsider finds nothing."""
    package = await _bot(ada)
    folder = await ada.post("/repository/folders", {"name": "North"})

    moved = await ada.post(f"/repository/{package}", {"parent": {"id": folder["id"]}})

    assert (moved["kind"], moved["path"]) == ("package", f"{folder['path']}/bills")
    assert [row["id"] for row in await ben.every(f"/repository?parent={folder['id']}")] == [package]
    [task] = await ben.every("/repository?kind=task")
    assert (task["path"], task["version"]) == (f"{folder['path']}/bills/Main", 1)
    assert [row["id"] for row in await ben.every(f"/repository?at={task['path']}")] == [task["id"]]
    assert (await cleo.call("GET", f"/repository/{package}")).status_code == 404
    assert (await ada.call("DELETE", f"/repository/{folder['id']}")).status_code == 409


async def test_a_version_is_labelled_and_needs_are_said(ada):
    """By the same address for tasks and packages."""
    package = await _bot(ada)
    [task] = await ada.every("/repository?kind=task")
    await ada.post(f"/repository/{package}/labels/PRODUCTION", {"version": 1})
    other = await _bot(ada, "other")
    needed = next(row for row in await ada.every("/repository?kind=task") if row["parent_id"] == other)

    found = await ada.post(f"/repository/{task['id']}/needs", {"needs": [{"id": needed["id"]}]})

    assert [(each["id"], each["needed_by"]) for each in found] == [(needed["id"], task["id"])]
    assert (await ada.get(f"/repository/{task['id']}/needs")) == found
    copy = await ada.post(f"/repository/{package}/copies", {"name": "again"})
    assert copy["path"].endswith("/again/Main")


async def test_a_key_checks_nothing_out(ada):
    """A check-out is somebody's."""
    package = await _bot(ada)

    refused = await ada.call("POST", f"/repository/{package}/check-out", json={})

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "USERS_ONLY")
