"""What people and programs do with runs while a real worker runs them: at the prompt, to the robot and back."""

import json
import signal
import socket
import time
from contextlib import contextmanager
from urllib.error import URLError

import pytest

from rooms import Room, until

TICKING = """
import socket, sys
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
server.settimeout(0.02)
while True:
    server.sendall(b".")
    try:
        if server.recv(1) == b"x":
            break
    except TimeoutError:
        pass
"""
_SILENCE_SECONDS = 1.0
"""Fifty times as long as the robot is silent by itself."""


@pytest.fixture(scope="module")
def running(at_work: Room) -> Room:
    """A room with a worker."""
    return at_work


@contextmanager
def robot_at_work(running: Room, tmp_path, *options: str):
    """A robot that says every moment that it lives: its line to us, and the id of its run."""
    with socket.create_server(("127.0.0.1", 0)) as here:
        folder = tmp_path / "ticking"
        folder.mkdir()
        port = here.getsockname()[1]
        (folder / "robot.yaml").write_text(f"tasks:\n  Main: {{shell: python main.py {port}}}\nartifactsDir: output\n")
        (folder / "main.py").write_text(TICKING)
        running.cli("push", folder, "--name", "ticking")
        running.cli("process", "create", "ticking", "--step", "main=ticking:Main", *options)
        run = running.cli("run", "ticking").stdout.strip()
        here.settimeout(60)
        robot, _ = here.accept()
        with robot:
            yield robot, run


def is_silent(robot: socket.socket) -> bool:
    """Whether nothing comes of it for a while, once what was under way has come."""
    robot.settimeout(_SILENCE_SECONDS)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            robot.recv(65536)
        except TimeoutError:
            return True
    return False


def test_a_paused_robot_stands_still_also_while_its_server_is_killed(running, tmp_path):
    """It keeps its item and its lease, through the death of the server; resumed, it goes on to its end."""
    with robot_at_work(running, tmp_path) as (robot, run):
        [step_run] = running.json("runs", "show", run)["step_runs"]
        paused = running.json("runs", "pause", step_run["id"])
        assert paused["paused_at"]
        assert is_silent(robot)
        assert "paused" in running.cli("runs", "show", run).stdout

        server = running.child("server")
        server.send_signal(signal.SIGKILL)
        server.wait(60)
        until(lambda: stands(running, run, paused["paused_at"]), "the room is back, and the robot paused")
        assert is_silent(robot)
        [item] = running.json("items", "list", "--run", run)
        assert item["state"] == "in_progress"

        running.cli("runs", "resume", step_run["id"])
        robot.settimeout(30)
        assert robot.recv(1)
        robot.sendall(b"x")
        assert running.cli("runs", "follow", run).returncode == 0


def stands(running: Room, run: str, paused_at: str) -> bool:
    """Whether the room tells that the run's robot is paused since then."""
    try:
        [step_run] = running.get(f"/step-runs?process_run_id={run}")["data"]
    except (URLError, ConnectionError):
        return False
    return step_run["state"] == "in_progress" and step_run["paused_at"] == paused_at


GREETING = """
import json, os, urllib.request
def call(method, url, body=None):
    headers = {"Authorization": "Bearer " + os.environ["RC_API_WORKITEM_TOKEN"], "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=60) as answer:
        return json.load(answer)
workspace = "/workspaces/" + os.environ["RC_WORKSPACE_ID"]
item = os.environ["RC_WORKITEM_ID"]
asked = call("GET", f"{os.environ['RC_API_WORKITEM_HOST']}/json-v1{workspace}/workitems/{item}/data")
process = f"{os.environ['RC_API_PROCESS_HOST']}/process-v1{workspace}/processes/{os.environ['RC_PROCESS_ID']}"
call("POST", f"{process}/work-items/{item}/output", {"payload": {"greeting": "hello " + asked["name"]}})
"""


@pytest.fixture(scope="module")
def greeting(running, tmp_path_factory) -> str:
    """A task that no process is made for."""
    folder = tmp_path_factory.mktemp("greeting")
    (folder / "robot.yaml").write_text("tasks:\n  Greet: {shell: python main.py}\nartifactsDir: output\n")
    (folder / "main.py").write_text(GREETING)
    running.cli("push", folder, "--name", "greeting")
    return "greeting:Greet"


def test_a_bare_task_is_run_and_run_again(running, greeting, tmp_path):
    """At the prompt, with input and files; a rerun has both; its process is in no list."""
    (tmp_path / "note.txt").write_text("hi")
    words = ("--input", '{"name": "ada"}', "--file", tmp_path / "note.txt", "--name", "first")
    first = running.cli("run", "--task", greeting, *words).stdout.strip()
    assert running.cli("runs", "follow", first).returncode == 0
    again = running.json("runs", "rerun", first, "--follow")

    assert (again["state"], again["rerun_of"], again["name"]) == ("completed", first, "first")
    assert [each["payload"] for each in running.json("runs", "outputs", again["id"])] == [{"greeting": "hello ada"}]
    [item] = running.json("items", "list", "--run", again["id"])
    assert [file["name"] for file in running.json("items", "show", item["id"])["files"]] == ["note.txt"]
    assert "Greet" not in running.cli("process", "list").stdout
    assert "what? Name a process" in running.cli("run", code=2).stderr


def test_a_task_is_called_like_a_function(running, greeting):
    """At the prompt: its outputs are what is printed; why it failed, and that it goes on, are failures."""
    told = running.cli("run", "--task", greeting, "--input", '{"name": "bo"}', "--wait", 60)
    assert json.loads(told.stdout) == {"greeting": "hello bo"}
    assert "unresolved (ROBOT_FAILED" in running.cli("run", "--task", greeting, "--wait", 60, code=1).stderr
    assert "goes on" in running.cli("run", "--task", greeting, "-i", '{"name": "x"}', "--wait", 0, code=1).stderr


def test_items_of_a_standing_queue_are_held_let_go_and_declared_done(running, greeting):
    """No robot gets one that is held while its queue is worked, nor ever one that was declared done."""
    running.cli("queues", "create", "guests")
    held, declared = (put(running, name) for name in ("held", "declared"))
    running.cli("items", "hold", held, declared)
    running.cli("queues", "consumers", "create", "guests", greeting)
    other = put(running, "other")
    until(lambda: stage(running, other) == ("done", False), "what is not held is done")
    assert [stage(running, item)[1] for item in (held, declared)] == [True, True]

    running.cli("items", "complete", declared)
    running.cli("items", "release", held)
    until(lambda: stage(running, held) == ("done", False), "what was let go is done")

    assert stage(running, declared) == ("done", False)
    runs = {each["process_run"]["id"] for item in (held, other) if (each := running.json("items", "show", item))}
    assert len(runs) == 2
    assert running.json("items", "show", declared)["process_run"] is None


def put(running: Room, name: str) -> str:
    """Put an item into the queue; its id."""
    words = ("items", "create", "--queue", "guests", "-i", json.dumps({"name": name}))
    return running.cli(*words).stdout.strip()


def stage(running: Room, item: str) -> tuple[str, bool]:
    """The state of an item, and whether it is held."""
    shown = running.json("items", "show", item)
    return shown["state"], shown["held"]
