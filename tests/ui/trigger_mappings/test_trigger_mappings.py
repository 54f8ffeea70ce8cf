"""Trigger mappings in the browser: given to users or to holders of roles, changed, taken away, and undone."""

from controlroom.engine.access.model import Role
from controlroom.engine.access.roles.actions import create_role
from controlroom.ids import uuid7


async def task_of(browser, page):
    """The first task that a form offers."""
    form = await browser.get(page)
    return form.partition('name="task"')[2].partition('<option value="" selected>')[2].split('value="')[1].split('"')[0]


async def test_triggers_are_given_changed_and_taken_away(room, visit, workspace, process, cleo):
    """To users by name; the label is changed; what is taken away is given again by the undo of it."""
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    assert "No trigger mapping" in await browser.get("/trigger-mappings")
    task = await task_of(browser, "/trigger-mappings/new")

    neither = await browser.post("/trigger-mappings/new", status=422, task=task)
    assert "Name users, or roles, and not both" in neither.text
    none = await browser.post("/trigger-mappings/new", status=422, users=browser.username)
    assert "Choose the task" in none.text
    nobody = await browser.post("/trigger-mappings/new", status=422, task=task, users="nobody-of-this-name")
    assert "nobody-of-this-name" in nobody.text
    unfit = await browser.post("/trigger-mappings/new", status=422, task=task, users=viewer.username)
    assert "RUNTIME" in unfit.text.upper()

    made = await browser.post("/trigger-mappings/new", task=task, users=browser.username, label="production")
    here = made.headers["location"].removeprefix(browser.base)
    page = await browser.get(here)
    assert browser.username in page
    assert "production" in page
    undo = await browser.post(f"{here}/edit", label="")
    assert "the latest" in await browser.get(here)
    assert undo.headers["location"].endswith(here)
    assert browser.username in await browser.get("/trigger-mappings?tab=users")
    assert "trigger-mapping-" not in await browser.get("/trigger-mappings?tab=roles")
    assert browser.username in (await browser.http.get(browser.path("/trigger-mappings?as=csv"))).text
    assert browser.username in await viewer.get(here)
    assert "Take them away" not in await viewer.get(here)
    await viewer.get(f"{here}/edit", status=403)
    await viewer.post(f"{here}/delete", status=403)
    await outsider.get(here, status=404)
    await outsider.post(f"{here}/delete", status=404)
    assert browser.username not in await outsider.get("/trigger-mappings")

    await browser.post(f"{here}/delete")
    offered = await browser.get("/trigger-mappings")
    assert f'action="{browser.base}/trigger-mappings/new"' in offered
    assert f'name="users" value="{browser.username}"' in offered
    await browser.get(here, status=404)


async def test_triggers_are_given_to_whoever_holds_a_role(room, visit, workspace, process):
    """Several roles at once are several mappings."""
    browser = await visit(workspace)
    names = [f"Clerks {uuid7()}", f"Auditors {uuid7()}"]
    for name in names:
        await create_role(room.engine, room.admin, name=name, permissions=[])
    task = await task_of(browser, "/trigger-mappings/new")
    made = await browser.post("/trigger-mappings/new", task=task, roles=", ".join(names))
    assert made.headers["location"] == f"{browser.base}/trigger-mappings"
    page = await browser.get("/trigger-mappings?tab=roles")
    assert all(name in page for name in names)
    assert "Trigger mappings" in (await browser.get("/runs")).partition('<details id="rare">')[0]
