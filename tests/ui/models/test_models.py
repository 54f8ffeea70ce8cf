"""Connections to models in the browser: made, tried and deleted by who governs; others do not know of them."""

import json
import re

from controlroom.ids import uuid7
from controlroom.outgoing import Allowed
from receivers import receiving


async def test_a_model_is_connected_tried_and_deleted(govern, visit, workspace, room, monkeypatch):
    """What it answers stands on the page, what it refuses too; a key that nobody has named is said."""
    admin, owner = await govern(workspace), await visit(workspace)
    await owner.get("/models", status=403)
    assert "/models" not in await owner.get("/more")
    provider, model = f"Ours {uuid7()}", f"m-{uuid7()}"
    wrong = await admin.post("/models/new", status=422, provider=provider, name=model, uri="nowhere")
    assert "Nothing was changed" in wrong.text
    async with receiving() as endpoint:
        endpoint.answer = json.dumps({"choices": [{"message": {"content": "<b>Seven.</b>"}}]}).encode()
        made = await admin.post("/models/new", provider=provider, name=model, uri=endpoint.url, key_header="")
        here = made.headers["location"].removeprefix(admin.base)
        assert provider in await admin.get("/models")
        assert "wants no key" in await admin.get(here)
        inside = await admin.post(f"{here}/prompt", status=422, prompt="How many?")
        assert "an operator may allow it" in inside.text
        monkeypatch.setattr(room.room.outgoing.guard, "_allowed", Allowed(["127.0.0.1"]))
        told = (await admin.post(f"{here}/prompt", status=200, prompt="How many?")).text
        assert "&lt;b&gt;Seven.&lt;/b&gt;" in told
        assert "How many?" in told
        assert endpoint.requests[0].json["model"] == model
        endpoint.reply = lambda _: 500
        assert "500" in (await admin.post(f"{here}/prompt", status=422, prompt="How many?")).text
        await owner.post(f"{here}/prompt", status=403, prompt="How many?")
        assert len(endpoint.requests) == 2

    keyed = await admin.post(
        "/models/new", provider=f"{provider} 2", name=model, uri=endpoint.url, key_header="Authorization"
    )
    assert "No key is named yet" in await admin.get(keyed.headers["location"].removeprefix(admin.base))
    assert "goes with it" in await admin.get(f"{here}/delete?part=dialog")
    await owner.post(f"{here}/delete", status=403)
    await admin.post(f"{here}/delete")
    await admin.get(here, status=404)
    assert re.search(re.escape(provider) + "<", await admin.get("/models")) is None
