"""`controlroom repository …`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.errors import CommandFailed, Misused
from controlroom.cli.lookup import find_id, is_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import confirmed
from controlroom.cli.verbs import show_one, show_rows, tell

app = App(name="repository")

Right = Literal["view", "run", "update", "download", "delete", "clone"]
_Rights = Annotated[tuple[Right, ...], Parameter(negative=(), show_default=False)]


@app.command(name="list")
def list_(folder: str | None = None, /, *, room: RoomOptions = HERE) -> None:
    """List folders, files, task packages and tasks of the workspace, and your own.

    Parameters
    ----------
    folder
        Only what lies in this one: its path, for example /Default/North, or its id.
    """
    with Client(address(room)) as client:
        rows = list(client.each("/repository", parent=None if folder is None else find_node(client, folder)))
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("number", lambda row: row["number"]),
            ("kind", lambda row: row["kind"]),
            ("path", lambda row: row["path"]),
            ("version", lambda row: row["version"] or None),
            ("locked", lambda row: row["is_locked"]),
        ],
    )


@app.command
def show(path: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a folder, file, task package or task, by path or id."""
    with Client(address(room)) as client:
        found = client.get(f"/repository/{find_node(client, path)}")
    show_one(room, found, found)


@app.command
def mkdir(name: str, /, *, parent: str | None = None, room: RoomOptions = HERE) -> None:
    """Make a folder and print its id.

    Parameters
    ----------
    parent
        In which folder, by path or id; else directly in the workspace.
    """
    with Client(address(room)) as client:
        body: dict[str, Any] = {"name": name}
        if parent is not None:
            body["parent"] = {"id": find_node(client, parent)}
        made = client.post("/repository/folders", body)
    tell(room, made, "id")


@app.command
def move(path: str, /, *, to: str | None = None, name: str | None = None, room: RoomOptions = HERE) -> None:
    """Give a folder, file or task package another place or name.

    Parameters
    ----------
    path
        Its path, for example /Default/North/invoices, or its id.
    to
        Into which folder, by path or id.
    name
        The new name.
    """
    if to is None and name is None:
        raise Misused("nothing to change: give --to or --name")
    with Client(address(room)) as client:
        body: dict[str, Any] = {} if name is None else {"name": name}
        if to is not None:
            body["parent"] = {"id": find_node(client, to)}
        answer = client.post(f"/repository/{find_node(client, path)}", body)
    tell(room, answer)


@app.command(name="check-out")
def check_out(path: str, /, *, room: RoomOptions = HERE) -> None:
    """Lock a file or task package for yourself, and print the id of your copy. Takes a user: log in first.

    Parameters
    ----------
    path
        Its path, for example /Default/North/invoices, or its id.
    """
    _verb(room, path, "check-out", "id")


@app.command(name="check-in")
def check_in(copy: str, /, *, room: RoomOptions = HERE) -> None:
    """Make your copy the next version of what you have checked out.

    Parameters
    ----------
    copy
        Its id, as `check-out` printed it, or its path.
    """
    _verb(room, copy, "check-in")


@app.command
def unlock(path: str, /, *, room: RoomOptions = HERE) -> None:
    """Take a check-out back; the copy stays a file of its user's.

    Parameters
    ----------
    path
        Path or id of what is checked out.
    """
    _verb(room, path, "unlock")


@app.command
def label(path: str, label: str, version: int, /, *, room: RoomOptions = HERE) -> None:
    """Give a label to a version of a file or task package.

    Parameters
    ----------
    path
        Its path or id.
    label
        For example PRODUCTION.
    version
        The number of the version.
    """
    with Client(address(room)) as client:
        answer = client.post(f"/repository/{find_node(client, path)}/labels/{label}", {"version": version})
    tell(room, answer)


@app.command
def needs(path: str, /, *needed: str, room: RoomOptions = HERE) -> None:
    """Say what a task or file needs, instead of what was said before; without any, show what it needs.

    Parameters
    ----------
    needed
        Files and tasks, by path or id.
    """
    with Client(address(room)) as client:
        node = find_node(client, path)
        if needed:
            client.post(f"/repository/{node}/needs", {"needs": [{"id": find_node(client, each)} for each in needed]})
        found = client.get(f"/repository/{node}/needs")
    for each in found:
        tell(room, each, "path")


@app.command
def rights(
    folder: str,
    role: str,
    /,
    *,
    give: _Rights = (),
    take: _Rights = (),
    clear: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    room: RoomOptions = HERE,
) -> None:
    """Show what a role of the organization may do in a folder, or change it. Takes a user: log in first.

    Parameters
    ----------
    folder
        By path or id: a workspace, a folder or a task package.
    role
        Name or id of a role that was made here: the system's have no rights in folders.
    give
        A right that it has from now on; may be given several times.
    take
        A right that it has not from now on; likewise.
    clear
        Forget what was said of this folder: what holds in the one above holds again.
    """
    with Client(address(room)) as client:
        path = f"/repository/{find_node(client, folder)}/rights/{find_id(client, 'roles', role)}"
        if clear:
            client.delete(path)
        if give or take:
            body: Mapping[Right, bool] = dict.fromkeys(give, True) | dict.fromkeys(take, False)
            client.post(path, body)
        found = client.get(path)
    show_one(room, found, {"rights": ", ".join(found["rights"]), "inherited": found["is_inherited"]})


@app.command
def delete(path: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete an empty folder, a file or a task package."""
    with Client(address(room)) as client:
        node = find_node(client, path)
        confirmed(f"Delete {path!r}?", yes=yes)
        answer = client.delete(f"/repository/{node}")
    tell(room, answer)


def _verb(room: RoomOptions, path: str, verb: str, shown: str | None = None) -> None:
    with Client(address(room)) as client:
        answer = client.post(f"/repository/{find_node(client, path)}/{verb}", {})
    tell(room, answer, shown)


def find_node(client: Client, path: str) -> str:
    """The id of what is at a path. Raises CommandFailed."""
    if is_id(path):
        return path
    wanted = "/" + path.strip("/")
    found = next(iter(client.each("/repository", at=wanted)), None)
    if found is None:
        raise CommandFailed(f"there is nothing at {wanted!r}", hint="Paths begin with the workspace: repository list")
    return str(found["id"])
