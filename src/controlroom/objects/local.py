"""Blobs in a folder of this machine (or of a file server that several machines mount).

    blobs/ab/cdef…      the content, read-only by convention
    incoming/<uuid>     what is being written, or being judged by `delete`

Written with the operating system's own calls rather than with obstore's LocalStore, because that one can neither flush
to the disk, nor refresh a blob's age, nor tell a full disk from another failure.
"""

import asyncio
import contextlib
import errno
import os
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar
from uuid import uuid4

from controlroom.errors import Unavailable
from controlroom.objects.storage import absent

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ = 1 << 18  # Why 256 KiB: a hop to a thread costs 100 µs, reading this much from the page cache about 50 µs.

P = ParamSpec("P")
T = TypeVar("T")


class LocalStorage:
    """A folder of blobs, readable by its owner alone (0700)."""

    def __init__(self, folder: Path, *, fsync: bool) -> None:
        self._blobs = folder / "blobs"
        self._incoming = folder / "incoming"
        self._fsync = fsync
        with storage_errors():
            for path in (folder, self._blobs, self._incoming):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)

    def begin(self) -> "LocalUpload":
        """Announce an upload; its file appears with its first piece."""
        return LocalUpload(self, self._incoming / uuid4().hex)

    async def put_small(self, digest: str, data: bytes) -> None:
        """Store a blob from memory, in one hop to a thread."""
        await _aside(self._put_small, digest, data)

    def _put_small(self, digest: str, data: bytes) -> None:
        path = self._path(digest)
        with contextlib.suppress(FileNotFoundError):
            os.utime(path)
            self.flush_folder(path.parent)  # its first writer may not have come so far yet
            return
        upload = self.begin()
        try:
            upload.write_now(data)
            upload.commit_now(digest)
        except BaseException:
            upload.abort_now()
            raise

    async def read(self, digest: str, start: int, end: int | None) -> AsyncGenerator[bytes, None]:
        """Give a range in pieces; a blob that is deleted meanwhile is given to its end."""
        with storage_errors():
            try:
                file = await asyncio.to_thread(self._path(digest).open, "rb", 0)
            except FileNotFoundError:
                raise absent(digest) from None
            with file:
                file.seek(start)
                left = None if end is None else max(end - start, 0)
                while piece := await asyncio.to_thread(file.read, _READ if left is None else min(left, _READ)):
                    yield piece
                    left = None if left is None else left - len(piece)

    async def size(self, digest: str) -> int | None:
        """Give the length in bytes, None if absent."""
        with storage_errors():
            try:
                return self._path(digest).stat().st_size  # on the loop: a stat takes microseconds
            except FileNotFoundError:
                return None

    async def delete(self, digest: str, untouched_since: datetime | None) -> bool:
        """Remove the blob unless it was put after `untouched_since`."""
        return await _aside(self._delete, digest, untouched_since)

    def _delete(self, digest: str, untouched_since: datetime | None) -> bool:
        """Move the blob aside, look at its age there, and put it back if it is young.

        A concurrent put either touched it before the move (then we see that and put it back) or finds nothing and
        writes it anew: an order without the move would have a moment between look and removal in which a put is lost.
        """
        path, aside = self._path(digest), self._incoming / uuid4().hex
        try:
            if _is_young(path, untouched_since):
                return False
            path.rename(aside)
        except FileNotFoundError:
            return False
        was_touched = _is_young(aside, untouched_since)
        if was_touched:
            with contextlib.suppress(FileExistsError):  # put anew meanwhile: just as good
                path.hardlink_to(aside)
        aside.unlink()
        return not was_touched

    async def hashes(self) -> AsyncGenerator[tuple[str, int, datetime], None]:
        """Give every blob, one sub-folder at a time."""
        for folder in await _aside(_folders, self._blobs):
            for entry in await _aside(_entries, folder):
                with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                    stat = entry.stat()
                    yield folder.name + entry.name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC)

    async def sweep_incoming(self, before: datetime) -> int:
        """Remove what killed processes left."""
        return await _aside(self._sweep, before)

    def _sweep(self, before: datetime) -> int:
        swept = 0
        for entry in _entries(self._incoming):
            with contextlib.suppress(FileNotFoundError):
                if entry.stat().st_mtime < before.timestamp():
                    Path(entry.path).unlink()
                    swept += 1
        return swept

    def adopt(self, path: Path, digest: str) -> None:
        """Rename a finished file to its blob; replaces an equal one, which makes it young."""
        target = self._path(digest)
        try:
            path.replace(target)
        except FileNotFoundError:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            self.flush_folder(self._blobs)
            path.replace(target)
        self.flush_folder(target.parent)

    def flush(self, descriptor: int) -> None:
        """Bring a file's content to the disk, if that is wanted."""
        if self._fsync:
            os.fdatasync(descriptor)

    def flush_folder(self, folder: Path) -> None:
        """Bring a folder's entries to the disk, if that is wanted."""
        if self._fsync:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _path(self, digest: str) -> Path:
        return self._blobs / digest[:2] / digest[2:]


class LocalUpload:
    """A file in `incoming/`.

    A task that is cancelled leaves its thread working, so that `abort` may come in the middle of a write. The lock
    makes it wait, and the state keeps a late write from a descriptor that was closed and may be another file's now.
    """

    def __init__(self, storage: LocalStorage, path: Path) -> None:
        self._storage = storage
        self._path = path
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._has_ended = False

    async def write(self, piece: bytes) -> None:
        """Append a piece."""
        await _aside(self.write_now, piece)

    async def commit(self, digest: str) -> None:
        """Flush, then rename into place."""
        await _aside(self.commit_now, digest)

    async def abort(self) -> None:
        """Remove the file."""
        await asyncio.to_thread(self.abort_now)

    def write_now(self, piece: bytes) -> None:
        """Append a piece, in this thread."""
        with self._lock:
            if self._has_ended:
                return
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            view = memoryview(piece)
            while view:
                view = view[os.write(self._descriptor, view) :]

    def commit_now(self, digest: str) -> None:
        """Flush, then rename into place, in this thread."""
        with self._lock:
            if self._has_ended or self._descriptor is None:
                return
            self._storage.flush(self._descriptor)
            self._end()
            self._storage.adopt(self._path, digest)

    def abort_now(self) -> None:
        """Remove the file, in this thread."""
        with self._lock, contextlib.suppress(OSError):
            self._end()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _end(self) -> None:
        descriptor, self._descriptor, self._has_ended = self._descriptor, None, True
        if descriptor is not None:
            os.close(descriptor)


def _is_young(path: Path, untouched_since: datetime | None) -> bool:
    return untouched_since is not None and path.stat().st_mtime > untouched_since.timestamp()


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(entries)


def _folders(folder: Path) -> list[Path]:
    return [Path(entry.path) for entry in _entries(folder) if entry.is_dir(follow_symlinks=False)]


async def _aside(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking file work in a thread, its failures as ours."""
    with storage_errors():
        return await asyncio.to_thread(function, *args, **kwargs)


@contextlib.contextmanager
def storage_errors() -> Iterator[None]:
    """Turn the operating system's failures into Unavailable."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Unavailable("The disk for objects is full", code="OBJECT_STORE_FULL") from error
        raise Unavailable(
            f"The folder for objects cannot be used: {error.strerror or error}", code="OBJECT_STORE_UNAVAILABLE"
        ) from error
