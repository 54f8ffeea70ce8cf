"""Locks between processes, kept by the kernel: whatever kills a holder also frees its lock."""

import asyncio
import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

_POLL_SECONDS = 0.05
"""How often a waiting process asks again: flock has no asynchronous form, and a blocked thread cannot be cancelled."""


class FileLock:
    """A shared or exclusive lock on a file, which is made when it is absent.

    The file may be removed by the holder of the exclusive lock (`remove`): whoever waited on the removed file notices
    and takes the new one.
    """

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self._path = path

    @classmethod
    def try_take(cls, path: Path, *, exclusive: bool) -> Self | None:
        """The lock if it is free now, else None."""
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return None
            if _is_at(descriptor, path):
                return cls(descriptor, path)
            os.close(descriptor)  # it was removed between our open and our lock: what we hold locks nobody out

    @classmethod
    async def take(cls, path: Path, *, exclusive: bool, waiting: Callable[[], None] = lambda: None) -> Self:
        """The lock, however long that takes; `waiting` is called once if it is not free at once."""
        told = False
        while (lock := cls.try_take(path, exclusive=exclusive)) is None:
            if not told:
                waiting()
                told = True
            await asyncio.sleep(_POLL_SECONDS)
        return lock

    def remove(self) -> None:
        """Remove the file and free the lock. Only for the exclusive holder."""
        with suppress(FileNotFoundError):
            self._path.unlink()
        self.release()

    def release(self) -> None:
        """Free the lock; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one that has this name now."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False
