"""A small server of the worker's protocol, for the worker's tests.

It hands out what a test gives it and records what it gets, over real HTTP, and holds claims and heartbeats as the
server does.
"""

import asyncio
import hashlib
import io
import socket
import time
import zipfile
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, unquote
from uuid import UUID, uuid4

import msgspec
import uvicorn

from controlroom.project_plans import ProjectPlan, ProjectSource, Purpose, SourceHere
from controlroom.protocol import (
    AskForCode,
    Assignment,
    Assignments,
    Claim,
    CodeToRead,
    CodeToReads,
    Command,
    Finish,
    FoundInCode,
    Heartbeat,
    Held,
    Keeping,
    Kept,
    Linked,
    OpenSession,
    Order,
    Orders,
    PackageRef,
    PhaseReport,
    PhaseReports,
    ProjectCommands,
    Return,
    RobotTask,
    Session,
    SmallArtifacts,
)

Answer = tuple[int, bytes]
OK: Answer = (200, b"{}")
LINK_TOKEN = "link-me"
WORKER_TOKEN = "worker-token"


class Attempt:
    """What the server knows of one attempt."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.phases: dict[int, PhaseReport] = {}
        self.console = b""
        self.lines = 0
        self.unfinished: list[tuple[int, str]] = []
        """What stood in lines without end: the number that each will have, and its text."""
        self.batches: list[tuple[int, int]] = []
        self.artifacts: dict[str, bytes] = {}
        """Those of the step run as a whole."""
        self.of_phases: dict[tuple[int, str], bytes] = {}
        """Those of phases, by position and name."""
        self.plan: ProjectPlan | None = None
        self.sources: list[ProjectSource] = []
        """What is answered to the one who asks for the source, in turn; the last one again and again."""
        self.databases: list[bytes] = []
        """The databases that were put."""
        self.finish: Finish | None = None
        self.order = Order.CONTINUE
        self.superseded = False
        self.returned: list[str] = []
        self.heartbeats = 0
        self.heard: list[tuple[float, str]] = []
        """When (Unix seconds) it was handed out and each report came."""

    @property
    def text(self) -> list[str]:
        return self.console.decode().splitlines()


class RoomServer:
    """The server; its attributes are what tests look at and turn."""

    def __init__(self) -> None:
        self.packages: dict[str, bytes] = {}
        self.refused_artifacts: set[str] = set()
        self.attempts: dict[tuple[UUID, int], Attempt] = {}
        self.sessions: list[OpenSession] = []
        self.closed_sessions: list[str] = []
        self.requests: dict[str, int] = defaultdict(int)
        self.failing = 0
        """How many of the next requests are answered 503."""
        self.port = 0
        self.troubles: list[str] = []
        """What the worker said of itself, each change once."""
        self.heartbeat_hold = 2.0
        self.lease = 25.0
        self.kept: list[Kept] = []
        """What is to be kept ready."""
        self.code: list[CodeToRead] = []
        """What waits to be read."""
        self.found: dict[UUID, FoundInCode] = {}
        self._waiting: list[Assignment] = []
        self._session: UUID | None = None
        self._news = asyncio.Condition()
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        listening = socket.socket(
            socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
        )  # else asyncio leaves Nagle on
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            log_level="error",
            http="httptools",
            lifespan="off",
            interface="asgi3",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None
        self._serving = asyncio.create_task(self._server._serve([listening]))
        while not self._server.started:
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            self._server.force_exit = True
            await self._serving

    def add_package(self, files: Mapping[str, str | bytes]) -> PackageRef:
        """A package with these files."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as package:
            for name, content in files.items():
                package.writestr(name, content)
        return self.add_zip(buffer.getvalue())

    def add_zip(self, content: bytes) -> PackageRef:
        key = hashlib.sha256(content).hexdigest()
        self.packages[key] = content
        return PackageRef(hash=key, size=len(content), name="test robot")

    def keep(self, content: bytes) -> str:
        """Have a file that attempts may fetch; its hash."""
        key = hashlib.sha256(content).hexdigest()
        self.packages[key] = content
        return key

    async def assign(
        self,
        package: PackageRef,
        task: str = "main",
        *,
        plan: ProjectPlan | None = None,
        sources: Sequence[ProjectSource] = (),
        **fields: Any,
    ) -> Attempt:
        """Put a step run into the queue."""
        values: dict[str, Any] = {
            "step_run_id": uuid4(),
            "attempt": 1,
            "workspace_id": UUID(int=1),
            "organization_id": UUID(int=2),
            "process_id": UUID(int=3),
            "process_name": "test process",
            "run_id": uuid4(),
            "step_id": UUID(int=4),
            "step_name": "test step",
            "work_item_id": None,
            "token": "robot-token",
            "variables": {},
            "timeout_seconds": None,
            "package": package,
            "work": RobotTask(task),
            **fields,
        }
        assignment = Assignment(**values)
        attempt = Attempt(assignment)
        attempt.plan, attempt.sources = plan, [*sources]
        self.attempts[assignment.step_run_id, assignment.attempt] = attempt
        self._waiting.append(assignment)
        await self._tell()
        return attempt

    async def assign_project(
        self, package: PackageRef, plan: ProjectPlan, *sources: ProjectSource, **fields: Any
    ) -> Attempt:
        """Put a run of a project into the queue."""
        own = tuple(
            Command(name=phase.name, words=phase.words) for phase in plan.phases if phase.purpose is Purpose.OWN
        )
        work = ProjectCommands(own or (Command(name="none", words=("dbt",)),))
        return await self.assign(
            package, work=work, plan=plan, sources=[*sources] or [SourceHere(package=package)], **fields
        )

    async def order(self, attempt: Attempt, order: Order) -> None:
        attempt.order = order
        await self._tell()

    async def until(self, condition: Callable[[], Any], seconds: float = 120.0) -> None:
        """Wait until a request has made the condition true."""
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(condition)

    async def finished(self, attempt: Attempt, seconds: float = 120.0) -> Finish:
        await self.until(lambda: attempt.finish is not None, seconds)
        assert attempt.finish is not None
        return attempt.finish

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        path = unquote(scope["raw_path"].decode()).removeprefix("/worker/v1/")
        gone = asyncio.create_task(_disconnected(receive))
        answering = asyncio.create_task(self._answer(scope, path, bytes(body)))
        await asyncio.wait({gone, answering}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if not answering.done():
            answering.cancel()
            return
        status, content = answering.result()
        await self._tell()
        headers = [(b"content-length", str(len(content)).encode()), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, scope: Any, path: str, body: bytes) -> Answer:  # noqa: PLR0911 - one case a call
        first, *rest = path.split("/")
        if first == "code":  # a loop of its own, which tests of the others do not turn
            return await self._code(rest, body)
        if first == "kept":  # likewise
            return 200, msgspec.json.encode(Keeping(tuple(self.kept)))
        self.requests[rest[3] if first == "step-runs" else first] += 1
        if self.failing > 0:
            self.failing -= 1
            return _error(503, "UNAVAILABLE")
        authorization = dict(scope["headers"]).get(b"authorization", b"").decode()
        if first != "link" and authorization != f"Bearer {WORKER_TOKEN}":
            return _error(401, "UNAUTHENTICATED")
        if first == "step-runs":
            attempt = self.attempts.get((UUID(rest[0]), int(rest[2])))
            if attempt is None:
                return _error(404, "NOT_FOUND")
            if attempt.superseded:
                return _error(409, "SUPERSEDED")
            query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
            return self._report(attempt, rest[3], "/".join(rest[4:]), query, body)
        handlers: dict[str, Callable[[list[str], bytes], Awaitable[Answer]]] = {
            "link": self._link,
            "sessions": self._open,
            "claims": self._claim,
            "heartbeats": self._heartbeat,
            "packages": self._package,
        }
        return await handlers[first](rest, body)

    async def _link(self, _: list[str], body: bytes) -> Answer:
        if msgspec.json.decode(body)["link_token"] != LINK_TOKEN:
            return _error(403, "LINK_TOKEN_INVALID")
        linked = Linked(worker_id=UUID(int=9), workspace_id=UUID(int=1), name="walt", token=WORKER_TOKEN)
        return 200, msgspec.json.encode(linked)

    async def _open(self, rest: list[str], body: bytes) -> Answer:
        if rest:
            self.closed_sessions.append(rest[0])
            return OK
        self.sessions.append(msgspec.json.decode(body, type=OpenSession))
        self._session = uuid4()
        session = Session(
            session=self._session,
            worker_id=UUID(int=9),
            workspace_id=UUID(int=1),
            name="walt",
            heartbeat_hold_seconds=self.heartbeat_hold,
            lease_seconds=self.lease,
        )
        return 200, msgspec.json.encode(session)

    def forget_session(self) -> None:
        """As after the worker was thought lost."""
        self._session = None

    async def _claim(self, _: list[str], body: bytes) -> Answer:
        claim = msgspec.json.decode(body, type=Claim)
        if claim.session != self._session:
            return _error(404, "SESSION_UNKNOWN")
        with suppress(TimeoutError):
            await self.until(lambda: self._waiting or claim.session != self._session, claim.wait_seconds)
        given, self._waiting = self._waiting[: claim.free], self._waiting[claim.free :]
        for assignment in given:
            self.attempts[assignment.step_run_id, assignment.attempt].heard.append((time.time(), "claim"))
        return 200, msgspec.json.encode(Assignments(tuple(given)))

    async def _code(self, rest: list[str], body: bytes) -> Answer:
        if rest != ["claims"]:
            self.found[UUID(rest[0])] = msgspec.json.decode(body, type=FoundInCode)
            return OK
        with suppress(TimeoutError):
            await self.until(lambda: self.code, msgspec.json.decode(body, type=AskForCode).wait_seconds)
        return 200, msgspec.json.encode(CodeToReads(self.code.pop(0) if self.code else None))

    async def read(self, code: CodeToRead) -> FoundInCode:
        """Put code into the queue; what was found in it."""
        self.code.append(code)
        await self._tell()
        await self.until(lambda: code.id in self.found)
        return self.found[code.id]

    async def _heartbeat(self, _: list[str], body: bytes) -> Answer:
        beat = msgspec.json.decode(body, type=Heartbeat)
        if not self.troubles or self.troubles[-1] != beat.trouble:
            self.troubles.append(beat.trouble)
        if beat.session != self._session:
            return _error(404, "SESSION_UNKNOWN")
        for held in beat.held:
            self.attempts[held.step_run_id, held.attempt].heartbeats += 1
        await self._tell()

        def differing() -> bool:
            return beat.session != self._session or any(self._order(held) != held.order for held in beat.held)

        with suppress(TimeoutError):
            await self.until(differing, min(beat.hold_seconds, self.heartbeat_hold))
        if beat.session != self._session:
            return _error(404, "SESSION_UNKNOWN")
        orders = tuple(Held(held.step_run_id, held.attempt, self._order(held)) for held in beat.held)
        return 200, msgspec.json.encode(Orders(orders))

    def _order(self, held: Held) -> Order:
        attempt = self.attempts[held.step_run_id, held.attempt]
        return Order.ABANDON if attempt.superseded else attempt.order

    async def _package(self, rest: list[str], _: bytes) -> Answer:
        content = self.packages.get(rest[0])
        return (200, content) if content is not None else _error(404, "NOT_FOUND")

    def _artifacts(self, attempt: Attempt, files: dict[tuple[int | None, str], bytes]) -> Answer:
        if self.refused_artifacts & {name for _, name in files}:
            return _error(400, "ARTIFACT_NAME_INVALID")
        attempt.artifacts |= {name: content for (phase, name), content in files.items() if phase is None}
        attempt.of_phases |= {(phase, name): content for (phase, name), content in files.items() if phase is not None}
        return OK

    def _project(self, attempt: Attempt, what: str) -> Answer:
        what, _, key = what.partition("/")
        match what:
            case "":
                return 200, msgspec.json.encode(attempt.plan)
            case "source":
                source = attempt.sources.pop(0) if len(attempt.sources) > 1 else attempt.sources[0]
                return 200, msgspec.json.encode(source)
            case "files" if key in self.packages:
                return 200, self.packages[key]
            case _:
                return _error(404, "NOT_FOUND")

    def _report(  # noqa: C901, PLR0912 - one case a report
        self, attempt: Attempt, what: str, name: str, query: dict[str, str], body: bytes
    ) -> Answer:
        attempt.heard.append((time.time(), f"{what} {name}".strip()))
        match what:
            case "phases":
                for phase in msgspec.json.decode(body, type=PhaseReports).phases:
                    attempt.phases[phase.position] = phase
            case "console":
                first, count = int(query["first"]), int(query["count"])
                cut = len(body) - int(query.get("unfinished", 0))
                body, unfinished = body[:cut], body[cut:]
                assert body.count(b"\n") == count
                assert body.endswith(b"\n") or unfinished
                body.decode("utf-8")
                if unfinished:
                    assert b"\n" not in unfinished
                    attempt.unfinished.append((first + count, unfinished.decode()))
                if first == attempt.lines:  # else a repetition after a lost answer
                    attempt.lines += count
                    attempt.console += body
                    attempt.batches.append((first, count))
                assert first + count <= attempt.lines
            case "artifacts" if not name:
                small = msgspec.msgpack.decode(body, type=SmallArtifacts)
                return self._artifacts(attempt, {(small.phase, file.name): file.content for file in small.artifacts})
            case "artifacts":
                assert len(body) == int(query["size"])
                phase = int(query["phase"]) if "phase" in query else None
                return self._artifacts(attempt, {(phase, name): body})
            case "database" if name in self.packages:
                return 200, self.packages[name]
            case "database":
                assert len(body) == int(query["size"])
                attempt.databases.append(body)
            case "project":
                return self._project(attempt, name)
            case "return":
                attempt.returned.append(msgspec.json.decode(body, type=Return).reason)
                attempt.superseded = True
            case "finish":
                attempt.finish = msgspec.json.decode(body, type=Finish)
                for phase in attempt.finish.phases:
                    attempt.phases[phase.position] = phase
        return OK


async def _disconnected(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _error(status: int, code: str) -> Answer:
    return status, msgspec.json.encode({"error": {"code": code, "message": code}, "message": code})
