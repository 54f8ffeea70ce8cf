"""Lockers in the browser: made, looked after, used by roles, deleted; a stranger is told of none."""

import re

from controlroom.engine.vault.lockers import actions as lockers
from controlroom.ids import uuid7


async def test_a_locker_is_made_shared_and_deleted(visit, workspace, room, cleo):
    """Members by name with their rights, roles likewise; what cannot be is said on the page."""
    browser, other = await visit(workspace), await visit(workspace)
    name = f"Ledger {uuid7()}"
    await browser.post("/lockers/new", status=403, name=name, description="")
    made = await lockers.create(room.engine, room.admin, name=name, description="of the ERP", owner=browser.user)
    here = f"/lockers/{made.number}"
    page = await browser.get(here)
    assert browser.username in page
    assert "of the ERP" in page
    assert name in await browser.get("/lockers")

    await other.get(here, status=404)
    await browser.post(f"{here}/members", user=other.username, right="participate")
    assert "participate" in await other.get(here)
    assert "Delete" not in await other.get(here)
    nobody = await browser.post(f"{here}/members", status=422, user="nobody at all", right="own")
    assert "Nothing was changed" in nobody.text
    await browser.post(f"{here}/members", user=other.username)
    await other.get(here, status=404)

    role = await room.engine.database.value("select name from role where organization_id is null order by id limit 1")
    await browser.post(f"{here}/consumers", role=role)
    assert re.search(rf"class=\"name\">{re.escape(role)}<", await browser.get(here))
    await browser.post(f"{here}/consumers", role=role, gone="1")
    assert "By none" in await browser.get(here)
    revision = re.search(r'name="revision" value="(\d+)"', await browser.get(f"{here}/edit"))[1]
    stale = await browser.post(f"{here}/edit", status=422, name=name, description="", revision=str(int(revision) + 7))
    assert "Nothing was changed" in stale.text
    await browser.post(f"{here}/edit", name=f"{name} 2", description="", revision=revision)
    await browser.post(f"{here}/delete")
    await browser.get(here, status=404)
