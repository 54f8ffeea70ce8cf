"""What robots call thousands of times, as plain ASGI: found by its path, read and answered without the framework.

    async def payload(call: Call) -> bytes:
        return bytes(await held_items.payload(*call.working, WorkItemId(call.named("item_id"))))

    verbs = Verbs(engine, origins, [Verb("GET", "/things/{item_id:uuid}/data", payload)], tell=…, schemes="Bearer")

Only the token of a living step run opens them, for the work that the token names. Those that go well are told together,
one line a second and step run (`tallies`); what fails has a line of its own, as everywhere.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

from litestar import Request
from litestar.exceptions import ClientException, MethodNotAllowedException
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE
from msgspec import Struct

from controlroom.border.answers import JSON
from controlroom.border.arrivals import announced_length, brings_much, claimed, known
from controlroom.border.bodies import decode
from controlroom.border.credentials import credential_of
from controlroom.border.dispatcher import Receive, Scope, Send
from controlroom.border.failures import Failure, failure_of, send_failure
from controlroom.border.origin import Origins
from controlroom.border.tallies import TOGETHER
from controlroom.engine.access.model import StepRunActor
from controlroom.engine.access.scope import ensure_lives
from controlroom.engine.callers import Door, Kind, resolve
from controlroom.engine.engine import Engine
from controlroom.errors import Forbidden, Invalid, Unauthenticated
from controlroom.ids import WorkspaceId

_SCHEME: Final = "bearer"
_ROBOT: Final = Door[StepRunActor](frozenset({Kind.STEP_RUN}), Kind.STEP_RUN)
_SEGMENT: Final = "[^/]+"
_ANY: Final = ".+"
_OF_TOKEN: Final = frozenset({"workspace_id", "process_id", "run_id", "step_run_id"})
_VALUE: Final = re.compile(r"\{(\w+):(uuid|name|path)\}")

T = TypeVar("T")

Named = Mapping[str, Any]
"""What stands in an address: ids by their names, and at most one name of a file."""


class Call:
    """A robot's call: who calls, with what in its address, and what it sends."""

    __slots__ = ("_most", "_origins", "_receive", "engine", "named", "robot", "scope")

    def __init__(
        self, engine: Engine, origins: Origins, scope: Scope, receive: Receive, robot: StepRunActor, named: Named
    ) -> None:
        self.engine = engine
        self.robot = robot
        self.scope = scope
        self.named = named
        self._origins = origins
        self._receive = receive
        self._most = engine.limits.request_bytes

    @property
    def working(self) -> tuple[Engine, StepRunActor]:
        """What every verb of a robot begins with."""
        return self.engine, self.robot

    @property
    def caller(self) -> StepRunActor:
        """Who asks, for links."""
        return self.robot

    @property
    def workspace(self) -> WorkspaceId:
        """The robot's workspace."""
        return self.robot.workspace_id

    @property
    def origin(self) -> str:
        """By which address the caller reached us, as `https://host[:port]`."""
        return self._origins.of(self.scope)

    async def body(self) -> bytes:
        """All of what it sends; what is larger than a request may be is refused before it is read."""
        most = self._most
        if (announced_length(self.scope["headers"]) or 0) > most:
            raise ClientException(status_code=HTTP_413_REQUEST_ENTITY_TOO_LARGE)
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            return bytes(message["body"])  # nearly always
        pieces = [_piece(message)]
        size = len(pieces[0])
        while message.get("more_body"):
            message = await self._receive()
            pieces.append(_piece(message))
            size += len(pieces[-1])
            if size > most:
                raise ClientException(status_code=HTTP_413_REQUEST_ENTITY_TOO_LARGE)
        return b"".join(pieces)

    async def json(self, into: type[T]) -> T:
        """The body as a type; raises Invalid `MALFORMED_JSON` or `INVALID_BODY`."""
        found: T = decode(await self.body(), into)
        return found

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes, however large: for who stores it and knows the limit."""
        more = True
        while more:
            message = await self._receive()
            yield _piece(message)
            more = bool(message.get("more_body"))


Answer: TypeAlias = bytes | Callable[[Any, Any, Any], Awaitable[None]]
"""JSON, or an app that sends more than that."""


class Verb(Struct, frozen=True):
    """One of the calls: by its method and its path.

    In that `{name:uuid}` is an id, `{name:name}` a name without a slash, and `{name:path}` one that may have some.
    """

    method: str
    path: str
    do: Callable[[Call], Awaitable[Answer]]

    @property
    def pattern(self) -> re.Pattern[str]:
        """The path as a pattern."""
        return re.compile(_VALUE.sub(lambda of: f"(?P<{of[1]}>{_ANY if of[2] == 'path' else _SEGMENT})", self.path))


async def content_of(content: AsyncIterator[bytes], *, size: int, kind: str) -> Answer:
    """An answer that sends what a store has. One that is gone from it is still a failure: nothing has been said yet."""
    first = await anext(content, b"")

    async def sending(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - the ASGI signature
        headers = [(b"content-type", kind.encode("latin-1")), (b"content-length", b"%d" % size)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        piece = first
        while piece:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await anext(content, b"")
        await send({"type": "http.response.body", "body": b""})

    return sending


class Found(Struct, frozen=True):
    """A path of ours, and what can be done there."""

    path: str
    verbs: dict[str, Verb]
    named: Named

    def verb(self, method: str) -> Verb:
        """What a method does there. Raises MethodNotAllowedException."""
        found = self.verbs.get(method)
        if found is None:
            raise MethodNotAllowedException(headers={"allow": ", ".join(sorted(self.verbs))})
        return found


class Verbs:
    """A grammar's verbs for robots."""

    def __init__(
        self,
        engine: Engine,
        origins: Origins,
        verbs: Iterable[Verb],
        *,
        tell: Callable[[Failure], Failure],
        schemes: str,
    ) -> None:
        """`tell` has the grammar's words for what does not go well, `schemes` those of its credentials."""
        self._engine = engine
        self._origins = origins
        self._tell = tell
        self._schemes = schemes
        by_path: dict[str, dict[str, Verb]] = {}
        for verb in verbs:
            by_path.setdefault(verb.path, {})[verb.method] = verb
        self._paths = [
            (next(iter(those.values())).pattern.fullmatch, path, those, dict(_VALUE.findall(path)))
            for path, those in by_path.items()
        ]

    def at(self, path: str) -> Found | None:
        """What is at a path; None if it is not one of these."""
        for match, template, verbs, kinds in self._paths:
            if (found := match(path)) is not None:
                try:
                    named = {
                        name: UUID(text) if kinds[name] == "uuid" else text for name, text in found.groupdict().items()
                    }
                except ValueError:
                    continue
                return Found(template, verbs, named)
        return None

    async def serve(self, found: Found, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call."""
        scope["path_template"] = found.path
        try:
            verb = found.verb(scope["method"])
            robot = await let_in(self._engine, scope, found.named)
            answer = await verb.do(Call(self._engine, self._origins, scope, receive, robot, found.named))
        except Exception as error:  # noqa: BLE001 - the edge of a request
            failure = failure_of(Request(scope), error)  # type: ignore[arg-type]  # a scope is a dict
            await send_failure(send, self._tell(failure), schemes=self._schemes)
            return
        scope["state"][TOGETHER] = robot.step_run_id
        if isinstance(answer, bytes):
            headers = [JSON, (b"content-length", b"%d" % len(answer))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": answer})
        else:
            await answer(scope, receive, send)


async def let_in(engine: Engine, scope: Any, named: Named) -> StepRunActor:
    """Let in to the runtime APIs: a step run's token, and only for the work that the token names.

    Whether the step run still lives is for the statements themselves to say, in the same round trip; but before a body
    that no stranger may send.
    """
    scheme, value = credential_of(scope)
    if scheme != _SCHEME:
        raise Unauthenticated("This API is for robots: `Authorization: Bearer <token of the step run>`.")
    robot = await resolve(engine, value, _ROBOT)
    ensure_own(robot, named)
    claimed(scope, name_of(robot))
    return await living(engine, scope, robot) if brings_much(scope) else robot


async def living(engine: Engine, scope: Any, robot: StepRunActor) -> StepRunActor:
    """The robot, known not to be over. Raises AttemptOver."""
    await ensure_lives(engine.database, robot)
    known(scope, name_of(robot))
    return robot


def name_of(robot: StepRunActor) -> str:
    """The robot as the log names it."""
    return f"step_run:{robot.step_run_id}"


def ensure_own(robot: StepRunActor, named: Named) -> None:
    """Raise Forbidden if the address names another's work."""
    for name, value in named.items():
        if name in _OF_TOKEN and value != getattr(robot, name):
            raise Forbidden("This token is another step run's.", code="WRONG_STEP_RUN")


def _piece(message: dict[str, Any]) -> bytes:
    if message["type"] == "http.disconnect":
        raise Invalid("The request was interrupted.", code="INTERRUPTED")
    return bytes(message.get("body", b""))
