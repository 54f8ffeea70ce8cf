# ruff: noqa: ANN001, ANN201, ANN202, ANN204
# mypy: ignore-errors
# Why ignored: the oldest Python of the library must read this file, and the library is in the robot's environment alone
"""The room's own adapter for `robocorp-workitems`, which `RC_WORKITEM_ADAPTER` names.

This file is not imported by the worker: it is written into the environment of a robot that has the library, and uses
the library, `controlroom_connection` beside it (`_connection.py` of our own library for robots) and Python (3.9 and
later) alone. It does what the vendor's adapter does, by fewer calls over one connection
that is kept: an item comes with payload and files, a file in one call. Each verb is done when it returns, as with the
vendor's: nothing is put off until the release, so that a robot that is killed has lost nothing that it had saved.

Where the robot has said otherwise since its start (`RPA_WORKITEMS_ADAPTER`, no variables of a step run), or goes
through a proxy, what the library would have taken is taken. docs/dialects/robots.md.
"""

import json
import logging
import os
import socket
import uuid
from urllib.parse import quote

from controlroom_connection import Connection
from robocorp.workitems import _adapters
from robocorp.workitems._exceptions import EmptyQueue
from robocorp.workitems._requests import HTTPError
from robocorp.workitems._utils import required_env

LOGGER = logging.getLogger(__name__)

_NOT_FOUND = 404


class Adapter(_adapters.BaseAdapter):
    """Work items of the room by its own API."""

    def __new__(cls):
        """This adapter, or the one that the library would have taken without it."""
        return _another() or super().__new__(cls)

    def __init__(self):
        self._first = required_env("RC_WORKITEM_ID")
        self._room = _Room(
            required_env("RC_API_WORKITEM_HOST"), required_env("RC_API_WORKITEM_TOKEN"), "/robot/v1/items/"
        )
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


class _Room(Connection):
    """The room, with what the library would trust, and failures as the vendor's adapter raises them."""

    def refusal(self, answer):
        message, reason = answer.body.decode("utf-8", "replace"), answer.reason
        try:
            said = json.loads(message)
            reason, message = said["error"]["code"], said["message"]
        except (ValueError, KeyError, TypeError):
            pass  # of a proxy, or of nobody that we know
        try:
            return HTTPError(message, status_code=answer.status, reason=reason)
        except TypeError:  # before release 1.4 it was that of `requests`, with all in its text
            failure = HTTPError(f"{answer.status} {reason}: {message}")
            failure.status_code = answer.status
            return failure

    def loss(self, lost):
        from requests import exceptions  # noqa: PLC0415 - the library has imported it

        if isinstance(lost, socket.timeout):
            return exceptions.Timeout(lost)
        kind = exceptions.SSLError if type(lost).__module__ == "ssl" else exceptions.ConnectionError
        return kind(lost)

    def authorities(self):
        named = super().authorities()
        if named:
            return named
        from requests.certs import where  # noqa: PLC0415 - likewise

        return where()
