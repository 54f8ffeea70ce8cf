"""Steady work for a room, as users make it: short runs, queues, consoles that are read, workers that come and go."""

import collections
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil
from tests.rooms import PROGRAM, Room, clean_environment

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT.parent / "examples" / "plain-script"
COURIER = ROOT / "fault" / "robots" / "courier"
ITEMS = 20
PATIENCE = 120.0
"""Seconds for which a run may take: one whose worker was killed begins anew when the lease has run out."""


class Load:
    """What works on the room until `over` is set. A fault of any part ends all of it, and is raised by `check`."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.over = threading.Event()
        self.ended: collections.Counter[str] = collections.Counter()
        self.told: collections.Counter[str] = collections.Counter()
        self.lines = 0
        self._faults: list[BaseException] = []
        self._threads: list[threading.Thread] = []

    def begin(self, *parts: Callable[[], None], every: float = 0.0) -> None:
        """Have each part done again and again, with a pause between."""
        for part in parts:
            thread = threading.Thread(target=self._repeat, args=(part, every), name=part.__name__, daemon=True)
            thread.start()
            self._threads.append(thread)

    def finish(self) -> None:
        """Let the parts come to their end."""
        self.over.set()
        for thread in self._threads:
            thread.join(PATIENCE + 60)
            assert not thread.is_alive(), thread.name

    def check(self) -> None:
        """Raise what went wrong in a part."""
        if self._faults:
            raise self._faults[0]

    def short_run(self) -> None:
        """Start a run of a plain script with one item, wait for its end and read its console."""
        self._run("Words", [{"text": "to be or not to be"}])

    def queue_run(self) -> None:
        """Start a run of many items, that several robots share."""
        self._run("Deliveries", [{"number": number} for number in range(ITEMS)])

    def look_around(self) -> None:
        """Read the lists that a person looks at."""
        for path in ("/process-runs", "/work-items", "/workers", "/processes", "/webhooks", "/audit-log"):
            self._call("GET", path)

    def _run(self, process: str, payloads: list[dict]) -> None:
        body = {"type": "with_payloads", "payloads": payloads}
        run = self._call("POST", f"/processes/{self.processes[process]}/process-runs", body)["id"]
        deadline = time.monotonic() + PATIENCE
        while (state := self._call("GET", f"/process-runs/{run}")["state"]) not in ("completed", "unresolved"):
            assert time.monotonic() < deadline, f"run {run} of {process} is {state} after {PATIENCE} s"
            time.sleep(0.1)  # as a client asks that waits for a run
        assert state == "completed", f"run {run} of {process} is {state}"
        for step_run in self._call("GET", f"/step-runs?process_run_id={run}")["data"]:
            self.lines += len(self._call("GET", f"/step-runs/{step_run['id']}/console-messages")["data"])
        self.ended[process] += 1

    def prepare(self, endpoint: str) -> None:
        """Make the processes, and a webhook that is told of the end of each run."""
        self.processes = {}
        for name, folder, task in (("Words", SCRIPT, "Count words"), ("Deliveries", COURIER, "Deliver")):
            package = self.room.json("push", folder, "--name", name)["id"]
            step = {
                "name": "work",
                "task": {"package_id": package, "name": task},
                "max_parallel": 2,
                "retry": {"max_attempts": 1000},  # the worker that comes and goes takes robots with it
            }
            self.processes[name] = self._call("POST", "/processes", {"name": name, "steps": [step]})["id"]
        self._call("POST", "/webhooks", {"endpoint": endpoint, "enabled_events": ["process_run.completed"]})

    def _call(self, method: str, path: str, body: object = None) -> dict:
        address = f"{self.room.url}/api/v1/workspaces/{self.room.facts['workspace_id']}{path}"
        headers = {"Authorization": f"RC-WSKEY {self.room.facts['api_key']}"}
        answer = httpx2.request(method, address, json=body, headers=headers, timeout=60, trust_env=False)
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def _repeat(self, part: Callable[[], None], every: float) -> None:
        try:
            while not self.over.is_set():
                part()
                self.over.wait(every)
        except BaseException as fault:  # noqa: BLE001 - told by `check`
            self._faults.append(fault)
            self.over.set()


@contextmanager
def told(load: Load) -> Iterator[str]:
    """A receiver of webhooks while the block runs; its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["content-length"])))
            load.told[message["payload"]["processRunId"]] += 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook"
    finally:
        server.shutdown()
        server.server_close()


class Guest:
    """A second worker, which comes and goes: asked to end and killed in turn."""

    def __init__(self, room: Room, folder: Path) -> None:
        self._room = room
        self._folder = folder
        self._token = room.cli("workers", "link-token").stdout.strip()
        self.restarts = 0
        self._process = self._start()

    def restart(self) -> None:
        """End it, in one of two ways, and start it again."""
        self.end(kill=self.restarts % 2 == 1)
        self.restarts += 1
        self._process = self._start()

    def end(self, *, kill: bool = False) -> None:
        """End it, and all that it runs; fine if it has ended."""
        if not self._process.is_running():
            return
        left = [self._process, *self._process.children(recursive=True)]
        (self._process.kill if kill else self._process.terminate)()
        self._process.wait(60)
        _, alive = psutil.wait_procs(left, timeout=30)
        assert not alive, f"a worker that was ended has left {alive}"

    def _start(self) -> psutil.Popen:
        words = ("worker", "--folder", str(self._folder / "guest"), "--name", "guest")
        variables = {"CONTROLROOM_URL": self._room.url, "CONTROLROOM_LINK_TOKEN": self._token}
        with (self._folder / "guest.log").open("ab") as log:
            return psutil.Popen([*PROGRAM, *words], stdout=log, stderr=log, env=clean_environment(**variables))
