"""`controlroom load`: a room into a database, at the prompt."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Literal

import duckdb
import pytest

from controlroom.cli.errors import Misused
from controlroom.cli.load import _fits
from rooms import Room, run_cli


@pytest.fixture(scope="module")
def running(started: Room) -> Room:
    """A room without a worker, by the key with which it began: it governs the organization."""
    return started


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
        (("robocorp", "--set", "look_back=many"), 2, "--set look_back=many: it is a number of hours"),
        (("robocorp", "--set", "workers=few"), 2, "--set workers=few: it is int, and not 'few'"),
        (("robocorp", "--schema-contract", "frozen"), 2, "--schema-contract: a schema contract is one of"),
        (("robocorp", "--set", "payload=flat"), 2, "payload is one of json, nested, none, not 'flat'"),
        (("robocorp", "--resources", "runs"), 2, "there is no resource runs"),
        (("robocorp", "--destination", "nowhere"), 2, "there is no destination 'nowhere'"),
        (("robocorp", "--destination", "duckdb:none/x.duckdb"), 1, "the destination cannot be opened: IO Error"),
        (("robocorp", "--destination", "postgres"), 1, "below [destination.postgres.credentials]"),
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


@pytest.mark.parametrize(
    ("kind", "said", "taken"),
    [
        (dt.timedelta, 36, dt.timedelta(hours=36)),
        (dt.timedelta, "1.5", dt.timedelta(hours=1.5)),
        (dt.datetime | None, dt.date(2026, 1, 31), dt.datetime(2026, 1, 31, tzinfo=dt.UTC)),
        (dt.datetime | None, "2026-01-31T12:00:00+02:00", dt.datetime.fromisoformat("2026-01-31T10:00:00Z")),
        (Sequence[str], "manifest.json,catalog.json", ["manifest.json", "catalog.json"]),
        (Sequence[str], ["manifest.json"], ["manifest.json"]),
        (bool | str, "ca.pem", "ca.pem"),
        (bool | str, False, False),
        (int | str | None, 7, 7),
        (Literal["json"], "whatever", "whatever"),
    ],
)
def test_an_argument_is_taken_as_its_source_has_it(kind, said, taken):
    """Durations in hours, lists with commas, days as moments; what is a choice the source judges itself."""
    assert _fits("x", kind, said) == taken


@pytest.mark.parametrize(
    ("kind", "said"), [(dt.timedelta, "many"), (dt.timedelta, 1e300), (int, "few"), (bool, "perhaps"), (str | None, 7)]
)
def test_an_argument_of_another_type_is_refused(kind, said):
    """With its name, in a sentence."""
    with pytest.raises(Misused, match="--set x="):
        _fits("x", kind, said)
