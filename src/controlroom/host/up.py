"""`controlroom up`."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from controlroom.cli.errors import CommandFailed, Misused
from controlroom.cli.known_rooms import remember
from controlroom.host.data_folder import DataFolder
from controlroom.host.listening import address_of, listen
from controlroom.host.progress import tell
from controlroom.host.ready import ReadyFile, ready_facts
from controlroom.host.variables import warn_of_unknown_variables
from controlroom.settings import Settings, load
from controlroom.worker.settings import given, settings_of

_Path = Annotated[Path | None, Parameter(show_default=False)]


def up(
    *,
    data: _Path = None,
    host: str | None = None,
    port: int | None = None,
    ready_file: _Path = None,
    servers: Annotated[int | None, Parameter(show_default=False)] = None,
    worker: Annotated[bool, Parameter(negative="--no-worker", show_default=False)] = True,
    slots: int | None = None,
    sandbox: Literal["auto", "required", "off"] | None = None,
    stop_grace: Annotated[float | None, Parameter(show_default=False)] = None,
    tls: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    tls_cert: _Path = None,
    tls_key: _Path = None,
    verbose: Annotated[bool, Parameter(alias="-v", negative=())] = False,
) -> int:
    """Start everything on this machine: database, server, one worker. Ctrl-C ends it.

    The first start makes an admin, a workspace and an API key, and prints them. With CONTROLROOM_DATABASE_URL the
    database is that one. All other settings are variables, too: CONTROLROOM_PORT, CONTROLROOM_OBJECTS_URL and so on,
    those of the worker as CONTROLROOM_WORKER_…. The commands of this user find the room from anywhere afterwards: see
    `controlroom rooms`.

    Parameters
    ----------
    data
        Folder of everything that the room keeps [./controlroom-data].
    host
        Address to listen at [127.0.0.1].
    port
        Port to listen at, 0 for a free one [8170].
    ready_file
        Written when the room is ready: address and credentials as JSON, for programs.
    servers
        Processes of the server, which share its address: for machines with cores for them [1].
    worker
        Whether a worker is started, too.
    slots
        How many robots run at once [1].
    sandbox
        Whether robots are enclosed; `required` refuses to start where the system cannot do it [auto].
    stop_grace
        Seconds for which running robots may go on when the room is asked to end [0].
    tls
        Serve https too, at the next port, with a certificate made here unless files are named.
    tls_cert
        PEM file of the certificate chain.
    tls_key
        PEM file of its key.
    verbose
        Show the logs of the parts here, too (otherwise, on a terminal, they go to logs/ in the data folder).
    """
    asked: dict[str, Any] = {"data": data, "host": host, "port": port, "tls_cert": tls_cert, "tls_key": tls_key}
    asked |= {"servers": servers, "tls": True if tls or tls_cert else None}
    warn_of_unknown_variables(os.environ)
    settings = load(asked)
    both_tls_files(settings)
    connections = database_connections_each(settings)
    folder = DataFolder.take(settings.data)
    wished = {"slots": slots, "sandbox": sandbox, "stop_grace_seconds": stop_grace}
    worker_settings = local_worker(folder, wished, os.environ) if worker else None
    asked_for = ReadyFile(ready_file) if ready_file is not None else None
    if asked_for is not None:
        asked_for.check()
    folder.say(pid=os.getpid())
    before = folder.last_ready()
    listening = _listen(settings.host, settings.port, before)
    url = address_of(listening, "http")
    folder.say(pid=os.getpid(), url=url)
    secure = [listen(settings.host, settings.port + 1 if settings.port else 0)] if settings.tls else []
    if asked_for is not None and asked_for.path != folder.ready_file.resolve():
        asked_for.forget()
    tell(f"{'starting' if before else 'making'} the room of {folder.path}")

    # Why here: whoever was refused above has not waited for these
    import asyncio  # noqa: PLC0415

    from controlroom.host.supervisor import Plan, Supervisor  # noqa: PLC0415

    https_url = address_of(secure[0], "https") if secure else None

    def welcome(room: dict[str, Any]) -> None:
        facts = ready_facts(room, url, https_url)
        ReadyFile(folder.ready_file).write(facts)
        remembered = remember(folder.path)
        _announce(facts, folder.path, is_new=not before, remembered=remembered)
        if asked_for is not None:
            asked_for.write(facts)  # last: who waits for it may count on all that was said

    plan = Plan(
        data=folder.path,
        settings=handed_over(asked) | {"data": str(folder.path)},
        servers=settings.servers,
        database_connections=connections,
        database_url=settings.database_url,
        postgres_bin=settings.postgres_bin,
        sockets=[listening],
        tls_sockets=secure,
        url=url,
        https_url=https_url,
        worker=None if worker_settings is None else {**worker_settings, "url": url},
        stop_grace_seconds=0.0 if worker_settings is None else worker_settings["stop_grace_seconds"],
        log_format=settings.log_format,
        logs=None if verbose or not sys.stderr.isatty() else folder.folder("logs"),
        on_ready=welcome,
    )
    return asyncio.run(Supervisor(plan).run())


def handed_over(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Options as settings that go over the line to a server."""
    given_ones = {name: value for name, value in asked.items() if value is not None}
    return {name: str(value) if isinstance(value, Path) else value for name, value in given_ones.items()}


