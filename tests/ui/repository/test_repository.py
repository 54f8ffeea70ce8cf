"""The repository in the browser: folders and files are made, filled, fetched, renamed and deleted."""

from console_walk import undo_of
from controlroom.engine.access.model import Role
from controlroom.engine.access.roles.actions import create_role
from controlroom.engine.access.users.actions import add_member
from controlroom.ids import uuid7
from live import robot_zip


async def sent(browser, path, content, name, status=303):
    """A file, as a browser sends it."""
    answer = await browser.http.post(
        browser.path(path),
        files={"file": (name, content, "application/octet-stream")},
        headers={"Origin": str(browser.http.base_url).rstrip("/")},
    )
    assert answer.status_code == status, answer.text
    return answer


async def test_a_tree_is_made_filled_and_emptied(visit, workspace, room, cleo):
    """A robot's zip becomes a package with a page of its own; only an empty folder is deleted."""
    browser = await visit(workspace)
    page = await browser.get("/repository")
    assert "Nothing in it" in page
    root = page.split("/folder")[0].rpartition("/repository/")[2]
    made = await browser.post(f"/repository/{root}/folder", name="Finance")
    here = made.headers["location"].removeprefix(browser.base)
    assert "Finance" in await browser.get("/repository")
    again = await browser.post(f"/repository/{root}/folder", status=422, name="Finance")
    assert "Nothing was changed" in again.text

    file = (await sent(browser, f"{here}/upload", b"<b>hello</b>", "note.html")).headers["location"]
    file = file.removeprefix(browser.base)
    await sent(browser, f"{file}/upload", b"<b>again</b>", "note.html")
    assert "version 2" in await browser.get(file)
    content = await browser.http.get(browser.path(f"{file}/content"))
    assert content.content == b"<b>again</b>"
    assert content.headers["content-disposition"].startswith("attachment")
    assert content.headers["content-security-policy"] == "sandbox"
    await browser.post(f"{file}/edit", name="renamed.html", description="of the auditors")
    assert "of the auditors" in await browser.get(file)

    package = (await sent(browser, f"{here}/upload", robot_zip("Read"), "robot.zip")).headers["location"]
    answer = await browser.http.get(package, follow_redirects=True)
    assert "/packages/" in str(answer.url)
    assert "Read" in answer.text

    outsider, viewer = await visit(cleo.workspace), await visit(workspace, Role.VIEWER)
    await outsider.get(file, status=404)
    await outsider.get(f"{file}/content", status=404)
    assert "Upload" not in await viewer.get(here)
    assert "only an empty folder" in await browser.get(f"{here}/delete?part=dialog")
    await browser.post(f"{here}/delete", status=422)
    assert "it can be taken back" in await browser.get(f"{file}/delete?part=dialog")
    await browser.post(f"{file}/delete")
    undo = undo_of(await browser.get(here))
    await browser.get(file, status=404)
    for stranger, refused in ((outsider, 404), (viewer, 403)):
        await stranger.post(undo.action.removeprefix(browser.base), status=refused)
    await add_member(room.engine, room.admin, cleo.workspace, username=browser.username, role=Role.OWNER)
    elsewhere = undo.action.replace(browser.base, outsider.base)
    await browser.post(f"/{elsewhere}", status=404)  # nor from another workspace of theirs
    await browser.get(file, status=404)
    file = (await browser.post(f"/{undo.action}")).headers["location"].removeprefix(browser.base)
    again = await browser.get(file)
    assert "version 2" in again
    assert "of the auditors" in again
    await browser.post(f"/{undo.action}", status=404)  # it is there
    await browser.post(f"{file}/delete")


async def test_a_file_is_checked_out_and_in(visit, workspace, cleo):
    """Whoever checks it out has a copy that others do not see; checked in, it is the next version; else taken back."""
    browser, other = await visit(workspace), await visit(workspace)
    root = (await browser.get("/repository")).split("/folder")[0].rpartition("/repository/")[2]
    made = await sent(browser, f"/repository/{root}/upload", b"one\ntwo\n", "plan.txt")
    file = made.headers["location"].removeprefix(browser.base)

    copy = (await browser.post(f"{file}/check-out")).headers["location"].removeprefix(browser.base)
    await sent(browser, f"{copy}/upload", b"one\nthree\n", "plan.txt")
    assert "Check in" in await browser.get(copy)
    assert "plan.txt" in await browser.get("/repository/mine")
    assert f"checked out by {browser.username}" in await other.get(file)
    assert "Take the check-out back" in await other.get(file)  # who owns the workspace may
    assert "plan.txt" not in await other.get("/repository/mine")
    await other.get(copy, status=404)
    await other.post(f"{copy}/check-in", status=404)
    await sent(other, f"{file}/upload", b"mine", "plan.txt", status=422)
    await other.post(f"{file}/check-out", status=409)

    back = await browser.post(f"{copy}/check-in")
    assert back.headers["location"] == f"{browser.base}{file}"
    difference = await browser.get(f"{file}/versions/2")
    assert 'line-gone">- two' in difference
    assert 'line-come">+ three' in difference
    await browser.post(f"{file}/versions/1/go-back")
    content = await browser.http.get(browser.path(f"{file}/content"))
    assert content.content == b"one\ntwo\n"
    assert (await browser.http.get(browser.path(f"{file}/content?version=2"))).content == b"one\nthree\n"
    await browser.post(f"{file}/versions/3/go-back", status=409)
    await browser.post(f"{file}/labels", label="production", version="2")
    assert "production" in await browser.get(file)

    await browser.post(f"{file}/check-out")
    await other.post(f"{file}/unlock")
    assert "Check out" in await browser.get(file)


