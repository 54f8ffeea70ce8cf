"""The server as the worker sees it: every call of `controlroom.protocol`, repeated until it is answered."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import IO, Self, TypeVar
from urllib.parse import quote, urlsplit
from uuid import UUID

import httpx2
import msgspec
import structlog

from controlroom import trust
from controlroom.errors import ControlRoomError
from controlroom.project_plans import ProjectPlan, ProjectSource
from controlroom.protocol import (
    AskForCode,
    Assignment,
    Assignments,
    Claim,
    CodeToRead,
    CodeToReads,
    Finish,
    FoundInCode,
    Heartbeat,
    Keeping,
    Kept,
    Link,
    Linked,
    OpenSession,
    Orders,
    PhaseReport,
    PhaseReports,
    Return,
    Session,
    SmallArtifacts,
)

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")
Body = bytes | Callable[[], AsyncIterator[bytes]]
"""What is sent: bytes, or a function that opens the stream anew for each try."""

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0
"""Why so short: a server's restart takes about this long, and a worker's question is cheap."""
_ANSWER_SECONDS = 30.0
_TOO_LARGE = 413
_TOO_MANY = 429
_SERVER_ERRORS = 500


class Refused(ControlRoomError):  # noqa: N818 - an answer of the server, raised and caught by that name
    """The server understood and said no; asking again would not help."""

    code = "REFUSED"

    def __init__(self, status: int, code: str, message: str, details: dict[str, object]) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.details = details


class Superseded(Refused):
    """The attempt (or the session) is no longer this worker's."""


class _ErrorBody(msgspec.Struct, frozen=True):
    error: dict[str, object] = {}


