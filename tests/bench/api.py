"""A room's public API as benchmarks call it: one kept connection, and as little of our own time as can be."""

import http.client
import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.rooms import Room

_REST = 30.0
"""Seconds after which the server may have closed a resting connection."""


class Caller:
    """One kept connection to an address."""

    def __init__(self, url: str, authorization: str) -> None:
        address, self.authorization = urlsplit(url), authorization
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=120)
        self._headers = {"Authorization": authorization, "Content-Type": "application/json"}
        self._used = time.monotonic()

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The body of the answer, which must be 200."""
        if time.monotonic() - self._used > _REST:
            self._connection.close()  # the next request opens it anew
        self._connection.request(method, path, body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        self._used = time.monotonic()
        assert answer.status == 200, f"{method} {path}: {answer.status} {content[:500]!r}"
        return content


class Workspace(Caller):
    """The workspace of a room, as its owner sees it."""

    def __init__(self, room: Room, authorization: str = "") -> None:
        self.id: str = room.facts["workspace_id"]
        self.base = f"/api/v1/workspaces/{self.id}"
        super().__init__(room.url, authorization or f"RC-WSKEY {room.facts['api_key']}")
        self._room = room

    def by_admin(self) -> "Workspace":
        """The same workspace, as an admin of the organization sees it."""
        admin = json.dumps(self._room.facts["admin"]).encode()
        answer = json.loads(self.call("POST", "/api/v1/login", admin))
        return Workspace(self._room, f"Bearer {answer['token']}")

    def get(self, path: str) -> Any:
        """What lies at a path below the workspace."""
        return json.loads(self.call("GET", self.base + path))

    def post(self, path: str, body: object = None) -> Any:
        """What a call answers."""
        return json.loads(self.call("POST", self.base + path, json.dumps(body).encode() if body is not None else b""))

    def process(self, folder: Path, **step: object) -> str:
        """Push a robot's folder, and make a process of its first task; the process' id."""
        pushed = self._room.json("push", folder, "--name", folder.name)
        package = pushed["id"] if "id" in pushed else pushed["package"]["id"]
        [task, *_] = self.get(f"/task-packages/{package}")["tasks"]
        steps = [{"name": "work", "task": {"package_id": package, "name": task["name"]}, **step}]
        return self.post("/processes", {"name": folder.name, "steps": steps})["id"]

    def start(self, process: str, *payloads: object) -> str:
        """Start a run with the payloads, or with the default input; the run's id."""
        body = {"type": "with_payloads", "payloads": payloads} if payloads else None
        return self.post(f"/processes/{process}/process-runs", body)["id"]

    def run(self, run: str) -> dict[str, Any]:
        """A run as it stands."""
        return self.get(f"/process-runs/{run}")

    def ended(self, run: str, *, look: float = 0.02) -> dict[str, Any]:
        """Wait until the run has ended; it must be completed."""
        while True:
            found = self.run(run)
            if found["state"] in {"completed", "unresolved"}:
                assert found["state"] == "completed", found
                return found
            time.sleep(look)

    def console(self, run: str) -> str:
        """All that the step runs of a run have printed, up to a thousand lines each."""
        lines = []
        for step_run in self.get(f"/step-runs?process_run_id={run}")["data"]:
            page = self.get(f"/step-runs/{step_run['id']}/console-messages?limit=1000")
            lines += [one["message"] for one in page["data"]]
        return "\n".join(lines)

    def pages(self, path: str, *, limit: int) -> Iterator[list[dict[str, Any]]]:
        """The pages of a list, by following `next`."""
        following = f"{self.base}{path}{'&' if '?' in path else '?'}limit={limit}"
        while following is not None:
            page = json.loads(self.call("GET", following))
            yield page["data"]
            following = page["next"] and page["next"].partition(self.base)[1] + page["next"].partition(self.base)[2]


def unix(time_text: str) -> float:
    """A time of the API in Unix seconds."""
    return datetime.fromisoformat(time_text).timestamp()
