"""Settings of a workspace in the console."""

import re

from controlroom.engine.access.model import Role
from controlroom.ids import uuid7
from controlroom.settings import Limits
from controlroom.ui.settings.pages import limits_of


async def test_retention_is_set_and_taken_back(visit, workspace, cleo):
    """An empty field is what the installation says; a viewer sees what holds, and an outsider nothing."""
    browser, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    await browser.post("/settings/retention", run_days="7", console_days="0", event_days="")
    assert re.search(r'name="run_days" value="7"', await browser.get("/settings"))
    assert "Save" not in await viewer.get("/settings")
    await viewer.post("/settings/retention", 403, run_days="1")
    page = (await browser.post("/settings/retention", 400, run_days="many", event_days="-1")).text
    assert "2 fields are" in page
    await browser.post("/settings/retention", run_days="")
    assert re.search(r'name="run_days" value=""', await browser.get("/settings"))
    await (await visit(cleo.workspace)).get(f"/{browser.base}/settings", status=404)


async def test_a_workspace_is_called_otherwise(visit, workspace):
    """And is found where it is then."""
    browser = await visit(workspace)
    name = f"finance {uuid7().hex[-8:]}"
    moved = await browser.post("/settings/name", name=name)
    answer = await browser.http.get(moved.headers["location"], follow_redirects=True)
    assert name in answer.text
    assert answer.url.path == f"/w/{name.replace(' ', '-')}/settings"


def test_limits_are_told_in_words():
    """Each of those that are told is there."""
    told = dict(limits_of(Limits()))
    assert told["Package"] == "1.1 GB"
    assert told["Work items of a start"] == "100,000"
