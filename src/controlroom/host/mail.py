"""`controlroom mail`."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from controlroom.cli.address import data_folder
from controlroom.cli.errors import FAILED, CommandFailed
from controlroom.host.listening import listen
from controlroom.host.variables import warn_of_unknown_variables
from controlroom.settings import Settings, load


def mail(
    *,
    data: Annotated[Path | None, Parameter(show_default=False)] = None,
    host: str = "127.0.0.1",
    port: int = 2525,
) -> int:
    """Take mail for processes: an SMTP server that turns what comes to their addresses into work items.

    It joins the room that `up` runs on this machine, or, with CONTROLROOM_DATABASE_URL, CONTROLROOM_OBJECTS_URL and
    CONTROLROOM_MASTER_KEY as the servers have them, a room of several machines. Other settings are to be those of the
    room, too, above all CONTROLROOM_MAIL_DOMAIN, whose MX leads here; where they differ, it says so.

    Parameters
    ----------
    data
        Data folder of the room that runs on this machine [./controlroom-data, else the one that your commands find].
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
    settings = load({"data": data or data_folder()})
    if settings.database_url is None:
        settings = asyncio.run(joined(settings))
    return asyncio.run(_serve(settings, listen(host, port)))


async def joined(settings: Settings) -> Settings:
    """The settings of the room that `up` runs in the data folder, with its private database. Raises CommandFailed."""
    from controlroom.postgres.embedded import running_address  # noqa: PLC0415 - a shared database needs none of it

    folder = settings.data.absolute()
    try:
        found = await running_address(folder / "postgres")
    except OSError as refused:
        raise CommandFailed(
            f"the room of {folder} cannot be joined: {refused.strerror}",
            hint="Be the user who runs it, or set CONTROLROOM_DATABASE_URL as its servers have it.",
        ) from refused
    if found is None:
        raise CommandFailed(
            f"no room runs in {folder}",
            hint="Start it by `controlroom up`, name its folder by --data, "
            "or set CONTROLROOM_DATABASE_URL as the servers have it.",
        )
    return msgspec.structs.replace(settings, data=folder, database_url=found)


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
        for difference in await app.differing_settings(room):
            print(f"warning: {difference}", file=sys.stderr, flush=True)
        server = await app.receive_mail(room, listening)
        address, port = listening.getsockname()[:2]
        print(f"Mail for {settings.mail_domain} is taken at {address}:{port}", file=sys.stderr, flush=True)
        waiting = asyncio.create_task(asked.wait())
        await asyncio.wait([waiting, room.loops], return_when=asyncio.FIRST_COMPLETED)
        server.close()
        # A room whose loops have ended would take mail and start nothing: better it ends, and is started again
        return 0 if asked.is_set() else FAILED
    raise AssertionError  # the stack swallows nothing
