"""`controlroom users …`: people, and the pairs of credentials with which rcc and editors sign."""

from typing import Annotated

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.client import Client
from controlroom.cli.display import moment, moments
from controlroom.cli.login import asked_password
from controlroom.cli.members import Role, change_user, find_user
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import show_list, show_one, show_rows, tell

app = App(name="users")
credentials = App(name="credentials", help="A user's access credentials, for rcc and editors: list, make, revoke.")
app.command(credentials)


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the users whom you may see."""
    show_list(
        room,
        "/users",
        [
            ("id", lambda row: row["id"]),
            ("user", lambda row: row["username"]),
            ("name", lambda row: f"{row['first_name']} {row['last_name']}".strip()),
            ("mail", lambda row: row["email"]),
            ("admin", lambda row: row["is_admin"]),
            ("disabled", lambda row: moment(row["disabled_at"])),
        ],
    )


@app.command
def show(user: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a user, by user name or id."""
    with Client(address(room)) as client:
        found = find_user(client, "users", user)
    show_one(room, found, found | moments(found, "created_at", "disabled_at"))


@app.command
def create(
    username: str,
    /,
    *,
    role: Role,
    password: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    room: RoomOptions = HERE,
) -> None:
    """Make a user with a role in the workspace, and print the id.

    Parameters
    ----------
    username
        With which they log in.
    role
        What they may do in the workspace.
    password
        Ask for a password, or read it as one line from standard input; without, they cannot log in by one.
    first_name
        First name.
    last_name
        Last name.
    email
        Mail address.
    """
    body = {
        "username": username,
        "role": role,
        "password": asked_password() if password else None,
        "first_name": first_name,
        "last_name": last_name,
        "email": email,
    }
    with Client(address(room)) as client:
        made = client.post("/users", body)
    tell(room, made, "id")


@app.command(name="password")
def set_password(user: str, /, *, room: RoomOptions = HERE) -> None:
    """Give a user a new password: typed, or one line of standard input. It ends their sessions."""
    password = asked_password("New password: ")
    change_user(room, "users", user, {"password": password}, verb="/password")


@app.command
def disable(
    user: str,
    /,
    *,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Let a user in no more, anywhere.

    Parameters
    ----------
    user
        User name or id.
    """
    with Client(address(room)) as client:
        found = find_user(client, "users", user)
        confirmed(f"Let {found['username']!r} in no more?", yes=yes)
        answer = client.post(f"/users/{found['id']}/disable")
    tell(room, answer)


@app.command
def enable(user: str, /, *, room: RoomOptions = HERE) -> None:
    """Let a disabled user in again."""
    change_user(room, "users", user, verb="/enable")


@credentials.command(name="list")
def list_credentials(user: str, /, *, room: RoomOptions = HERE) -> None:
    """List a user's access credentials, without their secrets."""
    with Client(address(room)) as client:
        rows = list(client.each(f"/users/{find_user(client, 'users', user)['id']}/credentials"))
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("identifier", lambda row: row["identifier"]),
            ("created", lambda row: moment(row["created_at"])),
            ("last used", lambda row: moment(row["last_used_at"])),
        ],
    )


@credentials.command
def make(user: str, name: str, /, *, room: RoomOptions = HERE) -> None:
    """Make a pair for a user and print it, this once: `rcc configure credentials PAIR`.

    Parameters
    ----------
    user
        User name or id.
    name
        What to call it: the machine that it is for, say.
    """
    with Client(address(room)) as client:
        made = client.post(f"/users/{find_user(client, 'users', user)['id']}/credentials", {"name": name})
    tell(room, made, "credentials")


@credentials.command
def revoke(
    user: str,
    credential: str,
    /,
    *,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Revoke a pair: nothing that it signs is accepted any more.

    Parameters
    ----------
    user
        User name or id.
    credential
        Id of the pair; `list` shows it.
    """
    confirmed(f"Revoke the credentials {credential}?", yes=yes)
    with Client(address(room)) as client:
        answer = client.delete(f"/users/{find_user(client, 'users', user)['id']}/credentials/{credential}")
    tell(room, answer)
