"""Assistants in the browser: made of a task, looked at, deleted."""

from controlroom.engine.access.model import Role


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
