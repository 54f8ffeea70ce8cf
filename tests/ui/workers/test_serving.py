"""Which workspaces workers, groups, tokens and provisioners serve: seen and said in the browser."""

import re

import pytest

from controlroom.engine.access.grants.actions import grant
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.model import Role
from controlroom.engine.access.roles.model import OF_MEMBERS
from controlroom.engine.workspaces import actions as workspaces
from controlroom.ids import uuid7
from controlroom.ui.pickers import picker


@pytest.fixture
async def other(room):
    """A second workspace of the organization."""
    return await workspaces.create(room.engine, room.admin, f"Second {uuid7().hex[-8:]}")


async def owning(room, browser, workspace):
    """Have somebody own a further workspace."""
    owner = OF_MEMBERS[Role.OWNER]
    await grant(room.engine, room.admin, Principal(PrincipalKind.USER, browser.user), owner, workspace)


async def main_of(browser, path):
    """What a page says: workspaces stand in the menu, too."""
    return (await browser.get(path)).partition("<main")[2]


async def a_token(browser, **fields):
    """The page that shows a new token, its value and its address."""
    page = (await browser.post("/workers/link", status=200, group="", slots="1", **fields)).text
    token = re.search(r"--link-token (crl_\w+)", page)[1]
    return page, token, f"/workers/link/{re.search(r'/workers/link/([0-9]+)', page)[1]}"


async def test_it_is_said_and_seen_what_they_serve(visit, room, workspace, other, walt, cleo):
    """Of each kind alike, by who may in all of them; one that serves this workspace no more is found elsewhere."""
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    await owning(room, browser, other.id)
    group = (await browser.post("/groups/new", name="linux-fin")).headers["location"].removeprefix(browser.base)
    made = await browser.post(
        "/provisioners/new", status=200, name="cloud", endpoint="https://p.example.com/s", minutes=""
    )
    provisioner = re.search(rf"{browser.base}(/provisioners/\d+)/edit", made.text)[1]
    _, _, address = await a_token(browser)

    for here, back in ((group, "/workers"), (provisioner, "/provisioners"), (address, "/workers")):
        assert other.name not in await main_of(browser, here)
        form = await browser.get(f"{here}/serving")
        assert f'value="{workspace}" checked' in form
        assert f'value="{other.id}"' in form
        assert "later" not in form  # only who may in the organization lets it serve those to come
        await viewer.get(f"{here}/serving", status=403)
        await viewer.post(f"{here}/serving", status=403, serves="these", workspace=str(workspace))
        await outsider.post(f"{here}/serving", status=404, serves="these", workspace=str(workspace))
        assert "has to serve" in (await browser.post(f"{here}/serving", status=422, serves="these")).text
        stranger = await browser.post(f"{here}/serving", status=422, serves="these", workspace=str(cleo.workspace))
        assert "no workspace" in stranger.text

        saved = await browser.post(
            f"{here}/serving", serves="these", workspaces=f"{other.name}\n#{other.number}", workspace=str(workspace)
        )
        assert saved.headers["location"] == f"{browser.base}{here}"
        assert other.name in await main_of(browser, here)
        assert other.name not in await viewer.get(here)  # who has no place there is told nothing of it
        saved = await browser.post(f"{here}/serving", serves="these", workspaces=other.name)
        assert saved.headers["location"] == f"{browser.base}{back}"
        assert f"serves {other.name}" in await browser.get(back)  # said once
        await browser.get(here, status=404)

    number = await room.engine.database.value("select number from worker where id = %(id)s", id=walt.actor.worker_id)
    worker = f"/workers/{number}"
    both = {"serves": "these", "workspaces": other.name, "workspace": str(workspace)}
    refused = await browser.post(f"{worker}/serving", status=422, **both)
    assert "without a sandbox" in refused.text
    assert other.name not in await main_of(browser, worker)


async def test_who_does_not_own_all_of_them_changes_nothing(visit, govern, room, workspace, other):
    """It is told so beside the form; who governs the organization lets it serve all, also those to come."""
    browser, admin = await visit(workspace), await govern(workspace)
    group = (await admin.post("/groups/new", name="shared")).headers["location"].removeprefix(admin.base)
    assert "later" in await admin.get(f"{group}/serving")
    await admin.post(f"{group}/serving", serves="all")
    assert "all workspaces" in await browser.get(group)

    refused = await browser.post(f"{group}/serving", status=422, serves="these", workspace=str(workspace))

    assert "it needs" in refused.text.lower() or "this needs" in refused.text
    assert "all workspaces" in await browser.get(group)


async def test_a_worker_may_come_for_several_from_the_start(visit, room, workspace, other, monkeypatch):
    """The token says so, in the form that makes it; of very many workspaces some are typed."""
    browser = await visit(workspace)
    assert "Workspaces that it serves" not in await browser.get("/workers/link")  # there is one to choose
    await owning(room, browser, other.id)
    assert other.name in await main_of(browser, "/workers/link")
    wrong = await browser.post("/workers/link", status=422, group="", slots="1", serves="these", workspaces="Nowhere")
    assert "no workspace Nowhere" in wrong.text
    monkeypatch.setattr(picker, "FEW", 1)
    assert "too many to tick" in await browser.get("/workers/link")

    page, _, address = await a_token(browser, serves="these", workspaces=f"{other.name}", workspace=str(workspace))

    assert other.name in page.partition("<main")[2]
    assert other.name in await main_of(browser, address)


async def test_the_command_is_shown_again_to_who_may_reveal(visit, room, workspace):
    """It is recorded who saw it; members who may not are refused."""
    browser, operator = await visit(workspace), await visit(workspace, Role.OPERATOR)
    _, token, address = await a_token(browser)
    assert token not in await browser.get(address)

    assert token in (await browser.post(f"{address}/reveal", status=200)).text

    await operator.post(f"{address}/reveal", status=403)
    seen = "select count(*) from event where kind = 'link_token.revealed' and actor_id = %(who)s"
    assert await room.engine.database.value(seen, who=browser.user) == 1


async def test_a_provisioners_secret_is_seen_again_and_given_anew(visit, room, workspace, cleo):
    """After a question; it is recorded, and stands in no other page."""
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    made = await browser.post(
        "/provisioners/new", status=200, name="cloud", endpoint="https://p.example.com/s", minutes=""
    )
    secret = re.search(r'id="secret-of-provisioner">([^<]+)<', made.text)[1]
    here = re.search(rf"{browser.base}(/provisioners/\d+)/edit", made.text)[1]
    assert "audit log" in await browser.get(f"{here}/secret?part=dialog")
    await viewer.post(f"{here}/secret", status=403)
    await outsider.post(f"{here}/secret", status=404)

    shown = (await browser.post(f"{here}/secret", status=200)).text

    assert secret in shown
    assert "is made" not in shown
    assert secret not in await browser.get(here)
    another = "another-secret-of-thirty-two-bytes"
    await browser.post(f"{here}/edit", name="cloud", endpoint="https://p.example.com/s", minutes="", secret=another)
    assert another in (await browser.post(f"{here}/secret", status=200)).text
    seen = "select count(*) from event where kind = 'provisioner.revealed' and actor_id = %(who)s"
    assert await room.engine.database.value(seen, who=browser.user) == 2
