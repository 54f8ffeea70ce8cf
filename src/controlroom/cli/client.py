"""Calls to a room's API: JSON in and out, pages, uploads and downloads as streams.

Why the standard library's HTTP client: a command should answer before one notices, and to import a larger one takes
three times as long as the whole call.
"""

import http.client
import json
import os
import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from typing import IO, Any, Protocol, Self
from urllib.parse import quote, urlencode, urljoin, urlsplit

from controlroom.cli.address import Address
from controlroom.cli.errors import CommandFailed

_TIMEOUT_SECONDS = 60.0
_IDLE_SECONDS = 1.0
"""A connection that rested longer is not used for a call that changes something: the server may just be closing it."""
_PIECE = 256 * 1024
_OK = 300
_BUSY = frozenset({429, 502, 503, 504})

Progress = Callable[[int], None]
"""Called with the number of bytes that went through since the last call."""


_NO_ADDRESS = "There is nothing at this address."
_NO_ID = "Invalid UUID"
_NO_TIME = "Invalid RFC3339"
_OF_THE_ORGANIZATION = "in the organization"


class Refused(CommandFailed):
    """The room understood the call and said no."""

    def __init__(self, status: int, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code  # type: ignore[misc]  # the room's own code, more exact than the class's


class Unreachable(CommandFailed):
    """No answer came."""


class Body(Protocol):
    """What can be sent: http.client reads it in pieces."""

    def read(self, size: int = -1, /) -> bytes:
        """The next piece."""


class Client:
    """A connection to one workspace of a room; a context manager."""

    _scheme = "RC-WSKEY"
    """Of the header that carries the key."""

    def __init__(self, address: Address, *, patience: float = 0.0, timeout: float = _TIMEOUT_SECONDS) -> None:
        self.address = address
        self._timeout = timeout
        self.patience = patience
        """Seconds for which reading goes on trying while the room is away (it may be restarting)."""
        self._base = f"{address.url}/api/v1/workspaces/{quote(address.workspace, safe='')}"
        self._connections: dict[str, tuple[http.client.HTTPConnection, float]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection, _used in self._connections.values():
            connection.close()

    def get(self, path: str, **query: object) -> Any:
        """The object at a path of the workspace, or at a whole address that the room gave."""
        return self._call("GET", self.locate(path, query))

    def get_or_none(self, path: str) -> Any:
        """The object at a path of the workspace; None if there is none, or not for us."""
        try:
            return self.get(path)
        except Refused as refused:
            if refused.status != http.HTTPStatus.NOT_FOUND:
                raise
            return None

    def post(self, path: str, body: object = None) -> Any:
        """The answer to a POST of a JSON body (none if None)."""
        return self._call("POST", self.locate(path), body)

    def put(self, path: str, body: object) -> Any:
        """The answer to a PUT of a JSON body."""
        return self._call("PUT", self.locate(path), body)

    def delete(self, path: str) -> Any:
        """The answer to a DELETE."""
        return self._call("DELETE", self.locate(path))

    def each(self, path: str, *, at_most: int | None = None, **query: object) -> Iterator[dict[str, Any]]:
        """Every object of a list, over all its pages, up to a number."""
        page = min(at_most, 1000) if at_most is not None else 1000
        following: str | None = self.locate(path, {**query, "limit": page})
        left = at_most
        while following is not None:
            answer = self._call("GET", following)
            rows = answer["data"]
            yield from rows if left is None else rows[:left]
            left = None if left is None else left - len(rows)
            following = answer.get("next") if left is None or left > 0 else None

    def locate(self, path: str, query: Mapping[str, object] | None = None) -> str:
        """The whole address of a path below the workspace; queries that are None are left out."""
        url = path if "://" in path else self._base + path
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        return f"{url}?{urlencode(asked)}" if asked else url

    def upload_form(
        self, target: Mapping[str, Any], file: IO[bytes], size: int, name: str, progress: Progress = lambda _: None
    ) -> None:
        """Send a file as the form that a signed upload asks for: its fields first, the file last."""
        boundary = secrets.token_hex(16)
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
            for field, value in target["form_data"].items()
        ]
        shown = name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = "".join(
            [
                *parts,
                f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{shown}"\r\n',
                "Content-Type: application/octet-stream\r\n\r\n",
            ]
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + size + len(tail)),
        }
        self._send("POST", str(target["url"]), _Stream(head, file, size, tail, progress), headers, signed=True).read()

    def upload(
        self, url: str, file: IO[bytes], size: int, content_type: str, progress: Progress = lambda _: None
    ) -> None:
        """Send a file as the body of a PUT to a signed link."""
        headers = {"Content-Type": content_type, "Content-Length": str(size)}
        self._send("PUT", url, _Stream(b"", file, size, b"", progress), headers, signed=True).read()

    def download(
        self, url: str, out: IO[bytes], progress: Progress = lambda _: None, *, is_signed: bool = True
    ) -> None:
        """Write what a signed link leads to, or an address for our key; raises CommandFailed if not all of it came."""
        headers = {} if is_signed else self._authorization()
        response = self._send("GET", url, None, headers, signed=is_signed, keep_open=True)
        expected = response.length
        got = 0
        while piece := self._piece(url, response):
            out.write(piece)
            got += len(piece)
            progress(len(piece))
        if expected is not None and got < expected:
            raise Unreachable(f"the download broke off after {got} of {expected} bytes")

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"{self._scheme} {self.address.api_key}"}

    def _piece(self, url: str, response: http.client.HTTPResponse) -> bytes:
        try:
            return response.read(_PIECE)
        except (OSError, http.client.HTTPException) as broken:
            self._forget(url)
            raise Unreachable(f"the download broke off: {broken or type(broken).__name__}") from broken

    def _call(self, method: str, url: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {**self._authorization(), "Content-Type": "application/json"}
        response = self._send(method, url, data, headers)
        text = response.read()
        return json.loads(text) if text else None

    def _send(
        self,
        method: str,
        url: str,
        body: bytes | Body | None,
        headers: dict[str, str],
        *,
        signed: bool = False,
        keep_open: bool = False,
    ) -> http.client.HTTPResponse:
        """One exchange, repeated for a while where that is harmless; the answer is a success, else this raises."""
        url = urljoin(self.address.url + "/", url)
        patient_until = time.monotonic() + self.patience
        while True:
            try:
                response = self._exchange(method, url, body, headers)
            except (OSError, http.client.HTTPException) as broken:
                self._forget(url)
                if method != "GET" or time.monotonic() >= patient_until:
                    raise self._unreachable(url, broken) from broken
            else:
                if response.status < _OK:
                    return response
                content = response.read()
                if method != "GET" or response.status not in _BUSY or time.monotonic() >= patient_until:
                    raise _refusal(response.status, response.headers, content, signed=signed or keep_open)
            time.sleep(0.25)

    def _exchange(
        self, method: str, url: str, body: bytes | Body | None, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        kept = self._connections.pop(origin, None)
        reused = kept is not None and (method == "GET" or time.monotonic() - kept[1] < _IDLE_SECONDS)
        connection = kept[0] if reused and kept is not None else self._connect(origin)
        try:
            connection.request(method, target, body, headers)
            response = connection.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):
            if not reused or method != "GET":
                raise
            connection = self._connect(origin)  # the kept one had been closed meanwhile
            connection.request(method, target, None, headers)
            response = connection.getresponse()
        self._connections[origin] = (connection, time.monotonic())
        return response

    def _connect(self, origin: str) -> http.client.HTTPConnection:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port
        proxy = _proxy(parts.scheme, host)
        made: http.client.HTTPConnection
        match parts.scheme:
            case "https":
                made = http.client.HTTPSConnection(
                    *(proxy or (host, port)), timeout=self._timeout, context=self._trust()
                )
            case "http":
                made = http.client.HTTPConnection(*(proxy or (host, port)), timeout=self._timeout)
            case _:
                raise CommandFailed(f"{origin} is no address of a room", hint="It starts with http:// or https://.")
        if proxy is not None:
            made.set_tunnel(host, port)
        return made

    def _trust(self) -> ssl.SSLContext:
        named = os.environ.get("SSL_CERT_FILE")
        if named and not os.path.exists(named):  # noqa: PTH110 - asked once, without another import
            raise CommandFailed(f"the certificates in {named} (SSL_CERT_FILE) cannot be read: there is no such file")
        from controlroom import trust  # noqa: PLC0415 - a room without TLS does without it

        return trust.context(*([self.address.ca_file] if self.address.ca_file else []))

    def _forget(self, url: str) -> None:
        parts = urlsplit(url)
        kept = self._connections.pop(f"{parts.scheme}://{parts.netloc}", None)
        if kept is not None:
            kept[0].close()

    def _unreachable(self, url: str, broken: Exception) -> Unreachable:
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.netloc}"
        if isinstance(broken, ssl.SSLCertVerificationError):
            return Unreachable(
                f"{place} shows a certificate that is not trusted here: {broken.verify_message}",
                hint="For a room with its own authority, set SSL_CERT_FILE to its ca.pem (`up` prints the line).",
            )
        return Unreachable(
            f"no answer from {place}: {broken or type(broken).__name__}",
            hint="Is the room running, and is that its address? `controlroom up` starts one here.",
        )


