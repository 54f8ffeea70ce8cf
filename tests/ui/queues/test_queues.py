"""A queue in the browser: made, filled, worked on, paused, deleted."""

import re

from console_walk import undo_of
from controlroom.engine.access.model import Role
from controlroom.engine.queues import actions as queues


async def test_a_queue_is_made_filled_and_deleted(visit, workspace, room):
    """What is no JSON is said with its line, and nothing that was typed is lost; a deletion names what goes."""
    browser = await visit(workspace)
    refused = await browser.post("/queues/new", status=422, name="claims-inbox", schema='{"type":\n object}')
    assert "The schema is no JSON in line 2" in refused.text
    assert 'value="claims-inbox"' in refused.text

    schema = '{"type": "object", "required": ["n"]}'
    made = await browser.post("/queues/new", name="claims-inbox", schema=schema, refuses_duplicates="on")
    here = made.headers["location"].removeprefix(browser.base)
    assert "Nobody takes from it" in await browser.get(here)

    await browser.post(f"{here}/put", status=422, payload='{"m": 1}')
    await browser.post(f"{here}/put", payload='{"n": 1}')
    assert re.search(r"<b>1</b> waits", await browser.get(here))
    assert "claims-inbox" in await browser.get("/queues")

    await browser.post(f"{here}/edit", name="claims", schema=schema, description="from the portal")
    page = await browser.get(here)
    assert "from the portal" in page
    assert "are taken" in page
    assert "1 of them wait" in await browser.get(f"{here}/delete?part=dialog")
    assert "delete them first" in (await browser.post(f"{here}/delete", status=422)).text
    await browser.post(f"{here}/delete", with_items="on")
    await browser.get(here, status=404)


async def test_a_consumer_is_added_paused_changed_and_deleted(visit, workspace, room, ada, process):
    """Its window is told in words; who may only look sees no verbs."""
    queue = await queues.create(room.engine, ada.actor, workspace, name="onboarding")
    task = await room.engine.database.value("select task_id from step where process_id = %(process)s", process=process)
    browser, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    here = f"/queues/{queue.number}"
    wanted = {"task": str(task), "max_runs": "2", "batch": "10", "priority": "0", "zone": "Europe/Oslo"}

    refused = await browser.post(f"{here}/consumers/new", status=422, **wanted, day="0")
    assert "from when until when" in refused.text
    await browser.post(f"{here}/consumers/new", **wanted, day="0", begins="06:00", ends="20:00")
    page = await browser.get(here)
    assert "Mon 06:00 to 20:00, Europe/Oslo" in page
    assert "at most 2 runs of 10 items" in page
    consumer = re.search(r"consumers/([0-9a-f-]{36})/pause", page)[1]

    await browser.post(f"{here}/consumers/{consumer}/pause")
    assert "paused by" in await browser.get(here)
    assert "paused by" in await browser.get("/workers")
    await browser.post(f"{here}/consumers/{consumer}/go-on")
    await browser.post(f"{here}/consumers/{consumer}/edit", **{**wanted, "max_runs": "1"})
    page = await browser.get(here)
    assert "always · at most 1 run of 10 items" in page
    assert "/pause" not in await viewer.get(here)
    assert (await viewer.post(f"{here}/consumers/{consumer}/pause", status=403)).status_code == 403

    assert "it can be taken back" in await browser.get(f"{here}/consumers/{consumer}/delete?part=dialog")
    await browser.post(f"{here}/consumers/{consumer}/delete")
    page = await browser.get(here)
    assert f"consumers/{consumer}/pause" not in page
    await viewer.post(f"{here}/consumers/{consumer}/restore", status=403)
    await browser.post(f"/{undo_of(page).action}")
    page = await browser.get(here)
    assert "works again" in page
    assert f"consumers/{consumer}/pause" in page
    await browser.post(f"{here}/consumers/{consumer}/restore", status=404)


async def test_a_step_s_queue_is_looked_at_and_an_outsider_sees_none(visit, workspace, room, process, cleo):
    """It tells whose input it is; nobody deletes it here."""
    number = await room.engine.database.value(
        "select queue.number from step join queue on queue.id = queue_id where process_id = %(id)s", id=process
    )
    browser, elsewhere = await visit(workspace), await visit(cleo.workspace)

    page = await browser.get(f"/queues/{number}")

    assert "input of step 1 of" in page
    assert "Put an item in" not in page
    await elsewhere.get(f"/queues/{number}", status=404)


async def test_a_queue_is_opened_to_people_and_roles(visit, workspace, room, ada, cleo):
    """By who governs it, one by one; each change takes itself back; of what is not there nothing is given."""
    queue = await queues.create(room.engine, ada.actor, workspace, name="shared")
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    here = f"/queues/{queue.number}"
    assert "Those of the workspace" in await browser.get(here)
    wanted = {"of": "user", "to": outsider.username, "right": "add"}
    await viewer.post(f"{here}/grants", status=403, **wanted)
    await outsider.post(f"{here}/grants", status=404, **wanted)
    await browser.post(f"{here}/grants", status=404, **{**wanted, "to": "nobody of this name"})
    await browser.post(f"{here}/grants", status=400, **{**wanted, "right": "steal"})
    await browser.post(f"{here}/grants", status=400, **{**wanted, "to": ""})

    await browser.post(f"{here}/grants", **wanted)
    page = await browser.get(here)
    assert outsider.username in page
    assert "may put items in" in page
    await browser.post(f"{here}/grants", of="role", to="viewer", right="see")
    assert "holders of the role may see it" in await browser.get(here)
    await browser.post(f"{here}/grants", **{**wanted, "right": ""})
    page = await browser.get(here)
    assert outsider.username not in page.partition("<main")[2]
    form = undo_of(page)
    await browser.post(f"/{form.action}", **dict(form.fields))
    assert outsider.username in await browser.get(here)
    assert "Let somebody in" not in await viewer.get(here)
