"""`controlroom rooms` and `controlroom use`: the rooms that commands find by themselves."""

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from controlroom.cli import known_rooms
from controlroom.cli.display import show_json, show_table
from controlroom.cli.errors import CommandFailed

app = App(name="rooms")

_Json = Annotated[bool, Parameter(negative=(), show_default=False)]


@app.default
@app.command(name="list")
def list_(*, json: _Json = False) -> None:
    """List the rooms that `up` started and that you logged in to; the one that was chosen is marked.

    Parameters
    ----------
    json
        Print JSON instead of a table.
    """
    known = known_rooms.book()
    rows = [_row(name, room, is_used=name == known.used) for name, room in known.rooms.items()]
    if json:
        show_json(rows)
        return
    show_table(
        rows,
        [
            ("used", lambda row: "*" if row["used"] else ""),
            ("name", lambda row: row["name"]),
            ("address", lambda row: row["url"]),
            ("state", lambda row: row["state"] or ""),
            ("user", lambda row: row["username"] or ""),
            ("data folder", lambda row: row["data"] or ""),
        ],
        empty="No room is known: `controlroom up` starts one, `controlroom login USER --url URL` enters one.",
    )


@app.command
def forget(name: str, /) -> None:
    """Know a room no more. The room itself and its data stay as they are.

    Parameters
    ----------
    name
        What it is called in the list.
    """
    _known(name)
    if not known_rooms.forget(name):
        raise _unwritable()


def use(name: str, /) -> None:
    """Choose the room that your commands speak to, wherever they are called; options and variables win over it.

    Parameters
    ----------
    name
        What it is called by `controlroom rooms`.
    """
    room = _known(name)
    if not known_rooms.use(name):
        raise _unwritable()
    print(f"Your commands speak to {known_rooms.facts_of(room)['url']} now.")


def _known(name: str) -> dict[str, Any]:
    rooms = known_rooms.book().rooms
    if name not in rooms:
        names = ", ".join(sorted(rooms)) or "none"
        raise CommandFailed(f"no room is called {name!r} here", hint=f"Known are: {names}.")
    return rooms[name]


def _unwritable() -> CommandFailed:
    place = known_rooms.place()
    where = "there is no config folder" if place is None else f"{place} cannot be written, or belongs to somebody else"
    return CommandFailed(f"the choice cannot be kept: {where}")


def _row(name: str, room: dict[str, Any], *, is_used: bool) -> dict[str, Any]:
    facts = known_rooms.facts_of(room)
    return {
        "name": name,
        "url": facts["url"],
        "used": is_used,
        "workspace_id": facts.get("workspace_id"),
        "state": _state(Path(room["data"])) if "data" in room else None,
        "username": room.get("username") if known_rooms.token_of(room) else None,
        "data": room.get("data"),
    }


def _state(data: Path) -> str:
    """Whether the room of a data folder is running: then its lock is held."""
    with suppress(OSError), (data / "up.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return "running"
    return "resting"