class _Stream:
    """Head, file and tail as one body, with its progress told. Of a file that grows meanwhile, what was announced."""

    def __init__(self, head: bytes, file: IO[bytes], size: int, tail: bytes, progress: Progress) -> None:
        self._pieces = self._each(head, file, size, tail)
        self._progress = progress

    def read(self, _size: int = -1) -> bytes:
        return next(self._pieces, b"")

    def _each(self, head: bytes, file: IO[bytes], size: int, tail: bytes) -> Iterator[bytes]:
        if head:
            yield head
        while size > 0:
            piece = file.read(min(_PIECE, size))
            if not piece:
                raise CommandFailed("the file became shorter while it was sent")
            size -= len(piece)
            yield piece
            self._progress(len(piece))
        if tail:
            yield tail


def _refusal(status: int, headers: Message, content: bytes, *, signed: bool) -> Refused:
    """The room's own words if it found some."""
    code, message = f"HTTP_{status}", ""
    if "json" in (headers.get("Content-Type") or ""):
        try:
            body = json.loads(content)
        except ValueError:
            body = None
        if isinstance(body, dict):
            error = body.get("error")
            details = error if isinstance(error, dict) else {}
            code = details.get("code") or code
            message = details.get("message") or body.get("message") or _of_envelope(body.get("status"))
    hint = "" if signed and status == http.HTTPStatus.UNAUTHORIZED else _hint(status, code, message)
    if message == _NO_ADDRESS:  # a word without an id's form makes no address
        message = "the room has nothing of that id"
    return Refused(status, code, message or f"the room answered {status} {http.client.responses.get(status, '')}", hint)


