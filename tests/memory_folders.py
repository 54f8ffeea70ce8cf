"""Folders in memory, where there is plenty: hundreds of databases are sixty thousand files, half a minute of a disk."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import psutil

_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - nothing in it has a name that can be guessed
_ROOM, _SPARE = 4 << 30, 8 << 30
"""Bytes that must be free in it, and in the machine, before a folder is made there: one takes up to a gigabyte."""


def memory_folder(prefix: str) -> Path:
    """A new folder of one's own for what may be lost with the machine; on a disk where memory is scarce.

    No program is run from it: it may be where none may.
    """
    is_roomy = os.access(_IN_MEMORY, os.W_OK) and shutil.disk_usage(_IN_MEMORY).free >= _ROOM
    is_roomy = is_roomy and psutil.virtual_memory().available >= _SPARE
    return Path(tempfile.mkdtemp(prefix=prefix, dir=_IN_MEMORY if is_roomy else None))
