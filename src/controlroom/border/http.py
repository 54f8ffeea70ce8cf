"""HTTP as uvicorn speaks it, but for one thing: an answer's head and its body leave together.

uvicorn writes the head by itself. A client that waits for an answer is woken by it, finds no body, and sleeps again;
libraries that open a connection for each request (most robots') pay that every time, and so do we in system calls.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD: Final = b"HTTP/1.1 "
_JOINED_AT_MOST: Final = 65_536
"""Larger bodies are not copied to be joined: their head is a small part of what is sent anyway."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own narrowing
        """Begin to serve it."""
        super().connection_made(_Joining(transport, self.loop))  # type: ignore[arg-type]  # what uvicorn uses of one


class _Joining:
    """A transport that holds a head back until the body follows; at the latest until the loop's next turn.

    So the head of a stream that has nothing to say yet is not delayed.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head: bytes | None = None
        self._write = transport.write
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.set_protocol = transport.set_protocol

    def write(self, data: bytes) -> None:
        head = self._head
        if head is not None:
            self._head = None
            if len(data) <= _JOINED_AT_MOST:
                self._write(head + data)
                return
            self._write(head)
        elif data.startswith(_HEAD):
            self._head = data
            self._loop.call_soon(self._flush)
            return
        self._write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        head, self._head = self._head, None
        if head is not None and not self._transport.is_closing():
            self._write(head)
