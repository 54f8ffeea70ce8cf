"""Watching a robot at work: what it prints, as it prints it, and nothing that steers the terminal."""

import json
import os
import signal
import socket
import subprocess
from contextlib import suppress

import pytest

from controlroom.cli.following import artifacts_in_words
from rooms import PROGRAM, Room, clean_environment, until

ROBOT = """
import socket, sys
def wait():
    server.recv(1)
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print("\\x1b]0;mine now\\x07\\x1b[2J\\x1b[32mgreen\\x1b[0m", flush=True)
sys.stdout.write("\\r 10%")
sys.stdout.flush()
wait()
print("\\r 20%")
print("the cause", file=sys.stderr)
sys.exit(3)
"""


@pytest.fixture(scope="module")
def running(at_work: Room) -> Room:
    """A room with a worker."""
    return at_work


def test_who_follows_sees_what_the_robot_does(running, tmp_path):
    """An unfinished line while it stands, colours but no control, and at the end why the robot failed, line by line."""
    with socket.create_server(("127.0.0.1", 0)) as here:
        folder = tmp_path / "bar"
        folder.mkdir()
        port = here.getsockname()[1]
        (folder / "robot.yaml").write_text(f"tasks:\n  Main: {{shell: python main.py {port}}}\nartifactsDir: output\n")
        (folder / "main.py").write_text(ROBOT)
        running.cli("push", folder, "--name", "bar")
        running.cli("process", "create", "bar", "--step", "main=bar:Main")
        seen = (tmp_path / "seen").open("w+")
        facts = running.facts
        variables = {
            "CONTROLROOM_URL": running.url,
            "CONTROLROOM_WORKSPACE": facts["workspace_id"],
            "CONTROLROOM_API_KEY": facts["api_key"],
        }
        follower = subprocess.Popen(
            [*PROGRAM, "run", "bar", "--follow"], stdout=seen, stderr=seen, env=clean_environment(**variables)
        )
        try:
            here.settimeout(60)
            robot, _ = here.accept()
            with robot:
                until(lambda: "10%" in (tmp_path / "seen").read_text(), "the unfinished line is shown")
                robot.sendall(b"x")
            assert follower.wait(60) == 1
        finally:
            if follower.poll() is None:
                follower.send_signal(signal.SIGKILL)
                follower.wait(60)
            seen.close()

    told = (tmp_path / "seen").read_text()
    assert "main#1 | \x1b[32mgreen\x1b[0m\n" in told
    assert "mine now" not in told
    assert "\x1b[2J" not in told
    assert told.count("20%") == 1
    assert "ROBOT_FAILED: The robot ended with exit code 3. Last lines:\nthe cause)" in told
    run = json.loads(running.cli("runs", "list", "--json").stdout)[0]["id"]
    assert "the cause" in running.cli("runs", "show", run).stdout


@pytest.fixture(scope="module")
def item(running, tmp_path_factory) -> str:
    """A work item with controls of terminals in its payload."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "robot.yaml").write_text("tasks:\n  Main: {shell: python main.py}\nartifactsDir: output\n")
    (folder / "main.py").write_text("print('hello')")
    running.cli("push", folder, "--name", "plain")
    process = running.cli("process", "create", "plain", "--step", "main=plain:Main").stdout.strip()
    made = running.post("/work-items", {"process": {"id": process}, "payload": {"evil\x1b[2J": "\x9b5n \x9d0;x\x9c"}})
    return str(made["id"])


def test_foreign_text_steers_no_terminal(running, item):
    """Fields, errors and JSON are shown without what a terminal would obey; JSON keeps what it means."""
    shown = running.cli("items", "show", item).stdout
    refused = running.cli("process", "show", "no\x1b]0;x\x07pe", code=1).stderr
    asked = running.cli("items", "show", item, "--json").stdout

    for told in (shown, refused, asked):
        assert not {"\x1b", "\x9b", "\x9d", "\x07"} & set(told)
    assert json.loads(asked)["payload"] == {"evil\x1b[2J": "\x9b5n \x9d0;x\x9c"}


def test_a_terminal_gets_only_our_own_colours(running, item):
    """On a terminal, too."""
    master, slave = os.openpty()
    variables = {
        "CONTROLROOM_URL": running.url,
        "CONTROLROOM_WORKSPACE": running.facts["workspace_id"],
        "CONTROLROOM_API_KEY": running.facts["api_key"],
    }
    shown = b""
    with subprocess.Popen([*PROGRAM, "items", "show", item], stdout=slave, env=clean_environment(**variables)) as show:
        os.close(slave)
        with suppress(OSError):  # how a pseudo terminal says that its other end is closed
            while part := os.read(master, 4096):
                shown += part
        os.close(master)
    assert show.returncode == 0
    told = shown.decode()
    assert "evil" in told
    assert [found for found in ("\x1b[2J", "\x9b", "\x9d") if found in told] == []


def test_many_artifacts_are_counted():
    """A few are named, each once; of many it is told how many they are, and what lists them."""
    few = [{"name": "manifest.json"}, {"name": "manifest.json"}, {"name": "catalog.json"}]

    assert artifacts_in_words(few, "list 7") == "artifacts catalog.json, manifest.json"
    assert artifacts_in_words(few * 40, "list 7") == "120 artifacts (list 7)"
