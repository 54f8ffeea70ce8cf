"""Blobs in a bucket of S3, Google Cloud Storage, Azure, or whatever speaks like one of them, by obstore.

    blobs/ab/cdef…      the content
    incoming/<uuid>     a large file on its way in: its hash is known only at its end, so it is copied to its name then

Half a multipart upload that a killed process left is invisible and cannot be listed here: give the bucket a lifecycle
rule that aborts incomplete multipart uploads (docs/operate/objects.md).
"""

import contextlib
from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore as Bucket
from obstore.store import from_url

from controlroom import trust
from controlroom.errors import Invalid, Unavailable
from controlroom.objects.storage import absent

_SCHEMES = {"s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl"}
_PART = 8 << 20  # Why 8 MiB: S3 allows 10,000 parts, so this reaches 80 GB; two at once keep memory below 32 MiB.
_PARTS_AT_ONCE = 2
_READ = 256 << 10  # Why: a first byte that comes soon and few hops; obstore would gather 10 MiB.
_COPY_AT_MOST = 5 << 30  # S3's CopyObject takes no more; larger files go through this process once again.
_TOUCH_AFTER = timedelta(hours=1)  # Why: far below the sweeper's day, and equal puts in a burst cost one copy.
_RETRY_FOR = timedelta(seconds=30)  # Why: longer than a service's restart, shorter than the patience of an upload.


class RemoteStorage:
    """A bucket of blobs, below a prefix."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    @classmethod
    def open(cls, url: str, options: dict[str, str]) -> Self:
        """Read address and options; raises Invalid for what obstore does not know."""
        if urlsplit(url).scheme not in _SCHEMES:
            raise _bad_address(url, "use a folder, s3://, gs:// or az://")
        settings: dict[str, Any] = dict(options)
        client: dict[str, Any] = {"allow_http": True} if settings.get("endpoint", "").startswith("http://") else {}
        if trust.named():  # what variables name replaces the machine's store there: together it is what all else trusts
            client["root_certificate"] = b"\n".join(trust.certificates())
        try:
            bucket = from_url(
                url,
                config=settings,  # type: ignore[call-overload]  # the keys are checked by obstore
                client_options=client,
                retry_config={"max_retries": 5, "retry_timeout": _RETRY_FOR},
            )
        except (BaseError, ValueError, TypeError) as error:
            raise _bad_address(url, str(error).split("\n", 1)[0]) from error
        return cls(bucket)

    def begin(self) -> "RemoteUpload":
        """Announce an upload; the multipart upload begins with its first piece."""
        return RemoteUpload(self, f"incoming/{uuid4().hex}")

    async def put_small(self, digest: str, data: bytes) -> None:
        """Store a blob by one request, over an equal one if need be: cheaper than to look first, and makes it young."""
        with storage_errors():
            await obstore.put_async(self.bucket, _key(digest), data, use_multipart=False)

    async def read(self, digest: str, start: int, end: int | None) -> AsyncGenerator[bytes, None]:
        """Give a range in pieces as they come from the network."""
        with storage_errors():
            size = await self.size(digest)  # a range behind the end would be refused with many different errors
            if size is None:
                raise absent(digest)
            end = size if end is None else min(end, size)
            if start >= end:
                return
            try:
                found = await obstore.get_async(self.bucket, _key(digest), options={"range": (start, end)})
            except FileNotFoundError:
                raise absent(digest) from None
            async for piece in found.stream(min_chunk_size=_READ):
                yield bytes(piece)

    async def size(self, digest: str) -> int | None:
        """Give the length in bytes, None if absent."""
        found = await self._head(_key(digest))
        return None if found is None else found[0]

    async def delete(self, digest: str, untouched_since: datetime | None) -> bool:
        """Remove the blob unless it was put after `untouched_since`.

        A service has no look-and-delete in one: a put that falls between the two requests (milliseconds) to a blob
        that nobody had needed for a day is lost. Which is why a sweeper should not run where uploads are likely.
        """
        found = await self._head(_key(digest))
        if found is None or (untouched_since is not None and found[1] > untouched_since):
            return False
        with storage_errors(), contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self.bucket, _key(digest))
        return True

    async def hashes(self) -> AsyncGenerator[tuple[str, int, datetime], None]:
        """Give every blob, a page of the listing at a time."""
        with storage_errors():
            async for page in obstore.list(self.bucket, prefix="blobs"):
                for entry in page:
                    shard, _, rest = entry["path"].removeprefix("blobs/").partition("/")
                    yield shard + rest, entry["size"], entry["last_modified"]

    async def sweep_incoming(self, before: datetime) -> int:
        """Remove what killed processes left under its temporary name."""
        swept = 0
        with storage_errors():
            async for page in obstore.list(self.bucket, prefix="incoming"):
                old = [entry["path"] for entry in page if entry["last_modified"] < before]
                if old:
                    await obstore.delete_async(self.bucket, old)
                    swept += len(old)
        return swept

    async def adopt(self, key: str, size: int, digest: str) -> None:
        """Copy a finished upload to its name, unless a young equal blob has it; the temporary key goes."""
        found = await self._head(_key(digest))
        with storage_errors():
            if found is None or found[1] < datetime.now(UTC) - _TOUCH_AFTER:
                if size <= _COPY_AT_MOST:
                    await obstore.copy_async(self.bucket, key, _key(digest))
                else:
                    again = (await obstore.get_async(self.bucket, key)).stream(min_chunk_size=_PART)
                    await obstore.put_async(
                        self.bucket, _key(digest), again, chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE
                    )
        await self.forget(key)

    async def forget(self, key: str) -> None:
        """Remove a temporary key; if that fails, the sweeper will."""
        with contextlib.suppress(BaseError, OSError):
            await obstore.delete_async(self.bucket, key)

    async def _head(self, key: str) -> tuple[int, datetime] | None:
        with storage_errors():
            try:
                found = await obstore.head_async(self.bucket, key)
            except FileNotFoundError:
                return None
        return found["size"], found["last_modified"]


class RemoteUpload:
    """A multipart upload to a temporary key."""

    def __init__(self, storage: RemoteStorage, key: str) -> None:
        self._storage = storage
        self._key = key
        self._size = 0
        self._writer = obstore.open_writer_async(storage.bucket, key, buffer_size=_PART, max_concurrency=_PARTS_AT_ONCE)

    async def write(self, piece: bytes) -> None:
        """Append a piece; full parts are sent beside."""
        with storage_errors():
            await self._writer.write(piece)
        self._size += len(piece)

    async def commit(self, digest: str) -> None:
        """Finish the upload, then give it its name."""
        with storage_errors():
            await self._writer.close()
        await self._storage.adopt(self._key, self._size, digest)

    async def abort(self) -> None:
        """Finish the upload and remove it: parts that are dropped unfinished would stay, invisible and paid for."""
        with contextlib.suppress(BaseError, OSError):
            await self._writer.close()
        await self._storage.forget(self._key)


def _key(digest: str) -> str:
    return f"blobs/{digest[:2]}/{digest[2:]}"


def _bad_address(url: str, why: str) -> Invalid:
    return Invalid(f"The address for objects cannot be used: {why}", code="OBJECTS_URL_INVALID", url=url)


@contextlib.contextmanager
def storage_errors() -> Iterator[None]:
    """Turn failures of the service into Unavailable; a service's whole report stays in the cause."""
    try:
        yield
    except (BaseError, OSError) as error:
        reason = str(error).split("\n", 1)[0][:200]
        raise Unavailable(f"The object storage failed: {reason}", code="OBJECT_STORE_UNAVAILABLE") from error
