"""The few answers that belong to no dialect, and the form in which all of ours carry an error."""

import math
from typing import Any

import msgspec

from controlroom.errors import ControlRoomError, Throttled, Unavailable

Headers = list[tuple[bytes, bytes]]

JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")
TEXT: tuple[bytes, bytes] = (b"content-type", b"text/plain; charset=utf-8")

_encoder = msgspec.json.Encoder()


def error_body(code: str, message: str, **fields: Any) -> bytes:
    """`{"error": {"code", "message", …}, "message"}`: the message twice, because clients look in either place."""
    return _encoder.encode({"error": {"code": code, "message": message, **fields}, "message": message})


def retry_after(error: ControlRoomError) -> Headers:
    """What to say beside a failure that may be over soon."""
    match error:
        case Unavailable():
            return [(b"retry-after", b"1")]
        case Throttled():
            return [(b"retry-after", b"%d" % max(1, math.ceil(error.seconds)))]
        case _:
            return []


async def answer(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    """Send a whole answer."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
