"""`controlroom up`."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from controlroom.cli.data_folder import DataFolder, write_whole
from controlroom.cli.errors import CommandFailed, Misused
from controlroom.cli.listening import address_of, listen
from controlroom.cli.ready import ready_facts
from controlroom.cli.variables import warn_of_unknown_variables
from controlroom.settings import Settings, load

_Path = Annotated[Path | None, Parameter(show_default=False)]


def up(
    *,
    data: _Path = None,
    host: str | None = None,
    port: int | None = None,
    ready_file: _Path = None,
    worker: Annotated[bool, Parameter(negative="--no-worker", show_default=False)] = True,
    slots: Annotated[int, Parameter(show_default=True)] = 1,
    sandbox: Literal["auto", "required", "off"] = "auto",
    tls: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    tls_cert: _Path = None,
    tls_key: _Path = None,
    verbose: Annotated[bool, Parameter(alias="-v", negative=())] = False,
) -> int:
    """Start everything on this machine: database, server, one worker. Ctrl-C ends it.

    The first start makes an admin, a workspace and an API key, and prints them. With CONTROLROOM_DATABASE_URL the
    database is that one. All other settings are variables, too: CONTROLROOM_PORT, CONTROLROOM_OBJECTS_URL and so on.

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
    worker
        Whether a worker is started, too.
    slots
        How many robots run at once.
    sandbox
        Whether robots are enclosed; `required` refuses to start where the system cannot do it.
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
    asked["tls"] = True if tls or tls_cert else None
    warn_of_unknown_variables(os.environ)
    settings = load(asked)
    both_tls_files(settings)
    folder = DataFolder.take(settings.data)
    folder.say(pid=os.getpid())
    before = folder.last_ready()
    listening = _listen(settings.host, settings.port, before)
    url = address_of(listening, "http")
    folder.say(pid=os.getpid(), url=url)
    secure = [listen(settings.host, settings.port + 1 if settings.port else 0)] if settings.tls else []

    https_url = address_of(secure[0], "https") if secure else None

    # Why here: whoever was refused above has not waited for these
    import asyncio  # noqa: PLC0415

    from controlroom.cli.supervisor import Plan, Supervisor  # noqa: PLC0415

    def welcome(room: dict[str, Any]) -> None:
        facts = ready_facts(room, url, https_url)
        for file in (folder.ready_file, ready_file):
            if file is not None:
                write_whole(file, facts)
        _announce(facts, folder.path, is_new=not before)

    plan = Plan(
        folder=folder,
        settings={
            name: str(value) if isinstance(value, Path) else value for name, value in asked.items() if value is not None
        }
        | {"data": str(folder.path)},
        database_url=settings.database_url,
        postgres_bin=settings.postgres_bin,
        sockets=[listening],
        tls_sockets=secure,
        url=url,
        https_url=https_url,
        worker={
            "url": url,
            "folder": str(folder.folder("worker")),
            "slots": slots,
            "sandbox": sandbox,
            "sandbox_hidden": [str(folder.path)],
        }
        if worker
        else None,
        log_format=settings.log_format,
        logs=None if verbose or not sys.stderr.isatty() else folder.folder("logs"),
        on_ready=welcome,
    )
    return asyncio.run(Supervisor(plan).run())


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


def _announce(facts: dict[str, Any], data: Path, *, is_new: bool) -> None:
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
    print("\n".join([*lines, "Ctrl-C ends it."]), flush=True)
