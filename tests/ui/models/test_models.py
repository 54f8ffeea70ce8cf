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


async def test_a_model_and_its_provider_are_changed(govern, visit, workspace):
    """How it is asked, and what the provider is called, for all of its models; undone by what it was before."""
    admin, owner = await govern(workspace), await visit(workspace)
    provider, model, uri = f"Theirs {uuid7()}", f"m-{uuid7()}", "https://models.example.com/v1/chat"
    made = await admin.post("/models/new", provider=provider, name=model, uri=uri, key_header="Authorization")
    here = made.headers["location"].removeprefix(admin.base)
    other = await admin.post("/models/new", provider=provider, name=f"{model}-2", uri=uri, key_header="Authorization")
    there = other.headers["location"].removeprefix(admin.base)
    for verb in ("edit", "provider"):
        await owner.get(f"{here}/{verb}", status=403)
        await owner.post(f"{here}/{verb}", status=403, name="x", provider="x", uri=uri)
    taken = await admin.post(f"{here}/edit", status=422, name=f"{model}-2", uri=uri)
    assert "already" in taken.text
    assert "http or https" in (await admin.post(f"{here}/edit", status=422, name=model, uri="nowhere")).text
    await admin.post(f"{here}/edit", name=f"{model}-3", uri=f"{uri}/2", display_name="The large one")
    page = await admin.get(here)
    assert "The large one" in page
    assert f"{uri}/2" in page
    assert f'name="name" value="{model}"' in page  # the undo of it
    await admin.post(f"{here}/provider", status=422, provider="", key_header="Key")
    await admin.post(f"{here}/provider", status=422, provider=provider, key_header="no header")
    await admin.post(f"{here}/provider", provider=f"{provider} 2", description="In the cellar", key_header="X-Key")
    page = await admin.get(there)
    assert f"{provider} 2" in page
    assert "In the cellar" in page
    assert "X-Key" in page
    second = await admin.post("/models/new", provider=provider, name=model, uri=uri)
    third = second.headers["location"].removeprefix(admin.base)
    assert "already" in (await admin.post(f"{third}/provider", status=422, provider=f"{provider} 2")).text
    for each in (here, there, third):
        await admin.post(f"{each}/delete")
