"""`controlroom lockers …`: how secrets of the organization are shared."""

from typing import Literal

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moments
from controlroom.cli.lookup import among, find, find_id
from controlroom.cli.members import find_user
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.verbs import change, delete_named, show_list, show_one, tell

app = App(name="lockers")

Right = Literal["participate", "manage", "own"]


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the lockers that you may know of."""
    show_list(
        room,
        "/lockers",
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("secrets", lambda row: row["secret_count"]),
            ("members", lambda row: ", ".join(each["username"] for each in row["members"])),
            ("description", lambda row: row["description"]),
        ],
        empty="There is no locker that you may know of: controlroom lockers create NAME",
    )


@app.command
def show(locker: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a locker by its name or id: who looks after it, which roles use it, and what is in it."""
    with Client(address(room)) as client:
        found = find(client, "lockers", locker)
        consumers = client.get(f"/lockers/{found['id']}/consumers")
        secrets = client.get(f"/lockers/{found['id']}/secrets")
    whole = found | {"consumers": consumers, "secrets": secrets}
    readable = whole | moments(found, "created_at", "updated_at")
    readable["members"] = ", ".join(f"{each['username']} ({', '.join(each['rights'])})" for each in found["members"])
    readable |= {name: ", ".join(each["name"] for each in whole[name]) for name in ("consumers", "secrets")}
    show_one(room, whole, readable)


@app.command
def create(name: str, /, *, description: str = "", owner: str | None = None, room: RoomOptions = HERE) -> None:
    """Make a locker and print its id.

    Parameters
    ----------
    name
        Name of the locker.
    description
        What it is for.
    owner
        User name or id of who shall own it; you, if you have logged in.
    """
    body: dict[str, object] = {"name": name, "description": description}
    with Client(address(room)) as client:
        if owner is not None:
            body["owner"] = {"id": find_user(client, "users", owner)["id"]}
        made = client.post("/lockers", body)
    tell(room, made, "id")


@app.command
def rename(locker: str, name: str, /, *, room: RoomOptions = HERE) -> None:
    """Give a locker another name, by name or id."""
    change(room, "lockers", locker, {"name": name})


@app.command
def member(locker: str, user: str, /, *rights: Right, room: RoomOptions = HERE) -> None:
    """Say what a user may do with a locker; without a right, they look after it no more.

    Parameters
    ----------
    locker
        Name or id of the locker.
    user
        User name or id.
    rights
        participate (put in secrets of their own), manage (also take out, rename, say which roles use it), own (also say
        who its members are, delete it).
    """
    with Client(address(room)) as client:
        path = f"/lockers/{find_id(client, 'lockers', locker)}/members"
        who = find_user(client, "users", user)["id"]
        answer = (
            client.post(path, {"user": {"id": who}, "rights": rights}) if rights else client.delete(f"{path}/{who}")
        )
    tell(room, answer)


@app.command
def consumer(locker: str, role: str, /, *, remove: bool = False, room: RoomOptions = HERE) -> None:
    """Let those who hold a role use what is in a locker, or no more.

    Parameters
    ----------
    locker
        Name or id of the locker.
    role
        Name or id of the role.
    remove
        No more.
    """
    with Client(address(room)) as client:
        path = f"/lockers/{find_id(client, 'lockers', locker)}/consumers"
        which = find_id(client, "roles", role)
        answer = client.delete(f"{path}/{which}") if remove else client.post(path, {"role": {"id": which}})
    tell(room, answer)


@app.command
def put(locker: str, secret: str, /, *, room: RoomOptions = HERE) -> None:
    """Put a secret of the organization into a locker.

    Parameters
    ----------
    locker
        Name or id of the locker.
    secret
        Name or id of the secret.
    """
    with Client(address(room)) as client:
        path = f"/lockers/{find_id(client, 'lockers', locker)}/secrets"
        answer = client.post(path, {"secret": {"id": find_id(client, "shared-secrets", secret)}})
    tell(room, answer)


@app.command
def take(locker: str, secret: str, /, *, room: RoomOptions = HERE) -> None:
    """Take a secret out of a locker.

    Parameters
    ----------
    locker
        Name or id of the locker.
    secret
        Name or id of the secret.
    """
    with Client(address(room)) as client:
        path = f"/lockers/{find_id(client, 'lockers', locker)}/secrets"
        found = among(client.get(path), secret, noun="secret", place=f"in the locker {locker!r}")
        answer = client.delete(f"{path}/{found['id']}")
    tell(room, answer)


@app.command
def delete(locker: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a locker; the secrets in it stay their owners'.

    Parameters
    ----------
    locker
        Name or id.
    """
    delete_named(room, "lockers", locker, yes=yes)
