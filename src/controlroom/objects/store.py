"""Blobs by the hash of their content.

A blob has no name and no owner: rows of the database name it, and a blob that no row names is swept.

The sweeper and `put` meet at the same blob when a file comes again that nobody needed any more. This is the rule that
keeps it: **put first, then write the row, within `ROW_WITHIN` of the put; the sweeper deletes only what has been
unreferenced and untouched for longer than that**, and says so to `delete` by `untouched_since`. A `put` of content that
is already there makes it young again, so that the age of a blob is the age of its last put, not of its first.
"""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from msgspec import Struct

from controlroom.errors import Invalid, NotFound, Unavailable
from controlroom.objects.storage import PIECE, Storage, Upload, absent

ROW_WITHIN = timedelta(hours=24)
"""How soon after its put a blob must be named by a row. Why a day: longer than any upload link lives (one hour) and any
transaction takes, short enough that abandoned uploads do not fill a disk."""

_HASH = re.compile(r"[0-9a-f]{64}")


class Blob(Struct, frozen=True):
    """What a put returns: `hash` is the SHA-256 of the content in lower-case hex, `size` its length in bytes."""

    hash: str
    size: int


class ObjectStore:
    """Stores files under the hash of their content. One object serves a whole process, from any number of tasks.

    After a put has returned, the content outlives a kill of any process and, with a local folder (unless `fsync=off`)
    or a remote service, a loss of power. Nothing half-written is ever visible under its hash.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @classmethod
    def open(cls, url: str | Path, **options: str) -> Self:
        """Open the store at a folder, or at `s3://bucket/prefix`, `gs://bucket/prefix`, `az://account/container/prefix`.

        Options follow the URL as a query or come as keywords (these win). A folder (also as `file:///path`) knows
        `fsync=off`. For the others they are obstore's: `endpoint`, `region`, `access_key_id`, … ; what is missing comes
        from the usual environment variables (`AWS_…`, `GOOGLE_…`, `AZURE_…`). Contacts nobody: that is `check`.
        Raises Invalid (OBJECTS_URL_INVALID) for an address that cannot be understood.
        """
        # Why imported late: a process uses one of the two, and a library of 12 MB is not for those who have a folder.
        address = str(url)
        if isinstance(url, Path) or "://" not in address:
            return cls(_local_storage(Path(url), options))
        parts = urlsplit(address)
        options = dict(parse_qsl(parts.query)) | options
        if parts.scheme == "file":
            return cls(_local_storage(Path(parts.path), options))
        from controlroom.objects.remote import RemoteStorage  # noqa: PLC0415  # see above

        return cls(RemoteStorage.open(parts._replace(query="", fragment="").geturl(), options))

    async def put(
        self, chunks: AsyncIterable[bytes], *, expected_size: int | None = None, max_size: int | None = None
    ) -> Blob:
        """Store what a stream gives, holding only a few MiB of it.

        The same content may be put by anybody at any time. Raises Invalid OBJECT_TOO_LARGE as soon as `max_size` is
        passed or announced, OBJECT_SIZE_MISMATCH when the stream ends too early or goes on for longer than
        `expected_size`; Unavailable OBJECT_STORE_FULL or OBJECT_STORE_UNAVAILABLE. Whatever is raised, by us or by the
        stream, nothing is left behind.
        """
        hasher = hashlib.sha256()
        size = 0
        upload: Upload | None = None
        pieces = _pieces(_limited(chunks, expected_size=expected_size, max_size=max_size))
        try:
            async with contextlib.aclosing(pieces):
                async for piece, is_last in pieces:
                    size += len(piece)
                    if len(piece) > _HASH_ASIDE:
                        await asyncio.to_thread(hasher.update, piece)
                    else:
                        hasher.update(piece)
                    if is_last and upload is None:
                        blob = Blob(hasher.hexdigest(), size)
                        await self._storage.put_small(blob.hash, piece)
                        return blob
                    upload = upload or self._storage.begin()
                    await upload.write(piece)
            assert upload is not None  # noqa: S101  # the last piece, even an empty one, always comes
            blob = Blob(hasher.hexdigest(), size)
            await upload.commit(blob.hash)
        except BaseException:
            if upload is not None:
                await asyncio.shield(upload.abort())  # also when the caller was cancelled
            raise
        return blob

    async def put_bytes(self, data: bytes) -> Blob:
        """Store what is already in memory."""
        if len(data) > PIECE:
            return await self.put(_one(data))
        blob = Blob(hashlib.sha256(data).hexdigest(), len(data))
        await self._storage.put_small(blob.hash, data)
        return blob

    async def put_file(self, path: Path) -> Blob:
        """Store a file of this machine. What is written to the file meanwhile may or may not be in the blob."""
        return await self.put(_file_chunks(path))

    async def stream(self, digest: str, *, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """Give the content from byte `start` up to, without, byte `end`; what lies behind the end is simply not there.

        Raises NotFound (OBJECT_NOT_FOUND) before the first piece if there is no such blob.
        """
        async with contextlib.aclosing(self._storage.read(_checked(digest), start, end)) as pieces:
            async for piece in pieces:
                yield piece

    async def read(self, digest: str) -> bytes:
        """Give the whole content: for small blobs only. Raises NotFound (OBJECT_NOT_FOUND)."""
        return b"".join([piece async for piece in self.stream(digest)])

    async def fetch_file(self, digest: str, path: Path) -> None:
        """Write the content to a file of this machine, which appears whole or not at all. Raises NotFound."""
        aside = path.with_name(f".{path.name}.{uuid4().hex}")
        try:
            with aside.open("xb") as file:
                async for piece in self.stream(digest):
                    await asyncio.to_thread(file.write, piece)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)

    async def size(self, digest: str) -> int | None:
        """Give the length of a blob in bytes, None if it is not there."""
        return await self._storage.size(_checked(digest))

    async def delete(self, digest: str, *, untouched_since: datetime | None = None) -> bool:
        """Remove a blob; fine if it is not there. Whether one was removed.

        With `untouched_since`, a blob that was put after that time is left alone: the sweeper must say it (see above).
        """
        return await self._storage.delete(_checked(digest), untouched_since)

    async def hashes(self) -> AsyncGenerator[tuple[str, int, datetime], None]:
        """Give (digest, size, time of the last put) of every blob, in any order, without holding them all."""
        async with contextlib.aclosing(self._storage.hashes()) as blobs:
            async for digest, size, put_at in blobs:
                if _HASH.fullmatch(digest):  # whatever else lies in a shared bucket is not ours to judge
                    yield digest, size, put_at

    async def sweep_incoming(self, before: datetime) -> int:
        """Remove what interrupted uploads left that began before a time; how many. Choose it a day ago or earlier."""
        return await self._storage.sweep_incoming(before)

    async def check(self) -> None:
        """Write, read and compare a probe, so that readiness means that files can be stored. Raises Unavailable."""
        probe = b"controlroom: can this be written and read?"
        blob = await self.put_bytes(probe)
        try:
            found = await self.read(blob.hash)
        except NotFound:
            found = b""
        if found != probe:
            raise Unavailable("What was stored could not be read again", code="OBJECT_STORE_UNAVAILABLE")


_HASH_ASIDE = 1 << 16  # Why: hashing 64 KiB takes 40 µs, less than the hop to a thread (100 µs).


def _local_storage(folder: Path, options: dict[str, str]) -> Storage:
    from controlroom.objects.local import LocalStorage  # noqa: PLC0415  # see ObjectStore.open

    unknown = options.keys() - {"fsync"}
    fsync = options.get("fsync", "on")
    if unknown or fsync not in {"on", "off"}:
        raise Invalid(
            "A folder for objects knows one option: fsync=on or fsync=off", code="OBJECTS_URL_INVALID", url=str(folder)
        )
    return LocalStorage(folder, fsync=fsync == "on")


def _checked(digest: str) -> str:
    """The hash if it is one; else there can be no such blob. Keeps whatever a client sends away from paths."""
    if not _HASH.fullmatch(digest):
        raise absent(digest)
    return digest


async def _limited(
    chunks: AsyncIterable[bytes], *, expected_size: int | None, max_size: int | None
) -> AsyncGenerator[bytes, None]:
    """Pass the stream on, and refuse it at the first byte too many or at an end too early."""
    size = 0
    if max_size is not None and (expected_size or 0) > max_size:
        raise _too_large(max_size)
    async for chunk in chunks:
        size += len(chunk)
        if max_size is not None and size > max_size:
            raise _too_large(max_size)
        if expected_size is not None and size > expected_size:
            raise _mismatch(expected_size, f"more than {expected_size}")
        yield chunk
    if expected_size is not None and size != expected_size:
        raise _mismatch(expected_size, str(size))


def _too_large(max_size: int) -> Invalid:
    return Invalid(f"The file is larger than {max_size} bytes", code="OBJECT_TOO_LARGE", max_size=max_size)


def _mismatch(expected: int, got: str) -> Invalid:
    return Invalid(
        f"The file was announced with {expected} bytes, but {got} came", code="OBJECT_SIZE_MISMATCH", expected=expected
    )


async def _pieces(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[tuple[bytes, bool], None]:
    """Cut or join chunks of any size to pieces of at most `PIECE`, each with whether it is the last; at least one."""
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        while len(held) > PIECE:  # not ≥: the last piece is known as such only when the stream has ended
            yield bytes(held[:PIECE]), False
            del held[:PIECE]
    yield bytes(held), True


async def _one(data: bytes) -> AsyncGenerator[bytes, None]:
    yield data


async def _file_chunks(path: Path) -> AsyncGenerator[bytes, None]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, PIECE):
            yield chunk
