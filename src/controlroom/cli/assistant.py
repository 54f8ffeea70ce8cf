"""`controlroom assistant …`."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from controlroom.cli.address import address, known_room
from controlroom.cli.client import Client
from controlroom.cli.display import moment, seconds, show_json, show_table
from controlroom.cli.errors import CommandFailed, Misused
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.verbs import delete_named, show_rows, tell

app = App(name="assistant")

_DEFAULT = 50

_Credentials = Annotated[str | None, Parameter(env_var="CONTROLROOM_CREDENTIALS", show_env_var=True)]


@app.command(name="list")
def list_(*, credentials: _Credentials = None, room: RoomOptions = HERE) -> None:
    """List the assistants that you may run.

    Parameters
    ----------
    credentials
        A user's credentials, ID:SECRET.
    """
    from controlroom.cli.machine import Machine  # noqa: PLC0415 - brings the worker's environments along

    with Machine(*_where(room, credentials)) as machine:
        rows = machine.assistants()
    if room.json:
        show_json(rows)
        return
    show_table(
        rows,
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("task", lambda row: row["task"]["name"]),
        ],
        empty="There is no assistant yet: controlroom assistant create NAME PACKAGE:TASK",
    )


@app.command
def run(assistant: str, /, *, credentials: _Credentials = None, room: RoomOptions = HERE) -> None:
    """Run an assistant on this machine, as yourself; exits 0 only if its robot succeeded.

    Parameters
    ----------
    assistant
        Name or id.
    credentials
        A user's credentials, ID:SECRET.
    """
    from controlroom.cli.machine import Machine  # noqa: PLC0415 - likewise

    with Machine(*_where(room, credentials)) as machine:
        same = [row["id"] for row in machine.assistants() if assistant in {row["id"], row["name"]}]
        if not same:
            raise CommandFailed(f"there is no assistant called {assistant!r}", hint="See controlroom assistant list.")
        machine.run(same[0], _cache())


@app.command
def create(name: str, task: Annotated[str, Parameter(name="PACKAGE:TASK")], /, *, room: RoomOptions = HERE) -> None:
    """Let people run a task on their own machines, and print the assistant's id.

    Parameters
    ----------
    name
        Name of the assistant.
    task
        PACKAGE:TASK: a task of a package, the latter by id or name.
    """
    package, colon, named = task.partition(":")
    if not colon or not package or not named:
        raise Misused(f"{task!r} is not of the form PACKAGE:TASK")
    with Client(address(room)) as client:
        body = {"name": name, "task": {"name": named, "package_id": find_id(client, "task-packages", package)}}
        made = client.post("/assistants", body)
    tell(room, made, "id")


@app.command
def delete(assistant: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete an assistant; its runs stay in the lists.

    Parameters
    ----------
    assistant
        Name or id.
    yes
        Don't ask.
    """
    delete_named(room, "assistants", assistant, yes=yes)


@app.command
def runs(assistant: str | None = None, /, *, limit: int = _DEFAULT, room: RoomOptions = HERE) -> None:
    """List the runs of assistants, the newest first.

    Parameters
    ----------
    assistant
        Only those of one, by name or id.
    limit
        At most so many.
    """
    with Client(address(room)) as client:
        of = "" if assistant is None else f"/assistants/{find_id(client, 'assistants', assistant)}"
        rows = list(client.each(f"{of}/assistant-runs", at_most=limit))
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("assistant", lambda row: row["assistant"]["name"]),
            ("state", lambda row: row["state"]),
            ("error", lambda row: (row["error"] or {}).get("code")),
            ("started", lambda row: moment(row["started_at"])),
            ("took", lambda row: seconds(row["duration"])),
        ],
        empty="No assistant has run yet.",
    )


def _where(room: RoomOptions, credentials: str | None) -> tuple[str, str, str, str | None]:
    where = address(room)
    pair = credentials or (known_room(where.url) or {}).get("user_credentials")
    if not pair:
        raise CommandFailed(
            "assistants are run by users: --credentials is missing",
            hint="Give --credentials ID:SECRET (or CONTROLROOM_CREDENTIALS).",
        )
    return where.url, where.workspace, str(pair), where.ca_file


def _cache() -> Path:
    """Where environments are kept: the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "controlroom" / "environments"
