"""Connections to models (§2.8): told in one spelling and taken in two, asked by our own API, their key in the vault."""

from uuid import uuid4

import pytest

from controlroom.engine.access import sessions
from controlroom.engine.access.users.actions import set_password
from controlroom.outgoing import Allowed
from receivers import receiving

PASSWORD = "correct horse battery"
MODELS = "/gai/prompttools/v1/custommodel"


def connector(vendor, **more):
    """A connector as strict clients write it: in camelCase where they do."""
    attribute = {"name": "prompt", "requiredInput": True, "annotations": ["PROMPT_QUERY"], "value": {"type": "TEXT"}}
    body = '{"messages": [{"role": "user", "content": ""}]}'
    action = {
        "name": "small",
        "displayName": "Small",
        "method": "POST",
        "uri": "https://api.example.com/v1/chat",
        "params": [{"type": "HEADERS", "attribute": []}],
        "request": {
            "type": "RAW",
            "raw": {"body": body, "variables": [{"path": "$.messages[0].content", "attribute": attribute}]},
        },
        "response": {"body": "{}", "variables": []},
    }
    key = {"location": "header", "keyName": "Authorization", "prefix": "Bearer "}
    return {
        "name": vendor,
        "description": "Ours",
        "version": "1",
        "authAction": {"authType": "API_KEY", "auth": {"apiAuth": key, "oAuth": None}},
        "apiType": "REST",
        "actions": [action | more],
    }


@pytest.fixture
def vendor():
    """A vendor of this test alone."""
    return f"Vendor {uuid4()}"


async def test_a_model_is_defined_listed_and_deleted(root, vendor):
    """Both spellings in, snake_case out; a second model joins its vendor, and the vendor goes with the last."""
    made = await root.post(MODELS, connector(vendor))
    again = connector(vendor, name="large")
    again["auth_action"] = {"auth_type": "api_key", "auth": {"api_auth": again.pop("authAction")["auth"]["apiAuth"]}}
    await root.post(MODELS, again)

    assert (made["version"], made["api_type"]) == ("1", "REST")
    auth = made["auth_action"]
    assert auth["auth"]["api_auth"] == {"location": "header", "keyName": "Authorization", "prefix": "Bearer "}
    [action] = made["actions"]
    assert (action["display_name"], action["request"]["raw"]["variables"][0]["attribute"]["required_input"]) == (
        "Small",
        True,
    )
    [found] = [each for each in (await root.post(f"{MODELS}/list", {}))["connectors"] if each["name"] == vendor]
    assert [each["name"] for each in found["actions"]] == ["small", "large"]
    one = f"{MODELS}/vendors/{vendor}/models/small"
    assert [each["name"] for each in (await root.get(one))["actions"]] == ["small"]
    assert (await root.call("POST", MODELS, json=connector(vendor))).status_code == 409
    await root.delete(one)
    assert (await root.call("GET", one)).status_code == 404
    await root.delete(f"{MODELS}/vendors/{vendor}/models/large")
    assert vendor not in {each["name"] for each in (await root.post(f"{MODELS}/list"))["connectors"]}


async def test_what_no_model_can_be_is_refused(root, nobody, vendor):
    """400 for words that clients hold closed, and for addresses; 403 for who may not, 404 for what is not there."""
    assert (await nobody.call("POST", f"{MODELS}/list", json={})).status_code == 403
    for more in ({"uri": "nowhere"}, {"params": [{"type": "COOKIE"}]}, {"request": {"type": "FORM"}}, {"uri": None}):
        assert (await root.call("POST", MODELS, json=connector(vendor, **more))).status_code == 400
    body = connector(vendor) | {"authAction": {"authType": "NONE"}}
    assert (await root.call("POST", MODELS, json=body)).status_code == 400
    assert (await root.call("DELETE", f"{MODELS}/vendors/x/models/y")).status_code == 404


async def test_a_model_is_asked_with_the_key_of_the_vault(root, room, workspace, vendor, monkeypatch):
    """By the management API: the key goes to the endpoint, and nowhere else; private hosts must be allowed."""
    api = f"/api/v1/workspaces/{workspace}"
    await set_password(room.engine, root.actor, root.actor.id, PASSWORD)
    session = await sessions.begin(room.engine, username=root.actor.name, password=PASSWORD, place="here")
    headers = {"Authorization": f"Bearer {session.token}"}

    async def call(method, path, body=None):
        return await root.call(method, f"{api}{path}", json=body, headers=headers)

    secret = (
        await call("POST", "/shared-secrets", {"name": vendor, "attributes": [{"name": "key", "masked": True}]})
    ).json()
    await call("POST", f"/shared-secrets/{secret['id']}/values", {"values": {"key": "sk-swordfish"}})
    async with receiving() as endpoint:
        endpoint.answer = b'{"choices": [{"message": {"content": "Five"}}]}'
        body = {"provider": vendor, "name": "small", "uri": endpoint.url}
        made = (await call("POST", "/models", body)).json()
        [model] = made["models"]
        prompt = f"/models/{model['id']}/prompt"
        missing = await call("POST", prompt, {"prompt": "How many?"})
        assert (missing.status_code, missing.json()["error"]["code"]) == (409, "MODEL_KEY_MISSING")
        key = {"secret": {"id": secret["id"]}, "attribute": "key"}
        assert (await call("POST", f"/models/{model['id']}/key", key)).status_code == 200
        assert (await call("POST", prompt, {"prompt": "How many?"})).status_code == 400
        monkeypatch.setattr(room.room.outgoing.guard, "_allowed", Allowed(["127.0.0.1"]))

        answer = await call("POST", prompt, {"prompt": "How many?"})

        assert answer.json() == {"text": "Five", "values": {}}
        [asked] = endpoint.requests
        assert (asked.headers["authorization"], asked.json["messages"][0]["content"]) == (
            "Bearer sk-swordfish",
            "How many?",
        )
        told = [await root.call("POST", f"{MODELS}/list", json={}), await call("GET", "/models"), answer]
        assert not any("swordfish" in each.text for each in told)
        endpoint.reply = lambda _: 401
        assert (await call("POST", prompt, {"prompt": "?"})).json()["error"]["code"] == "MODEL_REFUSED"
    listed = (await call("GET", "/models?limit=100")).json()["data"]
    assert [each["has_key"] for each in listed if each["name"] == vendor] == [True]
    assert (await call("DELETE", f"/models/{model['id']}")).status_code == 200
