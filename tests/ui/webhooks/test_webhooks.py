"""Webhooks in the console: made, tested, paused, edited, and what they were sent."""

import re

from console_walk import undo_of
from controlroom.engine.access.model import Role
from controlroom.engine.deliveries.model import DeliveryState

HERE = "https://receiver.invalid/hooks"


async def test_a_webhook_is_made_tested_paused_edited_and_deleted(visit, workspace, room, process, cleo):
    """Its secret is in the page that makes it, and later behind a verb that is recorded."""
    browser, outsider = await visit(workspace), await visit(cleo.workspace)
    assert "No webhooks here" in await browser.get("/webhooks")
    wanted = {"endpoint": HERE, "name": "erp", "event": "run.completed", "grammar": "robocorp"}
    made = (await browser.post("/webhooks", 200, **wanted)).text
    secret = re.search(r'id="value">([^<]+)<', made)[1]
    page = await browser.get("/webhooks")
    number = re.search(r"/webhooks/(\d+)\"", page)[1]
    assert "of every process" in page
    assert secret not in page + await browser.get(f"/webhooks/{number}")

    await browser.get(f"/webhooks/{number}/secret?part=dialog")
    assert secret in (await browser.post(f"/webhooks/{number}/secret", 200)).text
    await browser.post(f"/webhooks/{number}/edit", endpoint=f"{HERE}/2", name="erp 2", event="step_run.failed")
    page = await browser.get(f"/webhooks/{number}")
    assert "A step run fails" in page
    assert f"{HERE}/2" in page
    await browser.post(f"/webhooks/{number}/pause")
    assert "It is paused" in await browser.get(f"/webhooks/{number}")
    await browser.post(f"/webhooks/{number}/resume")
    await outsider.get(f"/{browser.base}/webhooks/{number}", status=404)
    await outsider.post(f"/webhooks/{number}/test", 404)
    viewer = await visit(workspace, Role.VIEWER)
    assert "Send a test" not in await viewer.get(f"/webhooks/{number}")
    await viewer.post(f"/webhooks/{number}/pause", 403)
    await browser.get(f"/webhooks/{number}/delete")
    await browser.post(f"/webhooks/{number}/delete")
    await browser.get(f"/webhooks/{number}", status=404)
    await browser.post(f"/{undo_of(await browser.get('/webhooks')).action}")
    assert "It is told again" in await browser.get(f"/webhooks/{number}")


async def test_what_is_not_right_is_said_in_the_form(visit, workspace):
    """Nothing was made, and what was typed is there."""
    browser = await visit(workspace)
    page = (await browser.post("/webhooks", 400, endpoint="ftp://nowhere", name="typed", event="run.completed")).text
    assert 'value="typed"' in page
    assert "One field is" in page
    assert "One field is" in (await browser.post("/webhooks", 400, endpoint=HERE, name="x")).text


async def test_a_delivery_tells_what_was_sent_and_is_sent_once_more(visit, workspace, room):
    """With its body and answer beside the list; while it is still to be delivered it is not sent again."""
    browser = await visit(workspace)
    await browser.post("/webhooks", 200, endpoint=HERE, event="run.completed", grammar="robocorp")
    number = re.search(r"/webhooks/(\d+)\"", await browser.get("/webhooks"))[1]
    await browser.post(f"/webhooks/{number}/test")
    page = await browser.get(f"/webhooks/{number}")
    delivery = re.search(r"delivery=(\d+)", page)[1]
    assert "A test" in page
    await room.engine.database.execute(
        """
        update delivery set state = 'failed', ended_at = clock_now(), last_error = '', last_answer = 'no such hook'
         where number = %(n)s
        """,
        n=int(delivery),
    )
    shown = await browser.get(f"/webhooks/{number}?delivery={delivery}&tab=failed")
    assert "no such hook" in shown
    assert "given up" in await browser.get("/webhooks")
    again = await browser.post(f"/webhooks/{number}/deliveries/{delivery}/redeliver")
    state = await room.engine.database.value("select state from delivery where number = %(n)s", n=int(delivery))
    assert again.headers["location"].endswith(f"?delivery={delivery}")
    assert DeliveryState(state) in set(DeliveryState)
    await browser.get(f"/webhooks/{number}?delivery=999999999", status=404)
