"""Files that commands read and write."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from controlroom import file_names
from controlroom.cli.errors import CommandFailed


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which has its name only when all of it is there."""
    try:
        if path.is_dir():
            raise CommandFailed(f"{path} cannot be written: it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        # Why not the file's own name in it: that may be as long as a name can be
        descriptor, aside = tempfile.mkstemp(prefix=".controlroom.", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
        umask = os.umask(0)
        os.umask(umask)
        Path(aside).chmod(0o666 & ~umask)
        Path(aside).replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        Path(aside).unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> CommandFailed:
    return CommandFailed(f"{path} cannot be written: {error.strerror or error}")


class FileToSend(NamedTuple):
    """A file that a command sends, under a name that none of the others has."""

    path: Path
    name: str
    size: int


def files_to_send(paths: Iterable[Path]) -> list[FileToSend]:
    """All of these files, looked at before anything is changed. Raises CommandFailed for one that cannot be sent.

    Two of one name stay two: the second gets a number, and that is told.
    """
    found: list[FileToSend] = []
    seen: set[Path] = set()
    for path in paths:
        size, whole = _size(path), path.resolve()
        if whole in seen:
            continue
        seen.add(whole)
        wanted = file_names.shortened(file_names.as_text(path.name))
        name = file_names.unique(wanted, {each.name for each in found})
        if name != wanted:
            print(f"{path} is sent as {name!r}: there is another {wanted!r}", file=sys.stderr)
        found.append(FileToSend(path, name, size))
    return found


def file_to_send(path: Path) -> FileToSend:
    """Likewise, one."""
    [found] = files_to_send([path])
    return found


def _size(path: Path) -> int:
    """The size of a file that can be read. Raises CommandFailed for what is none."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise CommandFailed(f"{path} is a folder: a file is needed")
        size = status.st_size
        is_plain = stat.S_ISREG(status.st_mode)
        if is_plain:
            with path.open("rb") as file:  # the system's own files, in /proc, say that they are empty
                is_plain = size > 0 or not file.read(1)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror or error}") from error
    if not is_plain:
        raise CommandFailed(f"{path} is no plain file: how long it is cannot be known")
    return size


class Downloads:
    """The files that one command writes: no two of them are one, whatever the file system makes of their names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: set[tuple[int, int]] = set()

    @contextmanager
    def file(self, name: str) -> Iterator[tuple[Path, IO[bytes]]]:
        """Where a file of this relative name goes, and the file to write. Raises CommandFailed."""
        wanted = path = inside(self._folder, file_names.shortened_path(name))
        tried: set[str] = set()
        while _identity(path) in self._written:  # where case, accents or the end of a name make no difference
            tried.add(path.name)
            path = wanted.with_name(file_names.unique(wanted.name, tried))
        with whole_file(path) as out:
            yield path, out
        if (identity := _identity(path)) is not None:
            self._written.add(identity)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def inside(folder: Path, name: str) -> Path:
    """The path of a name that a room gave, below a folder. Raises CommandFailed for one that leads out of it."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise CommandFailed(f"{name!r} leads out of {folder}")
    return path
