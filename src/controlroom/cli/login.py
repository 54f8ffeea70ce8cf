"""`controlroom login` and `controlroom logout`: a person's own rights, where an API key's do not reach."""

import getpass
import os
import sys

from controlroom.cli.address import Address, address, local_room
from controlroom.cli.client import Client
from controlroom.cli.display import show_json
from controlroom.cli.errors import Misused
from controlroom.cli.options import HERE, RoomOptions


def login(username: str | None = None, /, *, room: RoomOptions = HERE) -> None:
    """Log in and print a session's token, which is given to other commands like an API key.

    export CONTROLROOM_API_KEY=$(controlroom login ada)

    The password is asked for, or read as one line from standard input. For a room that runs here, without a name, it is
    that of the first admin until they change it.

    Parameters
    ----------
    username
        Who you are.
    """
    where = address(room, needs=("url",))
    name, password = _who(where, username)
    with Client(where) as client:
        answer = client.post(f"{where.url}/api/v1/login", {"username": name, "password": password})
    if room.json:
        show_json(answer)
    else:
        print(answer["token"])


def logout(*, room: RoomOptions = HERE) -> None:
    """End the session whose token is given as API key."""
    where = address(room, needs=("url", "api_key"))
    with Client(where) as client:
        answer = client.post(f"{where.url}/api/v1/logout")
    if room.json:
        show_json(answer)


def _who(where: Address, username: str | None) -> tuple[str, str]:
    if username is None:
        local = local_room() or {}
        admin = local.get("admin") or {}
        if where.url != local.get("url") or not admin.get("password"):
            raise Misused("who are you? Give a user name.")
        return str(admin["username"]), str(admin["password"])
    return username, asked_password()


def asked_password(prompt: str = "Password: ") -> str:
    """A password that a person types, or one line of standard input. Raises Misused for none."""
    password = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip(os.linesep)
    if not password:
        raise Misused("a password is needed: type it, or give it as one line of standard input")
    return password
