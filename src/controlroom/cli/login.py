"""`controlroom login` and `controlroom logout`: a person's own rights, where an API key's do not reach."""

import getpass
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from controlroom.cli import known_rooms
from controlroom.cli.address import Address, address, known_room
from controlroom.cli.calling import Client
from controlroom.cli.display import show_json
from controlroom.cli.errors import Misused
from controlroom.cli.options import HERE, RoomOptions


def login(
    username: str | None = None,
    /,
    *,
    name: Annotated[str | None, Parameter(show_default=False)] = None,
    room: RoomOptions = HERE,
) -> None:
    """Log in, and print the session's token; your commands speak to this room with it until it ends.

    export CONTROLROOM_API_KEY=$(controlroom login ada)

    The password is asked for, or read as one line from standard input. For a room that runs here, without a name, it is
    that of the first admin until they change it.

    Parameters
    ----------
    username
        Who you are.
    name
        What the room is called in `controlroom rooms` [the name it has there, else its host].
    """
    where = address(room, needs=("url",))
    user, password = _who(where, username)
    with Client(where) as client:
        answer = client.post(f"{where.url}/api/v1/login", {"username": user, "password": password})
    called = known_rooms.enter(_remembered(where, room.workspace, answer), name)
    if room.json:
        show_json(answer)
    else:
        print(answer["token"])
    if called is not None:
        print(f"Your commands speak to {where.url} now, as {called} (`controlroom rooms`).", file=sys.stderr)


def logout(*, room: RoomOptions = HERE) -> None:
    """End the session whose token is given as API key, or that `login` began."""
    where = address(room, needs=("url", "api_key"))
    with Client(where) as client:
        answer = client.post(f"{where.url}/api/v1/logout")
    known_rooms.leave(where.api_key)
    if room.json:
        show_json(answer)


def _remembered(where: Address, workspace: str | None, answer: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a log-in: no password."""
    theirs = answer["workspaces"]
    chosen = workspace or (theirs[0] if len(theirs) == 1 else where.workspace if where.workspace in theirs else "")
    facts = {"url": where.url, "username": answer["user"]["username"]}
    facts |= {"token": answer["token"], "expires_at": answer["expires_at"]}
    facts |= {"workspace_id": chosen} if chosen else {}
    trusted = where.ca_file or os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE")
    return facts | ({"ca_file": str(Path(trusted).absolute())} if trusted and where.url.startswith("https:") else {})


def _who(where: Address, username: str | None) -> tuple[str, str]:
    if username is None:
        admin = (known_room(where.url) or {}).get("admin") or {}
        if not admin.get("password"):
            raise Misused("who are you? Give a user name.")
        return str(admin["username"]), str(admin["password"])
    return username, asked_password()


def asked_password(prompt: str = "Password: ") -> str:
    """A password that a person types, or one line of standard input. Raises Misused for none."""
    password = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip(os.linesep)
    if not password:
        raise Misused("a password is needed: type it, or give it as one line of standard input")
    return password
