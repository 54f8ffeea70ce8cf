"""A server as a process: the room's app behind http and, if asked, https, until a signal ends it."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import uvloop

from controlroom import app
from controlroom.cli.errors import FAILED
from controlroom.settings import Settings

_GRACE_SECONDS = 3
"""What a running request gets to end when the server is told to. Waiting calls are answered at once."""
_KEEP_ALIVE_SECONDS = 65
"""Longer than the 60 s after which common proxies drop a resting connection, so that they and not we do it."""


class _Listener(uvicorn.Server):
    """uvicorn without its own signal handling: there are several of them in the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve_room(
    settings: Settings,
    sockets: Sequence[socket.socket],
    tls_sockets: Sequence[socket.socket] = (),
    *,
    told: Callable[[dict[str, Any]], None],
) -> int:
    """Serve until SIGINT or SIGTERM; `told` gets what the room's first start made, once requests are answered."""
    return uvloop.run(_serve(settings, sockets, tls_sockets, told))


async def _serve(
    settings: Settings,
    sockets: Sequence[socket.socket],
    tls_sockets: Sequence[socket.socket],
    told: Callable[[dict[str, Any]], None],
) -> int:
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    room = await app.build(settings)
    try:
        application = app.asgi(room)
        listeners = [_listener(application, None)]
        running = [asyncio.create_task(listeners[0].serve(list(sockets)))]
        ca_file = None
        if tls_sockets:
            chain, key, ca_file = _certificate(settings)
            listeners.append(_listener(application, (chain, key)))
            running.append(asyncio.create_task(listeners[1].serve(list(tls_sockets))))
        told({**msgspec.to_builtins(await app.founding(room)), "ca_file": ca_file})
        waiting = asyncio.create_task(asked.wait())
        await asyncio.wait([waiting, room.loops, *running], return_when=asyncio.FIRST_COMPLETED)
        room.holds.release()
        for each in listeners:
            each.should_exit = True
        await asyncio.gather(*running)
        # A server whose loops have ended would answer and do nothing: better it ends, and is started again
        return 0 if asked.is_set() else FAILED
    finally:
        await room.close()


def _listener(application: Any, files: tuple[Path, Path] | None) -> _Listener:
    config = uvicorn.Config(
        application,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the border reads them, of trusted proxies only
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    if files is not None:
        from controlroom import tls  # noqa: PLC0415 - most rooms do without it

        config.load()
        config.ssl = tls.context(*files)
    return _Listener(config)


def _certificate(settings: Settings) -> tuple[Path, Path, str | None]:
    """Certificate, key, and the file of our own authority unless they are somebody else's."""
    if settings.tls_cert is not None and settings.tls_key is not None:
        return settings.tls_cert, settings.tls_key, None
    from controlroom import tls  # noqa: PLC0415 - likewise

    folder = settings.data.absolute() / "tls"
    names = [*tls.host_names(settings.host), *(host.partition(":")[0] for host in settings.allowed_hosts)]
    chain, key = tls.certificate(folder, names)
    return chain, key, str(folder / "ca.pem")
