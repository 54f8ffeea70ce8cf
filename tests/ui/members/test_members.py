"""People in the console: members, invitations, groups, roles, and accounts."""

import re

from console_walk import undo_of
from controlroom.engine.access.grants.actions import grant
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.model import Role
from controlroom.engine.access.roles.model import ADMIN
from controlroom.engine.access.users.actions import create_user
from controlroom.engine.workers.linking import create_link_token, link
from controlroom.ids import uuid7
from controlroom.protocol import Link
from controlroom.ui.members import pages, pages_groups
from controlroom.ui.pickers import picker
from hypertext import links
from live import client_of

PASSWORD = "a long password of a test"


def named():
    return f"user-{uuid7().hex[-12:]}"


async def a_viewer(room, ada, password=PASSWORD):
    """Somebody who may look."""
    make = room.engine, ada.actor, ada.workspace
    return await create_user(*make, username=named(), password=password, role=Role.VIEWER)


def action(page, ending):
    """Where a form of the page posts."""
    return "/" + re.search(rf'action="([^"]+{ending})"', page)[1]


async def test_members_get_other_roles_and_go(visit, workspace, room, ada):
    """The list says who is what; a viewer sees it without a verb, and an outsider nothing."""
    browser = await visit(workspace)
    user = await a_viewer(room, ada)
    username = user.username

    assert username in await browser.get(f"/members?q={username}&role=viewer")
    assert "No members match" in await browser.get(f"/members?q={username}&role=owner")
    await browser.post(f"/members/{user.number}/role", role="operator")
    assert username in await browser.get("/members?role=operator")
    await browser.post(f"/members/{user.number}/remove")
    assert "Undo" in await browser.get("/members")  # which names whom it would take in again
    assert username not in await browser.get("/members")
    await browser.post("/members", username=username, role="viewer")
    viewer = await visit(workspace, Role.VIEWER)
    assert "Remove from here" not in await viewer.get("/members")
    await viewer.post(f"/members/{user.number}/role", 403, role="owner")


async def test_who_is_invited_comes_in(visit, workspace, room, cleo):
    """By a link that is shown once and works once; a name that is taken is said, and nothing of it is lost."""
    browser, outsider = await visit(workspace), await visit(cleo.workspace)
    made = (await browser.post("/members/invite", 200, role="operator", email="dan@example.com")).text
    path = re.search(rf"{re.escape(room.url)}(/invite/cri_[\w.~-]+)", made)[1]
    assert "dan@example.com" in await browser.get("/members/invitations?tab=open&q=dan")
    assert "dan@example.com" not in await browser.get("/members/invitations?tab=over")
    assert "dan@example.com" in await browser.get("/members/invitations?as=csv")
    async with client_of(room.url) as http:
        page = (await http.get(path)).text
        assert "operator" in page
        headers, fields = {"Origin": room.url}, {"password": PASSWORD, "first_name": "Dan"}
        taken = await http.post(path, data={**fields, "username": browser.username}, headers=headers)
        assert taken.status_code == 400
        assert "Somebody has this name already" in taken.text
        assert 'value="Dan"' in taken.text
        come = await http.post(path, data={**fields, "username": named()}, headers=headers)
        assert come.status_code == 303, come.text
        there = await http.get(come.headers["location"], follow_redirects=True)
        assert there.url.path.startswith(browser.base)
        assert (await http.get(path)).status_code == 404
    await outsider.get(f"/{browser.base}/members", status=404)


async def test_who_is_logged_in_joins(visit, workspace, room, ada):
    """As who they are; and an invitation that was taken back leads nowhere."""
    browser = await visit(workspace)
    made = (await browser.post("/members/invite", 200, role="viewer", email="")).text
    path = re.search(r"(/invite/cri_[\w.~-]+)", made)[1]
    assert f"Join as {browser.username}" in await browser.get(f"/{path}")
    answer = await browser.post(f"/{path}/join")
    assert answer.headers["location"] == "/"
    page = await browser.get("/members/invitations")
    withdraw = "/" + re.search(r'href="([^"]+/withdraw)"', page)[1]
    assert "leads nowhere any more" in await browser.get(f"{withdraw}?part=dialog")
    await browser.post(withdraw)
    await browser.get(f"/{path}", status=404)


