"""Folders for work in hand, in the data folder; what a killed process left in them is swept by whoever comes next.

A folder is locked for as long as its process lives: the lock is the kernel's, and free the moment that process is gone,
however it ended. So nobody needs to guess by age whether a folder is still in use.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
import structlog

log = structlog.get_logger(__name__)

_LOCK: Final = ".lock"
_LONE_LOCK_SECONDS: Final = 3600.0


class Scratch:
    """Folders below one, which may be shared by several processes."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def folder(self, what: str) -> Iterator[Path]:
        """A folder of mode 0700, gone with the block; `what` begins its name."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._root / f"{what}-{secrets.token_hex(8)}"
        lock_file = path.with_name(path.name + _LOCK)
        lock = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # before the folder is there: nobody sweeps it meanwhile
            path.mkdir(mode=0o700)
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
            lock_file.unlink(missing_ok=True)
            os.close(lock)

    def sweep(self) -> int:
        """Remove what dead processes left, and end what they started in it; how many folders those were."""
        if not self._root.is_dir():
            return 0
        swept = 0
        for path in sorted(self._root.iterdir()):
            if path.name.endswith(_LOCK):
                self._forget(path)
            elif path.is_dir() and (lock := _taken(path.with_name(path.name + _LOCK))) is not None:
                _end_processes_in(path)
                shutil.rmtree(path, ignore_errors=True)
                path.with_name(path.name + _LOCK).unlink(missing_ok=True)
                os.close(lock)
                swept += 1
                log.warning("what a killed process left was swept", folder=path.name)
        return swept

    def _forget(self, lock_file: Path) -> None:
        """Remove a lock that has lost its folder long ago; a new one may be about to get its folder."""
        with contextlib.suppress(OSError):
            is_lone = not lock_file.with_name(lock_file.name.removesuffix(_LOCK)).exists()
            if is_lone and time.time() - lock_file.stat().st_mtime > _LONE_LOCK_SECONDS:
                lock_file.unlink()


def _taken(lock_file: Path) -> int | None:
    """The lock, if nobody living has it."""
    lock = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _end_processes_in(folder: Path) -> None:
    """Kill what runs in a folder: children of the killed one, which outlived it."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and Path(process.cwd()).is_relative_to(folder):
                process.kill()
                process.wait(5)
