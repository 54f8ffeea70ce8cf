"""Bodies that are read before their route, because a caller's signature is over them, and read once more by it."""

from typing import Any

from litestar.types import Receive

from controlroom.errors import Invalid


async def whole_body(receive: Receive, *, most: int) -> bytes:
    """The body; raises Invalid `INTERRUPTED`, or `REQUEST_TOO_LARGE` for more than so many bytes."""
    body = bytearray()
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The request was interrupted.", code="INTERRUPTED")
        body += message.get("body", b"")
        if len(body) > most:
            raise Invalid("The body is too long to be signed.", code="REQUEST_TOO_LARGE")
        if not message.get("more_body"):
            return bytes(body)


def once_more(body: bytes) -> Receive:
    """What a body that was read is read from."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive
