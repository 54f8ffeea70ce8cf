"""Killing the server while archives are made and taken: each that was acknowledged ends, and none is half an archive.

Each round asks for an export of a large file, and for an import of what the round before exported, kills the server at
any moment after the answer, and waits. `FAULT_SEED=… FAULT_ROUNDS=1` repeats a round.
"""

import json
import os
import random
import secrets
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from tests.rooms import Room

pytestmark = pytest.mark.fault

ROUNDS = min(int(os.environ.get("FAULT_ROUNDS", "3")), 3)
SEED = int(os.environ.get("FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
BYTES = 40_000_000
PATIENCE = 240.0
PASSWORD = "sesame"
REPOSITORY = "/v2/repository"


class Site:
    """A room, and its admin in Control Room's grammar."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.token = ""

    def log_in(self) -> None:
        """Have a token; waits until the room answers."""
        self.token = ""
        admin = self.room.facts["admin"]
        self.token = json.loads(self.call("/v2/authentication", {**admin, "multipleLogin": True}))["token"]

    def call(self, path: str, body: Any = None, *, method: str = "POST", kind: str = "application/json") -> bytes:
        """What the room answers, once it does."""
        data = body if isinstance(body, bytes) else None if method == "GET" else json.dumps(body or {}).encode()
        headers = {"X-Authorization": self.token, "Content-Type": kind}
        request = urllib.request.Request(self.room.url + path, data, headers, method=method)
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return bytes(answer.read())
            except OSError:  # the room is away
                assert time.monotonic() < until, "the room does not come back"
                time.sleep(0.2)

    def ended(self, request: str) -> dict[str, Any]:
        """The status of an export or import that has ended."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            status: dict[str, Any] = json.loads(self.call(f"/v2/blm/status/{request}/timeout/10000", method="GET"))
            if status["status"] != "IN_PROGRESS":
                return status
        raise AssertionError(f"{request} is lost: {status}")

    def form(self, archive: bytes) -> tuple[bytes, str]:
        """The form of an import, and its type."""
        fields = {"actionIfExisting": "OVERWRITE", "publicWorkspace": "false", "archivePassword": PASSWORD}
        parts = [f'--x--\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
        head = '--x--\r\nContent-Disposition: form-data; name="upload"; filename="a.zip"\r\n\r\n'
        body = "".join([*parts, head]).encode() + archive + b"\r\n--x----\r\n"
        return body, "multipart/form-data; boundary=x--"


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    """A room."""
    room = Room(tmp_path / "room", "--no-worker").wait_until_ready()
    site = Site(room)
    site.log_in()
    yield site
    room.kill()


def test_kill_nine_loses_no_archive(site):
    """Exports are whole archives in the end, imports have all that was in theirs."""
    print(f"FAULT_SEED={SEED}")
    chance = random.Random(SEED)
    root = json.loads(site.call(f"{REPOSITORY}/workspaces/private/files/list"))["list"][-1]
    content = secrets.token_bytes(BYTES)
    create = {"name": "big.bin", "contentType": "application/octet-stream", "parentFolderId": root["id"]}
    file = json.loads(site.call(f"{REPOSITORY}/files", create))["id"]
    site.call(f"{REPOSITORY}/files/{file}/content", content, method="PUT", kind="application/octet-stream")
    export = {"name": "big", "fileIds": [int(file)], "includePackages": False, "archivePassword": PASSWORD}
    for _ in range(ROUNDS):
        asked = json.loads(site.call("/v2/blm/export", export))["requestId"]
        _kill(site, chance)
        status = site.ended(asked)
        assert status["status"] == "COMPLETED", status
        archive = site.call(f"/v2/blm/download/{status['downloadFileId']}", method="GET")
        assert len(archive) > BYTES

        site.call(f"{REPOSITORY}/files/{file}", method="DELETE")
        body, kind = site.form(archive)
        asked = json.loads(site.call("/v2/blm/import", body, kind=kind))["requestId"]
        _kill(site, chance)
        status = site.ended(asked)
        assert status["status"] == "COMPLETED", status
        [back] = [
            row
            for row in json.loads(site.call(f"{REPOSITORY}/workspaces/private/files/list"))["list"]
            if row["name"] == "big.bin"
        ]
        assert back["latestVersion"] == "1"
        assert site.call(f"{REPOSITORY}/files/{back['id']}/content", method="GET") == content
        file = back["id"]
        export["fileIds"] = [int(file)]


def _kill(site: Site, chance: random.Random) -> None:
    time.sleep(chance.uniform(0, 0.6))
    with suppress(AssertionError):
        site.room.child("server").kill()
    site.log_in()
