"""Exports and imports in the browser: an archive is made, watched, fetched, brought elsewhere, and forgotten."""

import io
import zipfile

from controlroom.engine.access.model import Role
from controlroom.ids import uuid7
from delivering import until
from live import robot_zip


async def ended(browser, here):
    """The part of its page that says how far it is, once it has ended."""

    async def look():
        page = await browser.get(f"{here}?part=standing")
        return page if "Ended" in page else None

    return await until(look, 30)


async def test_an_archive_is_made_fetched_taken_and_forgotten(visit, workspace, cleo):
    """What is ticked goes into it; whoever asked has it, and nobody else; another workspace's people take it."""
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    assert "No export or import" in await browser.get("/transfers")
    name = f"words {uuid7()}"
    package = (await browser.send("/packages/upload", "zip", "w.zip", robot_zip("Count"), name=name)).headers[
        "location"
    ]
    number = package.rpartition("/")[2]
    assert "Nothing is named" in (await browser.post("/transfers/export", status=422, name="nightly")).text
    assert "is no number" in (await browser.post("/transfers/export", status=422, others="nonsense")).text
    await browser.post("/transfers/export", status=422, file="99999999999")
    assert f'value="{number}" checked' in await browser.get(f"/transfers/export?file={number}")

    asked = await browser.post("/transfers/export", name="nightly", file=number)
    here = asked.headers["location"].removeprefix(browser.base)
    assert "Download the archive" in await ended(browser, here)
    archive = await browser.http.get(browser.path(f"{here}/archive"))
    assert archive.headers["content-disposition"] == "attachment; filename*=UTF-8''nightly.zip"
    assert archive.headers["content-security-policy"] == "sandbox"
    assert len(zipfile.ZipFile(io.BytesIO(archive.content)).namelist()) > 1
    for stranger in (viewer, outsider):
        await stranger.get(here, status=404)
        await stranger.get(f"{here}/archive", status=404)
        await stranger.post(f"{here}/delete", status=404)
        assert "nightly" not in await stranger.get("/transfers")
    await outsider.post("/transfers/export", status=422, name="stolen", file=number)
    assert "stolen" not in await outsider.get("/transfers")

    brought = await browser.send(
        "/transfers/import", "archive", "nightly.zip", archive.content, where="public", existing="overwrite"
    )
    there = brought.headers["location"].removeprefix(browser.base)
    assert "0 new or changed" in await ended(browser, there)  # all of it is there, as it was
    await browser.get(f"{there}/archive", status=404)
    broken = await browser.send("/transfers/import", "archive", "x.zip", b"no archive", where="own", existing="skip")
    wrong = broken.headers["location"].removeprefix(browser.base)
    assert "Failed" in await ended(browser, wrong)
    assert "x.zip" in await browser.get("/transfers?tab=failed&kind=import")

    assert "Its archive is lost" in await browser.get(f"{here}/delete?part=dialog")
    await browser.post(f"{here}/delete")
    await browser.get(here, status=404)
