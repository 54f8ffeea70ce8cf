"""The repository in the browser: folders and files are made, filled, fetched, renamed and deleted."""

from controlroom.engine.access.model import Role
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


async def test_a_tree_is_made_filled_and_emptied(visit, workspace, cleo):
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
    await browser.post(f"{file}/delete")
    await browser.get(file, status=404)