async def test_a_password_for_once_is_changed_before_anything_else(visit, workspace, room, ada):
    """Every page leads to its change; after it the new one is good."""
    browser = await visit(workspace)
    user = await a_viewer(room, ada)
    username = user.username
    await browser.get(f"//admin/users/{user.number}/password?part=dialog")
    await browser.post(f"//admin/users/{user.number}/password", password="given for once", temporary="on")
    async with client_of(room.url) as http:
        headers = {"Origin": room.url}
        await http.post("/login", data={"username": username, "password": "given for once", "to": "/"}, headers=headers)
        moved = await http.get(f"{browser.base}/members")
        assert moved.headers["location"] == "/login/password"
        different = {"password": "my own password", "again": "another one"}
        assert "not the same" in (await http.post("/login/password", data=different, headers=headers)).text
        both = {"password": "my own password", "again": "my own password"}
        assert (await http.post("/login/password", data=both, headers=headers)).headers["location"] == "/"
        assert (await http.get(f"{browser.base}/members")).status_code == 200


async def test_an_account_is_governed_by_who_may(visit, workspace, room, ada):
    """Credentials are made and revoked, sessions end, the user is disabled; an operator may look, and do nothing."""
    browser, operator = await visit(workspace), await visit(workspace, Role.OPERATOR)
    user = await a_viewer(room, ada)
    here = f"//admin/users/{user.number}"

    for kind in ("pair", "key", "token"):
        made = (await browser.post(f"{here}/credentials", 200, kind=kind, name=f"my {kind}")).text
        assert 'id="value"' in made
    page = await browser.get(here)
    seen = "/" + re.search(r'href="([^"]+/credentials/key/[0-9]+/reveal)"', page)[1]
    assert "audit log" in await browser.get(f"{seen}?part=dialog")
    again = (await browser.post(seen, 200)).text
    assert re.search(r'id="value">cru\w{37}<', again)
    assert "audit log" in again
    await operator.post(seen, 403)
    await browser.post(seen.replace("/key/", "/token/"), 404)
    for kind in ("pair", "key", "token"):
        assert f"my {kind}" in page
        revoke = "/" + re.search(rf'href="([^"]+/credentials/{kind}/[^"]+/revoke)"', page)[1]
        assert f"Revoke the {kind} my {kind}?" in await browser.get(f"{revoke}?part=dialog")
        await browser.post(revoke)
    assert "my pair" not in await browser.get(here)
    await browser.post(f"{here}/disable")
    assert "disabled" in await browser.get(here)
    await browser.post(f"{here}/enable")
    await browser.post(f"{here}/sessions/end")
    await browser.post(here, first_name="Dora", last_name="", email="")
    assert "Dora" in await browser.get(here)
    assert "not yours to change" in await operator.get(here)
    await operator.post(f"{here}/disable", 403)
    await operator.get("//admin/users", status=403)


async def test_a_user_has_a_default_worker(govern, visit, workspace, room, ada):
    """Where robots run as them; another is taken back by Undo; who may not write members changes nothing."""
    browser, operator = await govern(workspace), await visit(workspace, Role.OPERATOR)
    user = await a_viewer(room, ada)
    here = f"//admin/users/{user.number}"
    token = await create_link_token(room.engine, ada.actor, workspace)
    name = f"rack-{uuid7().hex[-12:]}"
    made = await link(room.engine, Link(link_token=token.value, name=name, slots=1))
    assert "Default worker" in await browser.get(here)
    await operator.post(f"{here}/default-worker", 403, worker=name)
    assert "Nothing was changed" in (await browser.post(f"{here}/default-worker", 422, worker="no such one")).text

    await browser.post(f"{here}/default-worker", worker=str(made.worker_id))
    undo = undo_of(await browser.get(here))

    default = "select default_worker_id from app_user where id = %(user)s"
    assert await room.engine.database.value(default, user=user.id) == made.worker_id
    assert name in await browser.get(here)
    await browser.post(f"/{undo.action}", **dict(undo.fields))
    assert await room.engine.database.value(default, user=user.id) is None


