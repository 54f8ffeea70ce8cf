"""The overview: what needs somebody and what runs; and how a newcomer comes to the first run."""

import re

from controlroom.engine.access.model import Role
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import OneEmptyItem
from controlroom.protocol import ErrorCode
from hypertext import links


async def test_it_says_what_is_wrong_and_what_runs(visit, workspace, room, ada, process, walt, cleo):
    """With the verb beside it; of another workspace nothing."""
    await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    await walt.finish(await walt.take(), ErrorCode.ROBOT_FAILED)
    under_way = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)

    page = await browser.get("")

    assert "1 item failed" in page
    assert f"{browser.base}/runs/{under_way.number}" in links(page)
    assert any(href.startswith(f"{browser.base}/items?tab=failed") for href in links(page))
    assert "Invoices" in page
    assert not any("/items/bulk?" in href for href in links(await viewer.get("")))
    theirs = await outsider.get("")
    assert "Invoices" not in theirs
    assert "Nothing has run here yet" in theirs


async def test_each_part_is_asked_by_itself(visit, workspace, room, ada, process):
    """And reads no more than it shows."""
    await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    browser = await visit(workspace)

    for part in ("attention", "progress", "numbers", "hours", "processes", "starts", "queues", "workers"):
        answer = await browser.get(f"?part={part}&period=7d")
        assert re.match(rf'\s*<(section|div)[^>]* id="{part}"', answer), part
    await browser.get("?part=nothing", status=404)


async def test_a_newcomer_comes_to_the_first_run_in_three_clicks(visit, workspace, room):
    """The sample is set up, started, and its run is there; set up once more it is another process of the same robot."""
    browser, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    assert "Set up the sample" in await browser.get("")
    assert "Set up the sample" not in await viewer.get("")
    await viewer.post("/sample", status=403)

    made = await browser.post("/sample")
    here = made.headers["location"].removeprefix(browser.base)
    assert "Count words is made. Start it." in await browser.get(here)
    assert "Start Count words" in await browser.get("")
    assert "The room runs what we robots run" in await browser.get(f"{here}/start")
    started = await browser.post(f"{here}/start", **{"as": "usual"})

    assert re.fullmatch(rf"{browser.base}/runs/\d+", started.headers["location"])
    assert "Nothing has run here yet" not in await browser.get("")
