"""Files that are there whole or not at all, for whoever reads or writes them at that moment."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_NAME_BYTES = 200
"""What is kept of a file's name, of the 255 bytes that names may have."""


def aside(path: Path) -> Path:
    """A name beside `path`, on its disk, that no other thread or process writes to."""
    name = os.fsdecode(os.fsencode(path.name)[:_NAME_BYTES])
    return path.with_name(f".{name}.{secrets.token_hex(8)}")


@contextmanager
def written(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A file to write to, which becomes `path` at the end, on disk; after an error, `path` is what it was.

    Several may write at once: the last one to end wins. No link at `path` is followed. Raises OSError.
    """
    new = aside(path)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            os.fchmod(file.fileno(), mode)  # whatever the umask is
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Make `path` a file with this content. Raises OSError."""
    with written(path, mode) as file:
        file.write(content)
