"""Tables in the browser: rows become items of a queue, and items become rows."""

import csv
import io
import re

import pytest

from controlroom.engine.access.model import Role
from controlroom.engine.item_models import actions as item_models
from controlroom.engine.item_models.model import AttributeKind, NewAttribute
from controlroom.engine.queues import actions as queues
from controlroom.engine.queues.model import QueueSettings
from controlroom.ids import uuid7
from delivering import until

TABLE = "customer;amount\nÅse;3\nBo;4\n\n".encode("cp1252")


async def has(browser, here, pattern):
    """The page once it has what is looked for: a loop of the room does the work."""

    async def look():
        page = await browser.get(f"{here}?part=latest")
        return page if re.search(pattern, page) else None

    return await until(look, 30)


@pytest.fixture
async def queue(room, ada, workspace):
    """A standing queue."""
    return await queues.create(room.engine, ada.actor, workspace, name="orders")


async def test_rows_become_items_and_items_become_rows(visit, workspace, queue, cleo):
    """In whatever encoding; the table that comes out has what went in, and is had by who asked for it."""
    browser, viewer, outsider = await visit(workspace), await visit(workspace, Role.VIEWER), await visit(cleo.workspace)
    here = f"/queues/{queue.number}/tables"
    assert here in await browser.get(f"/queues/{queue.number}")
    assert "None yet" in await browser.get(here)
    assert "Put a table in" not in await viewer.get(here)
    await viewer.send(f"{here}/load", "table", "orders.csv", TABLE, 403)
    await outsider.send(f"{here}/load", "table", "orders.csv", TABLE, 404)
    assert "Choose a file" in (await browser.send(f"{here}/load", "table", "", b"", 422)).text

    await browser.send(f"{here}/load", "table", "orders.csv", TABLE)
    assert "orders.csv" in await has(browser, here, "2 put in")
    await viewer.post(f"{here}/export", status=403)
    await outsider.post(f"{here}/export", status=404)
    operator = await visit(workspace, Role.OPERATOR)
    await operator.post(f"{here}/export")
    page = await has(operator, here, r"/tables/[0-9a-f-]{36}\"")
    address = re.search(r"/tables/[0-9a-f-]{36}", page)[0]
    fetched = await operator.http.get(operator.path(f"/queues/{queue.number}{address}"))

    assert fetched.headers["content-disposition"] == "attachment; filename*=UTF-8''orders.csv"
    assert fetched.headers["content-security-policy"] == "sandbox"
    rows = list(csv.DictReader(io.StringIO(fetched.content.decode("utf-8-sig"))))
    assert [(each["customer"], each["amount"], each["status"]) for each in rows] == [
        ("Åse", "3", "new"),
        ("Bo", "4", "new"),
    ]
    assert (await browser.http.get(browser.path(f"/queues/{queue.number}{address}"))).status_code == 200  # who governs
    assert address not in await viewer.get(here)
    await viewer.get(f"/queues/{queue.number}{address}", status=404)
    await outsider.get(f"/queues/{queue.number}{address}", status=404)


async def test_a_table_that_does_not_fit_says_why(visit, room, workspace, ada):
    """It lacks a column of the queue's model; nothing of it is put in."""
    model = await item_models.create(
        room.engine, room.admin, name=uuid7().hex, attributes=[NewAttribute("country", AttributeKind.TEXT)]
    )
    made = await queues.create(
        room.engine, ada.actor, workspace, name="by model", settings=QueueSettings(item_model=model.id)
    )
    browser = await visit(workspace)
    here = f"/queues/{made.number}/tables"

    await browser.send(f"{here}/load", "table", "orders.csv", TABLE)

    assert "country is missing" in await has(browser, here, "missing")
    count = "select count(*) from work_item where queue_id = %(id)s"
    assert await room.engine.database.value(count, id=made.id) == 0
