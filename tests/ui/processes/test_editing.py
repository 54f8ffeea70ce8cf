"""Processes are made, changed, wired, started and taken back in the console."""

import re

import msgspec
import pytest
from msgspec.structs import replace

from console_walk import read, undo_of
from controlroom.engine.access.grants.actions import grant
from controlroom.engine.access.grants.model import Principal, PrincipalKind
from controlroom.engine.access.model import Role
from controlroom.engine.access.roles.model import RUNNER
from controlroom.engine.access.scope import Of
from controlroom.engine.processes import actions, store
from controlroom.engine.processes.changes import definition_of
from controlroom.engine.processes.model import Placement, ProcessChange
from controlroom.engine.triggers import process_secrets
from controlroom.engine.work_items import store as work_items
from controlroom.errors import Unauthenticated
from controlroom.ids import RunId


async def number_of(room, process):
    """By which pages call a process."""
    return await room.engine.database.value("select number from process where id = %(id)s", id=process)


def form(**more: str) -> dict[str, str]:
    """A form with one step."""
    step = {"name": "read", "work": "", "where": "any", "max_parallel": "1", "attempts": "1", "backoff": "2"}
    return {"name": "Bills", "is_enabled": "on", **{f"step-0-{key}": value for key, value in step.items()}, **more}


async def test_one_is_made_and_changed_by_a_form(visit, workspace, room, process):
    """Step by step; what is wrong is said beside its field, and nothing is saved."""
    browser, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    await viewer.get("/processes/new", status=403)
    await viewer.post("/processes/new", status=403, **form())

    page = await browser.get("/processes/new")
    assert "Make the process" in page
    again = await browser.post("/processes/new", status=200, **form(do="add"))
    assert 'name="step-1-name"' in again.text
    refused = await browser.post("/processes/new", status=422, **form(**{"step-0-timeout": "soon"}))
    assert "A duration is written as" in refused.text
    twice = form(**{f"step-1-{key}": value for key, value in (("name", "read"), ("max_parallel", "1"))})
    refused = await browser.post("/processes/new", status=422, **(twice | {"step-1-attempts": "1"}))
    assert "another step has this name" in refused.text.lower()
    made = await browser.post("/processes/new", **form(**{"step-0-environment": "A=1\r\nB=x y"}))
    here = made.headers["location"].removeprefix(browser.base)

    await browser.post(f"{here}/edit", **form(name="Invoices due", **{"step-0-timeout": "10 m", "step-0-key": ""}))

    page = await browser.get(here)
    assert "Invoices due is changed." in page
    assert "10 m at most" in page


async def test_a_change_is_shown_and_taken_back(visit, workspace, room, ada, process, cleo):
    """As lines that went and came; by a question that says what the process becomes."""
    browser, outsider = await visit(workspace), await visit(cleo.workspace)
    here = f"/processes/{await number_of(room, process)}"
    page = await browser.get(f"{here}/edit")
    assert "Save" in page
    await browser.post(f"{here}/disable")

    changes = await browser.get(f"{here}/changes")
    assert "Change 2" in changes
    assert "true" in changes.split("Change 2")[1].split("gone")[1]
    question = await browser.get(f"{here}/changes/2/take-back?part=dialog")
    assert "This becomes of the process now" in question
    await browser.post(f"{here}/changes/2/take-back")

    assert (await store.get(room.engine.database, ada.seen, process)).is_enabled
    assert "Change 3" in await browser.get(f"{here}/changes")
    await browser.get(f"{here}/changes/1/take-back", status=404)
    await outsider.get(f"{here}/changes", status=404)
    await outsider.post(f"{here}/changes/2/take-back", status=404)


async def test_as_whom_it_runs_is_told_by_name(visit, workspace, room, process):
    """Before and after, in the changes and in the question that takes one back; never by an id."""
    browser, runner = await visit(workspace), await visit(workspace)
    await grant(room.engine, room.admin, Principal(PrincipalKind.USER, runner.user), RUNNER, None)
    here = f"/processes/{await number_of(room, process)}"
    steps = await store.list_steps(room.engine.database, Of(room.organization, (workspace,)), process)
    first, *others = map(definition_of, steps)
    change = ProcessChange(steps=(replace(first, placement=Placement(run_as=runner.user)), *others))
    await actions.update(room.engine, room.admin, workspace, process, change)

    for path in (f"{here}/changes", f"{here}/changes/2/take-back"):
        page = await browser.get(path)
        assert re.search(rf"runs as</em> {runner.username}\s*<", page)
        assert str(runner.user) not in page


async def test_one_is_started_with_payloads_and_files(visit, workspace, room, ada, process, walt):
    """By one button as usual; by the form with what was typed and chosen, in one work item."""
    browser, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    here = f"/processes/{await number_of(room, process)}"
    await viewer.get(f"{here}/start", status=403)
    await viewer.post(f"{here}/start", status=403)

    plain = await browser.post(f"{here}/start")
    assert f"{browser.base}/runs/" in plain.headers["location"]
    assert "Payloads" in await browser.get(f"{here}/start")

    async def by_form(payloads: str, status: int, *files: tuple[str, bytes]):
        parts = [("payloads", (None, payloads)), *(("files", file) for file in files)]
        origin = str(browser.http.base_url).rstrip("/")
        answer = await browser.http.post(browser.path(f"{here}/start"), files=parts, headers={"Origin": origin})
        assert answer.status_code == status, answer.text
        return answer

    assert "no JSON" in (await by_form("{", 422)).text
    assert "Files go with one payload" in (await by_form("1\n2", 422, ("a.txt", b"a"))).text
    started = await by_form('{"order": 7}', 303, ("a.txt", b"first"), ("b.txt", b"second"))

    number = int(started.headers["location"].rpartition("/")[2])
    run = RunId(await room.engine.database.value("select id from run where number = %(n)s", n=number))
    item = await room.engine.database.value("select id from work_item where run_id = %(run)s", run=run)
    [found] = [await work_items.get(room.engine.database, ada.seen, item)]
    files = await work_items.list_files(room.engine.database, ada.seen, [item])
    assert msgspec.json.decode(found.payload) == {"order": 7}
    assert sorted(file.name for file in files) == ["a.txt", "b.txt"]


