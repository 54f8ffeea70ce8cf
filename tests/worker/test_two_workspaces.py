"""Two workspaces on one worker: a hostile robot of one reaches nothing of the other, by the machine or by the API."""

import json
import textwrap
import urllib.request
from pathlib import Path

import pytest
from sandboxes import needs_nesting, needs_sandbox

from rooms import Room, room, run_cli, until

MARK = "the neighbour keeps this for itself"

NEIGHBOUR = """
    import os, pathlib, signal, tempfile
    mark = os.environ["MARK"]
    for folder in (".", os.environ["HOME"], os.environ["HOME"] + "/.robocorp", tempfile.gettempdir(), "output"):
        pathlib.Path(folder).mkdir(exist_ok=True)
        pathlib.Path(folder, "kept.txt").write_text(mark)
    print("I wait", flush=True)
    if os.environ.get("WAITS"):
        signal.pause()
"""

HOSTILE = """
    import ctypes, glob, json, os, signal, sys, urllib.error, urllib.request

    got = {}
    mark = os.environ["NEIGHBOURS"][::-1]  # so that what it was told is not what it finds

    def holds(path):
        try:
            with open(path, "rb") as file:
                return mark.encode() in file.read(1_000_000)
        except OSError:
            return False

    places = ["/tmp", "/var/tmp", os.environ["HOME"], os.environ["WORKER"], os.environ["DATA"], "/dev/shm", "/run"]
    files = [os.path.join(at, name) for place in places for at, _, names in os.walk(place) for name in names]
    got["files"] = [path for path in files if holds(path)]
    known = [path for name in ("environ", "cmdline") for path in glob.glob(f"/proc/[0-9]*/{name}")]
    got["processes"] = [path for path in known if holds(path)]
    shares = os.path.join(os.environ["WORKER"], "environments", "shares")
    own = [name for name in os.listdir(shares) if sys.prefix.startswith(os.path.join(shares, name))]
    got["environments"] = [name for name in os.listdir(shares) if name not in own]
    for place in (shares, os.path.join(os.environ["WORKER"], "environments"), os.environ["WORKER"]):
        try:
            open(os.path.join(place, "evil"), "w").close()  # where it can, it is a folder of its own sandbox
        except OSError:
            pass

    def ask(method, path, body=None):
        request = urllib.request.Request(os.environ["RC_API_SECRET_HOST"] + path, method=method, data=body)
        request.add_header("Authorization", "Bearer " + os.environ["RC_API_SECRET_TOKEN"])
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as refused:
            return refused.code

    theirs, step_run, item = os.environ["THEIRS"], os.environ["STEP_RUN"], os.environ["ITEM"]
    api = f"/api/v1/workspaces/{theirs}"
    asked = [
        ("GET", f"/secrets-v1/workspaces/{theirs}/secrets/bank"),
        ("GET", f"/json-v1/workspaces/{theirs}/workitems/{item}/data"),
        ("PUT", f"/json-v1/workspaces/{theirs}/workitems/{item}/data", b"{}"),
        ("GET", f"{api}/assets"),
        ("GET", f"{api}/assets/rates"),
        ("GET", f"{api}/step-runs/{step_run}/console-messages"),
        ("GET", f"{api}/step-runs/{step_run}/artifacts"),
        ("POST", f"{api}/step-runs/{step_run}/pause", b"{}"),
        ("GET", f"{api}/work-items"),
        ("GET", f"{api}/task-packages"),
        ("GET", f"{api}/workers"),
        ("POST", "/worker/v1/sessions", b'{"slots": 1, "version": "1", "platform": "x", "sandbox": "bwrap"}'),
    ]
    got["api"] = [each[:2] for each in asked if ask(*each) < 400]
    own_path = f"/api/v1/workspaces/{os.environ['RC_WORKSPACE_ID']}/assets"
    print(json.dumps({"lives": ask("GET", own_path), "got": {what: gain for what, gain in got.items() if gain}}))
"""


class Neighbour:
    """A workspace of the room, by an API key of its own."""

    def __init__(self, here: Room, workspace: str, key: str) -> None:
        self.workspace = workspace
        self._url = here.url
        self._variables = {"CONTROLROOM_URL": here.url, "CONTROLROOM_WORKSPACE": workspace, "CONTROLROOM_API_KEY": key}
        self._key = key

    def cli(self, *words: object) -> str:
        done = run_cli(*words, **self._variables)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def get(self, path: str):
        return call(f"{self._url}/api/v1/workspaces/{self.workspace}{path}", f"RC-WSKEY {self._key}")


def call(url: str, authorization: str):
    """What the API answers."""
    with urllib.request.urlopen(
        urllib.request.Request(url, headers={"Authorization": authorization}), timeout=30
    ) as answer:
        return json.load(answer)


def robot(folder: Path, code: str) -> Path:
    """A robot with an environment of its own."""
    folder.mkdir()
    (folder / "robot.yaml").write_text(
        "tasks:\n  main:\n    shell: python task.py\nartifactsDir: output\nenvironmentConfigs: [requirements.txt]\n"
    )
    (folder / "requirements.txt").write_text("idna\n")
    (folder / "task.py").write_text(textwrap.dedent(code))
    return folder


@pytest.mark.matrix
@needs_sandbox
@needs_nesting
def test_a_hostile_robot_reaches_nothing_of_another_workspace(tmp_path):
    """Files, caches, environments, spares, processes, secrets, assets, items, console and artifacts stay apart."""
    with room("--slots", "2", data=tmp_path / "data") as here:
        there = Neighbour(here, *here.another_workspace("neighbour"))
        there.cli("secrets", "set", "bank", f"password={MARK}")
        there.cli("assets", "set", "rates", MARK)
        there.cli("push", robot(tmp_path / "neighbour", NEIGHBOUR), "--name", "neighbour")
        there.cli("process", "create", "once", "--step", "work=neighbour:main", "--env", f"work:MARK={MARK}")
        there.cli("run", "once", "--follow")  # it leaves something, and a spare
        there.cli(
            *("process", "create", "waits", "--step", "work=neighbour:main"),
            *("--env", f"work:MARK={MARK}", "--env", "work:WAITS=1"),
        )
        run = json.loads(there.cli("run", "waits", "--input", json.dumps({"iban": MARK}), "--json"))["id"]

        def at_work():
            return [
                each for each in there.get(f"/step-runs?process_run_id={run}")["data"] if each["state"] == "in_progress"
            ]

        until(
            lambda: at_work() and "I wait" in str(there.get(f"/step-runs/{at_work()[0]['id']}/console-messages")),
            "work",
        )
        [item] = there.get(f"/work-items?process_run_id={run}")["data"]

        here.cli("push", robot(tmp_path / "hostile", HOSTILE), "--name", "hostile")
        worker = tmp_path / "data" / "worker"
        variables = {
            "NEIGHBOURS": MARK[::-1],
            "THEIRS": there.workspace,
            "STEP_RUN": at_work()[0]["id"],
            "ITEM": item["id"],
            "WORKER": str(worker),
            "DATA": str(tmp_path / "data"),
        }
        environment = [word for name, value in variables.items() for word in ("--env", f"work:{name}={value}")]
        here.cli("process", "create", "hostile", "--step", "work=hostile:main", *environment)
        for _ in range(2):  # in a process of its own, and in a spare
            told = here.cli("run", "hostile", "--follow").stdout
            assert '{"lives": 200, "got": {}}' in told, told
        assert len(list((worker / "environments" / "shares").iterdir())) == 2
        assert list(worker.rglob("evil")) == []
        assert at_work()
