"""What listens: uvicorn over our own protocol class, for http and for https."""

import asyncio
import contextlib
import functools
import resource
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import uvicorn

from controlroom.border.http import Protocol
from controlroom.border.strangers import Strangers
from controlroom.host.sharing import Acceptor, Share

_GRACE_SECONDS = 3
"""What a request under way gets to end when the server is told to. Long polls are asked again anyway."""
_KEEP_ALIVE_SECONDS = 75
"""Longer than clients and common proxies (60 s) keep a resting connection: it is never we who close one in the moment
in which a request is sent on it."""
_MOST_FILES = 65_536
_PAUSE_SECONDS = 0.1
_GOOD_BYE_SECONDS = 2.0  # Why: few callers answer the end of TLS; those who do, do so at once


class Listener(uvicorn.Server):
    """uvicorn without its own signal handling: there may be two of them in the process, and more processes.

    `on_end` is called when it has been told to end and no connection takes another request: to answer what is held.
    """

    def __init__(
        self,
        application: Any,
        strangers: Strangers,
        *,
        share: Share | None = None,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        config = uvicorn.Config(
            application,
            interface="asgi3",
            http=functools.partial(Protocol, strangers=strangers),  # type: ignore[arg-type]  # as good as a class
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the border decides whom to believe
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        config.load()
        super().__init__(config)
        self._strangers = strangers
        self._share = share
        self._on_end = on_end
        self._acceptors: list[Acceptor] = []
        self._beginning: set[asyncio.Task[None]] = set()
        """Connections that are accepted and no protocol's yet."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the program."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept."""
        if self._share is None:
            await super().startup(sockets=sockets)
            return
        await super().startup(sockets=[])
        self._share.count(lambda: len(self.server_state.connections) + len(self._beginning))
        self._share.publish()
        self._acceptors = [Acceptor(listening, self._share, self._take) for listening in sockets or []]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, and end the connections."""
        for each in self._acceptors:
            each.close()
        if self._share is not None:
            self._share.leave()
        for task in self._beginning:
            task.cancel()
        await asyncio.gather(*self._beginning, return_exceptions=True)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        self._on_end()
        await super().shutdown(sockets=sockets)

    def _take(self, connection: socket.socket, _address: Any) -> None:
        self._begin(self._connect(connection))

    def _begin(self, beginning: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(beginning)
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)
        return task

    async def _connect(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the caller has gone already
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]  # as uvicorn makes it
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


class SecureListener(Listener):
    """https: connections are strangers from their first byte on, not only when the handshake is over."""

    def __init__(
        self,
        application: Any,
        strangers: Strangers,
        context: ssl.SSLContext,
        *,
        share: Share | None = None,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(application, strangers, share=share, on_end=on_end)
        self._context = context
        self._accepting: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept."""
        if self._share is not None:
            await super().startup(sockets=sockets)
            return
        await super().startup(sockets=[])
        self._accepting = [asyncio.create_task(self._accept(listening)) for listening in sockets or []]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, and end the connections."""
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        await super().shutdown(sockets=sockets)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        listening.settimeout(0)
        while True:
            try:
                connection, address = await loop.sock_accept(listening)
            except OSError:  # out of files, or the caller has gone already
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            self._take(connection, address)

    def _take(self, connection: socket.socket, address: Any) -> None:
        handshake = _Handshake(asyncio.get_running_loop().time())
        if self._strangers.come(handshake, str(address[0])):
            handshake.task = self._begin(self._shake(handshake, connection))
        else:
            self._strangers.gone(handshake)
            connection.close()

    async def _shake(self, handshake: "_Handshake", connection: socket.socket) -> None:
        """Speak TLS with a caller, who then is a connection of our protocol. What goes wrong ends there, unsaid."""
        try:
            with contextlib.suppress(OSError, ssl.SSLError, asyncio.CancelledError):
                await asyncio.get_running_loop().connect_accepted_socket(
                    self._protocol,
                    connection,
                    ssl=self._context,
                    ssl_handshake_timeout=self._strangers.limits.head_seconds,
                    ssl_shutdown_timeout=_GOOD_BYE_SECONDS,
                )
        finally:
            self._strangers.gone(handshake)


class _Handshake:
    """A connection that is no protocol's yet; see `strangers.Guest`. Its deadline is the handshake's own."""

    waits = True

    def __init__(self, since: float) -> None:
        self.since = since
        self.task: asyncio.Task[None] | None = None

    def look(self, now: float) -> None:
        """Nothing: it ends in time by itself."""

    def make_way(self) -> None:
        """End it."""
        if self.task is not None:
            self.task.cancel()


def open_many_files() -> None:
    """Let this process have as many connections as the system lets it: the usual 1,024 are soon gone."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
