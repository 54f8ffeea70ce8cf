"""A worker that speaks the protocol and runs nothing: what it claims, a load generator works on."""

import threading
from collections.abc import Iterable
from typing import TypeVar

import msgspec
from tests.bench.api import Caller, Workspace
from tests.rooms import Room

from controlroom.protocol import (
    Assignment,
    Assignments,
    Claim,
    Finish,
    Heartbeat,
    Held,
    Link,
    Linked,
    OpenSession,
    SandboxKind,
    Session,
)

T = TypeVar("T")


class SimulatedWorker:
    """One worker of a room. `keep` its leases while others work on what it has claimed."""

    def __init__(self, room: Room, workspace: Workspace, name: str, *, slots: int, serves_all: bool = False) -> None:
        self._url = room.url
        asked = {"expires_at": "2100-01-01T00:00:00Z", "serves_all": serves_all}
        token = workspace.post("/workers/link-tokens", asked)["link_token"]
        linked = self._ask(Caller(room.url, ""), "/link", Link(link_token=token, name=name, slots=slots), Linked)
        self.token = linked.token
        self._caller = Caller(room.url, f"Bearer {linked.token}")
        opening = OpenSession(slots=slots, version="bench", platform="linux", sandbox=SandboxKind.BWRAP)
        self.session = self._ask(self._caller, "/sessions", opening, Session).session

    def claim(self, free: int = 1, *, wait: float = 5.0, running: Iterable[Assignment] = ()) -> tuple[Assignment, ...]:
        """Wait for work, and take it. What it holds and does not name as running is given again."""
        at_work = tuple(one.step_run_id for one in running)
        asked = Claim(session=self.session, free=free, wait_seconds=wait, running=at_work)
        return self._ask(self._caller, "/claims", asked, Assignments).assignments

    def finish(self, assignment: Assignment, *, lines: int = 0) -> None:
        """Report success."""
        path = f"/step-runs/{assignment.step_run_id}/attempts/{assignment.attempt}/finish"
        self._ask(self._caller, path, Finish(exit_code=0, console_lines=lines), dict)

    def append(self, assignment: Assignment, first: int, body: bytes, *, at: float) -> None:
        """Report console lines."""
        count = body.count(b"\n")
        path = f"/worker/v1/step-runs/{assignment.step_run_id}/attempts/{assignment.attempt}/console"
        self._caller.call("POST", f"{path}?first={first}&count={count}&at={at}", body)

    def keep(self, *assignments: Assignment) -> "Keeping":
        """Keep the leases while the block runs."""
        held = tuple(Held(one.step_run_id, one.attempt) for one in assignments)
        beat = Heartbeat(self.session, held, hold_seconds=2)
        caller = Caller(self._url, f"Bearer {self.token}")
        return Keeping(lambda: caller.call("POST", "/worker/v1/heartbeats", msgspec.json.encode(beat)))

    @staticmethod
    def _ask(caller: Caller, path: str, body: object, answer: type[T]) -> T:
        content = caller.call("POST", f"/worker/v1{path}", msgspec.json.encode(body))
        return msgspec.json.decode(content, type=answer)


class Keeping:
    """Calls again and again, in a thread, while its block runs."""

    def __init__(self, call) -> None:
        self._call = call
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._is_over.is_set():
            self._call()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
