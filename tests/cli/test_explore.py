"""`controlroom explore`: which file it means, and what it says where the notebook cannot be opened."""

import os
import signal
import subprocess
import sys
from importlib.util import find_spec

import psutil
import pytest

from controlroom.cli import explore as command
from controlroom.cli.errors import CommandFailed
from rooms import until


def test_what_is_to_be_installed_is_said(tmp_path, monkeypatch):
    """The notebook has an extra of its own."""
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "marimo" else find_spec(name))
    (tmp_path / "room.duckdb").touch()

    with pytest.raises(CommandFailed, match="marimo") as failed:
        command.explore(tmp_path / "room.duckdb")

    assert failed.value.hint == "pip install 'controlroom[notebook]'"


def test_the_only_file_of_the_folder_is_meant(tmp_path, monkeypatch):
    """Of several one is named."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandFailed, match=r"no \.duckdb file"):
        command._file(None)
    (tmp_path / "room.duckdb").touch()
    assert command._file(None) == tmp_path / "room.duckdb"
    (tmp_path / "other.duckdb").touch()
    with pytest.raises(CommandFailed, match=r"other.*, room"):
        command._file(None)
    with pytest.raises(CommandFailed, match="there is no file"):
        command._file(tmp_path / "none.duckdb")


def test_the_notebook_ends_with_the_command(tmp_path):
    """Told to end by a service manager or a closed terminal, it leaves nothing that keeps the port and the file."""
    (tmp_path / "room.duckdb").write_bytes(b"\0" * 8 + b"DUCK")
    started = "import os, pathlib, time\npathlib.Path('started').write_text(str(os.getpid()))\ntime.sleep(600)\n"
    for name in ("marimo", "altair", "duckdb"):
        (tmp_path / f"{name}.py").write_text(started if name == "marimo" else "")
    for number in (signal.SIGTERM, signal.SIGHUP):
        process = subprocess.Popen(
            [sys.executable, "-m", "controlroom", "explore", "room.duckdb", "--headless"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            stdout=subprocess.DEVNULL,
        )
        until(lambda: (tmp_path / "started").exists() and (tmp_path / "started").read_text(), "it runs", seconds=60)
        notebook = psutil.Process(int((tmp_path / "started").read_text()))
        (tmp_path / "started").unlink()

        process.send_signal(number)

        assert process.wait(60) == 0
        assert psutil.wait_procs([notebook], 60)[1] == []


def test_another_file_is_refused_before_anything_is_opened(tmp_path, monkeypatch):
    """It says so at the prompt, and not in the notebook."""
    monkeypatch.setattr(command, "find_spec", lambda _: object())
    for content in (b"", b"id,name\n1,a row of a table\n"):
        (tmp_path / "room.duckdb").write_bytes(content)
        with pytest.raises(CommandFailed, match="is no DuckDB file"):
            command.explore(tmp_path / "room.duckdb")
