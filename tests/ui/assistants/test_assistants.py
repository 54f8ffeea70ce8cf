"""Assistants in the browser: made of a task, looked at, deleted."""

import re

from console_walk import undo_of
from controlroom.engine.access.model import Role
from controlroom.ids import uuid7


async def test_an_assistant_is_made_of_a_task_and_deleted(visit, workspace, room, process, cleo):
    """The list says that nobody has run it; a name twice is refused beside the form."""
    task = await room.engine.database.value("select task_id from step where process_id = %(id)s", id=process)
    browser = await visit(workspace)
    assert "No assistants yet" in await browser.get("/assistants")
    assert "Choose the task" in (await browser.post("/assistants/new", status=422, name="Ask me", task="")).text

    made = await browser.post("/assistants/new", name="Ask me", task=str(task))
    here = made.headers["location"].removeprefix(browser.base)
    assert "Nobody has run it" in await browser.get(here)
    assert "nobody has run it" in await browser.get("/assistants")
    assert "Ask me" in (await browser.post("/assistants/new", status=422, name="Ask me", task=str(task))).text
    assert "Ask me" in await browser.get("/assistants?as=csv")

    viewer, outsider = await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    assert "Delete" not in await viewer.get(here)
    await outsider.get(here, status=404)
    await browser.post(f"{here}/delete")
    await browser.get(here, status=404)
    await browser.post(f"/{undo_of(await browser.get('/assistants')).action}")
    assert "is there again" in await browser.get(here)

    await browser.post(f"{here}/delete")
    undo = undo_of(await browser.get("/assistants"))
    other = await browser.post("/assistants/new", name="Ask me", task=str(task))  # the name is another's by now
    assert "has its name by now" in (await browser.post(f"/{undo.action}", status=409)).text
    await browser.post(f"{other.headers['location'].removeprefix(browser.base)}/delete")
    await browser.post(f"/{undo.action}")


async def test_an_assistant_is_changed_and_its_runs_tell_what_they_left(visit, workspace, room, process, cleo):
    """Its name and task; what a run printed and left is shown, where it reaches nothing."""
    db = room.engine.database
    task = await db.value("select task_id from step where process_id = %(id)s", id=process)
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    made = await browser.post("/assistants/new", name="Ask me", task=str(task))
    other = await browser.post("/assistants/new", name="Ask you", task=str(task))
    here, there = (each.headers["location"].removeprefix(browser.base) for each in (made, other))
    await viewer.get(f"{here}/edit", status=403)
    assert "already" in (await browser.post(f"{here}/edit", status=422, name="Ask you", task=str(task))).text
    await browser.post(f"{here}/edit", name="Ask us", task=str(task))
    assert "Ask us" in await browser.get(here)

    run = await db.value(
        """
        insert into assistant_run (id, workspace_id, assistant_id, user_id, package_version_id)
        select %(id)s, assistant.workspace_id, assistant.id, %(user)s, package_version.id
          from assistant join task on task.id = assistant.task_id
          join package_version on package_version.package_id = task.package_id
         where assistant.number = %(number)s order by version desc limit 1
        returning number
        """,
        id=uuid7(),
        user=browser.user,
        number=int(here.rpartition("/")[2]),
    )
    assert "Nothing was left" in await viewer.get(f"{here}/runs/{run}")
    blob = await room.engine.objects.put_bytes(b"hello <b>there</b>\n")
    for name in ("stdout.log", "report.html"):
        await db.execute(
            """
            insert into assistant_artifact (id, workspace_id, assistant_run_id, name, size, hash)
            select %(id)s, workspace_id, id, %(name)s, %(size)s, %(hash)s from assistant_run where number = %(run)s
            """,
            id=uuid7(),
            name=name,
            size=blob.size,
            hash=blob.hash,
            run=run,
        )
    assert f"{here}/runs/{run}" in await viewer.get(here)
    page = await viewer.get(f"{here}/runs/{run}")
    assert browser.username in page
    assert 'sandbox="allow-scripts"' in page
    log = re.search(r"show=(\d+)\">stdout.log", page)[1]
    assert "hello &lt;b&gt;there" in await viewer.get(f"{here}/runs/{run}?show={log}")
    fetched = await viewer.http.get(viewer.path(f"{here}/runs/{run}/artifacts/{log}"), follow_redirects=True)
    assert fetched.content == b"hello <b>there</b>\n"
    assert "sandbox" in fetched.headers["content-security-policy"]
    await viewer.get(f"{there}/runs/{run}", status=404)
    await outsider.get(f"{here}/runs/{run}/artifacts/{log}", status=404)
