"""Notifications in the browser: people are told of one process or of several; changed, switched off, deleted."""

from console_walk import undo_of
from controlroom.engine.access.model import Role
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.model import OneEmptyItem
from controlroom.ids import uuid7
from controlroom.protocol import ErrorCode
from delivering import until


async def number_of(room, process):
    """As addresses name it."""
    return str(await room.engine.database.value("select number from process where id = %(id)s", id=process))


async def test_people_are_told_of_a_process(room, visit, workspace, process, cleo):
    """By mail or in a chat, whose address is never shown; what is wrong is said, and nothing is made."""
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    number = await number_of(room, process)
    assert "Nobody is told" in await browser.get("/notifications")
    good = {"process": number, "way": "email", "to": "ops@example.com, ada@example.com", "event": "run.completed"}
    for wrong, said in (
        ({"to": "nobody"}, "is no address of mail"),
        ({"to": ""}, "1 to 50 addresses"),
        ({"process": ""}, "Choose the process"),
        ({"event": "run.exploded"}, "There is no such event"),
        ({"way": "chat", "to": "no address"}, "Nothing was changed"),
    ):
        answer = await browser.post("/notifications/new", status=422, **(good | wrong))
        assert said in answer.text, wrong
    assert "Nobody is told" in await browser.get("/notifications")

    made = await browser.post("/notifications/new", **good)
    here = made.headers["location"].removeprefix(browser.base)
    page = await browser.get(here)
    assert "ops@example.com, ada@example.com" in page
    assert "Nothing was sent yet" in page
    await browser.post(f"{here}/edit", status=422, to="nobody", event="run.completed")
    await browser.post(f"{here}/edit", to="ben@example.com", event="run.unresolved")
    page = await browser.get(here)
    assert "ben@example.com" in page
    assert "ops@example.com" not in page.partition("<h2")[0]
    back = browser.path(f"/processes/{number}/triggers")
    off = await browser.post(f"{here}/disable", back=back)
    assert off.headers["location"] == back
    assert (await browser.post(f"{here}/disable", back="//evil.example")).headers["location"] == browser.path(here)
    assert "It is off" in await browser.get(here)
    assert "ben@example.com" in await browser.get("/notifications?tab=off&kind=email&q=ben@")
    assert "ben@example.com" not in (await browser.get("/notifications?tab=on")).partition("<tbody")[2]

    secret = f"https://chat.example.com/{uuid7()}"
    chat = await browser.post("/notifications/new", **(good | {"way": "chat", "to": secret}))
    there = chat.headers["location"].removeprefix(browser.base)
    for address in (there, f"{there}/edit", "/notifications", f"{there}/delete"):
        assert secret not in await browser.get(address)
    await browser.post(f"{there}/edit", to="", event="run.completed")

    page = await viewer.get(here)
    assert "ben@example.com" in page
    assert f'method="post" action="{viewer.base}/notifications' not in page
    for verb in ("edit", "enable", "delete"):
        await viewer.post(f"{here}/{verb}", status=403, to="eve@example.com", event="run.completed")
        await outsider.post(f"{here}/{verb}", status=404, to="eve@example.com", event="run.completed")
    await outsider.get(here, status=404)
    await browser.post(f"{here}/delete")
    await browser.get(here, status=404)
    await browser.post(f"/{undo_of(await browser.get('/notifications')).action}")
    assert "is told again, from now on." in await browser.get(here)
    await browser.post(f"{here}/delete")
    await browser.get(here, status=404)


async def test_a_delivery_of_a_notification_is_read_and_sent_again(room, visit, workspace, process, ada, walt):
    """Beside the notification: what was sent, what came of it; only there, and once more by hand."""
    browser = await visit(workspace)
    number = await number_of(room, process)
    made = [
        (await browser.post("/notifications/new", process=number, way="email", to=to, event="run.unresolved"))
        .headers["location"]
        .removeprefix(browser.base)
        for to in ("ops@example.com", "other@example.com")
    ]
    await runs.start(room.engine, ada.actor, ada.workspace, process, OneEmptyItem())
    await walt.finish(await walt.take(), ErrorCode.ROBOT_FAILED)

    async def delivery():
        found = (await browser.get(made[0])).partition("?delivery=")[2].partition('"')[0]
        return found if found.isdecimal() else None

    number = await until(delivery, 20)
    shown = await browser.get(f"{made[0]}?delivery={number}")
    assert "The last robot that failed: ROBOT_FAILED" in shown
    await browser.get(f"{made[1]}?delivery={number}", status=404)


async def test_one_person_is_told_of_several_processes(room, visit, govern, workspace, process, cleo):
    """By how their runs end; of the workspace by who writes it, of the organization by who governs."""
    browser, admin = await visit(workspace), await govern(workspace)
    viewer, outsider = await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    number = await number_of(room, process)
    assert "No notice" in await browser.get("/notices")
    for wrong, said in (
        ({"to": "nobody-of-this-name"}, "nobody-of-this-name"),
        ({"failure": ""}, "Tick a process"),
        ({"failure": "99999999"}, "99999999"),
        ({"to": browser.username}, "has no address of mail"),
    ):
        sent = {key: value for key, value in ({"to": "ops@example.com", "failure": number} | wrong).items() if value}
        assert said in (await browser.post("/notices/new", status=422, **sent)).text, wrong

    made = await browser.post("/notices/new", to="ops@example.com", failure=number, stop=number)
    here = made.headers["location"].removeprefix(browser.base)
    page = await browser.get(here)
    assert "of this workspace" in page
    assert page.count(f'href="{browser.base}/processes/{number}"') == 2
    await browser.post(f"{here}/edit", to="ben@example.com", success=number)
    page = await browser.get(here)
    assert "ben@example.com" in page
    assert page.count(f'href="{browser.base}/processes/{number}"') == 1
    assert f'name="success" value="{number}" checked' in await browser.get(f"{here}/edit")
    assert "ben@example.com" in await browser.get("/notices")

    await viewer.get(f"{here}/edit", status=403)
    await viewer.post(f"{here}/delete", status=403)
    await outsider.get(here, status=404)
    await outsider.post(f"{here}/delete", status=404)

    whole = await admin.post("/notices/new", to="all@example.com", failure=number)
    above = whole.headers["location"].removeprefix(admin.base)
    assert "the organization" in await admin.get(above)
    await browser.get(above, status=404)
    await browser.post(f"{above}/delete", status=404)
    assert "all@example.com" not in await browser.get("/notices")
    for who, its in ((admin, above), (browser, here)):
        assert "it can be taken back" in await who.get(f"{its}/delete")
        await who.post(f"{its}/delete")
        form = undo_of(await who.get("/notices"))
        await who.get(its, status=404)
        for other, refused in ((viewer, 403), (outsider, 404)):
            restore = form.action.rpartition("/notices/")[2]
            await other.post(f"/notices/{restore}", status=refused)
        await who.post(f"/{form.action}")
        assert "is told again" in await who.get(its)
        await who.post(f"/{form.action}", status=404)
