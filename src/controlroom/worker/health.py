"""Whether this worker can work. One that can't takes no work: it rests, says why, and looks again.

There are two reasons to rest. A folder has no room (or can't be written to): that is looked at before each claim, and
the worker rests until it is over. Or a step run could not be begun: then the worker rests for a moment, for longer the
more often that happens in a row, so that others get what it would only give back.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 2.0
_FIRST_REST_SECONDS = 2.0
_LONGEST_REST_SECONDS = 60.0
_LONGEST_REASON = 500
_FEWEST_FILES = 100
_PROBE = bytes(4096)


class Health:
    """Why the worker rests, if it does."""

    def __init__(self, folders: Iterable[Path], *, min_free_bytes: int) -> None:
        """Rest while one of the folders, or the nearest one above it that exists, has less room than this."""
        self._folders = tuple(folders)
        self._min_free_bytes = min_free_bytes
        self._failures = 0
        self._rests_until = 0.0
        self._reason = ""
        self.trouble = ""
        """Why no work is taken; empty if it is."""
        self.when_changed: Callable[[], None] = lambda: None
        """Called whenever `trouble` is another."""

    def look(self) -> str:
        """What is wrong with the folders now; empty if nothing is. Costs a few system calls."""
        for folder in map(_nearest, self._folders):
            try:
                status = os.statvfs(folder)
                if self._failures:
                    _write_into(folder)
            except OSError as error:
                return f"{folder} can't be used: {error.strerror}"
            free = status.f_bavail * status.f_frsize
            if free < self._min_free_bytes:
                return f"{folder} has only {free / 1e6:,.0f} MB free (of {self._min_free_bytes / 1e6:,.0f} needed)"
            if status.f_files and status.f_favail < _FEWEST_FILES:
                return f"{folder} has no room for more files"
        return ""

    def failed(self, reason: str) -> None:
        """A step run could not be begun."""
        self._failures += 1
        rest = min(_LONGEST_REST_SECONDS, _FIRST_REST_SECONDS * 2.0 ** (self._failures - 1))
        self._rests_until = time.monotonic() + rest
        self._reason = reason[:_LONGEST_REASON]
        self._tell(self._reason)

    def succeeded(self) -> None:
        """A robot has begun."""
        self._failures = 0

    async def recovered(self, deadline: float) -> None:
        """Returns as soon as work can be taken, at the latest then (of the monotonic clock)."""
        while (now := time.monotonic()) < deadline:
            trouble = self.look()
            rest = _LOOK_SECONDS if trouble else self._rests_until - now
            if rest <= 0:
                self._tell("")
                return
            self._tell(trouble or self._reason)
            await asyncio.sleep(min(rest, _LOOK_SECONDS, deadline - now))

    def _tell(self, trouble: str) -> None:
        if trouble == self.trouble:
            return
        self.trouble = trouble
        if trouble:
            log.warning("worker rests", reason=trouble)
        else:
            log.info("worker takes work again")
        self.when_changed()


def _nearest(folder: Path) -> Path:
    return next((each for each in (folder, *folder.parents) if each.is_dir()), folder)


def _write_into(folder: Path) -> None:
    """Write a little that nobody sees; raises OSError where that is impossible."""
    with suppress(IsADirectoryError, NotImplementedError):
        descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
        try:
            os.write(descriptor, _PROBE)
        finally:
            os.close(descriptor)
