"""A step run's console on its way from the robot to the server.

Lines are numbered from 0 in the attempt and sent in order, one batch at a time: what comes while a batch is on its way
waits for the next. When too much waits, whoever writes has to wait too; nothing is dropped and memory stays bounded.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from controlroom.worker.lines import Lines, clean

FLUSH_SECONDS = 0.03
"""How long the first unsent line waits for company. Why: a person sees no delay, and a chatty robot costs the server 30
calls a second at most."""
_BATCH_BYTES = 512 * 1024
_WAITING_BYTES = 4 * 1024 * 1024


class SendLines(Protocol):
    """Sends one batch, however often it has to try."""

    def __call__(self, text: bytes, *, first: int, count: int, at: float) -> Awaitable[None]:
        """`count` lines, the first of which has the number `first` and was printed at about `at` (Unix seconds)."""
        ...


class Console:
    """The one console of an attempt, written to by the worker and by the pipes of the robot."""

    def __init__(self, send: SendLines) -> None:
        self.lines = 0
        """How many lines have been written: the number of the next one."""
        self._send = send
        self._waiting: list[Lines] = []
        self._waiting_bytes = 0
        self._first_at = 0.0
        self._sent = 0
        self._something = asyncio.Event()
        self._hurry = asyncio.Event()
        self._closing = False
        self._when_room: list[Callable[[], None]] = []
        self._sender = asyncio.create_task(self._send_all())

    @property
    def is_full(self) -> bool:
        """Whether writers should wait (see `when_room`)."""
        return self._waiting_bytes >= _WAITING_BYTES

    def when_room(self, resume: Callable[[], None]) -> None:
        """Call this once when there is room again."""
        self._when_room.append(resume)

    def write(self, lines: Lines) -> None:
        """Take lines, to be sent soon."""
        if not lines.count or self._sender.done():
            return  # after the server refused lines, nobody wants them any more: `close` says so
        if not self._waiting:
            self._first_at = time.time()
        self._waiting.append(lines)
        self._waiting_bytes += len(lines.text)
        self.lines += lines.count
        self._something.set()
        if self._waiting_bytes >= _BATCH_BYTES:
            self._hurry.set()

    def say(self, message: str) -> None:
        """A message of the worker itself."""
        self.write(clean(message.rstrip("\n").encode("utf-8", "replace") + b"\n"))

    def hurry(self) -> None:
        """Send what waits without waiting for more; more may still come."""
        if self._waiting:
            self._hurry.set()

    async def close(self) -> None:
        """Returns when every line has been acknowledged. Raises what sending raised."""
        self._closing = True
        self._something.set()
        self._hurry.set()
        await self._sender

    async def abandon(self) -> None:
        """Send nothing more."""
        self._sender.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await self._sender
        self._make_room()

    async def _send_all(self) -> None:
        try:
            while True:
                await self._something.wait()
                if not self._hurry.is_set():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._hurry.wait(), FLUSH_SECONDS)
                if not self._waiting:
                    return  # only closing sets `something` without a line
                await self._send_batch()
        finally:
            self._make_room()

    async def _send_batch(self) -> None:
        batch, self._waiting = self._waiting, []
        at, count = self._first_at, sum(lines.count for lines in batch)
        self._waiting_bytes = 0
        if not self._closing:
            self._something.clear()
            self._hurry.clear()
        self._make_room()
        first, self._sent = self._sent, self._sent + count
        for part in _parts(batch):
            number = sum(lines.count for lines in part)
            await self._send(b"".join(lines.text for lines in part), first=first, count=number, at=at)
            first += number

    def _make_room(self) -> None:
        resumes, self._when_room = self._when_room, []
        for resume in resumes:
            resume()


def _parts(batch: list[Lines]) -> list[list[Lines]]:
    """The batch in parts of about `_BATCH_BYTES`, so that no request is huge."""
    parts: list[list[Lines]] = [[]]
    size = 0
    for lines in batch:
        if size >= _BATCH_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(lines)
        size += len(lines.text)
    return parts
