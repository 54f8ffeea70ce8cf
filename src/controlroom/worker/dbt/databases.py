"""The database of a run that is a file: brought to the run's place, and back.

A file that the room keeps is worked on as a copy. At the end, whether the run succeeded or not, what stands in its
write-ahead log is brought into it, and it is put to the server, which makes it the next version with the attempt's end;
of an attempt that is lost nothing comes back. A file on the worker's own disk is worked on where it lies, in a folder
that the worker's operator allows (`database_folders`).
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import structs

from controlroom.errors import Invalid
from controlroom.project_plans import DatabaseFile
from controlroom.worker.dbt import leavings
from controlroom.worker.places import Place
from controlroom.worker.server import AttemptReports

FOLDER: Final = "database"
_CHUNK: Final = 1 << 20
_UNSAVED: Final = ".wal"
"""What DuckDB appends to a file's name for its write-ahead log."""

CHECKPOINT: Final = """\
import sys, duckdb
duckdb.connect(sys.argv[1]).execute("force checkpoint")
"""
"""Brings a write-ahead log into its file: of a command that was killed."""


class DatabaseNotHad(Invalid):
    """The file of a database can't be used; why is in the message."""

    code = "DATABASE_NOT_HAD"


def file_name(database: DatabaseFile) -> str:
    """The name of the file in the run's place: DuckDB takes the database's name from it."""
    name = Path(database.name).name
    return name if name not in {"", ".", ".."} else f"database-{database.connection}"


def on_disk(path: str, allowed: Sequence[Path], place: Place) -> Path:
    """A file on the worker's disk, if it lies in an allowed folder and the run's user may use it.

    Raises DatabaseNotHad.
    """
    if not allowed:
        raise DatabaseNotHad(
            "The connection's database lies in a folder of the worker, and this worker allows none (database_folders)."
        )
    file = Path(os.path.realpath(path)) if path.startswith("/") else Path(os.path.realpath(allowed[0] / path))
    roots = [Path(os.path.realpath(folder)) for folder in allowed]
    if not any(file.is_relative_to(root) and file != root for root in roots):
        raise DatabaseNotHad(f"{path} does not lie in a folder that this worker allows (database_folders).")
    if not file.parent.is_dir():
        raise DatabaseNotHad(f"The folder of {path} does not exist on this worker.")
    for each in (file, file.with_name(file.name + _UNSAVED)):
        _hand_over(each, place)
    return file


def with_folder(place: Place, folder: Path) -> Place:
    """A place from which a folder of the worker's disk can be written to."""
    return structs.replace(place, writable=(*place.writable, folder))


def _hand_over(file: Path, place: Place) -> None:
    """Give a database's file to the run's user: it was another run's, who was another user."""
    if place.user is None:
        return
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as error:
        raise DatabaseNotHad(f"{file.name} can't be opened: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise DatabaseNotHad(f"{file.name} is no file of its own.")
        os.fchown(descriptor, place.user.uid, place.user.uid)
    finally:
        os.close(descriptor)


def has_unsaved(place: Place, folder: Path, name: str) -> bool:
    """Whether a write-ahead log was left beside a database."""
    try:
        with leavings.opened(place, folder) as parent:
            return stat.S_ISREG(os.stat(name + _UNSAVED, dir_fd=parent, follow_symlinks=False).st_mode)
    except OSError:
        return False


def take(place: Place, folder: Path, name: str, into: Path) -> Path | None:
    """Take a database out of its place, into a folder of the worker's; None if there is no such file."""
    taken = into / name
    try:
        with leavings.opened(place, folder) as parent:
            os.rename(name, taken, src_dir_fd=parent)
    except OSError:
        return None
    return taken if stat.S_ISREG(taken.lstat().st_mode) else None


async def put(reports: AttemptReports, file: Path, database: DatabaseFile) -> None:
    """Send a database, a file of the worker's. Raises DatabaseNotHad and what sending raises."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        if size > database.most_bytes:
            raise DatabaseNotHad(
                f"The database {file.name} has become {size:,} bytes large, and may be {database.most_bytes:,}: "
                "its changes are not kept."
            )
        await reports.database(size, partial(_chunks, descriptor, size))
    finally:
        os.close(descriptor)


async def _chunks(descriptor: int, size: int) -> AsyncIterator[bytes]:
    position = 0
    while position < size:
        chunk = await asyncio.to_thread(os.pread, descriptor, min(_CHUNK, size - position), position)
        if not chunk:
            raise OSError("the database became shorter while it was read")
        yield chunk
        position += len(chunk)
