"""A server as a process: the room's app behind http and, if asked, https, until a signal ends it."""

import asyncio
import contextlib
import gc
import signal
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from controlroom import app
from controlroom.border import logs
from controlroom.border.strangers import Strangers
from controlroom.cli.errors import FAILED
from controlroom.host.listeners import Listener, SecureListener, open_many_files
from controlroom.host.sharing import Share
from controlroom.settings import Settings

_RENEWAL_SECONDS = 12 * 3600.0
_NEW_OBJECTS = 20_000
"""After so many new objects circles are looked for. Why not Python's 700: a page of a thousand rows has ten thousand
objects and no circle, and looking for them took more than half of its time."""


def serve_room(
    settings: Settings,
    sockets: Sequence[socket.socket],
    tls_sockets: Sequence[socket.socket] = (),
    *,
    told: Callable[[dict[str, Any]], None],
    share: Share | None = None,
    own_worker_token: str | None = None,
) -> int:
    """Serve until SIGINT or SIGTERM; `told` gets what the room's first start made, once requests are answered.

    With a share the sockets are other processes', too. The worker of this machine is linked by its own token.
    """
    logs.configure(settings, process=None if share is None else share.number)
    open_many_files()
    collect_seldom()
    return uvloop.run(_serve(settings, sockets, tls_sockets, told, share, own_worker_token))


def collect_seldom() -> None:
    """Look for circles of objects as seldom as a server does."""
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])


async def _serve(
    settings: Settings,
    sockets: Sequence[socket.socket],
    tls_sockets: Sequence[socket.socket],
    told: Callable[[dict[str, Any]], None],
    share: Share | None,
    own_worker_token: str | None,
) -> int:
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    room = await app.build(settings, own_worker_token=own_worker_token)
    try:
        await app.tell_settings(room)
        application = app.asgi(room)
        strangers = Strangers(settings.limits, room.origins)
        listeners = [Listener(application, strangers, share=share, on_end=room.holds.release)]
        running = [asyncio.create_task(listeners[0].serve(list(sockets)))]
        ca_file = None
        renewing = None
        if tls_sockets:
            certificate = _Certificate(settings)
            ca_file = certificate.ca_file
            listeners.append(
                SecureListener(application, strangers, certificate.context, share=share, on_end=room.holds.release)
            )
            running.append(asyncio.create_task(listeners[1].serve(list(tls_sockets))))
            renewing = asyncio.create_task(certificate.keep_fresh())
        told({**msgspec.to_builtins(await app.founding(room)), "ca_file": ca_file})
        gc.freeze()  # what the room is made of stays as long as it does
        waiting = asyncio.create_task(asked.wait())
        await asyncio.wait([waiting, room.loops, *running], return_when=asyncio.FIRST_COMPLETED)
        for each in listeners:
            each.should_exit = True
        if renewing is not None:
            renewing.cancel()
        await asyncio.gather(*running)
        # A server whose loops have ended would answer and do nothing: better it ends, and is started again
        return 0 if asked.is_set() else FAILED
    finally:
        await room.close()


class _Certificate:
    """The certificate in use: the files that the settings name, else one of our own authority."""

    def __init__(self, settings: Settings) -> None:
        from controlroom import tls  # noqa: PLC0415 - most rooms do without it

        self._tls = tls
        self._settings = settings
        self.ca_file: str | None = None
        self.context = tls.context(*self._files())

    async def keep_fresh(self) -> None:
        """Take a renewed certificate into use, for new connections, whoever renewed it."""
        while True:
            await asyncio.sleep(_RENEWAL_SECONDS)
            chain, key = await asyncio.to_thread(self._files)
            with contextlib.suppress(OSError, ssl.SSLError):  # being replaced just now: the next round will do
                self.context.load_cert_chain(chain, key)

    def _files(self) -> tuple[Path, Path]:
        settings = self._settings
        if settings.tls_cert is not None and settings.tls_key is not None:
            return settings.tls_cert, settings.tls_key
        folder = settings.data.absolute() / "tls"
        self.ca_file = str(folder / "ca.pem")
        names = [*self._tls.host_names(settings.host), *(host.partition(":")[0] for host in settings.allowed_hosts)]
        return self._tls.certificate(folder, names)
