"""The page of a step run: it is paused and goes on, and is stopped alone."""

from msgspec import Raw

from console_walk import undo_of
from controlroom.engine.access.model import Role
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import reports, store
from controlroom.engine.runs.model import OneEmptyItem, WithPayloads
from controlroom.protocol import PhaseReport, PhaseReports, PhaseState


async def begun(walt):
    """A step run whose robot is at work."""
    work = await walt.take()
    phase = PhaseReport(position=0, kind="task", name="Read", state=PhaseState.IN_PROGRESS)
    await reports.report_phases(walt.engine, walt.actor, work.step_run_id, work.attempt, PhaseReports((phase,)))
    return work


async def test_a_robot_is_paused_and_goes_on(visit, workspace, room, ada, process, walt, cleo):
    """Each takes the other back; a viewer has neither, and an outsider is told of no step run."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    work = await begun(walt)
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    here = f"/runs/{run.number}/steps/{work.step_run_id}"
    assert "Pause" in await browser.get(here)
    assert "Pause" not in await viewer.get(here)
    await viewer.post(f"{here}/pause", status=403)
    await outsider.post(f"{here}/pause", status=404)

    await browser.post(f"{here}/pause")
    page = await browser.get(here)
    assert "its time limit rests" in page
    assert "Go on" in page
    await browser.post(f"/{undo_of(page).action}")
    page = await browser.get(here)
    assert "goes on" in page
    assert "Pause" in page
    await browser.post(f"/{undo_of(page).action}")
    assert "Go on" in await browser.get(here)
    await browser.post(f"{here}/resume")
    await walt.finish(work)
    await browser.post(f"{here}/pause", status=409)
    assert "Pause" not in await browser.get(here)


async def test_one_step_run_is_stopped_and_the_others_go_on(visit, workspace, room, ada, process, walt, cleo):
    """The question says what becomes of its item; one that has ended is left as it is; one of another run is none."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, WithPayloads(Raw(b"[1,2]"), 2))
    other = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    work = await begun(walt)
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    runs_of = {each.id: each for each in (run, other)}
    its = runs_of.pop(work.run_id)
    [elsewhere] = runs_of.values()
    here = f"/runs/{its.number}/steps/{work.step_run_id}"
    assert "item that it has in hand fails" in await browser.get(f"{here}/stop?part=dialog")
    assert "/stop" not in (await viewer.get(here)).partition("<main")[2]
    await viewer.post(f"{here}/stop", status=403)
    await outsider.post(f"{here}/stop", status=404)
    await browser.post(f"/runs/{elsewhere.number}/steps/{work.step_run_id}/stop", status=404)

    await browser.post(f"{here}/stop")

    assert "the others go on" in await browser.get(here)
    found = await store.get(room.engine.database, ada.seen, its.id)
    assert found.ended_at is None
    termination = await room.engine.database.value(
        "select termination from step_run where id = %(id)s", id=work.step_run_id
    )
    assert termination == "terminated"
    await walt.finish(work)
    await browser.post(f"{here}/stop")
    assert "It had ended already" in await browser.get(here)
