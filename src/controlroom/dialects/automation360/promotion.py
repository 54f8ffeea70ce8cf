"""How bots are promoted: another Control Room is logged into, and imports the archive (§2.16).

It is spoken to by the guarded client: who governs this server says which addresses that are not public may be reached.
"""

import asyncio
import secrets
import time
from typing import Any, Final

import msgspec

from controlroom.engine.transfers.model import Target
from controlroom.errors import Invalid, Unavailable
from controlroom.outgoing import Answer, Outgoing

_SECONDS: Final = 60.0
_PATIENCE: Final = 600.0
"""Seconds that the other room may take for the import."""
_ACCEPTED: Final = 202


async def hand(outgoing: Outgoing, target: Target, key: str, name: str, archive: bytes) -> None:
    """Give an archive to another room and wait until it has taken it. Raises Invalid that says what it answered."""
    base = target.url.rstrip("/")
    login = {"username": target.username, "apiKey": key}
    session = _read(await _post(outgoing, f"{base}/v2/authentication", {}, login), "log in", 200)
    headers = {"X-Authorization": str(session.get("token", ""))}
    kind, body = _form(name, archive, overwrites=target.overwrites)
    sent = await outgoing.request(
        "POST", f"{base}/v2/blm/import", headers=headers | {"Content-Type": kind}, content=body, seconds=_SECONDS
    )
    request = str(_read(sent, "import", _ACCEPTED).get("requestId", ""))
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        answer = await outgoing.request("GET", f"{base}/v2/blm/status/{request}", headers=headers, seconds=_SECONDS)
        status = _read(answer, "tell the status", 200)
        match status.get("status"):
            case "COMPLETED":
                return
            case "FAILED" | "ERROR":
                raise Invalid(f"the other Control Room could not import it: {status.get('errorMessage')}")
        await asyncio.sleep(1)
    raise Unavailable("the other Control Room has not ended the import in time", code="PROMOTION_TIMEOUT")


async def _post(outgoing: Outgoing, url: str, headers: dict[str, str], body: dict[str, str]) -> Answer:
    headers = headers | {"Content-Type": "application/json"}
    return await outgoing.request("POST", url, headers=headers, content=msgspec.json.encode(body), seconds=_SECONDS)


def _read(answer: Answer, what: str, status: int) -> dict[str, Any]:
    if answer.status != status:
        raise Invalid(f"the other Control Room did not {what}: it answered {answer.status}", code="PROMOTION_REFUSED")
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except msgspec.DecodeError as broken:
        raise Invalid("the other Control Room answered what is no JSON", code="PROMOTION_REFUSED") from broken


def _form(name: str, archive: bytes, *, overwrites: bool) -> tuple[str, bytes]:
    """The form of an import: its type and its bytes."""
    boundary = secrets.token_hex(16)
    fields = {"actionIfExisting": "OVERWRITE" if overwrites else "SKIP", "publicWorkspace": "true"}
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    file = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)[:100] or "archive"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="upload"; filename="{file}.zip"\r\n'
    parts.append(head.encode("ascii", "replace") + b"Content-Type: application/octet-stream\r\n\r\n" + archive)
    parts.append(f"\r\n--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", b"".join(parts)
