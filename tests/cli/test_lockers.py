"""Secrets of the organization at the prompt: kept by who has logged in, shared by a locker."""

import json

import pytest

from rooms import Room, run_cli

PASSWORD = "correct horse battery\n"


@pytest.fixture(scope="module")
def running(started: Room) -> Room:
    """A room without a worker, by the key with which it began: it governs the organization."""
    return started


def test_a_secret_is_shared_by_a_locker(running):
    """Made with its attributes and put into a locker; what is masked is not shown, a person's own value is theirs."""
    running.cli("users", "create", "dora", "--role", "operator", "--password", stdin=PASSWORD)
    root = run_cli("login", CONTROLROOM_DATA=str(running.data)).stdout.strip()
    dora = run_cli("login", "dora", stdin=PASSWORD, CONTROLROOM_URL=running.url).stdout.strip()
    here = {"CONTROLROOM_URL": running.url, "CONTROLROOM_WORKSPACE": running.facts["workspace_id"]}

    def cli(*words, key=root, code=0):
        done = run_cli(*words, CONTROLROOM_API_KEY=key, **here)
        assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    assert "log in as one by `controlroom login USER`" in running.cli("lockers", "create", "Finance", code=1).stderr
    cli("lockers", "create", "Finance", "--description", "Of the bank")
    cli("shared-secrets", "create", "bank", "--attribute", "user", "--masked", "password", "--user-provided", "pin")
    cli("shared-secrets", "set", "bank", "user=ada", "password=swordfish")
    cli("shared-secrets", "set", "bank", "password=marlin")
    cli("lockers", "put", "Finance", "bank")
    assert json.loads(cli("lockers", "list", "--json", key=dora)) == []
    cli("lockers", "consumer", "Finance", "operator")
    cli("shared-secrets", "set", "bank", "pin=1234", key=dora)
    cli("lockers", "member", "Finance", "dora", "manage", "participate")

    shown = cli("shared-secrets", "show", "bank", key=dora)
    assert ("user=ada" in shown, "password=***" in shown, "marlin" in shown) == (True, True, False)
    locker = json.loads(cli("lockers", "show", "Finance", "--json", key=dora))
    assert [each["name"] for each in (*locker["consumers"], *locker["secrets"])] == ["operator", "bank"]
    assert {each["username"]: each["rights"] for each in locker["members"]}["dora"] == ["participate", "manage"]
    cli("lockers", "rename", "Finance", "Bank", key=dora)
    cli("lockers", "delete", "Bank", "--yes", key=dora, code=1)
    cli("lockers", "take", "Bank", "bank", key=dora)
    cli("lockers", "member", "Bank", "dora")
    cli("lockers", "consumer", "Bank", "operator", "--remove")
    cli("shared-secrets", "give", "bank", "dora")
    assert [each["name"] for each in json.loads(cli("shared-secrets", "list", "--json", key=dora))] == ["bank"]
    cli("shared-secrets", "delete", "bank", "--yes", key=dora)
    cli("lockers", "delete", "Bank", "--yes")
