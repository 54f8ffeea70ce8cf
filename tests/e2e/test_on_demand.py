"""A step on demand: the room asks a provisioner, which checks who asks and starts a worker for one robot."""

import base64
import hashlib
import hmac
import http.server
import json
import shutil
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from rooms import PROGRAM, clean_environment, room, until

EXAMPLES = Path(__file__).parents[2] / "examples"
SECRET = "between the room and the provisioner"


class Provisioner:
    """What the open provisioners are: a hook that checks the signature, and starts a program for each request."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.url = ""
        self.room_url = ""
        self.requests: list[dict] = []
        self.workers: list[subprocess.Popen] = []

    def ask(self, path: str, headers, body: bytes) -> int:
        """Answer a request: 403 for a signature that is not of the secret, 400 for what is not known."""
        if not self._is_signed(path, headers, body):
            return 403
        request = json.loads(body)
        self.requests.append(request)
        match request["type"]:
            case "start":
                self._start(request)
            case "stop":
                pass  # a worker for one robot ends by itself
            case _:
                return 400
        return 200

    def _is_signed(self, path: str, headers, body: bytes) -> bool:
        names = headers["x-rc-signed-headers"]
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        signed = [f"{name}:{headers[name]}" for name in names.split(";")]
        material = "\n".join(["POST", path, "", *signed, names, digest])
        inner = base64.b64encode(hashlib.sha256(material.encode()).digest()).decode()
        text = f"sha256\n{headers['x-rc-timestamp']}\n{inner}"
        expected = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
        fresh = abs(time.time() - int(headers["x-rc-timestamp"])) < 15 * 60
        return fresh and hmac.compare_digest(expected, headers["x-rc-signature"])

    def _start(self, request: dict) -> None:
        name = request["runtimeId"]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.workers.append(
                subprocess.Popen(
                    [*PROGRAM, "worker", "--once", "--name", name, "--folder", str(self.folder / name)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=clean_environment(
                        CONTROLROOM_URL=self.room_url, CONTROLROOM_LINK_TOKEN=request["runtimeLinkToken"]
                    ),
                )
            )


@contextmanager
def provisioning():
    """A provisioner while the block runs."""
    provisioner = Provisioner(Path(tempfile.mkdtemp(prefix="controlroom-provisioner-")))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(provisioner.ask(self.path, self.headers, body))
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provisioner.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provisioner
    finally:
        server.shutdown()
        for worker in provisioner.workers:
            worker.terminate()
            worker.wait(60)
        shutil.rmtree(provisioner.folder, ignore_errors=True)


def test_a_run_starts_its_own_worker():
    """The worker that was asked for links with its one-time token, runs the robot, ends, and is gone from the list."""
    with provisioning() as provisioner, room("--no-worker", CONTROLROOM_OUTGOING_ALLOW="127.0.0.0/8") as running:
        provisioner.room_url = running.url
        made = running.post("/provisioners", {"name": "here", "endpoint": provisioner.url, "secret": SECRET})
        running.cli("push", EXAMPLES / "plain-script", "--name", "words")
        task = {"name": "Count words", "package_name": "words"}
        step = {"name": "count", "task": task, "placement": {"provisioner": made["id"]}}
        process = running.post("/processes", {"name": "Words", "steps": [step]})

        run = running.post(f"/processes/{process['id']}/process-runs")["id"]

        until(lambda: running.get(f"/process-runs/{run}")["state"] == "completed", "the run completes", seconds=120)
        until(lambda: [one["type"] for one in provisioner.requests] == ["start", "stop"], "it is stopped")
        [worker] = provisioner.workers
        assert worker.wait(30) == 0
        until(lambda: running.get("/workers")["data"] == [], "the worker is unlinked")
        assert provisioner.requests[0]["runtimeId"] == provisioner.requests[1]["runtimeId"]
