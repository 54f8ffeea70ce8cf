"""Tasks of people in the browser: the form of a step is filled in, and its run goes on."""

import re

from msgspec import Raw

from controlroom.engine.access.scope import Room
from controlroom.engine.processes import actions as processes
from controlroom.engine.processes.forms import FieldKind, Form, FormField
from controlroom.engine.processes.model import ProcessDefinition, StepDefinition
from controlroom.engine.runs import actions as runs
from controlroom.engine.runs.dispatch import dispatch
from controlroom.engine.runs.model import WithPayloads

FORM = Form(
    title="Approve the invoice",
    fields=(
        FormField(name="amount", label="Amount", kind=FieldKind.NUMBER, is_required=True),
        FormField(name="why", kind=FieldKind.CHOICE, choices=("paid", "wrong")),
        FormField(name="sure", kind=FieldKind.TRUTH),
    ),
    buttons=("Approve", "Reject"),
)


async def test_a_form_is_filled_in(visit, workspace, room, ada, cleo):
    """What is known stands in it; what is missing or no number is said, and what was typed stays."""
    step = StepDefinition(name="Approve", work=FORM)
    process = await processes.create(
        room.engine, ada.actor, workspace, ProcessDefinition(name="Invoices", steps=(step,))
    )
    run = await runs.start(room.engine, ada.actor, workspace, process.id, WithPayloads(Raw(b'[{"amount": 7}]'), 1))
    await dispatch(room.engine, Room(), run.id)
    browser, outsider = await visit(workspace), await visit(cleo.workspace)

    page = await browser.get("/tasks")
    assert "Approve the invoice" in page
    here = re.search(rf"{browser.base}(/tasks/\d+)\"", page)[1]
    page = await browser.get(here)
    assert 'value="7"' in page
    assert ">Reject<" in page
    wrong = await browser.post(here, status=422, f0="seven", f1="paid", _button="Approve")
    assert "Amount is no number" in wrong.text
    assert 'value="seven"' in wrong.text
    await outsider.get(here, status=404)

    await browser.post(here, f0="8.5", f1="paid", f2="on", _button="Approve")
    assert "Nothing waits for anybody" in await browser.get("/tasks")
    page = await browser.get(here)
    assert "Somebody has answered it" in page
    assert "8.5" in page


async def test_a_request_tells_who_has_to_do_what(visit, workspace, room, ada, process, cleo):
    """Runs of processes that ask people are listed, with what waits; one has its steps, and is canceled as a run is."""
    step = StepDefinition(name="Approve", work=FORM)
    definition = ProcessDefinition(name="Travel", steps=(step,))
    made = await processes.create(room.engine, ada.actor, workspace, definition)
    run = await runs.start(room.engine, ada.actor, workspace, made.id, WithPayloads(Raw(b'[{"amount": 77}]'), 1))
    await dispatch(room.engine, Room(), run.id)
    browser, outsider = await visit(workspace), await visit(cleo.workspace)

    page = await browser.get("/tasks/requests")
    assert "1 waits for somebody" in page
    assert f"{made.number}-{run.run_no}" in page
    asking = await browser.http.get(f"{browser.base}/tasks/requests/new", follow_redirects=False)
    assert asking.headers["location"] == f"{browser.base}/processes/{made.number}/start", "of the one that asks people"
    nobody = await browser.get("/tasks/requests/new?process=Nobody")
    assert "There is no process that asks people" in nobody
    assert "Travel" in await browser.get("/tasks/requests?as=csv")
    here = f"/tasks/requests/{run.number}"
    assert here in page
    page = await browser.get(here)
    assert "Fill in" in page
    assert "77" in page
    assert f"/runs/{run.number}/stop" in page
    assert "No requests" in await outsider.get("/tasks/requests")
    await outsider.get(here, status=404)

    task = re.search(rf"{browser.base}(/tasks/\d+)\"", page)[1]
    await browser.post(task, f0="8.5", f1="paid", f2="on", _button="Approve")
    page = await browser.get(here)
    assert "Fill in" not in page
    assert "8.5" in page
