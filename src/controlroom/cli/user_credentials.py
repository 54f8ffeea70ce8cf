"""`controlroom users credentials …` and `users api-keys …`: what a user's programs sign and log in with."""

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment
from controlroom.cli.governing import governing
from controlroom.cli.members import find_user
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import show_rows, tell

credentials = App(name="credentials", help="A user's access credentials, for rcc and editors: list, make, revoke.")
keys = App(name="api-keys", help="The keys by which programs log in as a user: list, reveal, revoke.")


@keys.command(name="list")
def list_keys(user: str, /, *, room: RoomOptions = HERE) -> None:
    """List a user's keys, without their values."""
    with governing(room) as client:
        rows = client.get(f"/users/{find_user(client, 'users', user)['id']}/keys")["data"]
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("created", lambda row: moment(row["created_at"])),
            ("last used", lambda row: moment(row["last_used_at"])),
            ("expires", lambda row: moment(row["expires_at"])),
        ],
    )


@keys.command
def reveal(user: str, key: str, /, *, room: RoomOptions = HERE) -> None:
    """Show the value of a user's key again. This is written down in the audit log.

    Parameters
    ----------
    user
        User name or id.
    key
        Id of the key; `list` shows it.
    """
    with governing(room) as client:
        answer = client.post(f"/users/{find_user(client, 'users', user)['id']}/keys/{key}/reveal")
    tell(room, answer, "value")


@keys.command(name="revoke")
def revoke_key(user: str, key: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Revoke a user's key, and end what was begun by it.

    Parameters
    ----------
    user
        User name or id.
    key
        Id of the key; `list` shows it.
    """
    confirmed(f"Revoke the key {key}?", yes=yes)
    with governing(room) as client:
        answer = client.delete(f"/users/{find_user(client, 'users', user)['id']}/keys/{key}")
    tell(room, answer)


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
