"""Rooms as users start them: `controlroom up` as a process, and its commands as processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path
from typing import Any

import psutil

from controlroom.postgres.socket_folder import forget, reachable

sys.path.insert(0, str(Path(__file__).parent))  # benches call this module tests.rooms
from memory_folders import memory_folder
from warm import Warm

PROGRAM = [sys.executable, "-m", "controlroom"]
_WARM = Warm()
START_SECONDS = 180.0
MADE_BEFORE = """
    with gone as (delete from schema_migration)
    insert into schema_migration (name, sha256) values ('20261122000000_pre_first_stone.sql', '')
"""
"""What makes a database one of before the schema was frozen, for all that can be told."""


def clean_environment(**more: str) -> dict[str, str]:
    """Our environment without anything that would lead a command to another room, or remember one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONTROLROOM_", "RC_"))}
    return {**kept, "CONTROLROOM_ROOMS": "", **more}


class Room:
    """A running `controlroom up`."""

    def __init__(self, data: Path, *options: str, program: Sequence[str] = (), **variables: str) -> None:
        """Start it; `program` is put before the command: something that runs it in a world of its own."""
        self.data = data
        self._ready = data.with_name(f"{data.name}-ready.json")
        self._ready.unlink(missing_ok=True)
        self._log = data.with_name(f"{data.name}.log")
        self.began = time.monotonic()
        words = ["up", "--data", str(data), "--ready-file", str(self._ready), *options]
        if "--port" not in options:
            words += ["--port", "0"]
        with self._log.open("ab") as log:
            command, variables = [*program, *PROGRAM, *words], clean_environment(**variables)
            self.process = psutil.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=variables)
        self.facts: dict[str, Any] = {}

    def wait_until_ready(self) -> "Room":
        """Wait for the ready file."""
        until(lambda: self._ready.exists() or self.process.poll() is not None, f"a room starts; {self._log}")
        assert self._ready.exists(), self.log
        self.facts = json.loads(self._ready.read_text())
        self.seconds = time.monotonic() - self.began
        return self

    @property
    def ready_file(self) -> Path:
        return self._ready

    @property
    def url(self) -> str:
        return self.facts["url"]

    @property
    def log(self) -> str:
        """All that its processes have written."""
        return self._log.read_text(errors="replace")

    def child(self, name: str) -> psutil.Process:
        """The process of a part: `server`, `worker` or `database`."""
        for each in self.process.children():
            words = each.cmdline()
            if words[-1:] == [name] or (name == "database" and words and "postgres" in words[0]):
                return each
        raise AssertionError(f"no {name} in {[each.cmdline() for each in self.process.children()]}")

    def cli(self, *words: object, code: int = 0, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command against this room; its exit code must be as said."""
        variables = {
            "CONTROLROOM_URL": self.url,
            "CONTROLROOM_WORKSPACE": self.facts["workspace_id"],
            "CONTROLROOM_API_KEY": self.facts["api_key"],
        }
        done = run_cli(*words, stdin=stdin, **variables)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: object) -> Any:
        """What a command says as JSON."""
        return json.loads(self.cli(*words, "--json").stdout)

    def get(self, path: str) -> Any:
        """What the workspace's API answers."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/workspaces/{self.facts['workspace_id']}{path}",
            headers={"Authorization": f"RC-WSKEY {self.facts['api_key']}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def post(self, path: str, body: Any = None) -> Any:
        """What the workspace's API answers to a body."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/workspaces/{self.facts['workspace_id']}{path}",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"RC-WSKEY {self.facts['api_key']}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def end(self, run: str, *options: str) -> None:
        """Stop a run at once, and wait until it has ended: only then are its items settled."""
        self.cli("runs", "stop", run, "--terminate", *options)
        until(lambda: self.get(f"/process-runs/{run}")["state"] in {"completed", "unresolved"}, f"run {run} ends")

    def another_workspace(self, name: str) -> tuple[str, str]:
        """A workspace that an admin makes while the room runs: its id, and a key that may do everything there."""

        def asked(path: str, authorization: str, body: Any) -> Any:
            headers = {"Content-Type": "application/json", "Authorization": authorization}
            data = json.dumps(body).encode()
            request = urllib.request.Request(f"{self.url}/api/v1{path}", data, headers, method="POST")
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)

        token = f"Bearer {asked('/login', '', self.facts['admin'])['token']}"
        made = asked("/workspaces", token, {"name": name})["id"]
        permissions = self.get("/api-keys")["data"][0]["permissions"]
        key = asked(f"/workspaces/{made}/api-keys", token, {"name": "all", "permissions": permissions})
        return made, key["value"]

    def beside(self, name: str) -> "Room":
        """The same room, as those see it who have a new workspace in it: commands and requests go there."""
        made, key = self.another_workspace(name)
        there = copy(self)
        there.facts = {**self.facts, "workspace_id": made, "api_key": key}
        return there

    def processes(self) -> list[psutil.Process]:
        """The supervisor and all below it."""
        try:
            return [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end and wait for that; the exit code."""
        left = self.processes()
        if self.process.is_running():
            self.process.send_signal(how)
        code = self.process.wait(60)
        _, alive = psutil.wait_procs(left, timeout=30)
        assert not alive, alive
        return code

    def kill(self) -> None:
        """End everything of it, at once; also what of it has been orphaned."""
        left = self.processes()  # the supervisor first: it would start again what ends
        for each in left:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self.process.wait(30)
        psutil.wait_procs(left, timeout=30)
        self.end_in(self.data)

    def orphans(self) -> list[psutil.Process]:
        """Processes of the database in our folder, whoever is their parent."""
        return _of_database(self.data)

    @staticmethod
    def end_in(data: Path) -> None:
        """End what is left of a room in a folder: a database that a start which failed may have left."""
        for _ in range(10):  # what is started while it ends is found by the next look
            if not (left := _of_database(data)):
                break
            for each in left:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            psutil.wait_procs(left, timeout=30)
        cluster = data / "postgres" / "cluster"
        if cluster.exists():  # the link of a killed room would wait for its next start, which will not come
            forget(reachable(cluster), cluster)


def _of_database(data: Path) -> list[psutil.Process]:
    found = []
    for each in psutil.process_iter():
        try:
            if Path(each.cwd()).is_relative_to(data):
                found.append(each)
        except (psutil.Error, OSError):
            continue
    return found


def run_cli(*words: object, stdin: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command; in a folder where no room is."""
    with tempfile.TemporaryDirectory(prefix="controlroom-cli-") as elsewhere:
        return _WARM.run(
            [str(word) for word in words],
            environment=clean_environment(**variables),
            folder=elsewhere,
            given=stdin,
            seconds=300,
        )


@contextmanager
def room(*options: str, data: Path | None = None, **variables: str) -> Iterator[Room]:
    """A room while the block runs, in a folder of its own unless one is given."""
    prefix = "controlroom-room-"  # a worker's robots are programs, which memory may not run
    folder = memory_folder(prefix) if "--no-worker" in options else Path(tempfile.mkdtemp(prefix=prefix))
    started = Room(data or folder / "data", *options, **variables)
    try:
        yield started.wait_until_ready()
    finally:
        started.kill()
        shutil.rmtree(folder, ignore_errors=True)


def until(condition: Callable[[], object], what: str, *, seconds: float = START_SECONDS) -> None:
    """Wait for a condition of the outside world, by looking again and again."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
