"""Where a robot's work comes from: the room, by the token of its step run. `_local` is the same without a room."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from controlroom_robot._connection import TRIES, Answer, Connection
from controlroom_robot._errors import NotFound, RoomError

Content = Any
"""Bytes, or what has bytes: a file is mapped, not read."""
_BYTES = "application/octet-stream"
_NOT_FOUND = 404


class Taken(NamedTuple):
    """An item as it is handed out."""

    id: str
    payload: Any
    files: list[str]


class Next(NamedTuple):
    """What a release has told of the item after it: that, or that none is left."""

    taken: Taken | None
    is_told: bool = True


NOT_TOLD = Next(None, is_told=False)
"""A room that is older, or could not tell, is asked by `reserve`."""


class Failure(NamedTuple):
    """Why an item fails."""

    type: str
    code: str
    message: str


class NewOutput(NamedTuple):
    """What is put out: `key` is random, so that a repeated call makes no second one."""

    key: str
    payload: Any
    files: dict[str, Content]


class Kept(NamedTuple):
    """A payload that is to be saved."""

    payload: Any


class Room:
    """The room's own API for robots, `/robot/v1`."""

    def __init__(self, *, tries: int = TRIES) -> None:
        """By what the worker has told the robot."""
        url = os.environ["RC_API_WORKITEM_HOST"]
        token = os.environ["RC_API_WORKITEM_TOKEN"]
        self._connection = _Told(url, token, "/robot/v1/", proxy=_proxy_to(url), tries=tries)

    def reserve(self) -> Taken | None:
        """The next item, or the one in hand; None when none is left."""
        return _taken(self._connection.told("POST", "items/reserve"))

    def release(self, item: str, failure: Failure | None, kept: Kept | None, outputs: list[NewOutput]) -> None:
        """Give an item back, with all that belongs to it, in one commit."""
        self._connection.call("POST", f"items/{item}/release", _json(_released(failure, kept, outputs)))

    def pass_on(self, item: str, kept: Kept | None, outputs: list[NewOutput]) -> Next:
        """Give an item back as done, likewise, and ask for the next one in the same call."""
        asked = {**_released(None, kept, outputs), "reserve": True}
        answer = self._connection.told("POST", f"items/{item}/release", _json(asked))
        return Next(_taken(answer)) if "item" in answer else NOT_TOLD

    def output(self, parent: str, output: NewOutput) -> str:
        """Put something out at once; its id."""
        return str(self._connection.told("POST", f"items/{parent}/outputs", _json(_written(output)))["id"])

    def save(self, item: str, payload: Any) -> None:
        """Replace the payload."""
        self._connection.call("PUT", f"items/{item}/payload", _json(payload))

    def read_file(self, item: str, name: str) -> bytes:
        """The content of a file."""
        return self._connection.call("GET", f"items/{item}/files/{_segment(name)}")

    def put_file(self, item: str, name: str, content: Content) -> None:
        """Add a file, or put another in its place."""
        self._connection.call("PUT", f"items/{item}/files/{_segment(name)}", content, _BYTES)

    def remove_file(self, item: str, name: str) -> None:
        """Remove a file."""
        self._connection.call("DELETE", f"items/{item}/files/{_segment(name)}", may_be_gone=True)

    def secret(self, name: str) -> dict[str, Any]:
        """The values of a secret."""
        found: dict[str, Any] = self._connection.told("GET", f"secrets/{_segment(name)}")["values"]
        return found

    def read_asset(self, name: str) -> tuple[str, bytes]:
        """The type and the content of an asset."""
        answer = self._connection.answer("GET", f"assets/{_segment(name)}")
        return answer.headers.get(b"content-type", b"").decode("latin-1"), answer.body

    def write_asset(self, name: str, kind: str, content: bytes) -> None:
        """Give an asset its content; it is made where it is not."""
        self._connection.call("PUT", f"assets/{_segment(name)}", content, kind)

    def progress(self, told: dict[str, Any]) -> None:
        """Say how far the step run is."""
        self._connection.call("PUT", "progress", _json(told))


class _Told(Connection):
    """Failures as this library raises them."""

    def refusal(self, answer: Answer) -> Exception:
        code, message = str(answer.status), answer.body.decode("utf-8", "replace") or answer.reason
        try:
            said = json.loads(message)
            code, message = said["error"]["code"], said["message"]
        except (ValueError, KeyError, TypeError):
            pass  # of a proxy, or of nobody that we know
        kind = NotFound if answer.status == _NOT_FOUND else RoomError
        return kind(message, code, answer.status)

    def loss(self, lost: OSError) -> Exception:
        return RoomError(f"The room cannot be reached: {lost}", "UNREACHABLE")


def _taken(answer: dict[str, Any]) -> Taken | None:
    item = answer["item"]
    return item and Taken(item["id"], item.get("payload"), [file["name"] for file in item["files"]])


def _released(failure: Failure | None, kept: Kept | None, outputs: list[NewOutput]) -> dict[str, Any]:
    asked: dict[str, Any] = {"outcome": "done" if failure is None else "failed"}
    if failure is not None:
        asked["exception"] = failure._asdict()
    if kept is not None:
        asked["payload"] = kept.payload
    if outputs:
        asked["outputs"] = [_written(output) for output in outputs]
    return asked


def _written(output: NewOutput) -> dict[str, Any]:
    from base64 import b64encode  # noqa: PLC0415 - only where there are files

    files = [{"name": name, "content": b64encode(content).decode()} for name, content in output.files.items()]
    return {"key": output.key, "payload": output.payload, **({"files": files} if files else {})}


def _proxy_to(url: str) -> str | None:
    """The proxy that stands before the room, as the usual variables say it."""
    if not any(name.lower() in {"http_proxy", "https_proxy", "all_proxy"} for name in os.environ):
        return None  # mostly; what follows takes longer to import than all of this library
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415

    split, proxies = urlsplit(url), getproxies()
    if proxy_bypass(split.hostname or ""):
        return None
    return proxies.get(split.scheme) or proxies.get("all")


def _segment(name: str) -> str:
    return quote(name, safe="")


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False).encode()
