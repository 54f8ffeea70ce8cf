"""`controlroom keys …`."""

from typing import Annotated

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment, moments
from controlroom.cli.errors import Misused
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.verbs import delete_named, show_list, show_one, tell

app = App(name="keys")

_Permissions = Annotated[tuple[str, ...], Parameter(alias="-p", negative=(), show_default=False)]


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the API keys, with how often and when they were used."""
    show_list(
        room,
        "/api-keys",
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("permissions", lambda row: len(row["permissions"])),
            ("uses", lambda row: row["use_count"]),
            ("last used", lambda row: moment(row["last_used_at"])),
            ("created", lambda row: moment(row["created_at"])),
        ],
    )


@app.command
def show(key: str, /, *, room: RoomOptions = HERE) -> None:
    """Show an API key and its permissions, by name or id; the value by `reveal` only."""
    with Client(address(room)) as client:
        found = client.get(f"/api-keys/{find_id(client, 'api-keys', key)}")
    times = moments(found, "created_at", "last_used_at", "expires_at")
    show_one(room, found, found | times | {"permissions": "\n".join(found["permissions"])})


@app.command
def create(name: str, /, *, permission: _Permissions, room: RoomOptions = HERE) -> None:
    """Make an API key and print its value.

    Parameters
    ----------
    name
        Name of the key.
    permission
        What it may do, for example Processes.trigger_processes; may be given several times.
    """
    with Client(address(room)) as client:
        made = client.post("/api-keys", {"name": name, "permissions": list(permission)})
    tell(room, made, "value")


@app.command
def edit(key: str, /, *, name: str | None = None, permission: _Permissions = (), room: RoomOptions = HERE) -> None:
    """Change the name of an API key, or what it may do.

    Parameters
    ----------
    key
        Name or id.
    name
        The new name.
    permission
        All that it may do from now on.
    """
    body: dict[str, object] = {}
    if name is not None:
        body["name"] = name
    if permission:
        body["permissions"] = list(permission)
    if not body:
        raise Misused("nothing to change: give --name or --permission")
    with Client(address(room)) as client:
        answer = client.post(f"/api-keys/{find_id(client, 'api-keys', key)}", body)
    tell(room, answer)


@app.command
def reveal(key: str, /, *, room: RoomOptions = HERE) -> None:
    """Show the value of an API key again. This is written down in the audit log."""
    with Client(address(room)) as client:
        answer = client.post(f"/api-keys/{find_id(client, 'api-keys', key)}/reveal")
    tell(room, answer, "value")


@app.command
def delete(
    key: str,
    /,
    *,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Delete an API key; it opens nothing from then on.

    Parameters
    ----------
    key
        Name or id.
    """
    delete_named(room, "api-keys", key, yes=yes)
