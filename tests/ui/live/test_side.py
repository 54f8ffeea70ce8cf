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


async def test_rare_places_stand_by_themselves_once_there_is_one_of_their_things(visit, workspace, process):
    """Locks, ready tasks, trigger mappings: behind More until there is one, then among the others."""
    browser = await visit(workspace)

    async def beside():
        side = await browser.get("/more?part=side")
        shown, _, rare = side.partition('<details id="rare">')
        return [place for place in ("Locks and slots", "Ready tasks", "Trigger mappings") if f">{place}" in shown], rare

    shown, rare = await beside()
    assert "Ready tasks" not in shown
    assert "Ready tasks" in rare
    form = await browser.get("/allocations/new")
    chosen = form.partition('<option value="" selected>')[2].split('value="')[1].split('"')[0]
    await browser.post("/allocations/new", task=chosen, most="1")
    await browser.post("/trigger-mappings/new", task=chosen, users=browser.username)
    await browser.post("/locks/new", name="mailbox", capacity="2")
    shown, rare = await beside()
    assert shown == ["Locks and slots", "Ready tasks", "Trigger mappings"]
    assert "Ready tasks" not in rare