_LEAST_CONNECTIONS = 4
"""With fewer a server's own loops would keep its requests waiting."""


def database_connections_each(settings: Settings) -> int:
    """How many connections each of several servers gets: as many as it is to have, of the private database's its part.

    Raises Misused for more servers than that has room for.
    """
    if settings.servers == 1 or settings.database_url is not None:
        return settings.database_connections
    from controlroom.postgres.cluster import CONNECTIONS, KEPT_FREE  # noqa: PLC0415 - one server needs none of it

    listens = 1
    part = (CONNECTIONS - KEPT_FREE) // settings.servers - listens
    if part < _LEAST_CONNECTIONS:
        most = (CONNECTIONS - KEPT_FREE) // (_LEAST_CONNECTIONS + listens)
        raise Misused(f"the private database has connections for {most} servers, not for {settings.servers}")
    return min(settings.database_connections, part)


_DECIDED_HERE = ("url", "link_token", "worker_id", "once", "once_wait_seconds")
"""Settings of a worker that variables do not give to the one of `up`: it belongs to this room, and stays."""


def local_worker(folder: DataFolder, options: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The settings of the worker that `up` starts, as they are handed over: options, then variables, then the file.

    Raises Invalid `SETTINGS` for what makes no sense.
    """
    said = {"folder": str(folder.folder("worker"))} | given(environment)
    said |= {name: value for name, value in options.items() if value is not None}
    for name in _DECIDED_HERE:
        said.pop(name, None)
    hidden = [*said.get("sandbox_hidden", ()), str(folder.path)]
    settings = settings_of({**said, "sandbox_hidden": hidden, "url": ""})
    handed: dict[str, Any] = msgspec.to_builtins(settings, enc_hook=str)
    return handed


def both_tls_files(settings: Settings) -> None:
    """A certificate goes with its key. Raises Misused."""
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise Misused("--tls-cert and --tls-key go together: one of them is missing")


def _listen(host: str, port: int, before: dict[str, Any]) -> Any:
    """The listening socket; for `--port 0` the port of the last start again, if it is still free.

    Why: worker, bookmarks and scripts know the room by its address.
    """
    if port == 0 and isinstance(url := before.get("url"), str) and url.rpartition(":")[2].isdigit():
        try:
            return listen(host, int(url.rpartition(":")[2]))
        except CommandFailed:
            pass
    return listen(host, port)


def _announce(facts: dict[str, Any], data: Path, *, is_new: bool, remembered: str | None) -> None:
    lines = [f"The room is ready at {facts['url']}"]
    if "https_url" in facts:
        lines += [f"and at {facts['https_url']}"]
        if facts["ca_file"]:
            lines += [
                f"  clients trust it by: export REQUESTS_CA_BUNDLE={facts['ca_file']} SSL_CERT_FILE={facts['ca_file']}"
            ]
    if is_new:
        lines += [
            f"  user       {facts['admin']['username']}, password {facts['admin']['password']}",
            f"  workspace  {facts['workspace_id']}",
            f"  API key    {facts['api_key']}",
            f"  rcc        {facts['user_credentials']}",
            f"  (kept in {data / 'ready.json'}; shown this once)",
        ]
    if remembered is not None:
        lines += [f"Your commands find it from any folder, as {remembered} (`controlroom rooms`)."]
    print("\n".join([*lines, "Ctrl-C ends it."]), flush=True)
