"""The outermost ASGI function: one origin, many apps.

It makes paths canonical (`//` is one slash, a slash at the end is dropped), finds the app by the longest prefix, never
by a redirect, gives every request an id, and writes one line when it has been answered. A HEAD is answered wherever a
GET is, with the same head (RFC 9110 §9.3.2): apps see a GET, and what they send behind the head goes nowhere. What goes
wrong in an app is answered by the app, in its own form, and left in `scope["state"]["bug"]` so that it is logged here,
once.
"""

import re
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog
from msgspec import Struct

from controlroom.border.answers import JSON, answer, error_body
from controlroom.border.hosts import Hosts
from controlroom.border.metrics import Metrics
from controlroom.border.origin import Origins
from controlroom.border.redaction import path_for_log, query_for_log
from controlroom.border.tallies import TOGETHER, Tallies
from controlroom.ids import uuid7

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger("controlroom.requests")

_SLASHES = re.compile("//+")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_FAILURES = 400
"""Where HTTP's failures begin."""

AS_HEAD = "as_head"
"""Where the state of a request says that it is a HEAD, for what a GET does beside telling."""

_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_PREFLIGHT = (
    _ANY_ORIGIN,
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, x-authorization"),
    (b"access-control-max-age", b"86400"),
)


class Mount(Struct, frozen=True):
    """An app below a path prefix. It sees the whole path."""

    prefix: str
    app: App
    is_public_api: bool = False
    """Pages of any origin may call it (§1.1): it takes no cookies, so that a browser lends it no right."""
    is_quiet: bool = False
    """Asked every few seconds by a machine: not logged while it goes well."""
    answers_head: bool = False
    """It has an answer of its own to a HEAD, which costs less than that to a GET."""


