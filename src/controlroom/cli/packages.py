"""`controlroom packages …`."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from controlroom.cli import package_source
from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import moment, progress, show_fields, show_json
from controlroom.cli.errors import CommandFailed, Misused
from controlroom.cli.files import whole_file
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.verbs import delete_named, show_list, show_rows, tell
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
def analyse(package: str, /, *, room: RoomOptions = HERE) -> None:
    """Have a worker read the code of a task package, by name or id, and show what the code policy minds."""
    with Client(address(room)) as client:
        found = client.post(f"/task-packages/{find_id(client, 'task-packages', package)}/code-analysis")
    show_rows(
        room,
        found["findings"],
        [
            ("severity", lambda row: row["severity"]),
            ("rule", lambda row: row["rule"]),
            ("place", lambda row: f"{row['path']}:{row['line']}:{row['column']}"),
            ("message", lambda row: row["message"]),
        ],
        empty=f"The policy {found['policy']} minds nothing in it.",
    )


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
def versions(package: str, /, *, limit: int = 50, room: RoomOptions = HERE) -> None:
    """List the versions of a task package with their labels, the newest first.

    Parameters
    ----------
    package
        Name or id.
    limit
        At most so many.
    """
    with Client(address(room)) as client:
        path = f"/task-packages/{find_id(client, 'task-packages', package)}/versions"
        rows = list(client.each(path, at_most=limit))
    show_rows(
        room,
        rows,
        [
            ("version", lambda row: row["version"]),
            ("labels", lambda row: ", ".join(row["labels"])),
            ("tasks", lambda row: ", ".join(row["tasks"])),
            ("made", lambda row: moment(row["created_at"])),
            ("id", lambda row: row["id"]),
        ],
        empty="Nothing has been uploaded yet.",
    )


@app.command
def label(
    package: str,
    label: str,
    version: int | None = None,
    /,
    *,
    remove: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    room: RoomOptions = HERE,
) -> None:
    """Give a label to a version of a task package: `run --label` takes it. Whichever bore it before loses it.

    Parameters
    ----------
    package
        Name or id.
    label
        The label, for example production.
    version
        The number of the version.
    remove
        Take the label away instead.
    """
    if remove == (version is not None):
        raise Misused("say which version shall bear the label, or --remove")
    with Client(address(room)) as client:
        path = f"/task-packages/{find_id(client, 'task-packages', package)}/labels/{quote(label, safe='')}"
        answer = client.delete(path) if remove else client.post(path, {"version": version})
    tell(room, answer)


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
