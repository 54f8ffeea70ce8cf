"""The page of a run: its timeline, its console, and the verb to stop it."""

import re

from msgspec import Raw

from controlroom.engine.access.scope import Room
from controlroom.engine.access.tokens import read_step_run_token
from controlroom.engine.nudges.model import Topic
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs import held_items, progress, reports
from controlroom.engine.runs.dispatch import dispatch
from controlroom.engine.runs.model import OneEmptyItem, WithPayloads
from controlroom.engine.work_items.model import ExceptionType, ItemException
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


async def test_the_page_of_a_run_counts_what_its_lists_show(visit, workspace, room, ada, process, walt):
    """Items by step and state, each leading to the list of them; the axis of a short run does not repeat the clock."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, WithPayloads(Raw(b"[1, 2, 3]"), 3))
    work = await walt.take()
    robot = read_step_run_token(room.engine.keys, work.token)
    item = await held_items.reserve(room.engine, robot)
    why = ItemException(ExceptionType.BUSINESS, "VAT", "wrong")
    await held_items.release(room.engine, robot, item, held_items.Failed(why))
    browser = await visit(workspace)

    page = await browser.get(f"/runs/{run.number}")

    assert "Flow of items" in page
    assert "1 failed" in page
    assert "operation=retry" in page
    failed = next(href for href in links(page) if "/items?tab=failed&step=" in href)
    assert (await browser.get(f"/{failed}")).count('<tr id="item-') == 1
    assert (await browser.get(f"/runs/{run.number}/items?tab=waiting")).count('<tr id="item-') == 2
    assert 'id="timeline"' in await browser.get(f"/runs/{run.number}?part=timeline,flow,progress,run_head")


async def test_the_tabs_of_a_run_show_what_went_in_and_what_happened(visit, workspace, room, ada, process, walt, cleo):
    """Its inputs, its events with who, and a step run with its phases; of another workspace nothing."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, WithPayloads(Raw(b'[{"total": 48.50}]'), 1))
    await walt.finish(await walt.take(), ErrorCode.ROBOT_FAILED)
    browser, outsider = await visit(workspace), await visit(cleo.workspace)
    assert "48.5" in await browser.get(f"/runs/{run.number}/data")
    events = await browser.get(f"/runs/{run.number}/events")
    assert "Run created" in events or "Run started" in events
    assert "ROBOT_FAILED" in events
    step = next(href for href in links(await browser.get(f"/runs/{run.number}")) if "/steps/" in href)
    assert "ROBOT_FAILED" in await browser.get(f"/{step}")
    for path in ("/items", "/data", "/events", "/artifacts", "/again", "/delete", f"/steps/{step.rpartition('/')[2]}"):
        await outsider.get(f"/runs/{run.number}{path}", status=404)
    other = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    await browser.get(f"/runs/{other.number}/steps/{step.rpartition('/')[2]}", status=404)


async def test_artifacts_are_shown_where_a_browser_can(visit, workspace, room, ada, process, walt):
    """A page in a frame that reaches nothing; tables, JSON and text as such; what is none of these is fetched."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    work = await walt.take()
    files = {
        "log.html": b"<script>alert(1)</script>",
        "a.csv": b"x;y\n1;<b>2</b>\n",
        "b.json": b'{"n": 1.50}',
        "half.json": b'{"n": ',
        "c.txt": b"<i>hello</i>",
        "d.pdf": b"%PDF",
        "e.png": b"PNG",
        "empty.txt": b"",
    }
    stored = {name: await room.engine.objects.put_bytes(body) for name, body in files.items()}
    await reports.add_artifacts(room.engine, walt.actor, work.step_run_id, work.attempt, stored)
    browser = await visit(workspace)

    page = await browser.get(f"/runs/{run.number}/artifacts")
    assert '<iframe class="framed" sandbox="allow-scripts"' in page
    assert "alert(1)" not in page
    shows = {name: href for href, name in re.findall(r'<a href="([^"]*show=\d+)">([^<]+)</a>', page)}
    assert set(shows) == set(files)

    async def shown(name):
        return await browser.get(f"/{shows[name]}")

    assert "<td>&lt;b&gt;2&lt;/b&gt;</td>" in await shown("a.csv")
    assert ">1.50</span>" in await shown("b.json")
    assert "{&#34;n&#34;: " in await shown("half.json")
    assert "&lt;i&gt;hello&lt;/i&gt;" in await shown("c.txt")
    assert "It is not shown here" in await shown("d.pdf")
    assert "<img " in await shown("e.png")
    await shown("empty.txt")
    await browser.get(f"/runs/{run.number}/artifacts?show=1", status=404)


async def test_a_run_that_has_ended_is_run_again_and_deleted(visit, workspace, room, ada, process, walt):
    """As it was, or with other inputs; what is no JSON is told and stays."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, WithPayloads(Raw(b'[{"n": 7}]'), 1))
    await walt.finish(await walt.take())
    await dispatch(room.engine, Room(), run.id)
    browser = await visit(workspace)

    again = (await browser.post(f"/runs/{run.number}/again")).headers["location"]
    assert again != f"{browser.base}/runs/{run.number}"
    assert f"repeats run #{run.number}" in await browser.get(f"/{again}")
    assert "&#34;n&#34;: 7" in await browser.get(f"/runs/{run.number}/again")
    assert "no JSON" in (await browser.post(f"/runs/{run.number}/again/with", status=422, payloads="{")).text
    assert "at least one" in (await browser.post(f"/runs/{run.number}/again/with", status=422, payloads="[]")).text
    other = (await browser.post(f"/runs/{run.number}/again/with", payloads='[{"n": 8}, 9]')).headers["location"]
    assert (await browser.get(f"/{other}/items")).count('<tr id="item-') == 2
    assert "can't be undone" in await browser.get(f"/runs/{run.number}/delete")
    await browser.post(f"/runs/{run.number}/delete")
    await browser.get(f"/runs/{run.number}", status=404)


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


async def test_the_page_of_a_run_shows_how_far_its_robots_are(visit, workspace, room, ada, process, walt, cleo):
    """Of those at work that say so, at once; afterwards on the step run's page."""
    run = await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    work = await walt.take()
    robot = read_step_run_token(room.engine.keys, work.token)
    browser, outsider = await visit(workspace), await visit(cleo.workspace)
    assert "How far its robots are" not in await browser.get(f"/runs/{run.number}")

    topics = [Topic("progress", run.id)]
    async with room.room.feed.subscribe(ada.actor.organization_id, ada.workspace, topics, after=None) as heard:
        await progress.tell(room.engine, robot, progress.Told(done=120, total=500, message="order <7>"))
        assert await heard.next(20) == [f"progress-{run.id}"]

    for path in ("", "?part=at_work"):
        page = await browser.get(f"/runs/{run.number}{path}")
        assert "120 of 500, 24.0 %" in page
        assert "order &lt;7&gt;" in page
    await outsider.get(f"/runs/{run.number}?part=at_work", status=404)
    await progress.tell(room.engine, robot, progress.Told(done=12.5))
    assert "<b>12.50</b>" in await browser.get(f"/runs/{run.number}?part=at_work")
    await walt.finish(work)
    assert "12.50" not in await browser.get(f"/runs/{run.number}?part=at_work")
    step_run = next(href for href in links(await browser.get(f"/runs/{run.number}")) if "/steps/" in href)
    assert "<b>12.50</b>" in await browser.get(f"/{step_run}")
