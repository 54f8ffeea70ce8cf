"""Receivers of what the room sends: real servers on free ports of this machine, that note what they get."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Reply = Callable[[Received], Awaitable[int] | int]


@dataclass
class Receiver:
    """An http server that notes requests and answers each with what `reply` says."""

    reply: Reply = lambda _: 200
    answer_headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b"noted"
    requests: list[Received] = field(default_factory=list)
    port: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def wait(self, count: int, seconds: float = 60) -> list[Received]:
        """The requests, once there are so many."""
        async with asyncio.timeout(seconds):
            while len(self.requests) < count:
                self._news.clear()
                await self._news.wait()
        return self.requests

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._serve_one(reader, writer)
        writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        method, path, _ = first.split(" ", 2)
        received = Received(method, path, headers, body)
        self.requests.append(received)
        self._news.set()
        status = self.reply(received)
        if not isinstance(status, int):
            status = await status
        extra = "".join(f"{name}: {value}\r\n" for name, value in self.answer_headers.items())
        head = f"HTTP/1.1 {status} It is\r\ncontent-length: {len(self.answer)}\r\n{extra}\r\n"
        writer.write(head.encode() + self.answer)
        await writer.drain()


@contextlib.asynccontextmanager
async def receiving(*, tls: ssl.SSLContext | None = None, **given: Any):
    """A receiver while the block runs."""
    receiver = Receiver(**given)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
