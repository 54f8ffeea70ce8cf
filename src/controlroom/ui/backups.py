"""Backups that are made from the console, on the machine of a server: one at a time, beside all else."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from msgspec import Struct

from controlroom.errors import Conflict

log = structlog.get_logger(__name__)


class BackupFile(Struct, frozen=True):
    """One that is whole."""

    name: str
    size: int
    made_at: datetime


class Backups:
    """The backups of one server process. What is not whole when it dies has another name, and is no backup."""

    def __init__(self, folder: Path, make: Callable[[Path], Coroutine[Any, Any, int]]) -> None:
        """`make` writes one into a file that is not there, and tells its size."""
        self.folder = folder
        self._make = make
        self._task: asyncio.Task[int] | None = None
        self.failure = ""
        """Why the last one that was begun here was not made."""

    @property
    def is_running(self) -> bool:
        """Whether one is being made."""
        return self._task is not None and not self._task.done()

    def begin(self, name: str) -> None:
        """Make one, of this name. Raises Conflict while another is made."""
        if self.is_running:
            raise Conflict("A backup is being made already.", code="BACKUP_RUNS")
        self.failure = ""
        self._task = asyncio.create_task(self._make(self.folder / name), name="backup")
        self._task.add_done_callback(self._ended)

    def _ended(self, done: asyncio.Task[int]) -> None:
        if not done.cancelled() and (failed := done.exception()) is not None:
            self.failure = str(failed) or type(failed).__name__
            log.error("backup failed", exc_info=failed)

    def free(self) -> float | None:
        """Which part of the disk is free on which the backups lie, as a rule with all else; None: nobody knows."""
        place = next((each for each in (self.folder, *self.folder.parents) if each.is_dir()), None)
        if place is None:
            return None
        usage = shutil.disk_usage(place)
        return usage.free / usage.total if usage.total else None

    def files(self) -> list[BackupFile]:
        """Those that are whole, the newest first. Reads the disk."""
        found = []
        for file in self.folder.glob("*.backup") if self.folder.is_dir() else []:
            try:
                stat = file.stat()
            except OSError:  # taken away meanwhile
                continue
            found.append(BackupFile(file.name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC)))
        return sorted(found, key=lambda each: each.made_at, reverse=True)
