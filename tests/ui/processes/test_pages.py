"""Processes in the console: the list, and the page of one."""

from controlroom.engine.access.model import Role
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import OfProcess, OneEmptyItem
from controlroom.engine.schedules import actions as schedules
from controlroom.engine.schedules.definitions import ScheduleDefinition
from controlroom.engine.schedules.model import Cron
from hypertext import links


async def number_of(room, process):
    """By which pages call a process."""
    return await room.engine.database.value("select number from process where id = %(id)s", id=process)


async def test_the_list_says_how_each_goes(visit, workspace, room, ada, process, cleo):
    """Its strip, its last run, its next start; an outsider sees none of it."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    rule = ScheduleDefinition(starts=OfProcess(process), name="daily", rule=Cron("30 7 * * *"), zone="Europe/Oslo")
    await schedules.create(room.engine, ada.actor, ada.workspace, rule)
    browser, outsider, number = await visit(workspace), await visit(cleo.workspace), await number_of(room, process)

    page = await browser.get("/processes")

    assert f"{browser.base}/processes/{number}" in links(page)
    assert f"{browser.base}/runs/{run.number}" in links(page)
    assert "The last run: 1 " in page
    assert 'datetime="' in page.split("strip-cell")[-1]
    assert "Invoices" in await browser.get("/processes?as=csv")
    assert "No processes yet" in await outsider.get("/processes")


async def test_its_page_answers_how_it_goes(visit, workspace, room, ada, process, walt, cleo):
    """Runs, steps, schedules in a sentence with the next times, who starts it; by number, and by id once more."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    rule = ScheduleDefinition(starts=OfProcess(process), name="daily", rule=Cron("30 7 * * 1-5"), zone="Europe/Oslo")
    await schedules.create(room.engine, ada.actor, ada.workspace, rule)
    browser, outsider, number = await visit(workspace), await visit(cleo.workspace), await number_of(room, process)

    page = await browser.get(f"/processes/{number}")

    for said in ("Every weekday at 07:30", "Oslo time", "1 at a time", "no retries", f"Run #{run.number}", "by key"):
        assert said in page
    assert page.count('title="2') >= 3
    for part in ("history", "steps", "recent"):
        assert f'id="{part}"' in (await browser.get(f"/processes/{number}?part={part}"))[:200]
    moved = await browser.http.get(f"{browser.base}/processes/{process}?x=1")
    assert moved.headers["location"] == f"{browser.base}/processes/{number}?x=1"
    for path in (
        f"/processes/{number}",
        f"/processes/{process}",
        f"/processes/{number}/delete",
        "/processes/9" + "9" * 40,
    ):
        await outsider.get(path, status=404)


async def test_it_is_switched_and_deleted(visit, workspace, room, ada, process):
    """By who may; a viewer is shown no button, and is refused."""
    browser, viewer, number = (
        await visit(workspace),
        await visit(workspace, Role.VIEWER),
        await number_of(room, process),
    )
    here = f"/processes/{number}"

    assert "/disable" not in await viewer.get(here)
    for verb in ("enable", "disable", "delete"):
        await viewer.post(f"{here}/{verb}", status=403)
    await browser.post(f"{here}/disable")
    page = await browser.get(here)
    assert "starts no more" in page
    assert f'action="{browser.base}{here}/enable"' in page
    await browser.post(f"{here}/enable")
    assert "Its runs, their consoles" in await browser.get(f"{here}/delete?part=dialog")
    answer = await browser.post(f"{here}/delete")
    assert answer.headers["location"] == f"{browser.base}/processes"
    assert "is deleted" in await browser.get("/processes")
