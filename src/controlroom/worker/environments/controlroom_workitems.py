# ruff: noqa: ANN001, ANN201, ANN202, ANN204
# mypy: ignore-errors
# Why ignored: the oldest Python of the library must read this file, and the library is in the robot's environment alone
"""The room's own adapter for `robocorp-workitems`, which `RC_WORKITEM_ADAPTER` names.

This file is not imported by the worker: it is written into the environment of a robot that has the library, and uses
the library and Python (3.9 and later) alone. It does what the vendor's adapter does, by fewer calls over one connection
that is kept: an item comes with payload and files, a file in one call. Each verb is done when it returns, as with the
vendor's: nothing is put off until the release, so that a robot that is killed has lost nothing that it had saved.

Where the robot has said otherwise since its start (`RPA_WORKITEMS_ADAPTER`, no variables of a step run), or goes
through a proxy, what the library would have taken is taken. docs/dialects/robots.md.
"""

import json
import logging
import os
import random
import select
import socket
import threading
import time
import uuid
from urllib.parse import quote, urlsplit

from robocorp.workitems import _adapters
from robocorp.workitems._exceptions import EmptyQueue
from robocorp.workitems._requests import HTTPError
from robocorp.workitems._utils import required_env

LOGGER = logging.getLogger(__name__)

_TRIES = 5
_GIVEN_UP = frozenset({400, 401, 403, 404, 409})
_TOO_MANY = 429
_FAILED = 400
_NOT_FOUND = 404


class Adapter(_adapters.BaseAdapter):
    """Work items of the room by its own API."""

    def __new__(cls):
        """This adapter, or the one that the library would have taken without it."""
        return _another() or super().__new__(cls)

    def __init__(self):
        self._first = required_env("RC_WORKITEM_ID")
        self._room = _Room(required_env("RC_API_WORKITEM_HOST"), required_env("RC_API_WORKITEM_TOKEN"))
        self._fresh = {}

    def reserve_input(self):
        """The item that the step run was started with, then the next ones."""
        if self._first:
            item, self._first = self._first, None
            return item
        item = self._room.told("POST", "reserve")["item"]
        if item is None:
            raise EmptyQueue("No work items in the input queue")
        self._fresh = {item["id"]: item}
        return item["id"]

    def release_input(self, item_id, state, exception=None):
        """Give the item back; the room has it when this returns."""
        asked = {"outcome": "done" if state.value == "COMPLETED" else "failed"}
        if exception:
            for key, value in list(exception.items()):
                kept = value.strip() if value else value
                if kept:
                    exception[key] = kept
                else:
                    del exception[key]
            asked["exception"] = {**exception, **({"type": exception["type"].lower()} if "type" in exception else {})}
        log = LOGGER.error if asked["outcome"] == "failed" else LOGGER.info
        log("Releasing %s input work item %r with exception: %s", state.value, item_id, exception)
        self._fresh = {}
        self._room.call("POST", f"{item_id}/release", _json(asked))

    def create_output(self, parent_id, payload=None):
        """Make an output, once however often the request is repeated."""
        asked = _json({"key": uuid.uuid4().hex, "payload": payload})
        return self._room.told("POST", f"{parent_id}/outputs", asked)["id"]

    def load_payload(self, item_id):
        """The payload; an empty one if there is none."""
        item = self._fresh.get(item_id)
        if item is None or "payload told" in item:
            try:
                item = self._room.told("GET", item_id)
            except HTTPError as refused:
                if refused.status_code == _NOT_FOUND:  # as the vendor's: whatever is not found has no payload
                    return {}
                raise
            self._fresh = {item_id: item}
        item["payload told"] = True
        return item.get("payload", {})

    def save_payload(self, item_id, payload):
        """Replace the payload."""
        self._fresh.pop(item_id, None)
        self._room.call("PUT", f"{item_id}/payload", b"" if payload is None else _json(payload))

    def list_files(self, item_id):
        """The names of the files: those that came with the payload, else as they are now."""
        item = self._fresh.pop(item_id, None) or self._room.told("GET", item_id)
        return [file["name"] for file in item["files"]]

    def get_file(self, item_id, name):
        """The content of a file."""
        self._ensure_has(item_id, name)
        return self._room.call("GET", _file(item_id, name))

    def add_file(self, item_id, name, content, original_name=None):  # noqa: ARG002 - which the first releases tell, too
        """Add a file, or put another in its place."""
        self._fresh.pop(item_id, None)
        LOGGER.info("Adding work item file: %s (size: %d)", name, len(content))
        self._room.call("PUT", _file(item_id, str(name)), bytes(content), kind="application/octet-stream")

    def remove_file(self, item_id, name):
        """Remove a file."""
        self._fresh.pop(item_id, None)
        self._ensure_has(item_id, name)
        self._room.call("DELETE", _file(item_id, name), may_be_gone=True)

    def _ensure_has(self, item_id, name):
        names = [file["name"] for file in self._room.told("GET", item_id)["files"]]
        if not names:
            raise FileNotFoundError("No files in work item")
        if name not in names:
            raise FileNotFoundError(f"File with name '{name}' not in: {', '.join(names)}")


