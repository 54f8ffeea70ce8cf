"""`controlroom workspaces …`."""

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import show_rows, tell

app = App(name="workspaces")

_REACHED = ("url", "api_key")


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the workspaces that you have a place in; an API key's is one."""
    where = address(room, needs=_REACHED)
    with Client(where) as client:
        rows = list(client.each(f"{where.url}/api/v1/workspaces"))
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("organization", lambda row: row["organization"]["name"]),
        ],
    )


@app.command
def create(name: str, /, *, room: RoomOptions = HERE) -> None:
    """Make a workspace, and print its id. It takes an admin: see `controlroom login`."""
    where = address(room, needs=_REACHED)
    with Client(where) as client:
        made = client.post(f"{where.url}/api/v1/workspaces", {"name": name})
    tell(room, made, "id")


@app.command
def rename(name: str, /, *, room: RoomOptions = HERE) -> None:
    """Give the workspace of this call another name."""
    with Client(address(room)) as client:
        answer = client.post("", {"name": name})
    tell(room, answer)


@app.command
def delete(*, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete the workspace of this call, in which nothing has been made. It takes an admin: see `controlroom login`."""
    with Client(address(room)) as client:
        name = client.get("")["name"]
        confirmed(f"Delete the workspace {name!r}?", yes=yes)
        answer = client.delete("")
    tell(room, answer)
