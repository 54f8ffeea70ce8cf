"""One connection to the room, kept for all calls, by the standard library alone (Python 3.9 and later).

Why by hand: the standard library's client takes as long for an answer's head as all the rest. Two have this file: the
library `controlroom_robot`, and the adapter for `robocorp-workitems`, beside which a worker writes it as
`controlroom_connection`. It imports nothing of either, and what goes wrong is raised as each of them wants it.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import random
import select
import socket
import threading
import time
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

LOGGER = logging.getLogger(__name__)

TRIES = 5
_GIVEN_UP = frozenset({400, 401, 403, 404, 409})
_TOO_MANY = 429
_FAILED = 400
_NOT_FOUND = 404
_FIRST_FINAL = 200
_COPIED = 65536
"""Bytes of a body that is joined to the head and sent with it."""


class Answer(NamedTuple):
    """What the room has answered."""

    status: int
    reason: str
    headers: dict[bytes, bytes]
    """By their names in lower case."""
    body: bytes


class Connection:
    """A connection that is made when it is needed, and made again; calls are repeated, as all of ours may be."""

    def __init__(self, url: str, token: str, path: str, *, proxy: str | None = None, tries: int = TRIES) -> None:
        """To the API at a path of the room's address; `proxy` is the address of one that stands in between."""
        split = urlsplit(url)
        self._is_tls = split.scheme == "https"
        self._address = (split.hostname or "", split.port or (443 if self._is_tls else 80))
        self._host = split.netloc.rpartition("@")[2]
        self._path = split.path.rstrip("/") + path
        self._common = f"Host: {self._host}\r\nAuthorization: Bearer {token}\r\n"
        self._proxy = urlsplit(proxy) if proxy else None
        if self._proxy and not self._is_tls:
            self._path = f"http://{self._host}{self._path}"
            self._common += self._for_proxy()
        self._tries = tries
        self._timeout = float(os.getenv("RC_API_REQUEST_TIMEOUT", "60"))
        self._lock = threading.RLock()
        self._socket: socket.socket | None = None
        self._owner = 0
        self._rest = b""

    # ------------------------------------------------------------------ what who uses it says otherwise
    def refusal(self, answer: Answer) -> Exception:
        """What is raised when the room refuses a call."""
        return RuntimeError(f"{answer.status} {answer.reason}")

    def loss(self, lost: OSError) -> Exception:
        """What is raised when the room cannot be reached."""
        return lost

    def authorities(self) -> str | None:
        """The file or folder of authorities that are trusted; None: those that Python trusts."""
        return os.getenv("REQUESTS_CA_BUNDLE") or os.getenv("CURL_CA_BUNDLE")

    # ------------------------------------------------------------------ calls
    def told(self, method: str, path: str, body: Any = b"") -> Any:
        """What the room answers with, as objects."""
        return json.loads(self.call(method, path, body))

    def call(self, method: str, path: str, body: Any = b"", kind: str = "application/json", **how: bool) -> bytes:
        """The body of what the room answers with."""
        return self.answer(method, path, body, kind, **how).body

    def answer(
        self, method: str, path: str, body: Any = b"", kind: str = "application/json", *, may_be_gone: bool = False
    ) -> Answer:
        """What the room answers with; the body is anything that has bytes. Raises `refusal` and `loss`."""
        head = (
            f"{method} {self._path}{path} HTTP/1.1\r\n{self._common}"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        with self._lock:
            for tried in range(1, self._tries + 1):
                try:
                    answer = self._exchange(head, body)
                except OSError as lost:
                    self._drop()
                    failure = self.loss(lost)
                else:
                    if answer.status < _FAILED or (may_be_gone and tried > 1 and answer.status == _NOT_FOUND):
                        return answer
                    failure = self.refusal(answer)
                    if answer.status in _GIVEN_UP:
                        raise failure
                    if answer.status == _TOO_MANY and tried < self._tries:
                        time.sleep(random.uniform(1, 3))  # noqa: S311 - no secret
                if tried == self._tries:
                    raise failure
                LOGGER.info("%s %s: %s; trying again", method, path, failure)
                time.sleep(random.uniform(0, min(2 * 2 ** (tried - 1), 5)))  # noqa: S311 - likewise
        raise AssertionError

    def _exchange(self, head: bytes, body: Any) -> Answer:
        connection = self._connected()
        if len(body) < _COPIED:
            connection.sendall(head + bytes(body))
        else:
            connection.sendall(head)
            connection.sendall(body)
        status, reason, said = self._head()
        while status < _FIRST_FINAL:  # interim answers
            status, reason, said = self._head()
        if said.get(b"transfer-encoding", b"").lower() == b"chunked":
            answer = self._chunks()
        elif b"content-length" in said:
            answer = self._bytes(_number(said[b"content-length"], 10))
        else:
            raise _BrokenError("an answer without a length")
        if said.get(b"connection", b"").lower() == b"close":
            self._drop()
        return Answer(status, reason, said, answer)

    def _head(self) -> tuple[int, str, dict[bytes, bytes]]:
        line, *headers = self._until(b"\r\n\r\n").split(b"\r\n")
        said = {}
        for header in headers:
            name, _, value = header.partition(b":")
            said[name.lower()] = value.strip()
        return _number(line[9:12], 10), line[13:].decode("latin-1"), said

    # ------------------------------------------------------------------ the socket
    def _connected(self) -> socket.socket:
        """The connection, if it is this process's and still stands, else another."""
        if self._socket is not None:
            if self._owner == os.getpid() and not self._rest and not _hears_anything(self._socket):
                return self._socket
            self._drop()
        address = self._address
        if self._proxy:
            address = (self._proxy.hostname or "", self._proxy.port or 80)
        found = socket.create_connection(address, self._timeout)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket, self._owner = found, os.getpid()
        if self._is_tls:
            if self._proxy:
                self._through(found)
            self._socket = self._tls().wrap_socket(found, server_hostname=self._address[0])
        return self._socket

    def _through(self, found: socket.socket) -> None:
        """Have the proxy lead on to the room."""
        there = f"{self._address[0]}:{self._address[1]}"
        found.sendall(f"CONNECT {there} HTTP/1.1\r\nHost: {there}\r\n{self._for_proxy()}\r\n".encode())
        status, reason, _ = self._head()
        if status != _FIRST_FINAL:
            raise _BrokenError(f"the proxy says {status} {reason}")

    def _for_proxy(self) -> str:
        """Who we are to the proxy, where its address says that."""
        if not self._proxy or self._proxy.username is None:
            return ""
        who = f"{unquote(self._proxy.username)}:{unquote(self._proxy.password or '')}"
        return f"Proxy-Authorization: Basic {base64.b64encode(who.encode()).decode()}\r\n"

    def _tls(self) -> Any:
        import ssl  # noqa: PLC0415 - slow to import, and mostly not needed

        context = ssl.create_default_context()
        if os.getenv("RC_DISABLE_SSL"):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif bundle := self.authorities():
            context.load_verify_locations(**{"capath" if os.path.isdir(bundle) else "cafile": bundle})  # noqa: PTH112 - a text
        return context

    def _drop(self) -> None:
        connection, self._socket, self._rest = self._socket, None, b""
        if connection is not None:
            connection.close()

    def _more(self) -> bytes:
        got = self._socket.recv(262144) if self._socket else b""
        if not got:
            raise _BrokenError("the room has closed the connection")
        return got

    def _until(self, end: bytes) -> bytes:
        while end not in self._rest:
            self._rest += self._more()
        found, _, self._rest = self._rest.partition(end)
        return found

    def _bytes(self, count: int) -> bytes:
        pieces, have = [self._rest], len(self._rest)
        while have < count:
            pieces.append(self._more())
            have += len(pieces[-1])
        whole = b"".join(pieces)
        self._rest = whole[count:]
        return whole[:count]

    def _chunks(self) -> bytes:
        pieces = []
        while size := _number(self._until(b"\r\n").partition(b";")[0], 16):
            pieces.append(self._bytes(size))
            self._until(b"\r\n")
        while self._until(b"\r\n"):  # trailers
            pass
        return b"".join(pieces)


class _BrokenError(OSError):
    """The connection ended, or what came is no answer."""


def _hears_anything(connection: socket.socket) -> bool:
    """Whether something came that nobody asked for: mostly the connection's end."""
    looking = select.poll()  # `select` itself has no place for a robot's thousandth open file
    looking.register(connection, select.POLLIN)
    return bool(looking.poll(0))


def _number(text: bytes, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise _BrokenError(f"{text!r} is no number") from None
