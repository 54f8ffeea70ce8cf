"""Locks and slots in the browser: declared, held, waited for, freed, and forgotten."""

from controlroom.engine.access.model import Role
from controlroom.engine.access.scope import Room as EveryTenant
from controlroom.engine.locks.model import LockName
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.dispatch import dispatch
from controlroom.engine.runs.model import OneEmptyItem
from controlroom.engine.runs.parameters import RunParameters
from controlroom.ids import uuid7


async def test_a_lock_is_held_waited_for_and_freed(room, visit, workspace, ada, process, cleo):
    """The page names who holds it and who waits; the run that holds it is stopped from there; more may hold it."""
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    assert "Buchhaltung" not in await browser.get("/locks")
    name = "Postfach der Buchhaltung / Köln & <b>"
    made = []
    for _ in range(2):
        run = await runs.start(
            room.engine, ada.actor, ada.workspace, process, OneEmptyItem(), RunParameters(locks=(LockName(name),))
        )
        await dispatch(room.engine, EveryTenant(), run.id)
        made.append(run.number)
    page = await browser.get("/locks")
    assert "1 of 1" in page
    assert name not in page
    assert "Locks and slots" in (await browser.get("/runs")).partition('<details id="rare">')[0]
    there = {"name": name}
    line = await browser.http.get(browser.path("/locks/workspace"), params=there)
    assert "1 of 1 held, 1 waits" in line.text
    assert "waits, number 1 in line" in line.text
    assert all(f"{browser.base}/runs/{number}/stop" in line.text for number in made)
    seen = await viewer.http.get(viewer.path("/locks/workspace"), params=there)
    assert f"/runs/{made[0]}/stop" not in seen.text
    assert "Edit" not in seen.text.partition("<main")[2]
    assert (await outsider.http.get(outsider.path("/locks/workspace"), params=there)).status_code == 404

    await viewer.post("/locks/workspace/edit", status=403, name=name, capacity="2")
    for wrong in ("0", "many", "10001", ""):
        await browser.post("/locks/workspace/edit", status=422, name=name, capacity=wrong)
    await browser.post("/locks/workspace/edit", name=name, capacity="2")
    await dispatch(room.engine, EveryTenant(), run.id)
    line = await browser.http.get(browser.path("/locks/workspace"), params=there)
    assert "2 of 2 held, 0 wait" in line.text
    assert f'action="{browser.base}/locks/workspace/edit"' in line.text  # what takes it back, also while runs hold it
    assert 'name="capacity" value="1"' in line.text
    await browser.post("/locks/workspace/forget", status=409, name=name)

    for number in made:
        await browser.post(f"/runs/{number}/stop", how="terminate", rest="failed")
    line = await browser.http.get(browser.path("/locks/workspace"), params=there)
    assert "Nobody holds it, and nobody waits" in line.text
    await browser.post("/locks/workspace/forget", name=name)
    assert (await browser.http.get(browser.path("/locks/workspace"), params=there)).status_code == 404


async def test_a_lock_of_the_organization_is_for_who_governs_it(visit, govern, workspace):
    """An owner of a workspace declares its own, and sees the organization's; undo puts it back."""
    admin, owner = await govern(workspace), await visit(workspace)
    name = f"licence {uuid7()}"
    await owner.post("/locks/new", status=403, name=name, of="organization", capacity="3")
    assert "The organization" not in (await owner.get("/locks/new")).partition("<form class")[2]
    await admin.post("/locks/new", status=422, name=name, of="galaxy", capacity="3")
    await admin.post("/locks/new", status=422, name="run-slots", of="organization", capacity="3")
    made = await admin.post("/locks/new", name=name, of="organization", capacity="3")
    assert "3 runs may hold it" in await owner.get(made.headers["location"].removeprefix(admin.base))
    await owner.post("/locks/organization/forget", status=403, name=name)
    await owner.get("/locks/galaxy?name=x", status=404)
    await admin.post("/locks/organization/forget", name=name)
    assert f'name="name" value="{name}"' in await admin.get("/locks")
    await admin.get(f"/locks/organization?name={name}", status=404)


async def test_slots_are_set_by_who_governs(govern, visit, workspace):
    """As many as the workers can run, or a number."""
    admin, owner = await govern(workspace), await visit(workspace)
    await owner.get("/locks/slots", status=403)
    await owner.post("/locks/slots", status=403, capacity="7")
    await admin.post("/locks/slots", status=422, capacity="0")
    await admin.post("/locks/slots", capacity="7123")
    assert "of 7,123" in await owner.get("/locks")
    await admin.post("/locks/slots", capacity="")
    assert "as many as its workers can run" in await owner.get("/locks")