async def test_grants_and_roles_are_given_and_made_by_who_may(visit, workspace, room, ada):
    """An owner gives a role in the workspace, and takes it back; roles and groups are the organization's."""
    browser = await visit(workspace)
    user = await a_viewer(room, ada, None)
    page = await browser.get("/members/grants")
    role = "pool admin"
    await browser.post("/members/grants", to=f"user:{user.id}", role=role, where="workspace")
    page = await browser.get("/members/grants")
    assert "pool admin" in page
    await browser.post(action(page, "/grants/[0-9]+/revoke"))
    assert "Nothing beside the memberships" in await browser.get("/members/grants")
    owner_role = next(each for each in links(await browser.get("/roles")) if "/roles/" in each)
    await browser.get(f"/{owner_role}")
    await browser.post("/roles", 403, name="auditor", may="audit.read")
    await browser.get("/members/groups")
    await browser.post("/members/groups", 403, name="Finance")


async def test_an_admin_makes_roles_groups_users_and_workspaces(visit, workspace, room):
    """All of it is the organization's; what is wrong with a form is said in it."""
    browser = await visit(workspace)
    await grant(room.engine, room.admin, Principal(PrincipalKind.USER, browser.user), ADMIN, None)
    name = named()

    made = await browser.post("/roles", name=name, description="Looks", may="audit.read")
    await browser.post(f"/{made.headers['location']}", name=name, description="Looks on", may="runs.read")
    assert "Looks on" in await browser.get(f"/{made.headers['location']}")
    assert "A role needs a name" in (await browser.post("/roles", 400, name="", may="runs.read")).text
    await browser.get(f"/{made.headers['location']}/delete?part=dialog")
    await browser.post(f"/{made.headers['location']}/delete")

    group = (await browser.post("/members/groups", name=name, description="")).headers["location"]
    await browser.post(f"/{group}/members", username=browser.username)
    assert browser.username in await browser.get(f"/{group}")
    await browser.post(f"/{group}/members/{browser.username}/remove")
    await browser.post(f"/{group}", name=f"{name}-2", description="Books")
    assert f"{name}-2</a>" in await browser.get(f"/members/groups?q={name}")
    await browser.get(f"/{group}/delete")
    await browser.post(f"/{group}/delete")

    await browser.get("//admin/users/new")
    user = await browser.post("//admin/users", username=name, password=PASSWORD, temporary="on", email="d@example.com")
    page = await browser.http.get(user.headers["location"], follow_redirects=True)
    assert name in page.text
    assert name in await browser.get(f"//admin/users?q={name}&tab=never")
    assert name in await browser.get("//admin/users?as=csv")
    await browser.post(f"/{page.url.path}/delete")
    assert "No users match" in await browser.get(f"//admin/users?q={name}")

    await browser.post("//admin/workspaces", name=name)
    assert name in await browser.get("//admin/workspaces")
    await browser.post(f"//admin/workspaces/{name}/rename", name=f"{name}-b")
    await browser.get(f"//admin/workspaces/{name}-b/delete")
    await browser.post(f"//admin/workspaces/{name}-b/delete")
    assert name not in await browser.get("//admin/workspaces")


