"""`controlroom packages …`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from controlroom.cli import package_source
from controlroom.cli.address import address
from controlroom.cli.client import Client
from controlroom.cli.display import progress, show_fields, show_json
from controlroom.cli.errors import CommandFailed
from controlroom.cli.files import whole_file
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.verbs import delete_named, show_list
from controlroom.file_names import shortened

app = App(name="packages")
app.command(package_source.app)


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the task packages."""
    show_list(
        room,
        "/task-packages",
        [
            ("id", lambda row: row["id"]),
            ("name", lambda row: row["name"]),
            ("tasks", lambda row: ", ".join(task["name"] for task in row.get("tasks", []))),
        ],
        empty="There is no task package yet: controlroom push FOLDER",
    )


@app.command
def show(package: str, /, *, room: RoomOptions = HERE) -> None:
    """Show a task package and its tasks, by name or id."""
    with Client(address(room)) as client:
        found = client.get(f"/task-packages/{find_id(client, 'task-packages', package)}")
    found.pop("upload", None)
    if room.json:
        show_json(found)
        return
    found.pop("download", None)
    show_fields({**found, "tasks": ", ".join(task["name"] for task in found["tasks"])})


@app.command
def download(
    package: str, /, *, output: Annotated[Path | None, Parameter(alias="-o")] = None, room: RoomOptions = HERE
) -> None:
    """Fetch a task package's zip file.

    Parameters
    ----------
    package
        Name or id.
    output
        The file [NAME.zip].
    """
    with Client(address(room)) as client:
        found = client.get(f"/task-packages/{find_id(client, 'task-packages', package)}")
        if found["download"] is None:
            raise CommandFailed(f"nothing has been uploaded into {found['name']!r} yet")
        path = output or Path(shortened(f"{found['name'].replace('/', '_')}.zip"))
        with whole_file(path) as out, progress(path.name, None) as told:
            client.download(found["download"]["url"], out, told)
    if room.json:
        show_json({"file": str(path)})
    else:
        print(path)


@app.command(name="set")
def set_(package: str, /, *, exclude_newer: str, room: RoomOptions = HERE) -> None:
    """Say how new packages of the world may be in the environments of a task package's robots.

    Parameters
    ----------
    package
        Name or id.
    exclude_newer
        A date (until its end, UTC) or a time with its zone: packages published later do not count. Empty: as the room
        says.
    """
    with Client(address(room)) as client:
        path = f"/task-packages/{find_id(client, 'task-packages', package)}"
        found = client.post(path, {"exclude_newer": exclude_newer or None})
    if room.json:
        show_json(found)
    else:
        print(found["exclude_newer"] or "as the room says")


@app.command
def delete(
    package: str,
    /,
    *,
    yes: Yes = False,
    room: RoomOptions = HERE,
) -> None:
    """Delete a task package.

    Parameters
    ----------
    package
        Name or id.
    """
    delete_named(room, "task-packages", package, yes=yes)
