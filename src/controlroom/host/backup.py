"""`controlroom backup` and `controlroom restore`."""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Self

from cyclopts import Parameter

from controlroom.cli.address import data_folder
from controlroom.cli.screen import terminal
from controlroom.host import progress
from controlroom.host.mail import joined
from controlroom.host.variables import warn_of_unknown_variables
from controlroom.settings import load

if TYPE_CHECKING:
    from controlroom.backups.listed import Missing

_BEGINNING: Final = "\r\x1b[K"
_SECONDS: Final = 10.0
"""Between two lines that pass, where each stays. Why: a cron job's mail of an hour's backup is 360 lines then."""
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
    path, tell = file.absolute(), _Telling()

    async def run() -> int:
        room = settings if settings.database_url is not None else await joined(settings)
        return await make(room, path, with_key=with_key, tell=tell)

    with tell:
        size = asyncio.run(run())
    print(f"{file} ({size / 1e6:,.1f} MB)")
    if not with_key:
        tell("the master key is not in it: without that key nobody opens the secrets of a restored room")


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
    with _Telling() as tell:
        restored = asyncio.run(bring_back(settings, file.absolute(), key=key, tell=tell))
    folder, head = settings.data.absolute(), restored.head
    print(f"{folder} is the room as it was at {head.begun_at}")
    if head.objects_url is not None:
        _tell_of_objects(head.objects_url, restored.missing, tell)
    if not (head.has_key or key is not None or settings.master_key is not None):
        tell(f"put its master key to {folder / 'master.key'}, or set CONTROLROOM_MASTER_KEY, before it is started")


def _tell_of_objects(url: str, missing: "Missing | None", tell: "_Telling") -> None:
    if missing is None:
        tell(
            f"its objects are at {url}, and nobody has looked whether all are there: set CONTROLROOM_OBJECTS_URL "
            "before it is started (and before `restore`, which then looks)"
        )
    elif missing.count:
        names = ", ".join(missing.some) + (" …" if missing.count > len(missing.some) else "")
        tell(
            f"warning: {missing.count:,} of the {missing.listed:,} objects that the backup lists are not where "
            f"CONTROLROOM_OBJECTS_URL says, and what needs them fails: {names}"
        )
    else:
        tell(f"all {missing.listed:,} objects that the backup lists are where CONTROLROOM_OBJECTS_URL says")


class _Telling:
    """Lines on standard error: on a terminal those that pass take each other's place, elsewhere only some are there."""

    def __init__(self) -> None:
        self._out = terminal(sys.stderr)
        self._is_terminal = self._out.isatty()
        self._passed = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._clear()

    def __call__(self, line: str) -> None:
        self._clear()
        progress.tell(line)

    def passing(self, line: str) -> None:
        """See `Tell`."""
        if self._is_terminal:
            self._out.write(_BEGINNING + line)
            self._out.flush()
        elif time.monotonic() - self._passed >= _SECONDS:
            self._passed = time.monotonic()
            progress.tell(line)

    def _clear(self) -> None:
        if self._is_terminal:
            self._out.write(_BEGINNING)
            self._out.flush()
