"""Every setting of a worker reaches the worker of `up` as it reaches `controlroom worker`: none can be forgotten."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest

from controlroom.errors import Invalid
from controlroom.host.data_folder import DataFolder
from controlroom.host.up import _DECIDED_HERE, local_worker
from controlroom.host.variables import unknown_variables
from controlroom.worker.databases import VARIABLE
from controlroom.worker.settings import SandboxMode, WorkerSettings, given, names_of, settings_of
from rooms import room, run_cli

FIELDS = {field.name: field for field in msgspec.structs.fields(WorkerSettings)}
SETTABLE = sorted(FIELDS.keys() - set(_DECIDED_HERE))
PROJECT = Path(__file__).parents[2]


def another(name: str) -> tuple[str, Any]:
    """A text that gives a setting another value than its default, and that value."""
    kind, default = FIELDS[name].type, FIELDS[name].default
    inner = next((each for each in get_args(kind) if each is not type(None)), kind) if get_origin(kind) else kind
    if get_origin(kind) is tuple:
        return ("/a,/b", (Path("/a"), Path("/b"))) if inner is Path else ("70000,70009", (70000, 70009))
    if inner is bool:
        return ("false", False) if default else ("true", True)
    if inner is SandboxMode:
        return "off", SandboxMode.OFF
    samples: dict[type, tuple[str, Any]] = {
        int: ("37", 37),
        float: ("37.5", 37.5),
        str: ("x", "x"),
        Path: ("/x", Path("/x")),
    }
    for sample, (text, value) in samples.items():
        if inner is sample or sample in get_args(kind):
            return text, value
    raise AssertionError(f"{name}: this test has no example of {kind}")


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder.take(tmp_path / "data")


@pytest.mark.parametrize("name", SETTABLE)
def test_a_variable_gives_the_setting_to_the_worker_of_up(name, folder):
    """Under each of its names, whatever the setting is."""
    text, value = another(name)
    for variable in names_of(name):
        handed = settings_of({**local_worker(folder, {}, {variable: text}), "url": "http://127.0.0.1:1"})
        found = getattr(handed, name)
        assert found[: len(value)] == value if name == "sandbox_hidden" else found == value
        assert unknown_variables({variable: text}) == []


def test_options_win_over_variables_and_these_over_the_file(folder, tmp_path):
    """As it is with the settings of a server."""
    file = tmp_path / "room.toml"
    file.write_text("page = 1\n[worker]\nslots = 2\nkept_run_folders = 3\nsandbox = 'off'\n")
    environment = {
        "CONTROLROOM_CONFIG": str(file),
        "CONTROLROOM_WORKER_SLOTS": "4",
        "CONTROLROOM_WORKER_SANDBOX": "auto",
    }

    handed = local_worker(folder, {"sandbox": "required", "slots": None}, environment)

    assert (handed["slots"], handed["kept_run_folders"], handed["sandbox"]) == (4, 3, "required")


def test_the_worker_of_up_stays_the_rooms_own(folder):
    """What would lead it to another room, or end it after one robot, is for workers that stand alone."""
    said = {
        variable: another(name)[0] if name != "worker_id" else "x"
        for name in _DECIDED_HERE
        for variable in names_of(name)
    }
    handed = local_worker(folder, {}, said)
    assert (handed["url"], handed["link_token"], handed["once"]) == ("", None, False)
    assert str(folder.path) in handed["sandbox_hidden"], "robots do not see the room's data"


def test_a_wrong_setting_is_an_error_before_anything_starts(tmp_path):
    """It names the setting; an unknown one in the file is wrong, too."""
    refused = run_cli("up", "--data", tmp_path / "data", "--port", "0", CONTROLROOM_WORKER_CACHE_MAX_BYTES="much")
    assert refused.returncode == 1
    assert "cache_max_bytes" in refused.stderr
    assert not (tmp_path / "data" / "postgres").exists()
    with pytest.raises(Invalid, match="slots"):
        settings_of({**given({}), "url": "x", "folder": "y", "slots": 0})
    with pytest.raises(Invalid, match="colour"):
        settings_of({**given({}), "url": "x", "folder": "y", "colour": "blue"})


def test_the_worker_reads_no_setting_beside_these():
    """What its code asks the environment for under our name is a setting's variable; so is what the docs name."""
    known = {variable for name in FIELDS for variable in names_of(name)}
    read = {
        name
        for file in (PROJECT / "src" / "controlroom" / "worker").rglob("*.py")
        for name in re.findall(r"[\"'](CONTROLROOM_[A-Z0-9_]+|RC_(?:WORKER|CONDA)_[A-Z_]+)[\"']", file.read_text())
    }
    written = {
        name
        for file in [*(PROJECT / "docs").rglob("*.md"), PROJECT / "README.md"]
        for name in re.findall(r"\b(?:CONTROLROOM_WORKER|RC_WORKER|RC_CONDA)_[A-Z_]*[A-Z]\b", file.read_text())
    }
    beside = {"CONTROLROOM_WORKER_", VARIABLE}  # a prefix alone is no variable; robots are given the other
    assert (read | written) - known <= beside
    assert {"CONTROLROOM_CONDA_CHANNEL_ALIAS", "RC_WORKER_NAME"} <= known


def test_name_and_channel_alias_are_seen_at_work(tmp_path):
    """The worker of a room is called as RC_WORKER_NAME says, and looks for conda packages where it was told to."""
    asked: list[str] = []

    class Channels(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815 - the names of the standard library

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Channels)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    robot = tmp_path / "robot"
    robot.mkdir()
    (robot / "robot.yaml").write_text(
        "tasks: {go: {shell: python -V}}\ncondaConfigFile: conda.yaml\nartifactsDir: output\n"
    )
    (robot / "conda.yaml").write_text("channels: [ours]\ndependencies: [some-tool=1]\n")
    alias = f"http://127.0.0.1:{server.server_port}"
    try:
        with room(CONTROLROOM_CONDA_CHANNEL_ALIAS=alias, RC_WORKER_NAME="walt") as running:
            assert [each["name"] for each in running.get("/workers")["data"]] == ["walt"]
            running.cli("push", robot, "--name", "tool")
            running.cli("process", "create", "P", "--step", "s=tool:go")
            running.cli("run", "P", "--follow", code=1)
    finally:
        server.shutdown()
        server.server_close()
    assert any(path.startswith("/ours/") for path in asked), asked