def _another():
    """What the library would have taken, where this adapter is not what the robot means; None where it is."""
    named = os.getenv("RPA_WORKITEMS_ADAPTER")
    is_step_run = all(os.getenv(f"RC_{name}_ID") for name in ("WORKSPACE", "PROCESS_RUN", "ACTIVITY_RUN"))
    if named in {"FileAdapter", "RPA.Robocorp.WorkItems.FileAdapter"} or not (named or is_step_run):
        return _adapters.FileAdapter()
    if named:
        from robocorp.workitems._utils import import_by_name  # noqa: PLC0415 - mostly not needed

        return import_by_name(named, _adapters.__name__)()
    from requests.utils import get_environ_proxies, select_proxy  # noqa: PLC0415 - the library has imported it

    url = os.getenv("RC_API_WORKITEM_HOST", "")
    return _adapters.RobocorpAdapter() if select_proxy(url, get_environ_proxies(url)) else None


def _file(item_id, name):
    return f"{item_id}/files/{quote(name, safe='')}"


def _json(value):
    try:
        return json.dumps(value, allow_nan=False).encode()
    except ValueError as broken:
        from requests.exceptions import InvalidJSONError  # noqa: PLC0415 - what the vendor's adapter raises

        raise InvalidJSONError(broken) from broken


class _BrokenError(OSError):
    """The connection ended, or what came is no answer."""


