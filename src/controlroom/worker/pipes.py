"""The pipes through which a robot prints."""

import asyncio
import fcntl
import os
from contextlib import suppress
from pathlib import Path

import structlog

from controlroom.worker.console import Console
from controlroom.worker.lines import LineSplitter

log = structlog.get_logger(__name__)

_CHUNK_BYTES = 256 * 1024
_PIPE_BYTES = 256 * 1024
"""Why more than the kernel's 64 KiB: a robot that prints a lot is woken a quarter as often."""


class OutputPipe:
    """One stream of a robot: read as it comes, kept raw in a file, passed on as lines.

    A full console stops the reading, so that the pipe fills and the robot waits in its `write`.
    """

    def __init__(self, raw: Path) -> None:
        """The pipe, whose `writing_end` the robot gets. `raw` is created when there is something to keep."""
        self._reading_end, self.writing_end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._reading_end, False)
        with suppress(OSError):  # the user's share of pipe memory may be used up: a small pipe does too
            fcntl.fcntl(self._reading_end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._raw = raw
        self._raw_file = -1
        self._splitter = LineSplitter()
        self._loop = asyncio.get_running_loop()
        self._console: Console | None = None
        self._at_end = asyncio.Event()

    def robot_has_it(self) -> None:
        """Forget the writing end, after the robot was started: only then does the pipe end when the robot does."""
        if self.writing_end >= 0:
            os.close(self.writing_end)
            self.writing_end = -1

    def read_into(self, console: Console) -> None:
        """Begin to read."""
        self._console = console
        console.watch(self._splitter)
        self._loop.add_reader(self._reading_end, self._read)

    async def drain(self, patience: float) -> None:
        """Wait for the end of the stream, then pass on a last line without LF.

        A process that escaped and keeps the pipe open is not waited for longer than `patience`: what it wrote until
        then is read.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._at_end.wait()
        self.close()

    def close(self) -> None:
        """Read no more."""
        if self._reading_end < 0:
            return
        self.robot_has_it()
        self._loop.remove_reader(self._reading_end)
        os.close(self._reading_end)
        self._reading_end = -1
        if self._raw_file >= 0:
            os.close(self._raw_file)
        if self._console is not None:
            self._console.write(self._splitter.finish())
            self._console.unwatch(self._splitter)
        self._at_end.set()

    def _read(self) -> None:
        if self._reading_end < 0 or self._console is None:
            return
        try:
            chunk = os.read(self._reading_end, _CHUNK_BYTES)
        except BlockingIOError:
            return
        if not chunk:
            self._loop.remove_reader(self._reading_end)
            self._at_end.set()
            return
        self._keep(chunk)
        self._console.write(self._splitter.feed(chunk))
        if self._console.is_full:
            self._loop.remove_reader(self._reading_end)
            self._console.when_room(self._go_on)

    def _go_on(self) -> None:
        if self._reading_end >= 0:
            self._loop.add_reader(self._reading_end, self._read)

    def _keep(self, chunk: bytes) -> None:
        if self._raw_file == -1:
            self._raw_file = os.open(self._raw, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_APPEND, 0o600)
        try:
            os.write(self._raw_file, chunk)
        except OSError as error:  # a full disk must not end the robot; the console still has the lines
            log.warning("raw log is incomplete", file=str(self._raw), reason=repr(error))
