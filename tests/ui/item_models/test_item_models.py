"""Models of items in the browser: made with attributes, used by a queue, and not deleted while one has it."""

from controlroom.engine.access.model import Role
from controlroom.ids import uuid7


async def test_a_model_is_made_used_and_deleted(visit, workspace):
    """What cannot be is said with what was typed; the queue that has it is told."""
    browser, viewer = await visit(workspace), await visit(workspace, Role.VIEWER)
    name = f"Claim {uuid7()}"
    refused = await browser.post("/item-models/new", status=422, name=name, attribute=["a", "a"], kind=["text", "date"])
    assert f'value="{name}"' in refused.text
    made = await browser.post(
        "/item-models/new", name=name, attribute=["ref", "sum", ""], kind=["text", "number", "text"]
    )
    here = made.headers["location"].removeprefix(browser.base)
    page = await browser.get(here)
    assert "number" in page
    assert "ref" in page
    assert name in await browser.get(f"/item-models?q={name}")
    assert "No models match" in await browser.get("/item-models?q=nothing-of-that-name")
    assert name in await browser.get(f"/item-models?q={name}&as=csv")
    number = here.rpartition("/")[2]

    assert "Model of items" in await browser.get("/queues/new")
    queue = await browser.post("/queues/new", name="claims", item_model=name)
    assert "/item-models/" in await browser.get(queue.headers["location"].removeprefix(browser.base))
    assert "claims" in await browser.get(f"/item-models/{number}")
    assert (await browser.post(f"{here}/delete", status=422)).status_code == 422
    assert "Delete" not in await viewer.get(here)
    await browser.post(queue.headers["location"].removeprefix(browser.base) + "/delete")
    await browser.post(f"{here}/delete")
    await browser.get(here, status=404)
