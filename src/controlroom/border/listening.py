"""The sockets of a server: http, and https beside it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from msgspec import Struct

from controlroom.border.dispatcher import App
from controlroom.errors import Unavailable

_GRACE = 3
"""Seconds for which answers under way may go on after the end was asked for. Why 3: long polls are asked again anyway,
and `Ctrl-C` should not make anybody wait."""

_KEEP_ALIVE = 75
"""Seconds for which an idle connection is kept. Why 75: longer than clients keep theirs (a minute at most), so that it
is never us who close a connection in the moment in which a request is being sent on it."""


class Certificate(Struct, frozen=True):
    """PEM files for https."""

    chain: Path
    key: Path


class Addresses(Struct, frozen=True):
    """Where a server listens."""

    url: str
    tls_url: str | None = None


class _Server(uvicorn.Server):
    """uvicorn, told to end by its owner and not by signals."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_listening.set()


@asynccontextmanager
async def listening(
    app: App, *, host: str, port: int, certificate: Certificate | None = None, tls_port: int = 0
) -> AsyncIterator[Addresses]:
    """Serve the app while the block runs, then let answers under way end. Port 0 is any free one.

    Raises Unavailable `ADDRESS_IN_USE` for an address that cannot be had.
    """
    async with contextlib.AsyncExitStack() as servers:
        url = await servers.enter_async_context(_serving(app, host, port, None))
        tls_url = None
        if certificate is not None:
            tls_url = await servers.enter_async_context(_serving(app, host, tls_port, certificate))
        yield Addresses(url, tls_url)


@asynccontextmanager
async def _serving(app: App, host: str, port: int, certificate: Certificate | None) -> AsyncIterator[str]:
    bound = _bound(host, port)
    server = _Server(
        uvicorn.Config(
            app,
            interface="asgi3",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # Why: whom to believe is decided in `origin`, per use
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_GRACE,
            ssl_certfile=certificate.chain if certificate else None,
            ssl_keyfile=certificate.key if certificate else None,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[bound]), name="http server")
    listening_ = asyncio.create_task(server.is_listening.wait())
    try:
        await asyncio.wait({task, listening_}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
            raise Unavailable("the server could not start", code="SERVER_NOT_STARTED")
        name = f"[{host}]" if ":" in host else host
        yield f"{'https' if certificate else 'http'}://{name}:{bound.getsockname()[1]}"
    finally:
        listening_.cancel()
        server.should_exit = True
        await asyncio.wait({task})
        bound.close()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as refused:
        raise Unavailable(
            f"cannot listen at {host}:{port}: {refused.strerror}", code="ADDRESS_IN_USE", host=host, port=port
        ) from refused
