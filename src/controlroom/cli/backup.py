"""`controlroom backup` and `controlroom restore`."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from controlroom.cli.address import data_folder
from controlroom.cli.mail import joined
from controlroom.cli.variables import warn_of_unknown_variables
from controlroom.settings import load

_Path = Annotated[Path | None, Parameter(show_default=False)]
_Flag = Annotated[bool, Parameter(negative=(), show_default=False)]


def backup(file: Path, /, *, data: _Path = None, with_key: _Flag = False) -> None:
    """Write a backup of a room that runs: database and objects in one file, read back before it has its name.

    The room is that which `up` runs on this machine, or, with CONTROLROOM_DATABASE_URL (and CONTROLROOM_OBJECTS_URL and
    CONTROLROOM_MASTER_KEY) as its servers have them, one of several machines. Objects in a bucket are listed only.

    Parameters
    ----------
    file
        The file to write; one that is there is not overwritten.
    data
        Data folder of the room that runs on this machine [./controlroom-data, else the one that your commands find].
    with_key
        Take the master key along: the file then opens every secret in it. Without it, keep the key elsewhere.
    """
    from controlroom.backups.making import make  # noqa: PLC0415 - most commands need none of it

    warn_of_unknown_variables(os.environ)
    settings = load({"data": data or data_folder()})

    path = file.absolute()

    async def run() -> int:
        room = settings if settings.database_url is not None else await joined(settings)
        return await make(room, path, with_key=with_key, tell=_tell)

    size = asyncio.run(run())
    print(f"{file} ({size / 1e6:,.1f} MB)")
    if not with_key:
        _tell("the master key is not in it: without that key nobody opens the secrets of a restored room")


def restore(file: Path, /, *, data: _Path = None, key: _Path = None) -> None:
    """Make a room of a backup, in a folder that is empty or not there yet; start it as ever.

    With CONTROLROOM_DATABASE_URL the database goes into that one, which must be empty.

    Parameters
    ----------
    file
        The backup.
    data
        Data folder of the new room [./controlroom-data].
    key
        File of the master key, for a backup without one.
    """
    from controlroom.backups.restoring import restore as bring_back  # noqa: PLC0415 - as above

    warn_of_unknown_variables(os.environ)
    settings = load({"data": data})
    head = asyncio.run(bring_back(settings, file.absolute(), key=key, tell=_tell))
    folder = settings.data.absolute()
    print(f"{folder} is the room of {head.begun_at}")
    if head.objects_url is not None:
        _tell(f"its objects are at {head.objects_url}: set CONTROLROOM_OBJECTS_URL before it is started")
    if not (head.has_key or key is not None or settings.master_key is not None):
        _tell(f"put its master key to {folder / 'master.key'}, or set CONTROLROOM_MASTER_KEY, before it is started")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
