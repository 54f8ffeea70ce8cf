"""The database of an attempt that is a file: brought to the place of its programs, and back.

A file that the room keeps is worked on as a copy, by dbt projects and robots alike. At the end, whether the attempt
succeeded or not, what stands in its write-ahead log is brought into it, and it is put to the server, which makes it the
next version with the attempt's end; of an attempt that is lost nothing comes back. A file on the worker's own disk is
worked on where it lies, in a folder that the worker's operator allows (`database_folders`).
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
from controlroom.protocol import Assignment, DatabaseFile, ErrorCode
from controlroom.worker import reaching
from controlroom.worker.console import Console
from controlroom.worker.dbt.kept_files import digest
from controlroom.worker.orders import Orders
from controlroom.worker.outcomes import Failure
from controlroom.worker.phases import Phases
from controlroom.worker.places import Place
from controlroom.worker.server import AttemptReports, Refused, Superseded
from controlroom.worker.supervision import Stage, Supervisor
from controlroom.worker.time_limit import TimeLimit
from controlroom.worker.workbench import Workbench

VARIABLE: Final = "CONTROLROOM_DATABASE"
"""Where robots find the path of the file."""

_FOLDER: Final = "database"
_CHUNK: Final = 1 << 20
_UNSAVED: Final = ".wal"
"""What DuckDB appends to a file's name for its write-ahead log."""

_CHECKPOINT_SECONDS: Final = 60.0
_CHECKPOINT: Final = """\
import sys, duckdb
duckdb.connect(sys.argv[1]).execute("force checkpoint")
"""
"""Brings a write-ahead log into its file: of a program that was killed."""


class DatabaseCopy:
    """The copy that the programs of one attempt work on."""

    def __init__(
        self,
        bench: Workbench,
        assignment: Assignment,
        reports: AttemptReports,
        console: Console,
        phases: Phases,
        database: DatabaseFile,
    ) -> None:
        self._bench = bench
        self._assignment = assignment
        self._reports = reports
        self._console = console
        self._phases = phases
        self._database = database
        self._name = file_name(database)
        self._kept: Path | None = None
        self._is_away = False
        self._is_back = False

    async def fetch(self) -> None:
        """Have the current version, if there is one. Raises Invalid, Refused and Superseded."""
        if self._database.hash is not None:
            keeping = self._bench.workshop.databases
            self._kept = await keeping.fetched(self._database.hash, self._reports.fetch_database)

    async def lay_out(self, place: Place) -> str:
        """Put the copy into a place where nothing has run; its path as programs there see it."""
        folder = place.work / _FOLDER
        reaching.make(place, folder)
        if self._kept is not None:
            await asyncio.to_thread(reaching.put, place, self._kept, folder, self._name)
        self._is_away = True
        return str(place.inside(folder / self._name))

    async def give_back(self, stage: Stage, variables: dict[str, str]) -> None:
        """Let the server have what the programs made of it, once; they have ended.

        Raises Failure if it can't be kept, and Superseded.
        """
        if not self._is_away or self._is_back:
            return
        self._is_back = True
        place, folder = stage.place, stage.place.work / _FOLDER
        if has_unsaved(place, folder, self._name):
            await self._checkpoint(stage, variables, str(place.inside(folder / self._name)))
        file = take(place, folder, self._name, place.folder)
        if file is None:
            return
        try:
            await _put(self._reports, file, self._database)
        except Superseded:
            raise
        except (DatabaseNotHad, Refused) as error:
            raise Failure(ErrorCode.ROBOT_FAILED, error.message) from error
        found = await asyncio.to_thread(digest, file)
        await asyncio.to_thread(self._bench.workshop.databases.keep, found, file, moved=True)

    async def _checkpoint(self, stage: Stage, variables: dict[str, str], path: str) -> None:
        argv = [str(stage.environment.python), "-c", _CHECKPOINT, path]
        aside = Supervisor(self._bench, Orders(self._assignment), self._console, self._phases)
        aside.limit = TimeLimit(_CHECKPOINT_SECONDS)
        await aside.run(argv, variables, stage, spare=None)


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
        with reaching.opened(place, folder) as parent:
            return stat.S_ISREG(os.stat(name + _UNSAVED, dir_fd=parent, follow_symlinks=False).st_mode)
    except OSError:
        return False


def take(place: Place, folder: Path, name: str, into: Path) -> Path | None:
    """Take a database out of its place, into a folder of the worker's; None if there is no such file."""
    taken = into / name
    try:
        with reaching.opened(place, folder) as parent:
            os.rename(name, taken, src_dir_fd=parent)
    except OSError:
        return None
    return taken if stat.S_ISREG(taken.lstat().st_mode) else None


async def _put(reports: AttemptReports, file: Path, database: DatabaseFile) -> None:
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