class Dispatcher:
    """Routes requests to the mounted apps."""

    def __init__(
        self,
        mounts: Iterable[Mount],
        *,
        origins: Origins,
        metrics: Metrics,
        hosts: Hosts | None = None,
        fallback: App | None = None,
    ) -> None:
        self._by_segment: dict[str, list[Mount]] = {}
        for mount in sorted(mounts, key=lambda mount: -len(mount.prefix)):
            self._by_segment.setdefault(mount.prefix.split("/")[1], []).append(mount)
        self._fallback = Mount("", fallback or _unknown)
        self._origins = origins
        self._metrics = metrics
        self._hosts = hosts
        self.tallies = Tallies()
        """What robots have called and is not told yet: `tell` it before the server ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":  # no dialect speaks WebSocket
            await send({"type": "websocket.close", "code": 1000})
            return
        began = time.perf_counter()
        path = canonical(scope["path"])
        mount = self._mount_of(path)
        request_id = _request_id(scope["headers"])
        state: dict[str, Any] = {"request_id": request_id, "path": path}
        asked = scope["method"]
        scope, receive, send = _as_get(mount, state, scope, receive, send)
        scope["path"] = path
        scope["state"] = state
        extra = [(b"x-request-id", request_id.encode())]
        if mount.is_public_api:
            extra.append(_ANY_ORIGIN)
        status = 0

        async def answering(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        self._metrics.in_flight.inc()
        try:
            if (refusal := await self._refusal_of_host(scope)) is not None:
                await answer(answering, refusal[0], error_body(*refusal[1:]), JSON)
            elif mount.is_public_api and scope["method"] == "OPTIONS":
                await answer(answering, 204, b"", *_PREFLIGHT[1:])
            else:
                await mount.app(scope, receive, answering)
        except Exception as bug:  # noqa: BLE001 - the edge of a request: logged below, once
            state["bug"] = bug
            if not status:
                body = error_body("INTERNAL", "Something went wrong here.", request_id=request_id)
                await answer(answering, 500, body, JSON)
        finally:
            self._metrics.in_flight.dec()
            seconds = time.perf_counter() - began
            route = scope.get("path_template") or mount.prefix
            self._metrics.request(asked if asked in _METHODS else "OTHER", route, status, seconds)
            self._tell(mount, scope, method=asked, route=route, status=status, seconds=seconds)

    async def _refusal_of_host(self, scope: Scope) -> tuple[int, str, str] | None:
        """What is wrong with the names by which a request calls us, if anything: status, code and message."""
        named, forwarded = [], b""
        for name, value in scope["headers"]:
            if name == b"host":
                named.append(value)
            elif name == b"x-forwarded-host":
                forwarded = value
        if len(named) != 1 and (named or scope.get("http_version") == "1.1"):  # RFC 9112 §3.2
            return 400, "INVALID_REQUEST", "A request has one Host header."
        if forwarded and self._origins.believes(scope):
            named.append(forwarded.partition(b",")[0])
        for host in named:
            if self._hosts is not None and host not in self._hosts.passed and not await self._hosts.has(host):
                shown = host[:100].decode("latin-1")
                return 421, "HOST_UNKNOWN", f"This room does not answer to {shown}: see CONTROLROOM_ALLOWED_HOSTS."
        return None

    def _mount_of(self, path: str) -> Mount:
        end = path.find("/", 1)
        for mount in self._by_segment.get(path[1:] if end < 0 else path[1:end], ()):
            prefix = mount.prefix
            if path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/"):
                return mount
        return self._fallback

    def _tell(self, mount: Mount, scope: Scope, *, method: str, route: str, status: int, seconds: float) -> None:
        """Say a request in the log: by itself, with others of its robot, or not at all."""
        state = scope["state"]
        went_well = 0 < status < _FAILURES and "bug" not in state
        if went_well and (step_run := state.get(TOGETHER)) is not None:
            client = self._origins.client_of(scope)
            self.tallies.count(step_run, client=client, method=method, route=route, seconds=seconds)
        elif not (mount.is_quiet and status < _FAILURES):
            self._say(scope, method=method, route=route, status=status, seconds=seconds)

    def _say(self, scope: Scope, *, method: str, route: str, status: int, seconds: float) -> None:
        """The one line of a request. Credentials never stand in it: headers are not logged, links only by template."""
        state = scope["state"]
        fields: dict[str, Any] = {
            "method": method,
            "path": route if route == "/objects" else path_for_log(state["path"]),
            "status": status,
            "ms": round(seconds * 1000, 2),
            "request": state["request_id"],
            "client": self._origins.client_of(scope),
        }
        if query := scope["query_string"]:
            fields["query"] = query_for_log(query)
        if (who := state.get("who")) is not None:
            fields["who"] = who
        bug = state.get("bug")
        if bug is not None:
            log.error("request failed", **fields, exc_info=bug)
        elif not status:
            log.info("request abandoned", **fields)
        else:
            log.info("request", **fields)


def _as_get(
    mount: Mount, state: dict[str, Any], scope: Scope, receive: Receive, send: Send
) -> tuple[Scope, Receive, Send]:
    """A HEAD as a GET of whose answer the head alone is sent; who streams what follows hears that nobody listens."""
    if scope["method"] != "HEAD" or mount.answers_head:
        return scope, receive, send
    is_told = False
    state[AS_HEAD] = True

    async def hearing() -> dict[str, Any]:
        return {"type": "http.disconnect"} if is_told else await receive()

    async def telling(message: dict[str, Any]) -> None:
        nonlocal is_told
        if message["type"] == "http.response.start" and not is_told:
            is_told = True
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    # A scope of its own: the server below knows by its own that no body follows.
    return {**scope, "method": "GET"}, hearing, telling


def canonical(path: str) -> str:
    """The path with single slashes and none at its end; at least `/`."""
    if "//" in path:
        path = _SLASHES.sub("/", path)
    return path[:-1] if len(path) > 1 and path[-1] == "/" else path


def _request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The caller's own id if it has a harmless form, else a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode()
    return uuid7().hex


async def _unknown(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - the ASGI signature
    await answer(send, 404, error_body("NOT_FOUND", "There is nothing at this address."), JSON)
