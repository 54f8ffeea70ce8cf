"""`up` where robots are not enclosed: its worker serves one workspace, and a second one does not end the room."""

import json
import urllib.request

import pytest

from rooms import Room


def ask(url: str, authorization: str, body: object):
    """What the API answers."""
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    if authorization:
        request.add_header("Authorization", authorization)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def make_workspace(here: Room) -> None:
    """An admin makes a second workspace."""
    token = ask(f"{here.url}/api/v1/login", "", here.facts["admin"])["token"]
    ask(f"{here.url}/api/v1/workspaces", f"Bearer {token}", {"name": "second"})


@pytest.fixture
def start(tmp_path):
    """Starts rooms without a sandbox in one data folder, one after the other."""
    started: list[Room] = []

    def begin(**variables: str) -> Room:
        started.append(Room(tmp_path / "data", "--sandbox", "off", **variables))
        return started[-1]

    yield begin
    for each in reversed(started):
        each.kill()


@pytest.mark.matrix
def test_the_room_goes_on_without_its_worker(start):
    """The worker stays while it runs; at the next start it is told why it may not, and how it may."""
    first = start().wait_until_ready()
    make_workspace(first)
    [worker] = first.get("/workers")["data"]
    assert worker["serves_all"]
    assert "first workspace alone" in worker["sandbox_note"]
    first.stop()

    again = start().wait_until_ready()
    assert "No robot is run here" in again.log
    assert "CONTROLROOM_WORKER_MIX_WORKSPACES" in again.get("/workers")["data"][0]["sandbox_note"]
    again.stop()

    mixing = start(CONTROLROOM_WORKER_MIX_WORKSPACES="1").wait_until_ready()
    assert mixing.get("/workers")["data"][0]["state"] == "idle"