class Server:
    """A connection pool to one server. Connection errors, 429 and 5xx are repeated for ever: cancel to give up.

    Loopback addresses are reached directly whatever the proxy variables say; others by them. TLS trusts whom the
    machine trusts, what variables name, and `authorities`.
    """

    def __init__(self, url: str, token: str = "", *, authorities: Sequence[Path] = ()) -> None:
        self.url = url.rstrip("/")
        address = urlsplit(self.url)
        local = (address.hostname or "") in {"localhost", "127.0.0.1", "::1"}
        self._http = httpx2.AsyncClient(
            base_url=self.url + "/worker/v1",
            verify=trust.context(*authorities) if address.scheme == "https" else False,
            timeout=httpx2.Timeout(_ANSWER_SECONDS, connect=10.0, pool=None),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=60.0),
            trust_env=not local,
        )
        self.artifact_bytes = 0
        """How large an artifact may be, as the session told; 0: without a limit."""
        self.authenticate(token)

    def authenticate(self, token: str) -> None:
        """Use this worker token from now on."""
        if token:
            self._http.headers["authorization"] = f"Bearer {token}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def link(self, link: Link) -> Linked:
        """Exchange a link token for a credential."""
        return await self._post("/link", link, Linked)

    async def open_session(self, opening: OpenSession) -> Session:
        """Say that this worker process has started."""
        session = await self._post("/sessions", opening, Session)
        self.artifact_bytes = session.artifact_bytes
        return session

    async def close_session(self, session: UUID) -> None:
        """Say good-bye, once: a server that can't be reached finds out by itself."""
        try:
            await self._http.delete(f"/sessions/{session}", timeout=2.0)
        except httpx2.TransportError as error:
            log.info("no good-bye", reason=repr(error))

    async def claim(self, claim: Claim) -> tuple[Assignment, ...]:
        """Wait for work."""
        answer = await self._post("/claims", claim, Assignments, patience=claim.wait_seconds + _ANSWER_SECONDS)
        return answer.assignments

    async def ask_for_code(self, wait_seconds: float) -> CodeToRead | None:
        """Wait for code to read."""
        patience = wait_seconds + _ANSWER_SECONDS
        return (await self._post("/code/claims", AskForCode(wait_seconds), CodeToReads, patience=patience)).code

    async def found_in_code(self, code: CodeToRead, found: FoundInCode) -> None:
        """Tell what was found in it. Raises Superseded when it is another's by now."""
        path = f"/code/{code.id}/attempts/{code.attempt}/finish"
        await self.call("POST", path, msgspec.json.encode(found), kind=_JSON)

    async def kept(self) -> tuple[Kept, ...]:
        """What the worker shall keep ready. Raises Refused for a server that knows nothing of it."""
        answer = msgspec.json.decode(await self.call("GET", "/kept", b"", kind={}), type=Keeping)
        return answer.kept

    async def heartbeat_once(self, heartbeat: Heartbeat) -> Orders:
        """Prolong the leases; a single try, so that the caller knows since when the server is silent."""
        content = msgspec.json.encode(heartbeat)
        patience = httpx2.Timeout(heartbeat.hold_seconds + 5.0, connect=5.0, pool=None)
        response = await self._http.post("/heartbeats", content=content, headers=_JSON, timeout=patience)
        if response.status_code == _TOO_MANY or response.status_code >= _SERVER_ERRORS:
            raise httpx2.RemoteProtocolError(f"the server answered {response.status_code}")
        _raise_refusal(response.status_code, response.content)
        return msgspec.json.decode(response.content, type=Orders)

    async def fetch_package(self, content_hash: str, into: IO[bytes]) -> None:
        """Write the zip into a file, from its beginning at each try."""
        await self.fetch(f"/packages/{quote(content_hash, safe='')}", into)

    async def fetch(self, path: str, into: IO[bytes]) -> None:
        """Write what lies at a path into a file, from its beginning at each try."""
        async for pause in _pauses(path):
            try:
                async with self._http.stream("GET", path) as response:
                    if response.status_code == _TOO_MANY or response.status_code >= _SERVER_ERRORS:
                        pause(f"status {response.status_code}")
                        continue
                    if response.is_error:
                        _raise_refusal(response.status_code, await response.aread())
                    into.seek(0)
                    into.truncate()
                    async for chunk in response.aiter_bytes(1024 * 1024):
                        into.write(chunk)
                    return
            except httpx2.TransportError as error:
                pause(repr(error))

    def attempt(self, assignment: Assignment) -> "AttemptReports":
        """Where one attempt is reported to."""
        return AttemptReports(self, f"/step-runs/{assignment.step_run_id}/attempts/{assignment.attempt}")

    async def call(
        self, method: str, path: str, body: Body, *, kind: dict[str, str], patience: float = _ANSWER_SECONDS
    ) -> bytes:
        """One call, repeated until the server answers. Raises `Refused` or `Superseded`."""
        async for pause in _pauses(path):
            try:
                response = await self._http.request(
                    method,
                    path,
                    content=body if isinstance(body, bytes) else body(),
                    headers=kind,
                    timeout=httpx2.Timeout(patience, connect=10.0, pool=None),
                )
            except httpx2.TransportError as error:
                pause(repr(error))
                continue
            if response.status_code == _TOO_MANY or response.status_code >= _SERVER_ERRORS:
                pause(f"status {response.status_code}: {response.text[:200]}")
                continue
            _raise_refusal(response.status_code, response.content)
            return response.content
        raise AssertionError  # the pauses never end

    async def _post(
        self, path: str, message: msgspec.Struct, answer: type[Answer], *, patience: float = _ANSWER_SECONDS
    ) -> Answer:
        content = await self.call("POST", path, msgspec.json.encode(message), kind=_JSON, patience=patience)
        return msgspec.json.decode(content, type=answer)


