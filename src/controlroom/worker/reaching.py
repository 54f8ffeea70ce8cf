"""Ways into the place of a program without following links: the program may have put some in place of its folders."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from controlroom.worker.places import Place

FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""How a file is opened that a program has left."""
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def opened(place: Place, folder: Path) -> Iterator[int]:
    """A folder in a place, reached without following a link. Raises OSError."""
    descriptor = os.open(place.work, _FOLDER)
    try:
        for part in folder.relative_to(place.work).parts:
            inner = os.open(part, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def put(place: Place, source: Path, folder: Path, name: str) -> None:
    """Give a program a copy of a file of the worker's, in place of whatever lies there. Raises OSError.

    The file may be one that a program has left: a link is not followed.
    """
    with opened(place, folder) as parent:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with (
            os.fdopen(os.open(source, FILE), "rb") as reading,
            os.fdopen(os.open(name, flags, 0o600, dir_fd=parent), "wb") as writing,
        ):
            shutil.copyfileobj(reading, writing, 1 << 20)
            if place.user is not None:
                os.fchown(writing.fileno(), place.user.uid, place.user.uid)


def make(place: Place, folder: Path) -> None:
    """Make a folder of a program's, in one that exists. Only before anything of it has run."""
    folder.mkdir(mode=0o755, exist_ok=True)
    place.own(folder)
