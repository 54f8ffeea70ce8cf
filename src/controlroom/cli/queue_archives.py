"""`controlroom queues export`, `import` and `archives`: queues leave a workspace as a file, and come from one."""

import time
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import Column, moment, progress, show_json, size
from controlroom.cli.errors import CommandFailed, Misused
from controlroom.cli.files import file_to_send, whole_file
from controlroom.cli.login import asked_password
from controlroom.cli.lookup import find_queue
from controlroom.cli.options import HERE, RoomOptions
from controlroom.cli.verbs import show_rows

_Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
_PAUSE_SECONDS: Final = 0.5
_LONGEST_SECONDS: Final = 3600.0
"""For which an archive is waited: the largest one is made in minutes."""


def add_archives(app: App) -> None:
    """Make them commands of an app."""
    app.command(export)
    app.command(import_, name="import")
    app.command(archives)


def export(
    *queues: str,
    output: Annotated[Path, Parameter(alias="-o")] = Path("queues.zip"),
    items: _Flag = False,
    password: _Flag = False,
    room: RoomOptions = HERE,
) -> None:
    """Write queues with their models or schemas into an archive, and fetch it.

    Parameters
    ----------
    queues
        Names or ids.
    output
        The file.
    items
        With what waits in them.
    password
        Encrypt it by a password, which is asked for, or read as one line from standard input.
    """
    if not queues:
        raise Misused("which queues? Name them")
    secret = asked_password("Password of the archive: ") if password else ""
    with Client(address(room)) as client:
        body = {
            "name": output.stem,
            "queues": [{"id": find_queue(client, each)["id"]} for each in queues],
            "items": items,
            "password": secret,
        }
        made = _ended(client, client.post("/queue-archives/export", body))
        if made["download"] is None:
            raise CommandFailed("the archive is not kept any more")
        with whole_file(output) as out, progress(output.name, made["size"]) as told:
            client.download(made["download"]["url"], out, told)
    if room.json:
        show_json({"file": str(output)})
    else:
        print(output)


def import_(
    file: Path,
    /,
    *,
    existing: Literal["skip", "copy"] = "skip",
    password: _Flag = False,
    room: RoomOptions = HERE,
) -> None:
    """Make the queues of an archive in the workspace.

    Parameters
    ----------
    file
        The archive.
    existing
        What becomes of a queue whose name is there: it is passed over, or made beside it under another name.
    password
        The archive is encrypted by a password, which is asked for, or read as one line from standard input.
    """
    sent = file_to_send(file)
    secret = asked_password("Password of the archive: ") if password else ""
    with Client(address(room)) as client:
        body = {"name": sent.name, "existing": existing, "password": secret}
        promised = client.post("/queue-archives/import", body)
        with sent.path.open("rb") as content, progress(sent.name, sent.size) as told:
            client.upload_form(promised["upload"], content, sent.size, sent.name, told)
        made = _ended(client, promised)
    if room.json:
        show_json(made)
    else:
        print(f"{made['made']:,} made, {made['passed_over']:,} there already.")


def archives(*, room: RoomOptions = HERE) -> None:
    """List exports and imports of queues."""
    columns: list[Column] = [
        ("id", lambda row: row["id"]),
        ("kind", lambda row: row["kind"]),
        ("state", lambda row: row["state"]),
        ("file", lambda row: row["name"]),
        ("size", lambda row: size(row["size"])),
        ("made", lambda row: row["made"]),
        ("created", lambda row: moment(row["created_at"])),
        ("error", lambda row: row["error"]),
    ]
    with Client(address(room)) as client:
        rows = list(client.each("/queue-archives"))
    show_rows(room, rows, columns, empty="No queues were exported or imported yet.")


def _ended(client: Client, job: dict[str, Any]) -> dict[str, Any]:
    """An export or import once it has ended well. Raises CommandFailed if it fails, or takes too long."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while True:
        found: dict[str, Any] = client.get(f"/queue-archives/{job['id']}")
        if found["state"] == "failed":
            raise CommandFailed(found["error"])
        if found["state"] == "completed":
            return found
        if time.monotonic() >= deadline:
            raise CommandFailed("it takes long", hint="Look again by `controlroom queues archives`.")
        time.sleep(_PAUSE_SECONDS)
