"""`controlroom sources`: what it puts into a room, lists, and takes away again."""

import json

import pytest

from rooms import Room


@pytest.fixture(scope="module")
def running(started: Room) -> Room:
    """A room without a worker, by the key with which it began: it governs the organization."""
    return started


def test_a_source_is_installed_listed_and_removed(running):
    """Without a secret robocorp loads this workspace by a key of its own; a second time changes what there is."""
    process = running.cli("sources", "install", "robocorp", "--name", "Mine", "--resources", "workers").stdout.strip()

    [step] = running.get(f"/processes/{process}")["steps"]
    assert step["database"]["connection_name"] == "Control room"
    assert step["environment"]["CONTROLROOM_SOURCE_RESOURCES"] == "workers"
    [schedule] = running.get(f"/schedules?process_id={process}")["data"]
    assert (schedule["rule"]["seconds"], schedule["overlap"]) == (3600, "skip")
    key = _key(running, "source Mine")
    assert "Processes.write_processes" not in key["permissions"]
    assert set(running.get("/secrets/source%20Mine")["keys"]) == {"workspace_id", "api_key"}

    again = running.cli("sources", "install", "robocorp", "--name", "Mine", "--daily", "05:00").stdout.strip()

    assert again == process
    assert "CONTROLROOM_SOURCE_RESOURCES" not in running.get(f"/processes/{process}")["steps"][0]["environment"]
    [schedule] = running.get(f"/schedules?process_id={process}")["data"]
    assert schedule["rule"]["type"] == "daily"
    assert _key(running, "source Mine")["id"] == key["id"]
    [listed] = [each for each in json.loads(running.cli("sources", "list", "--json").stdout) if each["name"] == "Mine"]
    assert listed["next"] == schedule["next_occurrence"]
    assert "duckdb: Control room, robocorp" in running.cli("sources", "list").stdout

    running.cli("sources", "remove", "Mine", "--yes")

    assert [each for each in running.get("/processes")["data"] if each["name"] == "Mine"] == []
    assert _key(running, "source Mine") is None
    assert "source Mine" not in running.cli("secrets", "list").stdout


def test_what_a_secret_lacks_is_told_before_anything_is_made(running):
    """Which keys each source needs; with --here a room's address is not among them."""
    running.cli("secrets", "set", "bots", "username=ada", "password=x")

    for code, words, why in (
        (2, ("dbt_cloud",), "account_id, api_token"),
        (1, ("dbt_cloud", "--secret", "nowhere"), "there is no secret called 'nowhere'"),
        (1, ("automation360", "--secret", "bots"), "lacks base_url"),
        (2, ("robocorp", "--database", "x", "--destination", "postgres"), "either"),
    ):
        assert why in running.cli("sources", "install", *words, code=code).stderr
    running.cli("sources", "install", "automation360", "--secret", "bots", "--here", "--destination", "postgres")
    [made] = [each for each in running.get("/processes")["data"] if each["name"] == "Load automation360"]
    [step] = running.get(f"/processes/{made['id']}")["steps"]
    assert "database" not in step
    assert step["environment"]["CONTROLROOM_SOURCE_DESTINATION"] == "postgres"
    running.cli("sources", "remove", "Load automation360", "--yes")
    assert "bots" in running.cli("secrets", "list").stdout


def test_a_process_that_loads_nothing_is_left_alone(running, tmp_path):
    """Its name is taken."""
    (tmp_path / "robot.yaml").write_text("tasks: {Never: {shell: 'false'}}\nartifactsDir: output\n")
    running.cli("push", tmp_path, "--name", "other")
    running.cli("process", "create", "Other", "--step", "s=other:Never")

    refused = running.cli("sources", "install", "robocorp", "--name", "Other", "--no-schedule", code=1)

    assert "loads nothing" in refused.stderr


def _key(running, name: str):
    return next((each for each in running.get("/api-keys")["data"] if each["name"] == name), None)
