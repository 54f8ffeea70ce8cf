"""`controlroom assistant list` and `run`: what a user's own machine does with assistants."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from controlroom.cli.address import address, known_room
from controlroom.cli.display import show_json, show_table
from controlroom.cli.errors import CommandFailed
from controlroom.cli.options import HERE, RoomOptions
from controlroom.host.machine import Machine

_Credentials = Annotated[str | None, Parameter(env_var="CONTROLROOM_CREDENTIALS", show_env_var=True)]


def list_(*, credentials: _Credentials = None, room: RoomOptions = HERE) -> None:
    """List the assistants that you may run.

    Parameters
    ----------
    credentials
        A user's credentials, ID:SECRET.
    """
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


def run(assistant: str, /, *, credentials: _Credentials = None, room: RoomOptions = HERE) -> None:
    """Run an assistant on this machine, as yourself; exits 0 only if its robot succeeded.

    Parameters
    ----------
    assistant
        Name or id.
    credentials
        A user's credentials, ID:SECRET.
    """
    with Machine(*_where(room, credentials)) as machine:
        same = [row["id"] for row in machine.assistants() if assistant in {row["id"], row["name"]}]
        if not same:
            raise CommandFailed(f"there is no assistant called {assistant!r}", hint="See controlroom assistant list.")
        machine.run(same[0], _cache())


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
