"""The audit log in the console: what happened in words, found by who and what, and as CSV."""

from controlroom.engine.access.actions import create_api_key
from controlroom.engine.access.audit import AuditEvent
from controlroom.engine.access.grants.actions import grant
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.groups import actions as groups
from controlroom.engine.access.model import Permission, Role
from controlroom.engine.access.roles.model import ADMIN
from controlroom.engine.packages import actions as packages
from controlroom.ids import uuid7
from controlroom.ui.audit.pages import sentence_of

PASSWORD = "a long password of a test"
IDS = ("019ac2e4-0000-7000-8000-00000000000a", "019ac2e4-0000-7000-8000-00000000000b")


async def test_what_happened_is_told_and_found(visit, workspace, room, ada, cleo):
    """By kind, by who did it, and to what; an operator may not look, an outsider finds nothing."""
    browser = await visit(workspace)
    key, _ = await create_api_key(room.engine, ada.actor, ada.workspace, name="erp", permissions=[Permission.READ_RUNS])

    page = await browser.get("/audit?kind=api_key")
    assert "API key created <b>erp</b>" in page
    assert "permissions" in page
    assert "API key created" in await browser.get(f"/audit?subject={key.id}&since=1h")
    assert "No events match" in await browser.get(f"/audit?actor={uuid7()}")
    led = await browser.http.get(browser.path("/audit"), params={"actor": "key erp"})
    assert led.headers["location"].endswith(f"actor={key.id}")
    assert "Drop What nothing" in await browser.get("/audit?kind=nothing")
    told = await browser.http.get(f"{browser.base}/audit?as=csv&kind=api_key.created")
    assert told.text.count("api_key.created") >= 1
    await (await visit(workspace, Role.OPERATOR)).get("/audit", status=403)
    await (await visit(cleo.workspace)).get(f"/{browser.base}/audit", status=404)


async def test_the_organizations_own_is_for_who_reads_it(visit, workspace, room):
    """What happened to accounts is in no workspace."""
    browser = await visit(workspace)
    await browser.get("//admin/audit", status=403)
    await grant(room.engine, room.admin, Principal(PrincipalKind.USER, browser.user), ADMIN, None)
    await browser.post("//login", username=browser.username, password=PASSWORD)
    assert "User logged in" in await browser.get(f"//admin/audit?actor={browser.user}")
    for path in ("//admin/audit", "/audit"):  # where there are more than a choice holds, a name is typed
        led = await browser.http.get(browser.path(path), params={"actor": browser.username})
        assert (led.status_code, led.headers["location"].rpartition("=")[2]) == (303, str(browser.user))
        await browser.get(f"{path}?actor=nobody-at-all", status=400)
    told = await browser.http.get("/admin/audit?as=csv&kind=user.logged_in")
    assert "user.logged_in" in told.text


async def test_whom_and_what_ids_mean_is_read_by_names(visit, govern, workspace, room, ada):
    """A group's new member, and a package that was deleted; of another workspace's things no name is told."""
    admin, member = await govern(workspace), await visit(workspace)
    group = await groups.create_group(room.engine, room.admin, name=f"Auditors {uuid7()}", description="")
    await groups.add_group_members(room.engine, room.admin, group.id, [member.user])
    page = await admin.get(f"//admin/audit?subject={group.id}")
    assert f"<em>user</em> {member.username}<" in page
    assert str(member.user) not in page

    package = await packages.create(room.engine, ada.actor, workspace, "invoices")
    await packages.delete(room.engine, ada.actor, workspace, package.id)
    page = await admin.get(f"/audit?subject={package.id}")
    assert "Package deleted <b>invoices</b>" in page


def test_an_event_is_a_sentence():
    """Its noun and its verb, its name apart, and what else was written down, cut where it is long."""
    event = AuditEvent(
        id=1,
        at=None,
        kind="work_item.marked_done",
        actor_kind="user",
        actor_id=None,
        actor_name=None,
        process_id=None,
        run_id=None,
        step_run_id=None,
        subject_id=None,
        data={"name": "x", "role": "", "note": "n" * 500, "count": 3, "user_id": IDS[0], "of": list(IDS)},
    )
    what, name, rest = sentence_of(event, {IDS[0]: "ben"})
    assert (what, name) == ("Work item marked done", "x")
    assert dict(rest)["user"] == "ben"
    assert dict(rest)["of"] == f"ben, {IDS[1]}"  # whose name is not known
    assert dict(rest)["count"] == "3"
    assert max(len(value) for _, value in rest) < 121
