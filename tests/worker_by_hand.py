"""A worker that does what a test tells it, over the protocol of workers: no robot runs."""

import json
import threading
import time
import urllib.request
from contextlib import suppress
from typing import Any


class WorkerByHand:
    """Linked by a token, with one session at a time."""

    def __init__(self, url: str, link_token: str) -> None:
        """Link it, and open a session."""
        self._url = f"{url}/worker/v1"
        self._token = ""
        self._token = self._call("/link", {"link_token": link_token, "name": "by hand"})["token"]
        self._held: list[dict[str, Any]] = []
        self._left = threading.Event()
        self.restart()
        threading.Thread(target=self._beat, daemon=True).start()

    def restart(self) -> None:
        """Open a new session, as a worker does that was killed: what it held is lost."""
        body = {"slots": 1, "version": "1", "platform": "test", "sandbox": "bwrap", "abilities": ["commands"]}
        self._held = []
        self._session = self._call("/sessions", body)["session"]

    def leave(self) -> None:
        """Keep nothing any more."""
        self._left.set()

    def claim(self) -> dict[str, Any]:
        """The next assignment, which is waited for up to a minute."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            asked = {"session": self._session, "free": 1, "wait_seconds": 5}
            if found := self._call("/claims", asked)["assignments"]:
                self._held = found
                return found[0]
        raise AssertionError("no work came")

    def phases(self, assignment: dict[str, Any], *phases: dict[str, Any]) -> None:
        """Report the sections of the attempt."""
        self._call(f"{_of(assignment)}/phases", {"phases": phases})

    def prints(self, assignment: dict[str, Any], first: int, *lines: str) -> None:
        """Report lines from this number on."""
        query = f"first={first}&count={len(lines)}&at={time.time()}"
        self._call(f"{_of(assignment)}/console?{query}", "".join(f"{line}\n" for line in lines).encode())

    def _beat(self) -> None:
        """Keep what is held, however slowly the test goes: a lease is half a minute."""
        while not self._left.wait(5):
            held = [{"step_run_id": each["step_run_id"], "attempt": each["attempt"]} for each in self._held]
            if held:
                with suppress(OSError):  # it was restarted meanwhile, or the room is gone
                    self._call("/heartbeats", {"session": self._session, "held": held, "hold_seconds": 0})

    def _call(self, path: str, body: Any) -> Any:
        is_text = isinstance(body, bytes)
        headers = {"Content-Type": "text/plain" if is_text else "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        sent = body if is_text else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, sent, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def _of(assignment: dict[str, Any]) -> str:
    return f"/step-runs/{assignment['step_run_id']}/attempts/{assignment['attempt']}"
