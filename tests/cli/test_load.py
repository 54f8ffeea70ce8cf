"""`controlroom load`: a room into a database, at the prompt."""

import json

import duckdb
import pytest

from rooms import run_cli


def test_the_room_that_commands_speak_to_is_loaded(running, tmp_path):
    """Without any option about it; the rows of each table are told, and a second load of the same tells none."""
    place = tmp_path / "loaded.duckdb"
    options = ("--destination", f"duckdb:{place}", "--folder", tmp_path / "p", "--resources", "workspace,assets")
    first = run_cli("load", "robocorp", *options, CONTROLROOM_DATA=str(running.data))
    assert first.returncode == 0, first.stderr
    assert first.stdout.split()[:2] == ["TABLE", "ROWS"]
    assert "duckdb, dataset robocorp" in first.stderr
    with duckdb.connect(str(place), read_only=True) as database:
        assert database.execute("select id from robocorp.workspace").fetchall() == [(running.facts["workspace_id"],)]

    second = running.json("load", "robocorp", *options)
    assert (second["rows"], second["remarks"]) == ({}, [])


def test_a_refusal_is_told_in_the_servers_words(running, tmp_path):
    """A key that is none, and an argument that no source has, end the command with a sentence."""
    options = ("--destination", f"duckdb:{tmp_path}/x.duckdb", "--folder", tmp_path / "p", "--url", running.url)
    refused = run_cli("load", "robocorp", *options, "--workspace", running.facts["workspace_id"], "--api-key", "wrong")
    assert refused.returncode == 1
    assert "401" in refused.stderr
    assert "Traceback" not in refused.stderr
    misspelled = run_cli("load", "robocorp", *options, "--set", "payload", CONTROLROOM_DATA=str(running.data))
    assert (misspelled.returncode, "--set payload" in misspelled.stderr) == (2, True)


@pytest.mark.parametrize("source", ["robocorp", "automation360"])
def test_what_there_is_to_load_is_told_without_a_room(source, tmp_path):
    """By --list, which asks nobody."""
    told = run_cli("load", source, "--list", "--json", CONTROLROOM_DATA=str(tmp_path))
    assert told.returncode == 0, told.stderr
    assert all(row["tables"][0] == row["resource"] and row["description"] for row in json.loads(told.stdout))


def test_without_the_extra_it_is_said_what_to_install(tmp_path):
    """Not by a traceback."""
    (tmp_path / "dlt.py").write_text("raise ModuleNotFoundError('no dlt', name='dlt')\n")
    told = run_cli("load", "robocorp", PYTHONPATH=str(tmp_path), CONTROLROOM_DATA=str(tmp_path))
    assert told.returncode == 1
    assert 'pip install "controlroom[sources]"' in told.stderr


@pytest.mark.parametrize(
    ("said", "code", "told"),
    [
        (("robocorp", "--set", "pay=none"), 2, "--set pay: robocorp has no such argument"),
        (("robocorp", "--set", "payload=flat"), 2, "payload is one of json, nested, none, not 'flat'"),
        (("robocorp", "--resources", "runs"), 2, "--resources: there is no runs"),
        (("robocorp", "--destination", "nowhere"), 2, "--destination: there is no 'nowhere'"),
        (("robocorp", "--destination", "duckdb:none/x.duckdb"), 1, "the destination cannot be opened: IO Error"),
        (("robocorp", "--api-key", "wrong"), 1, "GET api/v1/workspaces/{workspace}: 401"),
        (("automation360",), 1, "`base_url` is needed"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(running, tmp_path, said, code, told):
    """An argument, a resource, a destination, a key or an address that is none: never by a traceback."""
    told = told.format(workspace=running.facts["workspace_id"])
    options = ("--folder", tmp_path / "p") if "--destination" in said else _place(tmp_path)
    ended = run_cli("load", *said, *options, CONTROLROOM_DATA=str(running.data))
    assert (ended.returncode, "Traceback" in ended.stderr) == (code, False), ended.stderr
    assert told in ended.stderr.replace("\n  ", " ")


def _place(folder):
    return ("--destination", f"duckdb:{folder}/x.duckdb", "--folder", folder / "p")
