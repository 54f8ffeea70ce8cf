"""Files that commands write."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from controlroom.cli.errors import CommandFailed


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which has its name only when all of it is there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
        umask = os.umask(0)
        os.umask(umask)
        Path(aside).chmod(0o666 & ~umask)
        Path(aside).replace(path)
    finally:
        Path(aside).unlink(missing_ok=True)


def inside(folder: Path, name: str) -> Path:
    """The path of a name that a room gave, below a folder. Raises CommandFailed for one that leads out of it."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise CommandFailed(f"{name!r} leads out of {folder}")
    return path
