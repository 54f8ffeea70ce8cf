"""Connections to models by our own management API: changed by who may in the organization."""

from uuid import uuid4

from controlroom.ids import uuid7
from dialects.robocorp.conftest import API


async def test_a_model_and_its_provider_are_changed(root, ada, stranger):
    """What is left out stays, null takes away; who has no right in the organization changes nothing."""
    models = f"/workspaces/{ada.workspace}/models"
    named = f"Maker {uuid7()}"
    body = {"provider": named, "name": "small", "uri": "https://models.example.com/v1/chat", "display_name": "Small"}
    made = (await root.call("POST", models, json=body)).json()
    [model] = made["models"]
    here = f"{models}/{model['id']}"

    changed = await root.call("POST", here, json={"uri": "https://models.example.com/v2/chat", "display_name": None})
    assert changed.status_code == 200, changed.text
    told = changed.json()
    assert (told["name"], told["uri"], told["display_name"]) == ("small", "https://models.example.com/v2/chat", None)
    assert told["revision"] == model["revision"] + 1
    assert (await root.call("GET", here)).json() == told
    provider = await root.call("POST", f"{here}/provider", json={"description": "cheap", "key_prefix": "Key "})
    assert provider.status_code == 200, provider.text
    assert (provider.json()["name"], provider.json()["description"]) == (named, "cheap")

    for wrong, status in (({"uri": "no address"}, 400), ({"colour": "red"}, 400), ({"name": ""}, 400)):
        assert (await root.call("POST", here, json=wrong)).status_code == status, wrong
    assert (await root.call("POST", f"{models}/{uuid4()}", json={"name": "x"})).status_code == 404
    for path in (here, f"{here}/provider"):
        of_workspace = path.removeprefix(f"/workspaces/{ada.workspace}")
        assert (await ada.call("POST", of_workspace, json={"name": "x"})).status_code == 403
        assert (await stranger.post(API + path, json={"name": "x"})).status_code == 401
    assert (await root.call("GET", here)).json() == told
