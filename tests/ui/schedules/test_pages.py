"""Schedules in the console: the list, the calendar, one of them, and the form."""

import pytest

from controlroom.engine.access.model import Role
from controlroom.engine.runs.model import OfProcess
from controlroom.engine.schedules import actions
from controlroom.engine.schedules.definitions import ScheduleChange, ScheduleDefinition
from controlroom.engine.schedules.model import Cron, Overlap
from controlroom.engine.schedules.store import get
from hypertext import links


@pytest.fixture
async def schedule(room, ada, process):
    """Every weekday at 07:30 in Oslo."""
    return await actions.create(
        room.engine,
        ada.actor,
        ada.workspace,
        ScheduleDefinition(starts=OfProcess(process), name="Mornings", rule=Cron("30 7 * * 1-5"), zone="Europe/Oslo"),
    )


async def test_all_of_them_stand_in_a_list_and_a_calendar(visit, workspace, schedule, cleo):
    """Each as a sentence; an outsider sees none."""
    browser, outsider = await visit(workspace), await visit(cleo.workspace)
    here = f"{browser.base}/schedules/{schedule.number}"

    listed = await browser.get("/schedules")
    assert here in links(listed)
    assert "Every weekday at 07:30" in listed
    assert "Every weekday at 07:30" in await browser.get("/schedules?as=csv")
    for query in ("view=day&day=2027-03-29", "view=week&day=2027-03-28", "view=week&day=2027-03-29"):
        assert "Invoices" in await browser.get(f"/schedules/calendar?{query}")
    await browser.get("/schedules/calendar")
    assert "Nothing is due on this day" in await browser.get("/schedules/calendar?view=day&day=2027-03-28")
    assert 'id="days"' in await browser.get("/schedules/calendar?part=days")
    for day in ("soon", "1999-01-01", "9999-12-31"):
        await browser.get(f"/schedules/calendar?day={day}", status=400)
    assert "Mornings" not in await outsider.get("/schedules")
    assert "Invoices" not in await outsider.get("/schedules/calendar")


async def test_one_says_when_it_is_due_and_what_became_of_it(visit, workspace, room, schedule, cleo):
    """With why it was missed; by number, and by id once more."""
    browser, outsider = await visit(workspace), await visit(cleo.workspace)
    await room.engine.database.execute(
        """
        insert into schedule_occurrence (schedule_id, due, state, reason)
        values (%(id)s, clock_now() - interval '1 day', 'missed', 'the room was down')
        """,
        id=schedule.id,
    )

    page = await browser.get(f"/schedules/{schedule.number}")

    for said in ("Every weekday at 07:30", "30 7 * * 1-5", "Europe/Oslo", "the room was down", "Missed"):
        assert said in page
    moved = await browser.http.get(f"{browser.base}/schedules/{schedule.id}")
    assert moved.headers["location"] == f"{browser.base}/schedules/{schedule.number}"
    for path in ("", "/delete", "/edit"):
        await outsider.get(f"/schedules/{schedule.number}{path}", status=404)


async def test_it_is_paused_resumed_and_deleted(visit, workspace, room, ada, schedule, cleo):
    """By who may; from the page that shows it, back to it."""
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    here = f"/schedules/{schedule.number}"
    for verb in ("pause", "resume", "delete"):
        await viewer.post(f"{here}/{verb}", status=403)
        await outsider.post(f"{here}/{verb}", status=404)

    answer = await browser.post(f"{here}/pause", to=f"{browser.base}/schedules")
    assert answer.headers["location"] == f"{browser.base}/schedules"
    assert "Mornings is paused." in await browser.get("/schedules")
    assert not (await get(room.engine.database, ada.seen, schedule.id)).is_enabled
    elsewhere = await browser.post(f"{here}/resume", to="//elsewhere.example")
    assert elsewhere.headers["location"] == f"{browser.base}{here}"
    assert "pause it" in await browser.get(f"{here}/delete?part=dialog")
    await browser.post(f"{here}/delete")
    await browser.get(here, status=404)
    await browser.post(f"/schedules/{schedule.id}/restore")
    assert "is there again" in await browser.get(here)
    await viewer.post(f"/schedules/{schedule.id}/restore", status=403)
    await outsider.post(f"/schedules/{schedule.id}/restore", status=404)


async def test_it_is_fired_by_hand(visit, workspace, room, ada, process, schedule, cleo):
    """By who may start runs; the run is shown then, and on its own page who did it; a refusal is told where one was."""
    operator, viewer = await visit(workspace, Role.OPERATOR), await visit(workspace, Role.VIEWER)
    here = f"/schedules/{schedule.number}"
    assert f"{here}/fire" in await operator.get(here)
    assert f"{here}/fire" not in await viewer.get(here)
    await viewer.post(f"{here}/fire", status=403)
    await (await visit(cleo.workspace)).post(f"{here}/fire", status=404)

    answer = await operator.post(f"{here}/fire")
    run = await operator.get(answer.headers["location"].removeprefix(operator.base))
    assert "It is started, as the schedule says." in run
    assert "by hand by " in await operator.get(here)

    change = ScheduleChange(overlap=Overlap.SKIP)
    await actions.update(room.engine, ada.actor, ada.workspace, schedule.id, change)
    refused = await operator.post(f"{here}/fire", to=operator.base)
    assert refused.headers["location"] == operator.base
    assert "Nothing was started: a run of the schedule is under way" in await operator.get("")


async def test_it_is_made_and_changed_by_a_form(visit, workspace, room, ada, process, schedule):
    """Looked at before it is saved; what is wrong is said beside its field."""
    browser, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    await viewer.get("/schedules/new", status=403)
    number = await room.engine.database.value("select number from process where id = %(id)s", id=process)
    assert 'value="1" checked' in await browser.get(f"/schedules/new?process={number}")
    form = {
        "name": "Every so often",
        "process": str(number),
        "kind": "interval",
        "interval": "15 m",
        "zone": "UTC",
        "overlap": "skip",
        "missed": "skip",
        "grace": "5 m",
        "inputs": "default",
        "is_enabled": "on",
    }
    await viewer.post("/schedules/new", status=403, **form)

    looked = await browser.post("/schedules/new", status=200, do="preview", **form)
    assert "Every 15 minutes" in looked.text
    assert looked.text.count("in 1") + looked.text.count("in 2") >= 2
    refused = await browser.post("/schedules/new", status=422, **(form | {"kind": "cron", "cron": "31 * 31 2 *"}))
    assert "It was not saved" in refused.text
    wrong = await browser.post("/schedules/new", status=422, **(form | {"interval": "often"}))
    assert "A duration is written as" in wrong.text
    made = await browser.post("/schedules/new", **form)
    page = await browser.get(made.headers["location"].removeprefix(browser.base))
    assert "Every so often is made." in page
    assert "is skipped" in page

    edit = await browser.get(f"/schedules/{schedule.number}/edit")
    assert "30 7 * * 1-5" in edit
    await browser.post(f"/schedules/{schedule.number}/edit", **(form | {"name": "Mornings", "interval": "2 h"}))
    after = await get(room.engine.database, ada.seen, schedule.id)
    assert (after.rule.seconds, after.zone, after.starts_at) == (7200, "UTC", schedule.starts_at)
