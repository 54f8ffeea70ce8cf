"""`controlroom mail`."""

import asyncio
import contextlib
import os
import signal
import socket
import sys

from controlroom.cli.errors import FAILED, CommandFailed
from controlroom.cli.listening import listen
from controlroom.cli.variables import warn_of_unknown_variables
from controlroom.settings import Settings, load


def mail(*, host: str = "127.0.0.1", port: int = 2525) -> int:
    """Take mail for processes: an SMTP server that turns what comes to their addresses into work items.

    It is a part of a room of several machines: it needs CONTROLROOM_DATABASE_URL, CONTROLROOM_OBJECTS_URL and
    CONTROLROOM_MASTER_KEY as the servers have them, and CONTROLROOM_MAIL_DOMAIN, whose MX leads here.

    Parameters
    ----------
    host
        Address to listen at.
    port
        Port to listen at, 0 for a free one.
    """
    try:
        import aiosmtpd  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise CommandFailed("taking mail needs the extra `mail`", hint="pip install 'controlroom[mail]'") from None
    warn_of_unknown_variables(os.environ)
    settings = load()
    if settings.database_url is None:
        raise CommandFailed(
            "taking mail needs the address of the room's database",
            hint="Set CONTROLROOM_DATABASE_URL as the server has it",
        )
    return asyncio.run(_serve(settings, listen(host, port)))


async def _serve(settings: Settings, listening: socket.socket) -> int:
    # Why here: these imports cost more than the refusals above
    from controlroom import app  # noqa: PLC0415
    from controlroom.border import logs  # noqa: PLC0415

    logs.configure(settings)
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    async with contextlib.AsyncExitStack() as parts:
        room = await app.build(settings)
        parts.push_async_callback(room.close)
        server = await app.receive_mail(room, listening)
        address, port = listening.getsockname()[:2]
        print(f"Mail for {settings.mail_domain} is taken at {address}:{port}", file=sys.stderr, flush=True)
        waiting = asyncio.create_task(asked.wait())
        await asyncio.wait([waiting, room.loops], return_when=asyncio.FIRST_COMPLETED)
        server.close()
        # A room whose loops have ended would take mail and start nothing: better it ends, and is started again
        return 0 if asked.is_set() else FAILED
    raise AssertionError  # the stack swallows nothing
