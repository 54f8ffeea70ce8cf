"""The page of a run: its timeline, its console, and the verb to stop it."""

from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import reports
from controlroom.engine.runs.model import OneEmptyItem
from controlroom.protocol import ErrorCode
from hypertext import links


async def test_a_run_is_shown_by_its_number(visit, workspace, room, ada, process, walt, cleo):
    """With its step runs, each of which leads to what it printed; of another workspace there is nothing."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    await walt.finish(await walt.take(), ErrorCode.ROBOT_FAILED)
    browser, outsider = await visit(workspace), await visit(cleo.workspace)

    page = await browser.get(f"/runs/{run.number}")
    assert "Invoices" in page
    assert "ROBOT_FAILED" in page
    console = next(href for href in links(page) if "/console?step=" in href)
    assert "it broke" in await browser.get(f"/{console}")
    assert "it broke" in await browser.get(f"/runs/{run.number}/console")
    await browser.get(f"/runs/{run.number}/console?step=1", status=404)
    moved = await browser.http.get(f"{browser.base}/runs/{run.id}/console?step=1")
    assert moved.headers["location"] == f"{browser.base}/runs/{run.number}/console?step=1"
    for path in ("", "/console", "/stop"):
        await outsider.get(f"/runs/{run.number}{path}", status=404)
    await outsider.post(f"/runs/{run.number}/stop", status=404)


async def test_an_artifact_is_fetched_by_a_link_of_its_own(visit, workspace, room, ada, process, walt, cleo):
    """Which carries its own right: the page leads there, and outsiders are told of nothing."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    work = await walt.take()
    stored = await room.engine.objects.put_bytes(b"what was found")
    await reports.add_artifacts(room.engine, walt.actor, work.step_run_id, work.attempt, {"found.txt": stored})
    browser, outsider = await visit(workspace), await visit(cleo.workspace)

    path = next(href for href in links(await browser.get(f"/runs/{run.number}/console")) if "/artifacts/" in href)
    answer = await browser.http.get(path, follow_redirects=True)

    assert answer.text == "what was found"
    assert "sandbox" in answer.headers["content-security-policy"]
    await outsider.get(path.removeprefix(browser.base), status=404)


async def test_a_run_is_stopped_by_a_question(visit, workspace, room, ada, process):
    """The question says what becomes of what; the next page says that it was done."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    browser = await visit(workspace)

    assert f"{browser.base}/runs/{run.number}/stop" in links(await browser.get(f"/runs/{run.number}"))
    assert "What is done stays done" in await browser.get(f"/runs/{run.number}/stop?part=dialog")
    answer = await browser.post(f"/runs/{run.number}/stop", how="terminate", rest="failed")

    assert answer.headers["location"] == f"{browser.base}/runs/{run.number}"
    assert f"Run #{run.number} is being stopped." in await browser.get(f"/runs/{run.number}")
    await browser.post(f"/runs/{run.number}/stop")
    assert "had ended already" in await browser.get("/runs")
