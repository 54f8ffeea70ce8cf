"""`controlroom server`."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from controlroom.host.listening import address_of, listen
from controlroom.host.progress import tell
from controlroom.host.ready import ReadyFile, ready_facts
from controlroom.host.up import both_tls_files, handed_over, up
from controlroom.host.variables import warn_of_unknown_variables
from controlroom.settings import load

_Path = Annotated[Path | None, Parameter(show_default=False)]


def server(
    *,
    data: _Path = None,
    host: str | None = None,
    port: int | None = None,
    ready_file: _Path = None,
    processes: Annotated[int | None, Parameter(show_default=False)] = None,
    tls: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    tls_cert: _Path = None,
    tls_key: _Path = None,
) -> int:
    """Start a server, for a room of several machines.

    With CONTROLROOM_DATABASE_URL (and CONTROLROOM_OBJECTS_URL and CONTROLROOM_MASTER_KEY) any number of servers make
    one room. Without it, the server starts a private database in its data folder.

    Parameters
    ----------
    data
        Folder of what is not kept elsewhere [./controlroom-data].
    host
        Address to listen at [127.0.0.1].
    port
        Port to listen at, 0 for a free one [8170].
    ready_file
        Written when the server is ready: address and credentials as JSON, for programs.
    processes
        How many share its address: for machines with cores for them [1].
    tls
        Serve https too, at the next port, with a certificate made here unless files are named.
    tls_cert
        PEM file of the certificate chain.
    tls_key
        PEM file of its key.
    """
    asked: dict[str, Any] = {"data": data, "host": host, "port": port, "tls_cert": tls_cert, "tls_key": tls_key}
    asked |= {"servers": processes, "tls": True if tls or tls_cert else None}
    settings = load(asked)
    both_tls_files(settings)
    if settings.database_url is None:
        return up(
            data=data,
            host=host,
            port=port,
            ready_file=ready_file,
            servers=processes,
            worker=False,
            tls=tls,
            tls_cert=tls_cert,
            tls_key=tls_key,
            verbose=True,
        )
    warn_of_unknown_variables(os.environ)
    asked_for = ReadyFile(ready_file) if ready_file is not None else None
    if asked_for is not None:
        asked_for.check()
    listening = listen(settings.host, settings.port)
    secure = [listen(settings.host, settings.port + 1 if settings.port else 0)] if settings.tls else []

    url = address_of(listening, "http")
    https_url = address_of(secure[0], "https") if secure else None
    if asked_for is not None:
        asked_for.forget()
    tell("starting the server, with the database that CONTROLROOM_DATABASE_URL names")

    def welcome(room: dict[str, Any]) -> None:
        facts = ready_facts(room, url, https_url)
        if asked_for is not None:
            asked_for.write(facts)
        several = f", with {settings.servers} servers below it" if settings.servers > 1 else ""
        print(f"The server is ready at {url} (process {os.getpid()}{several})", file=sys.stderr, flush=True)

    if settings.servers > 1:
        import asyncio  # noqa: PLC0415 - after the refusals above, which need nothing

        from controlroom.host.supervisor import Plan, Supervisor  # noqa: PLC0415 - likewise

        plan = Plan(
            data=settings.data.absolute(),
            settings=handed_over(asked),
            servers=settings.servers,
            database_connections=settings.database_connections,
            database_url=settings.database_url,
            postgres_bin=None,
            sockets=[listening],
            tls_sockets=secure,
            url=url,
            https_url=https_url,
            worker=None,
            stop_grace_seconds=0.0,
            log_format=settings.log_format,
            logs=None,
            on_ready=welcome,
        )
        return asyncio.run(Supervisor(plan).run())

    from controlroom.host.serving import serve_room  # noqa: PLC0415 - likewise

    return serve_room(settings, [listening], secure, told=welcome)
