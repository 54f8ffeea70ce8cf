"""Packages in the browser: uploaded, fetched, labelled, rolled back, deleted."""

import re

from msgspec import Struct

from console_walk import undo_of
from controlroom.engine.access.model import Role
from controlroom.engine.packages.actions import push
from live import robot_zip


class Named(Struct):
    """A row of two."""

    number: int
    name: str


async def sent(browser, path, status=303, zip_=b"", name="zip", **fields):
    """A form with a file, as a browser sends it."""
    answer = await browser.http.post(
        browser.path(path),
        data=fields,
        files={name: ("robots.zip", zip_, "application/zip")},
        headers={"Origin": str(browser.http.base_url).rstrip("/")},
    )
    assert answer.status_code == status, answer.text
    return answer


async def test_a_zip_becomes_a_version_and_is_rolled_back(visit, workspace, room):
    """Each upload is a version; an earlier one becomes the latest again, under a number of its own."""
    browser = await visit(workspace)
    assert "No packages yet" in await browser.get("/packages")
    first = robot_zip("Read", "Post")
    here = (await sent(browser, "/packages/upload", zip_=first)).headers["location"]
    here = here.removeprefix(browser.base)
    await sent(browser, "/packages/upload", zip_=robot_zip("Read", "Check"))
    page = await browser.get(here)
    assert "version 2" in page
    assert "not in this version" in page

    question = await browser.get(f"{here}/versions/1/roll-back?part=dialog")
    assert "It lacks Check" in question
    await browser.post(f"{here}/versions/1/roll-back")
    page = await browser.get(here)
    assert "version 3" in page
    assert "Rolled back" in page
    assert (await browser.post(f"{here}/versions/1/roll-back", status=409)).status_code == 409

    await browser.post(f"{here}/labels", version="2", label="production")
    assert "production" in await browser.get(here)
    await browser.post(f"{here}/labels/delete", label="production")
    assert "Take production away" not in await browser.get(here)
    link = await browser.http.get(browser.path(f"{here}/versions/1/zip"))
    assert (await browser.http.get(link.headers["location"])).content == first


async def test_what_is_no_package_is_said_beside_the_form(visit, workspace, room):
    """The reason, and the name that was typed; a form without a file likewise fails as a form."""
    browser = await visit(workspace)
    refused = await sent(browser, "/packages/upload", status=422, zip_=b"no zip at all")
    assert "Nothing was changed" in refused.text
    assert 'value="robots"' in refused.text
    assert "No packages yet" in await browser.get("/packages")


async def test_a_package_that_is_used_stays(visit, workspace, room, ada, process, cleo):
    """The question names who uses it; a viewer has no verb, an outsider no page."""
    found = (
        await room.engine.database.all(
            Named,
            """
            select package.number, package.name from step join task on task.id = step.task_id
              join package on package.id = task.package_id where step.process_id = %(id)s
            """,
            id=process,
        )
    )[0]
    number, name = found.number, found.name
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)

    assert "Invoices" in await browser.get(f"/packages/{number}")
    assert "Invoices" in (await browser.post(f"/packages/{number}/delete", status=422)).text
    assert f"{browser.base}/packages/{number}" in await browser.get("/packages?q=" + name)
    assert "Delete" not in await viewer.get(f"/packages/{number}")
    await sent(viewer, "/packages/upload", status=403, zip_=robot_zip("Read"))
    await outsider.get(f"/packages/{number}", status=404)
    assert name in await browser.get("/packages?as=csv")


