"""`controlroom server`."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from controlroom.host.listening import address_of, listen
from controlroom.host.progress import tell
from controlroom.host.ready import ReadyFile, ready_facts
from controlroom.host.up import both_tls_files, up
from controlroom.host.variables import warn_of_unknown_variables
from controlroom.settings import load

_Path = Annotated[Path | None, Parameter(show_default=False)]


def server(
    *,
    data: _Path = None,
    host: str | None = None,
    port: int | None = None,
    ready_file: _Path = None,
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
    tls
        Serve https too, at the next port, with a certificate made here unless files are named.
    tls_cert
        PEM file of the certificate chain.
    tls_key
        PEM file of its key.
    """
    asked: dict[str, Any] = {"data": data, "host": host, "port": port, "tls_cert": tls_cert, "tls_key": tls_key}
    asked["tls"] = True if tls or tls_cert else None
    settings = load(asked)
    both_tls_files(settings)
    if settings.database_url is None:
        return up(
            data=data,
            host=host,
            port=port,
            ready_file=ready_file,
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

    if asked_for is not None:
        asked_for.forget()
    tell("starting the server, with the database that CONTROLROOM_DATABASE_URL names")

    from controlroom.host.serving import serve_room  # noqa: PLC0415 - after the refusals above, which need nothing

    def welcome(room: dict[str, Any]) -> None:
        facts = ready_facts(room, address_of(listening, "http"), address_of(secure[0], "https") if secure else None)
        if asked_for is not None:
            asked_for.write(facts)
        print(f"The server is ready at {facts['url']} (process {os.getpid()})", file=sys.stderr, flush=True)

    return serve_room(settings, [listening], secure, told=welcome)