def _of_envelope(status: Any) -> str:
    """The words of a refusal in dbt Cloud's form; those for developers say more of what is not there."""
    if not isinstance(status, dict):
        return ""
    if status.get("code") in {http.HTTPStatus.NOT_FOUND, http.HTTPStatus.UNAUTHORIZED}:
        return str(status.get("developer_message") or status.get("user_message"))
    return str(status.get("user_message"))


_HINTS = {
    "OWNER_MISSING": "Name one by --owner, or log in as one by `controlroom login USER`.",
    "UNKNOWN_PERMISSION": "docs/operate/cli.md names them all, `controlroom roles show operator` some.",
}


def _hint(status: int, code: str, message: str) -> str:
    """What to do about a refusal, where its own words do not say so."""
    if status == http.HTTPStatus.UNAUTHORIZED:
        return "Is the API key of this room, and not deleted? See --api-key."
    if status == http.HTTPStatus.FORBIDDEN and (message.endswith(_OF_THE_ORGANIZATION) or code == "USERS_ONLY"):
        return "A workspace's key does not do here: log in as a user who may, by `controlroom login USER`."
    if code in _HINTS:
        return _HINTS[code]
    if message == _NO_ADDRESS or _NO_ID in message:
        return "`list` shows the ids."
    if _NO_TIME in message:
        return "A time is written with its zone: 2030-01-31T07:30:00Z."
    return ""


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