class AttemptReports:
    """What a worker tells about one attempt. Each may be repeated; all raise `Superseded` once it is not ours."""

    def __init__(self, server: Server, path: str) -> None:
        self._server = server
        self._path = path

    async def phases(self, phases: tuple[PhaseReport, ...]) -> None:
        """Phases as they stand now."""
        await self._server.call("POST", self._path + "/phases", msgspec.json.encode(PhaseReports(phases)), kind=_JSON)

    async def console(self, text: bytes, *, first: int, count: int, at: float, unfinished: bytes = b"") -> None:
        """Lines `first` to `first + count - 1`, each ended by LF, printed at about `at`; and what stands unfinished."""
        path = f"{self._path}/console?first={first}&count={count}&at={at:.3f}"
        if unfinished:
            path += f"&unfinished={len(unfinished)}"
        await self._server.call("POST", path, text + unfinished, kind=_TEXT)

    async def artifact(self, name: str, size: int, content: Body, *, phase: int | None = None) -> None:
        """A whole file. One that the server would not take is not sent: a sparse file costs its author nothing."""
        if 0 < self._server.artifact_bytes < size:
            message = f"it is larger than {self._server.artifact_bytes:,} bytes"
            raise Refused(_TOO_LARGE, "OBJECT_TOO_LARGE", message, {})
        path = f"{self._path}/artifacts/{quote(name, safe='/')}?size={size}"
        if phase is not None:
            path += f"&phase={phase}"
        kind = {"content-type": "application/octet-stream", "content-length": str(size)}
        await self._server.call("PUT", path, content, kind=kind, patience=300.0)

    async def small_artifacts(self, artifacts: SmallArtifacts) -> None:
        """Several whole files at once, all or none."""
        content = msgspec.msgpack.encode(artifacts)
        await self._server.call("POST", self._path + "/artifacts", content, kind=_MESSAGE_PACK)

    async def plan(self) -> ProjectPlan:
        """What is to be run of a project, and with what."""
        return msgspec.json.decode(await self._get("/project"), type=ProjectPlan)

    async def source(self) -> ProjectSource:
        """Where the project's files are by now."""
        found: ProjectSource = msgspec.json.decode(await self._get("/project/source"), type=ProjectSource)
        return found

    async def fetch_file(self, content_hash: str, into: IO[bytes]) -> None:
        """Write a file that plan or source name into a file, from its beginning at each try."""
        await self._server.fetch(f"{self._path}/project/files/{quote(content_hash, safe='')}", into)

    async def fetch_database(self, content_hash: str, into: IO[bytes]) -> None:
        """Write the version that assignment or plan name into a file, from its beginning at each try."""
        await self._server.fetch(f"{self._path}/database/{quote(content_hash, safe='')}", into)

    async def database(self, size: int, content: Body) -> None:
        """The file of the attempt's database, as it stands now."""
        kind = {"content-type": "application/octet-stream", "content-length": str(size)}
        await self._server.call("PUT", f"{self._path}/database?size={size}", content, kind=kind, patience=600.0)

    async def _get(self, path: str) -> bytes:
        return await self._server.call("GET", self._path + path, b"", kind={})

    async def give_back(self, reason: str) -> None:
        """The attempt could not be begun: no robot code has run."""
        await self._server.call("POST", self._path + "/return", msgspec.json.encode(Return(reason)), kind=_JSON)

    async def finish(self, finish: Finish) -> None:
        """The attempt has ended."""
        await self._server.call("POST", self._path + "/finish", msgspec.json.encode(finish), kind=_JSON)


_JSON = {"content-type": "application/json"}
_MESSAGE_PACK = {"content-type": "application/msgpack"}
_TEXT = {"content-type": "text/plain; charset=utf-8"}


def _raise_refusal(status: int, content: bytes) -> None:
    """Raise what a 4xx answer says; nothing for others."""
    if status < 400:  # noqa: PLR2004 - the border of HTTP's client errors
        return
    try:
        details = msgspec.json.decode(content, type=_ErrorBody).error
    except msgspec.MsgspecError:
        details = {}
    code = str(details.get("code", "REFUSED"))
    message = str(details.get("message", content[:200].decode(errors="replace")))
    refusal = Superseded if code == "SUPERSEDED" else Refused
    raise refusal(status, code, f"the server refused ({status} {code}): {message}", details)


async def _pauses(what: str) -> AsyncIterator[Callable[[str], None]]:
    """Tries without end, each handed a function to say why it failed; the pauses between grow, with jitter."""
    seconds, failed = _FIRST_PAUSE_SECONDS, 0

    def failure(reason: str) -> None:
        nonlocal failed
        if failed == 0:
            log.warning("server does not answer, trying on", call=what, reason=reason)
        failed += 1

    while True:
        yield failure
        await asyncio.sleep(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - spreads the load, guards nothing
        seconds = min(seconds * 2, _LONGEST_PAUSE_SECONDS)