async def test_a_package_comes_from_git(visit, workspace, room, ada):
    """Its source is told, changed and taken away; the versions stay."""
    browser = await visit(workspace)
    refused = await browser.post(
        "/packages/from-git", status=422, name="robots", url="file:///etc", ref_kind="own", ref="", folder=""
    )
    assert "file:///etc" in refused.text
    made = await browser.post(
        "/packages/from-git", name="robots", url="https://git.example.com/r.git", ref_kind="tag", ref="v1", folder=""
    )
    here = made.headers["location"].removeprefix(browser.base)
    page = await browser.get(here)
    assert re.search(r"tag <span class=\"mono\">v1</span>", page)
    await browser.post(f"{here}/source", url="https://git.example.com/r.git", ref_kind="own", ref="", folder="x")
    assert "its own branch" in await browser.get(here)
    assert "are lost" in await browser.get(f"{here}/source/remove?part=dialog")
    await browser.post(f"{here}/source/remove")
    assert "git.example.com" not in await browser.get(here)
    assert "it can be taken back" in await browser.get(f"{here}/delete")
    await browser.post(f"{here}/delete")
    await browser.get(here, status=404)
    await browser.post(f"/{undo_of(await browser.get('/packages')).action}")
    assert "robots is there again" in await browser.get(here)


async def test_how_new_packages_may_be_is_said_of_one(visit, workspace, room, ada, cleo):
    """A date is its end; what is no time is said beside the form; the change takes itself back."""
    blob = await room.engine.objects.put_bytes(robot_zip("Read"))
    pushed = await push(room.engine, ada.actor, workspace, "old", blob)
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    here = f"/packages/{pushed.package.number}"
    assert "as the room says" in await browser.get(here)
    await viewer.post(f"{here}/newest", status=403, moment="2023-05-01")
    await outsider.post(f"{here}/newest", status=404, moment="2023-05-01")
    wrong = await browser.post(f"{here}/newest", status=422, moment="lately")
    assert 'value="lately"' in wrong.text

    await browser.post(f"{here}/newest", moment="2023-05-01")

    page = await browser.get(here)
    assert "do not count" in page
    assert 'value="2023-05-02T00:00:00Z"' in await browser.get(f"{here}/newest")
    form = undo_of(page)
    await browser.post(f"/{form.action}", **dict(form.fields))
    assert "as the room says" in await browser.get(here)


async def test_an_id_or_a_name_leads_to_the_number(visit, workspace, room, ada):
    """Addresses that programs have end where people's begin."""
    blob = await room.engine.objects.put_bytes(robot_zip("Read"))
    pushed = await push(room.engine, ada.actor, workspace, "by-name", blob)
    browser = await visit(workspace)
    for named in (pushed.package.id, "by-name"):
        answer = await browser.http.get(browser.path(f"/packages/{named}?before=5"))
        assert answer.headers["location"] == f"{browser.base}/packages/{pushed.package.number}?before=5"


async def test_a_package_is_checked_out_and_in(visit, workspace, cleo):
    """Its page says who has it; the copy takes the next zip, and its check-in is the next version; else taken back."""
    browser, other, viewer = await visit(workspace), await visit(workspace), await visit(workspace, Role.VIEWER)
    outsider = await visit(cleo.workspace)
    here = (await sent(browser, "/packages/upload", zip_=robot_zip("Read"))).headers["location"]
    here = here.removeprefix(browser.base)
    node = here.replace("/packages/", "/repository/")
    assert "Check out" not in await viewer.get(here)
    await viewer.post(f"{node}/check-out", status=403)
    await outsider.post(f"{node}/check-out", status=404)

    copy = (await browser.post(f"{node}/check-out")).headers["location"].removeprefix(browser.base)
    assert "You edit it" in await browser.get(here)
    page = await other.get(here)
    assert f"checked out by {browser.username}" in page
    assert "You edit it" not in page
    assert "Take the check-out back" in page  # who owns the workspace may
    assert "Take the check-out back" not in await viewer.get(here)
    await other.post(f"{node}/check-out", status=409)
    await sent(other, "/packages/upload", status=422, zip_=robot_zip("Mine"))
    assert "checked out" in await other.get("/repository")

    await sent(browser, f"{copy}/upload", name="file", zip_=robot_zip("Read", "Check"))
    back = await browser.post(f"{copy}/check-in")
    assert back.headers["location"] == browser.path(node)
    page = await browser.get(here)
    assert "version 2" in page
    assert "Check out" in page
    await browser.post(f"{node}/check-out")
    await other.post(f"{node}/unlock")
    assert "checked out by" not in await browser.get(here)
