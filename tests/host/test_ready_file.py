"""The ready file is there when the room is ready, or the start fails: never silence."""

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from controlroom.cli.errors import CommandFailed
from controlroom.host.ready import ReadyFile
from rooms import Room, run_cli

FACTS = {"url": "http://127.0.0.1:1"}


def unwritable(tmp_path: Path) -> dict[str, Path]:
    """Places where no file can be written, whoever one is."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    return {
        "a folder": tmp_path / "folder",
        "below a file": tmp_path / "file" / "ready.json",
        "a circle of links": tmp_path / "loop",
        "a pipe that nobody reads": tmp_path / "pipe",
        "a name too long": tmp_path / ("n" * 300),
        "no file system for files": Path("/proc/ready.json"),
        "a folder that cannot be made": Path("/proc/new/ready.json"),
    }


@pytest.mark.parametrize("command", ["up", "server"])
def test_a_file_that_cannot_be_written_is_an_error(tmp_path, command):
    """Said before anything is started, with the file's name, and the command ends."""
    refused = run_cli(
        command, "--data", tmp_path / "data", "--port", "0", "--ready-file", unwritable(tmp_path)["below a file"]
    )
    assert refused.returncode == 1
    assert "file/ready.json cannot be written: Not a directory" in refused.stderr
    assert "--ready-file" in refused.stderr
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.parametrize(
    "place",
    [
        *("a folder", "below a file", "a circle of links", "a pipe that nobody reads", "a name too long"),
        *("no file system for files", "a folder that cannot be made"),
    ],
)
def test_every_place_is_tried_before(tmp_path, place):
    """The check finds what writing would find, and writing says the same."""
    file = ReadyFile(unwritable(tmp_path)[place])
    with pytest.raises(CommandFailed, match="cannot be written"):
        file.check()
    with pytest.raises(CommandFailed, match="cannot be written"):
        file.write(FACTS)


def test_a_file_that_stops_being_writable_ends_the_start(tmp_path):
    """What only shows when the room is ready ends it, too: with an error, and with nothing left running."""
    starting = Room(tmp_path / "data", "--no-worker")
    try:
        starting.ready_file.mkdir()  # after the check or before it: the outcome is the same

        assert starting.process.wait(60) == 1
        assert "cannot be written: Is a directory" in starting.log
        assert not starting.orphans()
    finally:
        starting.kill()


def test_what_an_earlier_start_left_is_not_read(tmp_path):
    """Who waits for the file waits for this start: an old one is taken away; of a room that runs it stays."""
    ready = tmp_path / "data-ready.json"
    running = Room(tmp_path / "data", "--no-worker").wait_until_ready()
    try:
        second = run_cli("up", "--data", tmp_path / "data", "--port", "0", "--ready-file", ready)
        assert second.returncode == 3
        assert json.loads(ready.read_text())["pid"] == running.process.pid

        ReadyFile(ready).forget()
        assert not ready.exists()
    finally:
        running.kill()


def test_links_and_pipes_stay_what_they_are(tmp_path):
    """A link's target is written; a pipe is written to, not replaced by a file."""
    (tmp_path / "link").symlink_to(tmp_path / "target")
    file = ReadyFile(tmp_path / "link")
    file.check()
    file.write(FACTS)
    assert (tmp_path / "link").is_symlink()
    assert json.loads((tmp_path / "target").read_text()) == FACTS
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o600

    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reading, True)
    ReadyFile(tmp_path / "pipe").write(FACTS)
    reader = threading.Thread(target=lambda: read.append(os.read(reading, 65536).decode()))
    reader.start()
    reader.join(60)
    os.close(reading)
    assert json.loads(read[0]) == FACTS
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_other_files_that_are_not_there_are_said_in_words(tmp_path):
    """No command answers a wrong path with a traceback."""
    somewhere = {"CONTROLROOM_URL": "http://127.0.0.1:1", "CONTROLROOM_WORKSPACE": "w", "CONTROLROOM_API_KEY": "k"}
    done = run_cli("push", tmp_path / "missing", **somewhere)
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr
