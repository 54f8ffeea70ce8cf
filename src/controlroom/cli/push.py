"""`controlroom push`."""

import tempfile
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from controlroom.cli.address import address
from controlroom.cli.client import Client
from controlroom.cli.display import progress, show_json
from controlroom.cli.lookup import package_called
from controlroom.cli.options import HERE, RoomOptions
from controlroom.robots.archive import pack

_IN_MEMORY = 16 * 1024 * 1024


def push(
    folder: Path,
    /,
    *,
    name: Annotated[str | None, Parameter(alias="-n")] = None,
    room: RoomOptions = HERE,
) -> None:
    """Upload a robot's folder as a task package.

    A package of that name gets a new version; runs that go on keep theirs. Prints the package's id.

    Parameters
    ----------
    folder
        The robot: a folder with robot.yaml (files named by its ignoreFiles stay out).
    name
        Name of the package; the folder's name if not given.
    """
    name = name or folder.resolve().name
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as archive, Client(address(room)) as client:
        pack(folder, archive)
        size = archive.tell()
        archive.seek(0)
        package = client.get(f"/task-packages/{package_called(client, name)['id']}")
        with progress(f"pushing {name}", size) as told:
            client.upload_form(package["upload"], archive, size, f"{name}.zip", told)
        package = client.get(f"/task-packages/{package['id']}")
    package.pop("upload", None)
    if room.json:
        show_json(package)
    else:
        print(package["id"])
