"""What a robot reads and writes by name through our own API."""

import pytest

from controlroom.engine.vault import actions as vault
from robot_calls import Robot


@pytest.fixture
async def robot(ada, process, walt, stranger):
    """A robot at work."""
    await ada.post(f"/processes/{process}/process-runs", {"type": "with_payloads", "payloads": [1]})
    return Robot(stranger, await walt.take())


async def test_a_secret_is_read_by_its_name_and_that_is_on_record(ada, robot, room):
    """Its values as JSON; what is not there is not found."""
    await vault.put(room.engine, ada.actor, ada.workspace, "mail in", values={"user": "ä", "port": 993})

    found = await robot.ask("GET", "/secrets/mail%20in")

    assert found.json() == {"name": "mail in", "values": {"user": "ä", "port": 993}}
    missing = await robot.ask("GET", "/secrets/other")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "SECRET_NOT_FOUND")
    read = await room.engine.database.value(
        "select count(*) from event where kind = 'secret.read' and step_run_id = %(id)s",
        id=robot.assignment.step_run_id,
    )
    assert read == 1


async def test_an_asset_is_made_written_and_read(ada, robot):
    """By a name that may have slashes; the last write counts, and what it is said to be comes back."""
    missing = await robot.ask("GET", "/assets/prices%2Feu.json")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "ASSET_NOT_FOUND")

    for content in (b"{}", b'{"apple": 3}'):
        put = await robot.ask(
            "PUT", "/assets/prices%2Feu.json", content=content, headers={"Content-Type": "application/json"}
        )
        assert put.status_code == 200, put.text

    found = await robot.ask("GET", "/assets/prices/eu.json")
    assert (found.headers["content-type"], found.content) == ("application/json", b'{"apple": 3}')
    assert (await ada.get("/assets/name:prices/eu.json"))["payload"]["content_type"] == "application/json"
    await ada.post("/assets", {"name": "nothing yet"})
    empty = await robot.ask("GET", "/assets/nothing yet")
    assert (empty.status_code, empty.json()["error"]["code"]) == (404, "ASSET_EMPTY")
    refused = await robot.ask("PUT", "/assets/a", content=b"", headers={"Content-Type": "no type"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "CONTENT_TYPE_INVALID")


async def test_who_is_over_reads_and_writes_nothing(robot, walt):
    """The token dies with its attempt."""
    await walt.finish(robot.assignment)

    for method, path in (("GET", "/secrets/a"), ("GET", "/assets/a"), ("PUT", "/assets/a")):
        assert (await robot.ask(method, path)).status_code == 401, path
