"""Lockers in the browser: made, looked after, used by roles, deleted; a stranger is told of none."""

import re

from console_walk import undo_of
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
    undo = undo_of(await browser.get(here))
    await browser.post(f"/{undo.action}", **dict(undo.fields))
    assert "participate" in await other.get(here)
    await browser.post(f"{here}/members", user=other.username)

    role = await room.engine.database.value("select name from role where organization_id is null order by id limit 1")
    await browser.post(f"{here}/consumers", role=role)
    assert re.search(rf"class=\"name\">{re.escape(role)}<", await browser.get(here))
    await browser.post(f"{here}/consumers", role=role, gone="1")
    undo = undo_of(await browser.get(here))
    await browser.post(f"/{undo.action}", **dict(undo.fields))
    undo = undo_of(await browser.get(here))
    await browser.post(f"/{undo.action}", **dict(undo.fields))
    assert "By none" in await browser.get(here)
    revision = re.search(r'name="revision" value="(\d+)"', await browser.get(f"{here}/edit"))[1]
    stale = await browser.post(f"{here}/edit", status=422, name=name, description="", revision=str(int(revision) + 7))
    assert "Nothing was changed" in stale.text
    await browser.post(f"{here}/edit", name=f"{name} 2", description="", revision=revision)
    assert "it can be taken back" in await browser.get(f"{here}/delete")
    await browser.post(f"{here}/delete")
    form = undo_of(await browser.get("/lockers"))
    await browser.get(here, status=404)
    await other.post(f"/lockers/{made.id}/restore", status=404)
    await browser.post(f"/{form.action}")
    assert browser.username in await browser.get(here)


async def test_a_secret_of_the_organization_is_made_filled_shared_and_given_away(govern, visit, workspace, room, cleo):
    """Its values are on no page; a stranger is told of none, and who is given it owns it."""
    owner, other = await govern(workspace), await visit(workspace)
    outsider = await visit(cleo.workspace)
    name, value = f"ERP {uuid7()}", f"v-{uuid7()}"
    assert "Nothing was changed" in (await owner.post("/shared-secrets/new", status=422, name="")).text
    made = await owner.post("/shared-secrets/new", name=name, name0="username", name1="pin", own1="on", masked1="on")
    here = made.headers["location"].removeprefix(owner.base)
    page = await owner.get(here)
    assert page.count("no value") == 2
    fields = dict.fromkeys(re.findall(r'name="(value:[0-9a-f-]{36})"', page), value)
    assert "No value was typed" in (await owner.post(f"{here}/values", status=422)).text
    await owner.post(f"{here}/values", **fields)
    page = await owner.get(here)
    assert page.count("has a value") == 2
    for path in (here, f"{here}/edit", "/shared-secrets", f"{here}/delete"):
        assert value not in await owner.get(path)
    await other.get(here, status=404)
    assert name not in await other.get("/shared-secrets")
    await outsider.post(f"{here}/values", status=404, **fields)
    remove = re.findall(r'href="[^"]+(/values/[0-9]+/remove)"', page)[1]
    question = await owner.get(f"{here}{remove}?part=dialog")
    assert "The value that" in question
    assert owner.username in question
    await other.post(f"{here}{remove}", status=404)
    await owner.post(f"{here}{remove}")
    await owner.post(f"{here}{remove}", status=404)
    assert (await owner.get(here)).count("has a value") == 1
    await owner.post(f"{here}/values", **fields)

    locker = await lockers.create(room.engine, room.admin, name=f"L {uuid7()}", description="", owner=owner.user)
    await owner.post(f"{here}/locker", locker=locker.name)
    assert f"/shared-secrets/{here.rpartition('/')[2]}" in await owner.get(f"/lockers/{locker.number}")
    await owner.post(f"{here}/locker", locker="")
    assert "None: its owner" in await owner.get(here)

    form = await owner.get(f"{here}/edit")
    revision = re.search(r'name="revision" value="(\d+)"', form)[1]
    kept = re.search(r'name="id0" value="([0-9a-f-]+)"', form)[1]
    await owner.post(f"{here}/edit", name=name, revision=revision, id0=kept, name0="user")
    page = await owner.get(here)
    assert re.findall(r'<span class="name mono">([^<]+)<', page) == ["user"]
    assert page.count("has a value") == 1
    assert "Nothing was changed" in (await owner.post(f"{here}/owner", status=422, user="nobody at all")).text
    await owner.post(f"{here}/owner", user=other.username)
    assert name in await other.get("/shared-secrets")
    await other.post(f"{here}/delete")
    await other.get(here, status=404)
