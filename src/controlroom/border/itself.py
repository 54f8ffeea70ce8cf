"""The room asks itself, as a client would: through every border's own door, without a connection.

    answer = await itself.get("/api/v1/workspaces/…", asked_by=scope, headers={"authorization": …})

For showing to a person what a program of theirs is answered. Only what reads: there is no other method.
"""

import time
from typing import Any, Final

from msgspec import Struct

from controlroom.border.dispatcher import App
from controlroom.errors import Unavailable

_FROM_CALLER: Final = (b"host", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"via", b"forwarded")
"""What tells by which address, and through which proxies, the person came: the room asks itself by the same."""


class Answered(Struct, frozen=True):
    """How a question was answered."""

    status: int
    seconds: float
    bytes: int


class Itself:
    """Whom to ask: the app of all borders, once there is one."""

    app: App | None = None

    async def get(self, path: str, *, query: str = "", asked_by: Any, headers: dict[str, str]) -> Answered:
        """What somebody is answered who asks this by GET. The body is counted and dropped."""
        if self.app is None:
            raise Unavailable("the room cannot ask itself yet", code="NOT_YET")
        status, received, is_over = 0, 0, False
        sent = [(name, value) for name, value in asked_by["headers"] if name in _FROM_CALLER]
        sent += [(name.encode(), value.encode()) for name, value in headers.items()]

        async def receive() -> Any:
            return {"type": "http.disconnect"} if is_over else {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status, received, is_over
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                received += len(message.get("body", b""))
                is_over = not message.get("more_body", False)

        scope = {
            "type": "http",
            "asgi": asked_by["asgi"],
            "http_version": "1.1",
            "method": "GET",
            "scheme": asked_by["scheme"],
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": sent,
            "client": asked_by["client"],
            "server": asked_by["server"],
            "state": {},
            "extensions": {},
        }
        began = time.perf_counter()
        await self.app(scope, receive, send)
        return Answered(status, time.perf_counter() - began, received)
