"""One process of the pool, as the server holds it."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Final, Self

from controlroom.aside.wire import LENGTH, Reply, read_reply

_KEPT_VARIABLES: Final = frozenset(
    {"HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH", "PYTHONTZPATH", "TMPDIR"}
)
"""Of the environment. Why no more: it has the address of the database and the key of the secrets in it."""
_MOST_REPLY: Final = 128 << 20
_PIECE: Final = 1 << 20


class Ended(Exception):  # noqa: N818 - it is no fault of ours
    """The process has ended before it answered: it was killed, or has broken down."""


class Process:
    """Started, asked one call at a time, ended."""

    def __init__(
        self, program: "subprocess.Popen[bytes]", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._program = program
        self._reader = reader
        self._writer = writer
        self.pid = program.pid
        self._alarm: asyncio.TimerHandle | None = None

    @classmethod
    async def start(cls) -> Self:
        """A new one. In a thread: a large server takes milliseconds to start a program."""
        ours, theirs = socket.socketpair()
        with theirs:
            program = await asyncio.to_thread(_started, theirs.fileno())
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=_PIECE)
        return cls(program, reader, writer)

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked; the system may have ended it while it rested."""
        return self._program.poll() is None

    @property
    def has_given_up(self) -> bool:
        """Whether it ended by itself, and was not killed: by its time, by its memory, or by us."""
        return (self._program.poll() or 0) > 0

    async def ask(self, frame: bytes, *, seconds: float) -> Reply:
        """What it answers within so long on the clock. Raises Ended, TimeoutError: then it is to be killed."""
        try:
            async with asyncio.timeout(seconds):
                self._writer.writelines((LENGTH.pack(len(frame)), frame))
                await self._writer.drain()
                (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
                if length > _MOST_REPLY:
                    raise Ended
                reply: Reply = read_reply(await self._reader.readexactly(length))
                return reply
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Ended from None

    def rest(self, seconds: float, then: "Callable[[Process], None]") -> None:
        """Call `then` after so long a rest."""
        self._alarm = asyncio.get_running_loop().call_later(seconds, then, self)

    def stop_resting(self) -> None:
        """It is wanted, or at its end."""
        if self._alarm is not None:
            self._alarm.cancel()

    async def end(self) -> None:
        """Kill it and wait until it is gone."""
        self.stop_resting()
        self._writer.close()
        with contextlib.suppress(ProcessLookupError):
            self._program.kill()
        await asyncio.to_thread(self._program.wait)


def _started(line: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "controlroom.aside.child"],
        stdin=line,
        stdout=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name in _KEPT_VARIABLES},
        start_new_session=True,  # Ctrl-C is for the server, whose end is ours
    )