async def test_a_workspace_with_something_in_it_stays(govern, workspace, ada):
    """The question is asked again, and says why it is not deleted."""
    browser = await govern(workspace)
    await ada.post("/assets", {"name": "prices"})
    here = f"//admin/workspaces/{browser.base.rpartition('/')[2]}/delete"

    page = (await browser.post(here, status=422)).text

    assert "There is something in the workspace: only an empty one is deleted" in page
    assert f'action="{here[1:]}"' in page


async def test_the_organization_is_called_otherwise(govern, visit, workspace, room):
    """By who makes workspaces in it; it can be taken back, and an empty name is none."""
    browser, owner = await govern(workspace), await visit(workspace)
    before = re.search(r'name="organization" type="text" value="([^"]+)"', await browser.get("//admin/workspaces"))[1]
    assert 'name="organization"' not in await owner.get("//admin/workspaces")
    await owner.post("//admin/organization/rename", status=403, organization="Ours")
    await browser.post("//admin/organization/rename", status=400, organization="")
    try:
        await browser.post("//admin/organization/rename", organization="Ours & theirs")
        page = await browser.get("//admin/workspaces")
        assert 'value="Ours &amp; theirs"' in page
    finally:
        form = undo_of(page)
        await browser.post(f"/{form.action}", **dict(form.fields))
    assert f'value="{before}"' in await browser.get("//admin/workspaces")


async def test_many_grants_are_turned_and_sought_and_one_of_many_is_named(visit, workspace, room, ada, monkeypatch):
    """Memberships take no place among them; where a choice would hold too many, who is meant is typed."""
    browser = await visit(workspace)
    user, other = await a_viewer(room, ada, None), await a_viewer(room, ada, None)
    monkeypatch.setattr(picker, "FEW", 1)
    monkeypatch.setattr(pages, "_PAGE", 1)
    page = await browser.get("/members/grants")
    assert 'id="to" name="to"' in page
    assert 'data-suggests="principals"' in page
    role = "pool admin"
    for each in (user, other):
        await browser.post("/members/grants", to=each.username, role=role, where="workspace")
    await browser.post("/members/grants", 400, to="nobody-at-all", role=role, where="workspace")
    await browser.post("/members/grants", 400, to=f"robot:{user.id}", role=role, where="workspace")

    def holds(text, each):
        return f'name">{each.username}<' in text

    page = await browser.get("/members/grants")
    assert (holds(page, user), holds(page, other)) == (True, False)
    more = re.search(r'href="([^"]+after=[^"]+)"', page)[1]
    assert holds(await browser.get(f"/{more}"), other)
    assert holds(await browser.get(f"/members/grants?q={other.username}"), other)
    assert not holds(await browser.get(f"/members/grants?q={other.username}"), user)


async def test_people_of_a_group_are_set_at_once(visit, workspace, room, monkeypatch):
    """Those who are ticked or named, and no others; a name of nobody changes nothing; many are sought."""
    browser, other = await visit(workspace), await visit(workspace)
    await grant(room.engine, room.admin, Principal(PrincipalKind.USER, browser.user), ADMIN, None)
    monkeypatch.setattr(pages_groups, "_MOST", 1)
    group = (await browser.post("/members/groups", name=f"Set {other.username}")).headers["location"]
    await browser.post(f"/{group}/people", names=f"{browser.username}, {other.username}")
    first = await browser.get(f"/{group}")
    assert "1 of 2" in first
    found = await browser.get(f"/{group}?q={other.username}")
    assert f"/members/{other.username}/remove" in found
    assert f"/members/{browser.username}/remove" not in found

    form = await browser.get(f"/{group}/people")
    assert "first 1 of 2 people" in form
    [shown] = re.findall(r'name="shown" value="([^"]+)"', form)
    refused = await browser.post(f"/{group}/people", 422, shown=shown, names="nobody-at-all")
    assert 'value="nobody-at-all"' in refused.text
    assert "1 of 2" in await browser.get(f"/{group}")
    await browser.post(f"/{group}/people", shown=shown)
    assert "1 of 2" not in await browser.get(f"/{group}")
