"""What a kind of storage must be able to do for `ObjectStore`."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Protocol

from controlroom.errors import NotFound

PIECE = 1 << 20
"""What is handed to the storage at once, and the size up to which a blob takes one request. Memory of a put is a few of
these (locally) or a few parts of a multipart upload (remotely), whatever the size of the file."""


class Upload(Protocol):
    """A file on its way in: invisible until `commit`. Exactly one of `commit` and `abort` ends it."""

    async def write(self, piece: bytes) -> None:
        """Append a piece."""
        ...

    async def commit(self, digest: str) -> None:
        """Make it the blob `digest`, at once and whole; young again if it was there already."""
        ...

    async def abort(self) -> None:
        """Leave nothing of it. Never raises for what cannot be removed now: `sweep_incoming` comes later."""
        ...


class Storage(Protocol):
    """A folder or a bucket of blobs. A failure of the storage itself is `Unavailable`."""

    def begin(self) -> Upload:
        """Announce an upload; takes nothing until its first piece."""
        ...

    async def put_small(self, digest: str, data: bytes) -> None:
        """Store the blob `digest` from memory, whole or not at all; young again if it was there already."""
        ...

    def read(self, digest: str, start: int, end: int | None) -> AsyncGenerator[bytes, None]:
        """Give the bytes from `start` up to, without, `end` in pieces. Raises NotFound before the first."""
        ...

    async def size(self, digest: str) -> int | None:
        """Give the length in bytes, None if absent."""
        ...

    async def delete(self, digest: str, untouched_since: datetime | None) -> bool:
        """Remove the blob unless it was put after `untouched_since`; whether one was removed."""
        ...

    def hashes(self) -> AsyncGenerator[tuple[str, int, datetime], None]:
        """Give digest, size and time of the last put of every blob, in any order."""
        ...

    async def sweep_incoming(self, before: datetime) -> int:
        """Remove what uploads left that began before a time; how many."""
        ...


def absent(digest: str) -> NotFound:
    """The failure of asking for a blob that is not there."""
    return NotFound("There is no such object", code="OBJECT_NOT_FOUND", hash=digest[:80])
