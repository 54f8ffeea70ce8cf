"""Item models, settings and grants of standing queues by our own management API."""

from controlroom.ids import uuid7


async def test_a_queue_has_a_model_and_an_order(ada, cleo):
    """It has the schema of its model, shows and orders by its attributes; each change raises its revision."""
    attributes = [{"name": "Invoice"}, {"name": "Amount", "kind": "number"}]
    model = await ada.post("/item-models", {"name": f"{uuid7()}", "attributes": attributes})
    assert [each["kind"] for each in model["attributes"]] == ["text", "number"]
    assert model in await ada.every("/item-models")
    body = {
        "name": "bills",
        "item_model": {"id": model["id"]},
        "shown": ["Amount"],
        "ordering": [{"attribute": "Amount", "descending": True}],
        "retry": {"max_attempts": 3},
    }
    queue = await ada.post("/queues", body)
    assert (queue["status"], queue["item_model_id"], queue["retry"]["max_attempts"]) == ("not_in_use", model["id"], 3)
    assert queue["schema"]["required"] == ["Invoice", "Amount"]

    changed = await ada.post(f"/queues/{queue['id']}", {"refuses_duplicates": True, "retry": None, "revision": 0})
    assert (changed["revision"], changed["retry"], changed["shown"]) == (1, None, ["Amount"])
    stale = await ada.call("POST", f"/queues/{queue['id']}", json={"description": "x", "revision": 0})
    assert stale.status_code == 409
    wrong = await ada.call("POST", f"/queues/{queue['id']}", json={"shown": ["Colour"]})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "ATTRIBUTE_UNKNOWN")
    in_use = await ada.call("DELETE", f"/item-models/{model['id']}")
    assert in_use.status_code == 409
    assert (await cleo.call("GET", f"/item-models/{model['id']}")).status_code in {200, 404}
    assert (await cleo.call("GET", f"/queues/{queue['id']}/grants")).status_code == 404


async def test_rights_on_a_queue_are_given_and_taken(ada, room):
    """To a role or a user, all that they shall have; jobs of the queue are listed."""
    queue = await ada.post("/queues", {"name": "shared"})
    [role] = [each for each in await ada.every("/roles") if each["name"] == "viewer"]
    path = f"/queues/{queue['id']}/grants"
    [grant] = await ada.post(path, {"role": {"id": role["id"]}, "rights": ["see", "add"]})
    assert (grant["role_name"], grant["rights"], grant["user_id"]) == ("viewer", ["see", "add"], None)
    assert await ada.get(path) == [grant]
    assert (await ada.call("POST", path, json={"rights": ["see"]})).status_code == 400
    assert (await ada.call("POST", path, json={"user": {"id": str(uuid7())}, "rights": ["see"]})).status_code == 404
    assert await ada.post(path, {"role": {"id": role["id"]}, "rights": []}) == []
    assert (await ada.every(f"/queues/{queue['id']}/jobs")) == []
