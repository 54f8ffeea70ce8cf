"""The side bar says what is now and what is wrong, and is asked for again by itself."""

from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import OneEmptyItem
from controlroom.protocol import ErrorCode


async def test_counts_stand_beside_places(visit, workspace, room, ada, process, walt, cleo):
    """Of this workspace alone; where there is nothing to say there is no number."""
    browser, outsider = await visit(workspace), await visit(cleo.workspace)
    assert "in progress</span>" not in await browser.get("/more?part=side")
    await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    side = await browser.get("/more?part=side&at=runs")
    assert '<span class="says">1<span class="hidden-text"> in progress</span></span>' in side
    assert 'aria-current="page"' in side
    await walt.finish(await walt.take(), ErrorCode.ROBOT_FAILED)
    assert '<span class="says is-bad">1<span class="hidden-text"> failed</span></span>' in await browser.get("/runs")
    assert "failed</span></span>" not in await outsider.get("/runs")
