"""A transport as a connection's protocol uses it: heads leave with bodies, and a close waits for what is on its way."""

import asyncio
import select
from collections.abc import Callable
from typing import Final

_HEAD: Final = b"HTTP/1.1 "
_STATUS: Final = len(_HEAD)
_REFUSED: Final = ord("4")
_HUNG_UP: Final = getattr(select, "POLLRDHUP", select.POLLHUP)
_JOINED_AT_MOST: Final = 65_536
"""Larger bodies are not copied to be joined: their head is a small part of what is sent anyway."""


class Wire:
    """A transport that holds a head back until the body follows; at the latest until the loop's next turn.

    So the head of a stream that has nothing to say yet is not delayed. `lingers` is asked before the transport is
    closed: while the caller still sends, closing would reset the connection, and lose the answer on its way (RFC 9112
    §9.6). Then only our half is closed, and whoever said so sees to the end.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, lingers: Callable[[], bool]
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._lingers = lingers
        self._head: bytes | None = None
        self._is_lingering = False
        self._write = transport.write
        self._written = 0
        self._sent = 0
        self._stuck_since: float | None = None
        self.has_refused = False
        """Whether the last answer was a refusal."""
        self.is_lost = False
        """Whether the connection has ended."""
        self.has_failed = False
        """Whether something could not be written, because the caller's side has gone."""
        self.get_extra_info = transport.get_extra_info
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.set_protocol = transport.set_protocol
        self.abort = transport.abort

    def write(self, data: bytes) -> None:
        """Send, sooner or later."""
        head = self._head
        if head is not None:
            self._head = None
            if len(data) <= _JOINED_AT_MOST:
                self._send(head + data)
                return
            self._send(head)
        elif data.startswith(_HEAD):
            self.has_refused = data[_STATUS] >= _REFUSED
            self._head = data
            self._loop.call_soon(self._flush)
            return
        self._send(data)

    def is_closing(self) -> bool:
        """Whether nothing more is sent."""
        return self._is_lingering or self._transport.is_closing()

    def close(self) -> None:
        """End it behind what has been written; asked again, without waiting for the caller."""
        self._flush()
        if self._lingers():
            self._is_lingering = True
            if self._transport.can_write_eof():
                self._transport.write_eof()
        else:
            self._transport.close()

    def has_hung_up(self) -> bool:
        """Whether the caller has closed its side: asked of the kernel, which knows it before we read of it."""
        if self.is_lost or self._transport.is_closing():
            return True
        found = self._transport.get_extra_info("socket")
        if found is None or found.fileno() < 0:
            return False
        poll = select.poll()
        poll.register(found.fileno(), _HUNG_UP)
        return bool(poll.poll(0))

    def stands_still(self, now: float, patience: float, *, forgives: bool) -> bool:
        """Whether the caller takes nothing, for so many seconds; or, unless it is forgiven, not all of it."""
        unsent = 0 if self.is_lost else self._transport.get_write_buffer_size()
        if not unsent:
            self._stuck_since = None
            return False
        sent = self._written - unsent
        if self._stuck_since is None or (forgives and sent > self._sent):
            self._stuck_since, self._sent = now, sent
        return now - self._stuck_since > patience

    def _send(self, data: bytes) -> None:
        if not self._is_lingering:
            self._written += len(data)
            was_open = not self._transport.is_closing()
            self._write(data)
            if was_open and self._transport.is_closing():
                self.has_failed = True

    def _flush(self) -> None:
        head, self._head = self._head, None
        if head is not None and not self._transport.is_closing():
            self._send(head)