async def test_what_follows_is_changed_and_taken_back(visit, workspace, room, process, cleo):
    """Its ends, and whether it follows at all; each change is taken back by one button, and so is its removal."""
    browser, outsider = await visit(workspace), await visit(cleo.workspace)
    number = await number_of(room, process)
    here = f"/processes/{number}"
    await browser.post(f"{here}/chains", next=str(number), end="completed", even_if_empty="yes")

    async def forms(verb):
        page = await browser.get(f"{here}/triggers")
        return page, [form for form in read(page)[1] if "/chains/" in form.action and form.action.endswith(verb)]

    page, [form] = await forms("/edit")
    assert "or with one empty item" in page
    sent = dict(form.fields)
    assert (sent["end"], sent["even_if_empty"], sent["is_enabled"]) == ("completed", "on", "on")
    await outsider.post(form.action.removeprefix(browser.base), status=404)
    await browser.post(f"/{form.action}", end="stopped timed_out")
    page, _ = await forms("/edit")
    assert "a run is stopped or timed out, with its outputs · off" in page
    undo = undo_of(page)
    await browser.post(f"/{undo.action}", **dict(undo.fields))
    page, _ = await forms("/edit")
    assert "a run is completed, with its outputs, or with one empty item" in page
    assert (await browser.post(f"/{form.action}", status=400)).status_code == 400
    _, [removal] = await forms("/delete")
    await browser.post(f"/{removal.action}")
    page, none = await forms("/delete")
    assert not none
    undo = undo_of(page)
    await browser.post(f"/{undo.action}", **dict(undo.fields))
    assert (await forms("/edit"))[1]


async def test_it_is_wired(visit, workspace, room, ada, process, cleo):
    """An address for mail, a chain, people who are told: each is made and taken away."""
    browser, outsider = await visit(workspace), await visit(cleo.workspace)
    number = await number_of(room, process)
    here = f"/processes/{number}"

    await browser.post(f"{here}/mail")
    page = await browser.get(f"{here}/triggers")
    assert f".{number}." in page.split("mail-address")[1]
    await browser.post(f"{here}/mail", is_set="yes", is_enabled="on")
    for verb in ("rotate", "delete"):
        assert "is refused" in await browser.get(f"{here}/mail/{verb}?part=dialog")
    await browser.post(f"{here}/mail/rotate")
    await browser.post(f"{here}/mail/delete")
    await browser.post(f"{here}/chains", next=str(number), end="completed")
    await browser.post(f"{here}/chains", status=400, next=str(number), end="nonsense")
    edit = browser.path(f"{here}/edit")
    assert f'name="back" value="{edit}"' in await browser.get(f"{here}/edit")
    assert f'action="{browser.base}/notifications/new"' in await browser.get(f"{here}/triggers")
    sent = {"process": str(number), "way": "email", "to": "edit@example.com", "event": "run.completed"}
    back = await browser.post("/notifications/new", back=edit, **sent)
    assert back.headers["location"] == edit
    await browser.post("/notifications/new", **{**sent, "to": "ops@example.com, ada@example.com"})

    page = await browser.get(f"{here}/triggers")
    assert "ops@example.com, ada@example.com" in page
    removals = [part.split('"')[0] for part in page.split('action="')[1:] if part.split('"')[0].endswith("/delete")]
    assert len(removals) == 1
    assert page.count("/notifications/") >= 4
    for action in removals:
        await outsider.post(action.removeprefix(browser.base), status=404)
        await browser.post(action.removeprefix(browser.base))
    await outsider.get(f"{here}/triggers", status=404)


async def test_a_process_has_a_secret_of_its_own(visit, workspace, room, process, cleo):
    """Shown by the answers that make and reveal it alone; the one before is refused, and it is recorded who saw it."""
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    here = f"/processes/{await number_of(room, process)}"
    assert f"{here}/secret" in await browser.get(f"{here}/triggers")
    assert "It has none" in await viewer.get(f"{here}/secret")
    for verb in ("", "/reveal", "/off"):
        await viewer.post(f"{here}/secret{verb}", status=403)
        await outsider.post(f"{here}/secret{verb}", status=404)
    await browser.post(f"{here}/secret/reveal", status=404)

    shown = [(await browser.post(f"{here}/secret{verb}", 200)).text for verb in ("", "/reveal", "")]

    first, again, second = (re.search(r'id="secret-of-process">([0-9a-f]{32})<', each)[1] for each in shown)
    assert first == again != second
    assert second not in await browser.get(f"{here}/secret")
    assert (await process_secrets.authenticate(room.engine, second)).id == process
    with pytest.raises(Unauthenticated):
        await process_secrets.authenticate(room.engine, first)
    await browser.post(f"{here}/secret/off")
    with pytest.raises(Unauthenticated):
        await process_secrets.authenticate(room.engine, second)
    assert "It has none" in await browser.get(f"{here}/secret")
    seen = "select count(*) from event where kind = 'process_secret.revealed' and process_id = %(id)s"
    assert await room.engine.database.value(seen, id=process) == 1