async def test_a_copy_is_checked_in_from_any_of_ones_workspaces(visit, workspace, room, cleo):
    """It stands in each of them; what it was made of is shown in its own."""
    browser, there = await visit(workspace), await visit(cleo.workspace)
    await add_member(room.engine, room.admin, cleo.workspace, username=browser.username, role=Role.VIEWER)
    root = (await browser.get("/repository")).split("/folder")[0].rpartition("/repository/")[2]
    made = await sent(browser, f"/repository/{root}/upload", b"one\n", "plan.txt")
    file = made.headers["location"].removeprefix(browser.base)
    for verb in ("check-in", "unlock"):
        copy = (await browser.post(f"{file}/check-out")).headers["location"].removeprefix(browser.base)
        of = copy if verb == "check-in" else file
        base = there.base if verb == "check-in" else browser.base

        back = await browser.post(f"/{base}{of}/{verb}")

        assert back.headers["location"] == f"{browser.base}{file}"


async def test_a_file_is_copied_and_moved(visit, workspace):
    """Into a folder of the workspace; what has its name there is told."""
    browser = await visit(workspace)
    root = (await browser.get("/repository")).split("/folder")[0].rpartition("/repository/")[2]
    folder = (await browser.post(f"/repository/{root}/folder", name="Finance")).headers["location"].rpartition("/")[2]
    made = await sent(browser, f"/repository/{root}/upload", b"one", "plan.txt")
    file = made.headers["location"].removeprefix(browser.base)
    assert "plan.txt (copy)" in await browser.get(f"{file}/copy")
    await browser.post(f"{file}/copy", name="plan.txt", folder=folder)
    assert (
        "Nothing was changed" in (await browser.post(f"{file}/copy", status=422, name="plan.txt", folder=folder)).text
    )
    assert "plan.txt" in await browser.get(f"/repository/{folder}")
    await browser.post(f"{file}/edit", name="plan 2.txt", description="", folder=folder)
    assert "plan 2.txt" in await browser.get(f"/repository/{folder}")
    assert "plan 2.txt" not in await browser.get("/repository")


async def test_roles_get_rights_in_a_folder(govern, visit, workspace, room):
    """By who edits roles; a folder says for what lies in it, until one of these says otherwise."""
    admin, owner = await govern(workspace), await visit(workspace)
    name = f"Clerks {uuid7()}"
    role = await create_role(room.engine, room.admin, name=name, permissions=[])
    root = (await admin.get("/repository")).split("/folder")[0].rpartition("/repository/")[2]
    folder = (await admin.post(f"/repository/{root}/folder", name="Finance")).headers["location"].rpartition("/")[2]
    await owner.get(f"/repository/{root}/rights", status=403)

    await admin.post(f"/repository/{root}/rights", role=str(role.number), right="view")
    page = await admin.get(f"/repository/{folder}/rights")
    row = page[page.index(f"role-{role.number}") :].partition("</li>")[0]
    assert "the folder above" in row
    assert 'value="view" checked' in row
    await admin.post(f"/repository/{folder}/rights", role=str(role.number), right="run")
    page = await admin.get(f"/repository/{folder}/rights")
    row = page[page.index(f"role-{role.number}") :].partition("</li>")[0]
    assert "said here" in row
    assert 'value="run" checked' in row
    assert 'value="view" checked' not in row
    await admin.post(f"/repository/{folder}/rights", role=str(role.number), clear="1")
    assert 'value="view" checked' in (await admin.get(f"/repository/{folder}/rights")).partition(name)[2]


async def test_what_a_file_needs_is_said_and_taken_back(visit, workspace, cleo):
    """What lies beside it is ticked, other things are named; who only reads sees it, an outsider nothing."""
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    root = (await browser.get("/repository")).split("/upload")[0].rpartition("/repository/")[2]
    names = [f"{name}-{uuid7()}.txt" for name in ("table", "template", "reader")]
    places = [(await sent(browser, f"/repository/{root}/upload", b"x", each)).headers["location"] for each in names]
    table, template, reader = [each.rpartition("/")[2] for each in places]
    here = f"/repository/{reader}/needs"
    assert here in await browser.get(f"/repository/{reader}")
    page = await browser.get(here)
    assert "Nothing is said" in page
    assert f'value="{table}"' in page
    assert "is no number" in (await browser.post(here, status=422, others="nonsense")).text
    assert "Nothing was changed" in (await browser.post(here, status=422, others="99999999999")).text

    await browser.post(f"/repository/{template}/needs", need=table)
    await browser.post(here, others=f"#{template}")
    undo = undo_of(await browser.get(here))
    page = await viewer.get(here)

    assert f"as {names[1]} needs it" in page
    assert "Say what it needs" not in page
    assert names[2] in await browser.get(f"/repository/{template}/needs")  # as what needs it
    await viewer.post(here, status=403)
    await outsider.get(here, status=404)
    await outsider.post(here, status=404)
    await browser.post(f"/{undo.action}", **dict(undo.fields))
    assert "Nothing is said" in await browser.get(here)
