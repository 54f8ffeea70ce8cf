"""`controlroom roles …`."""

from typing import Annotated

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moments
from controlroom.cli.errors import Misused
from controlroom.cli.governing import governing
from controlroom.cli.lookup import find, find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import show_list, show_one, tell

app = App(name="roles")

_Permissions = Annotated[tuple[str, ...], Parameter(alias="-p", negative=(), show_default=False)]


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the roles that can be granted: the system's, and those of the organization."""
    show_list(
        room,
        "/roles",
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("permissions", lambda row: "all" if "*" in row["permissions"] else len(row["permissions"])),
            ("system", lambda row: row["is_system"]),
            ("description", lambda row: row["description"]),
        ],
    )


@app.command
def show(role: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a role and its permissions, by name or id."""
    with Client(address(room)) as client:
        found = find(client, "roles", role)
    times = moments(found, "created_at", "updated_at")
    show_one(room, found, found | times | {"permissions": "\n".join(found["permissions"])})


@app.command
def create(name: str, /, *, permission: _Permissions = (), description: str = "", room: RoomOptions = HERE) -> None:
    """Make a role and print its id.

    Parameters
    ----------
    name
        Name of the role.
    permission
        What it may do, for example Processes.trigger_processes; may be given several times.
    description
        What it is for.
    """
    body = {"name": name, "permissions": list(permission), "description": description}
    with governing(room) as client:
        made = client.post("/roles", body)
    tell(room, made, "id")


@app.command
def edit(
    role: str,
    /,
    *,
    name: str | None = None,
    permission: _Permissions = (),
    description: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Change a role, for all who have it.

    Parameters
    ----------
    role
        Name or id.
    name
        The new name.
    permission
        All that it may do from now on.
    description
        What it is for.
    """
    given = {"name": name, "permissions": list(permission) or None, "description": description}
    body = {key: value for key, value in given.items() if value is not None}
    if not body:
        raise Misused("nothing to change: give --name, --permission or --description")
    with governing(room) as client:
        answer = client.post(f"/roles/{find_id(client, 'roles', role)}", body)
    tell(room, answer)


@app.command
def delete(role: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete a role that nobody has.

    Parameters
    ----------
    role
        Name or id.
    """
    with governing(room) as client:
        found = find(client, "roles", role)
        confirmed(f"Delete the role {found['name']!r}?", yes=yes)
        answer = client.delete(f"/roles/{found['id']}")
    tell(room, answer)
