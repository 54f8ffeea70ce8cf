"""A step run's console on its way from the robot to the server.

Lines are numbered from 0 in the attempt and sent in order, one batch at a time: what comes while a batch is on its way
waits for the next. When too much waits, whoever writes has to wait too; nothing is dropped and memory stays bounded.

A line that stays without end (a question, a progress bar) is told as it stands, with the next batch or with one of its
own, so that who watches sees it; it is a line of the console only when it has ended.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from controlroom.tasks import cancelled
from controlroom.worker.lines import Lines, LineSplitter, clean

FLUSH_SECONDS = 0.03
"""How long the first unsent line waits for company. Why: a person sees no delay, and a chatty robot costs the server 30
calls a second at most."""
_LOOK_SECONDS = 0.5
"""How often lines without end are looked for: one is told when it stands at two looks, within a second."""
_REPEAT_SECONDS = 10.0
"""After how long it is told again though nothing changed: a server that has just started does not know it."""
_BATCH_BYTES = 512 * 1024
_WAITING_BYTES = 4 * 1024 * 1024


class SendLines(Protocol):
    """Sends one batch, however often it has to try."""

    def __call__(self, text: bytes, *, first: int, count: int, at: float, unfinished: bytes) -> Awaitable[None]:
        """`count` lines, the first of which has the number `first` and was printed at about `at` (Unix seconds).

        `unfinished` is what stands after them in a line without end; the one told before counts no more.
        """
        ...


class Console:
    """The one console of an attempt, written to by the worker and by the pipes of the robot."""

    def __init__(self, send: SendLines) -> None:
        self.lines = 0
        """How many lines have been written: the number of the next one."""
        self.mask: Callable[[bytes], bytes] | None = None
        """What takes secrets out of lines; of those without end nothing is told then, since half of one would be."""
        self._send = send
        self._waiting: list[Lines] = []
        self._waiting_bytes = 0
        self._first_at = 0.0
        self._sent = 0
        self._something = asyncio.Event()
        self._hurry = asyncio.Event()
        self._closing = False
        self._when_room: list[Callable[[], None]] = []
        self._unfinished = Unfinished()
        self._is_restated = False
        self._sender = asyncio.create_task(self._send_all())
        self._looker = asyncio.create_task(self._look_for_unfinished())

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
        if self.mask is not None:
            lines = clean(self.mask(lines.text))
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

    def watch(self, stream: LineSplitter) -> None:
        """Tell what stands in this stream's line without end, from now on."""
        self._unfinished.streams[stream] = -1

    def unwatch(self, stream: LineSplitter) -> None:
        """This stream has come to its end."""
        self._unfinished.streams.pop(stream, None)

    def hurry(self) -> None:
        """Send what waits without waiting for more; more may still come."""
        if self._waiting:
            self._hurry.set()

    async def close(self) -> None:
        """Returns when every line has been acknowledged. Raises what sending raised."""
        self._closing = True
        self._looker.cancel()
        self._something.set()
        self._hurry.set()
        await self._sender

    async def abandon(self) -> None:
        """Send nothing more."""
        self._looker.cancel()
        await cancelled(self._sender)
        self._make_room()

    async def _send_all(self) -> None:
        try:
            while True:
                await self._something.wait()
                if not self._hurry.is_set():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(FLUSH_SECONDS):
                            await self._hurry.wait()
                if not self._waiting and not self._is_restated:
                    return  # only closing sets `something` when there is nothing to tell
                await self._send_batch()
        finally:
            self._make_room()

    async def _send_batch(self) -> None:
        batch, self._waiting = self._waiting, []
        at, count = self._first_at if batch else time.time(), sum(lines.count for lines in batch)
        unfinished, self._is_restated = self._unfinished.take(), False
        if self.mask is not None:
            unfinished = b""
        self._waiting_bytes = 0
        if not self._closing:
            self._something.clear()
            self._hurry.clear()
        self._make_room()
        first, self._sent = self._sent, self._sent + count
        parts = _parts(batch)
        for part in parts:
            number = sum(lines.count for lines in part)
            text = b"".join(lines.text for lines in part)
            standing = unfinished if part is parts[-1] else b""
            if number or standing:
                await self._send(text, first=first, count=number, at=at, unfinished=standing)
            first += number

    async def _look_for_unfinished(self) -> None:
        while not self._sender.done():
            await asyncio.sleep(_LOOK_SECONDS)
            if self._unfinished.look():
                self._is_restated = True
                self._something.set()
                self._hurry.set()

    def _make_room(self) -> None:
        resumes, self._when_room = self._when_room, []
        for resume in resumes:
            resume()


class Unfinished:
    """The lines without end of an attempt's streams, and which of them is told: the one that changed last."""

    def __init__(self) -> None:
        self.streams: dict[LineSplitter, int] = {}
        """The streams, each with the number of the line that stood without end at the last look (-1: none did)."""
        self._texts: dict[LineSplitter, bytes] = {}
        self._last: LineSplitter | None = None
        self._told = b""
        self._told_at = 0.0

    def look(self) -> bool:
        """Look once; whether there is something to tell that was not told yet, or long ago."""
        for stream, line in self.streams.items():
            text = stream.unfinished
            if text and line == stream.lines and text != self._texts.get(stream):
                self._texts[stream], self._last = text, stream
            self.streams[stream] = stream.lines if text else -1
        standing = self._standing()
        if not standing:
            return False
        return standing != self._told or time.monotonic() - self._told_at > _REPEAT_SECONDS

    def take(self) -> bytes:
        """What is to be told now, as it stands at this moment; it counts as told."""
        self._told, self._told_at = self._standing(), time.monotonic()
        return self._told

    def _standing(self) -> bytes:
        stream = self._last
        if stream is None or self.streams.get(stream) != stream.lines:
            return b""  # its line has ended since, and is told as one
        return stream.unfinished


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