class _Room:
    """One connection to the room, kept; again and again where a request may be repeated, as all of ours may."""

    def __init__(self, url, token):
        split = urlsplit(url)
        self._is_tls = split.scheme == "https"
        self._address = (split.hostname, split.port or (443 if self._is_tls else 80))
        self._path = split.path.rstrip("/") + "/robot/v1/items/"
        self._common = f"Host: {split.netloc.rpartition('@')[2]}\r\nAuthorization: Bearer {token}\r\n"
        self._timeout = float(os.getenv("RC_API_REQUEST_TIMEOUT", "60"))
        self._lock = threading.RLock()
        self._socket = None
        self._owner = None
        self._rest = b""

    def told(self, method, path, body=b""):
        """What the room answers with, as objects."""
        return json.loads(self.call(method, path, body))

    def call(self, method, path, body=b"", kind="application/json", *, may_be_gone=False):
        """What the room answers with. Raises the library's own errors."""
        head = (
            f"{method} {self._path}{path} HTTP/1.1\r\n{self._common}"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        with self._lock:
            for tried in range(1, _TRIES + 1):
                try:
                    status, reason, answer = self._exchange(head, body)
                    if status < _FAILED or (may_be_gone and tried > 1 and status == _NOT_FOUND):
                        return answer
                    failure = _failure(status, reason, answer)
                    if status in _GIVEN_UP:
                        raise failure
                    if status == _TOO_MANY:
                        time.sleep(random.uniform(1, 3))  # noqa: S311 - no secret
                except OSError as lost:
                    if isinstance(lost, HTTPError):
                        raise
                    self._drop()
                    failure = _connection_failure(lost)
                if tried == _TRIES:
                    raise failure
                LOGGER.info("%s %s: %s; trying again", method, path, failure)
                time.sleep(random.uniform(0, min(2 * 2 ** (tried - 1), 5)))  # noqa: S311 - likewise
        raise AssertionError

    def _exchange(self, head, body):
        connection = self._connected()
        if len(body) < 65536:  # noqa: PLR2004 - not copied to be joined
            connection.sendall(head + body)
        else:
            connection.sendall(head)
            connection.sendall(body)
        while True:
            line, *headers = self._until(b"\r\n\r\n").split(b"\r\n")
            status = _number(line[9:12], 10)
            if status >= 200:  # noqa: PLR2004 - before it only interim answers
                break
        said = {}
        for header in headers:
            name, _, value = header.partition(b":")
            said[name.lower()] = value.strip()
        if said.get(b"transfer-encoding", b"").lower() == b"chunked":
            answer = self._chunks()
        elif b"content-length" in said:
            answer = self._bytes(_number(said[b"content-length"], 10))
        else:
            raise _BrokenError("an answer without a length")
        if said.get(b"connection", b"").lower() == b"close":
            self._drop()
        return status, line[13:].decode("latin-1"), answer

    def _connected(self):
        """The connection, if it is this process's and still stands, else another."""
        if self._socket is not None:
            if self._owner == os.getpid() and not self._rest and not self._hears_anything():
                return self._socket
            self._drop()
        found = socket.create_connection(self._address, self._timeout)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._is_tls:
            found = _tls().wrap_socket(found, server_hostname=self._address[0])
        self._socket, self._owner = found, os.getpid()
        return found

    def _hears_anything(self):
        """Whether something came that nobody asked for: mostly the connection's end."""
        looking = select.poll()  # `select` itself has no place for a robot's thousandth open file
        looking.register(self._socket, select.POLLIN)
        return bool(looking.poll(0))

    def _drop(self):
        connection, self._socket, self._rest = self._socket, None, b""
        if connection is not None:
            connection.close()

    def _more(self):
        got = self._socket.recv(262144)
        if not got:
            raise _BrokenError("the room has closed the connection")
        return got

    def _until(self, end):
        while end not in self._rest:
            self._rest += self._more()
        found, _, self._rest = self._rest.partition(end)
        return found

    def _bytes(self, count):
        pieces, have = [self._rest], len(self._rest)
        while have < count:
            pieces.append(self._more())
            have += len(pieces[-1])
        whole = b"".join(pieces)
        self._rest = whole[count:]
        return whole[:count]

    def _chunks(self):
        pieces = []
        while True:
            size = _number(self._until(b"\r\n").partition(b";")[0], 16)
            if not size:
                break
            pieces.append(self._bytes(size))
            self._until(b"\r\n")
        while self._until(b"\r\n"):  # trailers
            pass
        return b"".join(pieces)


def _number(text, base):
    try:
        return int(text, base)
    except ValueError:
        raise _BrokenError(f"{text!r} is no number") from None


def _tls():
    """What the library's own requests would trust."""
    import ssl  # noqa: PLC0415 - the library has imported it

    context = ssl.create_default_context()
    if os.getenv("RC_DISABLE_SSL"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    bundle = os.getenv("REQUESTS_CA_BUNDLE") or os.getenv("CURL_CA_BUNDLE")
    if not bundle:
        from requests.certs import where  # noqa: PLC0415 - likewise

        bundle = where()
    context.load_verify_locations(**{"capath" if os.path.isdir(bundle) else "cafile": bundle})  # noqa: PTH112 - a text
    return context


def _failure(status, reason, answer):
    """A refusal as the vendor's adapter raises it."""
    message = answer.decode("utf-8", "replace")
    try:
        said = json.loads(message)
        reason, message = said["error"]["code"], said["message"]
    except (ValueError, KeyError, TypeError):
        pass  # of a proxy, or of nobody that we know
    try:
        return HTTPError(message, status_code=status, reason=reason)
    except TypeError:  # before release 1.4 it was that of `requests`, with all in its text
        failure = HTTPError(f"{status} {reason}: {message}")
        failure.status_code = status
        return failure


def _connection_failure(lost):
    """What has happened to the connection, as the vendor's adapter raises it."""
    from requests import exceptions  # noqa: PLC0415 - the library has imported it

    if isinstance(lost, socket.timeout):
        return exceptions.Timeout(lost)
    kind = exceptions.SSLError if type(lost).__module__ == "ssl" else exceptions.ConnectionError
    return kind(lost)
