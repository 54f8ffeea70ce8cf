"""One request and its answer over HTTP, on connections that are kept.

Why the standard library's HTTP client: who imports this wants to have called a room before they notice. Any other one
takes longer to import than the whole call, and is a dependency of everybody who has this one.
"""

import contextlib
import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Protocol
from urllib.parse import urlsplit

PIECE = 256 * 1024
"""Bytes that are read and sent at once."""
_IDLE_SECONDS = 1.0
"""A connection that rested longer is not used for a call that changes something: the server may just be closing it."""

BROKEN = (OSError, http.client.HTTPException)
"""What is raised where no answer comes."""


class Body(Protocol):
    """What can be sent: it is read in pieces."""

    def read(self, size: int = -1, /) -> bytes:
        """The next piece."""


@dataclass(kw_only=True)
class Request:
    """What is asked."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Body | None = None
    is_repeatable: bool = False
    """Whether to ask again does no harm, though the first one may have been heard."""
    timeout: float | None = None
    """Seconds of silence; the client's if None."""
    line: socket.socket | None = None
    """While it is under way, for who gives up."""

    def abort(self) -> None:
        """Let whoever waits for the answer fail at once. From any thread."""
        if (line := self.line) is not None:
            with contextlib.suppress(OSError):  # it may have ended by itself
                line.shutdown(socket.SHUT_RDWR)


class Answer:
    """What came: the head, and the body for as long as it is read."""

    def __init__(self, response: http.client.HTTPResponse, keep: Callable[[], None], drop: Callable[[], None]) -> None:
        self.status = response.status
        self.headers: Message = response.headers
        self.length: int | None = response.length
        """Of the body in bytes, if it was told."""
        self._response = response
        self._keep = keep
        self._drop = drop

    def piece(self) -> bytes:
        """The next bytes of the body, none at its end."""
        try:
            found = self._response.read(PIECE)
        except BROKEN:
            self._drop()
            raise
        if not found:
            self._keep()
        return found

    def rest(self) -> bytes:
        """All bytes that were not read yet."""
        try:
            found = self._response.read()
        except BROKEN:
            self._drop()
            raise
        self._keep()
        return found

    def close(self) -> None:
        """Read no more of it."""
        self._drop()


class Exchanges:
    """Connections to rooms, for any number of threads; each is used for one exchange at a time."""

    def __init__(self, trust: Callable[[], ssl.SSLContext], timeout: float) -> None:
        self._trust = trust
        self._context: ssl.SSLContext | None = None
        self._timeout = timeout
        self._lock = threading.Lock()
        self._kept: dict[str, list[tuple[http.client.HTTPConnection, float]]] = {}
        self._is_closed = False

    def exchange(self, request: Request) -> Answer:
        """Ask once. Raises one of `BROKEN` if no answer comes."""
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        while True:
            connection, is_used = self._connection(origin, is_reading=request.method == "GET")
            try:
                return self._ask(origin, connection, target, request)
            except (ConnectionError, http.client.RemoteDisconnected):
                if not is_used or request.method != "GET":
                    raise  # else: the kept one had been closed meanwhile

    def close(self) -> None:
        """End all connections that rest."""
        with self._lock:
            self._is_closed = True
            kept = [each for line in self._kept.values() for each, _ in line]
            self._kept.clear()
        for connection in kept:
            connection.close()

    def _ask(self, origin: str, connection: http.client.HTTPConnection, target: str, request: Request) -> Answer:
        def keep() -> None:
            request.line = None
            if connection.sock is not None:
                self._rest(origin, connection)

        def drop() -> None:
            request.line = None
            connection.close()

        try:
            limit = self._timeout if request.timeout is None else request.timeout
            connection.timeout = limit
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(limit)
            request.line = connection.sock
            connection.request(request.method, target, request.body, dict(request.headers))
            response = connection.getresponse()
        except BaseException:
            drop()
            raise
        return Answer(response, keep, drop)

    def _connection(self, origin: str, *, is_reading: bool) -> tuple[http.client.HTTPConnection, bool]:
        """One to use, and whether it was used before."""
        with self._lock:
            line = self._kept.get(origin, [])
            while line:
                connection, since = line.pop()
                if is_reading or time.monotonic() - since < _IDLE_SECONDS:
                    return connection, True
                connection.close()
        return self._connect(origin), False

    def _rest(self, origin: str, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if not self._is_closed:
                self._kept.setdefault(origin, []).append((connection, time.monotonic()))
                return
        connection.close()

    def _connect(self, origin: str) -> http.client.HTTPConnection:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port
        proxy = _proxy(parts.scheme, host)
        made: http.client.HTTPConnection
        if parts.scheme == "https":
            if self._context is None:
                self._context = self._trust()
            made = http.client.HTTPSConnection(*(proxy or (host, port)), timeout=self._timeout, context=self._context)
        else:
            made = http.client.HTTPConnection(*(proxy or (host, port)), timeout=self._timeout)
        if proxy is not None:
            made.set_tunnel(host, port)
        return made


class Stream:
    """Head, file and tail as one body, with its progress told. Of a file that grows meanwhile, what was announced."""

    def __init__(
        self, file: Body, size: int, progress: Callable[[int], None], *, head: bytes = b"", tail: bytes = b""
    ) -> None:
        self.length = len(head) + size + len(tail)
        self.is_short = False
        """Whether the file ended before its announced size."""
        self._pieces = self._each(head, file, size, tail)
        self._progress = progress

    def read(self, _size: int = -1, /) -> bytes:
        """The next piece, however large. Raises OSError if the file has become shorter."""
        return next(self._pieces, b"")

    def _each(self, head: bytes, file: Body, size: int, tail: bytes) -> Iterator[bytes]:
        if head:
            yield head
        while size > 0:
            piece = file.read(min(PIECE, size))
            if not piece:
                self.is_short = True
                raise OSError("the file became shorter while it was sent")
            size -= len(piece)
            yield piece
            self._progress(len(piece))
        if tail:
            yield tail


def _proxy(scheme: str, host: str) -> tuple[str, int | None] | None:
    """The proxy that the environment names for a host, if any."""
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415  # costs a third of a command's start

    named = getproxies().get(scheme)
    if not named or proxy_bypass(host) or host in {"localhost", "127.0.0.1", "::1"}:
        return None
    parts = urlsplit(named if "://" in named else f"http://{named}")
    return (parts.hostname, parts.port) if parts.hostname else None
