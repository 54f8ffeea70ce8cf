"""`controlroom push`."""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.display import progress, show_json
from controlroom.cli.errors import CommandFailed
from controlroom.cli.options import HERE, RoomOptions
from controlroom.robots.packing import pack

_IN_MEMORY = 16 * 1024 * 1024
_SHOWN = 5


def push(
    directory: Path,
    /,
    *,
    name: Annotated[str | None, Parameter(alias="-n")] = None,
    folder: str = "",
    exclude_newer: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Upload a robot's folder as a task package.

    A package of that name gets a new version; runs that go on keep theirs. Prints the package's id.

    Parameters
    ----------
    directory
        The robot: a folder with robot.yaml. What stays out (files named by its ignoreFiles, results, virtual
        environments) is told.
    name
        Name of the package; the folder's name if not given.
    folder
        Where the robot lies in the directory, if there are several in it.
    exclude_newer
        A date or a time with its zone: packages of the world that are newer do not count in its environment. It holds
        for this package from now on.
    """
    if not directory.is_dir():
        raise CommandFailed(f"{directory} is no folder", hint="A robot is a folder with robot.yaml in it.")
    name = name or (directory / folder).resolve().name
    left_out: dict[str, list[str]] = {}
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as archive, Client(address(room)) as client:
        pack(
            directory,
            archive,
            within=folder,
            left_out=lambda file, why: left_out.setdefault(why, []).append(file),
        )
        for why, files in left_out.items():
            print(f"left out ({why}): {_few(files)}", file=sys.stderr)
        size = archive.tell()
        archive.seek(0)
        upload = client.post("/task-package-uploads", {"name": name})
        with progress(f"pushing {name}", size) as told:
            client.upload_form(upload, archive, size, f"{name}.zip", told)
        found = next(each for each in client.each("/task-packages", name=name) if each["name"] == name)
        if exclude_newer is not None:
            client.post(f"/task-packages/{found['id']}", {"exclude_newer": exclude_newer or None})
        package = client.get(f"/task-packages/{found['id']}")
    package.pop("upload", None)
    if room.json:
        show_json(package)
    else:
        print(package["id"])


def _few(files: list[str]) -> str:
    more = len(files) - _SHOWN
    return ", ".join(files[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
