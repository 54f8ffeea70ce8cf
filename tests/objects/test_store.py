"""What every kind of store promises. Each test runs on a folder and on a bucket."""

import asyncio
import hashlib
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from controlroom.errors import Invalid, NotFound
from controlroom.objects.storage import PIECE
from controlroom.objects.store import Blob, ObjectStore

SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7]
ABSENT = "0" * 64


def content(size):
    """Bytes that look like nothing else, the same each time."""
    return random.Random(size).randbytes(size)  # content, not a secret


async def chunks(data, size=64 << 10):
    """The data as an upload brings it."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def all_of(store):
    """What the store holds, as {hash: size}."""
    return {digest: size async for digest, size, _ in store.hashes()}


async def leftovers(store):
    """How many uploads lie about half-way; they are gone afterwards."""
    return await store.sweep_incoming(datetime.now(UTC) + timedelta(days=1))


@pytest.mark.parametrize("size", SIZES)
async def test_put_gives_back_what_came(store, size):
    """What is put by a stream is read back byte for byte under its SHA-256, whatever its size."""
    data = content(size)

    blob = await store.put(chunks(data))

    assert blob == Blob(hashlib.sha256(data).hexdigest(), size)
    assert await store.read(blob.hash) == data
    assert await store.size(blob.hash) == size
    assert await leftovers(store) == 0


@pytest.mark.parametrize("size", [0, 100, 2 * PIECE])
async def test_bytes_and_files_and_streams_are_one_content(store, tmp_path, size):
    """The same content is the same blob, by whichever way it came, and there is one of it."""
    data = content(size)
    (tmp_path / "file").write_bytes(data)

    blobs = {await store.put_bytes(data), await store.put_file(tmp_path / "file"), await store.put(chunks(data, 7777))}

    assert len(blobs) == 1
    assert list((await all_of(store)).values()) == [size]


@pytest.mark.parametrize("size", [1000, 2 * PIECE])
async def test_equal_puts_at_once_make_one_blob(store, size):
    """Many callers may put the same content at the same moment; all get the same blob, whole."""
    data = content(size)

    blobs = await asyncio.gather(*(store.put(chunks(data)) for _ in range(8)))

    assert len(set(blobs)) == 1
    assert await store.read(blobs[0].hash) == data
    assert await leftovers(store) == 0


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, None), (0, 0), (5, 9), (999, 1000), (500, None), (0, 5000), (1000, None), (5000, 6000), (9, 5)],
)
async def test_a_range_is_cut_as_python_cuts(store, start, end):
    """A range includes its start, excludes its end, and simply ends where the content ends."""
    data = content(1000)
    blob = await store.put_bytes(data)

    got = b"".join([piece async for piece in store.stream(blob.hash, start=start, end=end)])

    assert got == data[start:end]


async def test_a_range_of_a_large_blob_comes_in_pieces(store):
    """A range over several pieces is joined without gap or overlap."""
    data = content(3 * PIECE)
    blob = await store.put(chunks(data))

    pieces = [piece async for piece in store.stream(blob.hash, start=123_456, end=3 * PIECE - 1)]

    assert b"".join(pieces) == data[123_456 : 3 * PIECE - 1]
    assert len(pieces) > 1


@pytest.mark.parametrize("digest", [ABSENT, "", "../../etc/passwd", "A" * 64, "g" * 64, ABSENT + "0", "é" * 64])
async def test_what_is_not_there_is_not_found(store, digest):
    """An unknown hash, or what is no hash at all, is not found; it never becomes a path."""
    with pytest.raises(NotFound) as failure:
        await store.read(digest)
    assert failure.value.code == "OBJECT_NOT_FOUND"


async def test_asking_for_size_and_deletion_of_nothing_is_fine(store):
    """The size of an absent blob is None, and its deletion changes nothing."""
    assert await store.size(ABSENT) is None
    assert await store.delete(ABSENT) is False


@pytest.mark.parametrize("size", [100, 2 * PIECE])
@pytest.mark.parametrize(
    ("limits", "code"), [("max_size", "OBJECT_TOO_LARGE"), ("expected_size", "OBJECT_SIZE_MISMATCH")]
)
async def test_too_much_is_refused_and_leaves_nothing(store, size, limits, code):
    """One byte more than allowed or announced is refused, and nothing of the file stays."""
    with pytest.raises(Invalid) as failure:
        await store.put(chunks(content(size)), **{limits: size - 1})

    assert failure.value.code == code
    assert await all_of(store) == {}
    assert await leftovers(store) == 0


@pytest.mark.parametrize("size", [100, 2 * PIECE])
async def test_too_little_is_refused_and_leaves_nothing(store, size):
    """A stream that ends before the announced size is refused, and nothing of the file stays."""
    with pytest.raises(Invalid) as failure:
        await store.put(chunks(content(size)), expected_size=size + 1)

    assert failure.value.code == "OBJECT_SIZE_MISMATCH"
    assert await all_of(store) == {}
    assert await leftovers(store) == 0


@pytest.mark.parametrize("size", [100, 2 * PIECE])
async def test_exactly_the_limit_is_accepted(store, size):
    """A file of exactly the announced and allowed size is stored."""
    blob = await store.put(chunks(content(size)), expected_size=size, max_size=size)

    assert blob.size == size


class BrokenOffError(Exception):
    """The client went away."""


@pytest.mark.parametrize("size", [100, 3 * PIECE])
async def test_a_stream_that_breaks_off_leaves_nothing(store, size):
    """When the source fails half-way, its failure comes out and nothing of the file stays."""

    async def breaking():
        async for chunk in chunks(content(size)):
            yield chunk
        raise BrokenOffError

    with pytest.raises(BrokenOffError):
        await store.put(breaking())

    assert await all_of(store) == {}
    assert await leftovers(store) == 0


async def test_a_cancelled_put_leaves_nothing(store):
    """A request that is cancelled in the middle of an upload leaves nothing."""
    is_under_way = asyncio.Event()

    async def stalling():
        yield content(2 * PIECE)
        is_under_way.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(store.put(stalling()))
    await is_under_way.wait()
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting

    assert await all_of(store) == {}
    assert await leftovers(store) == 0


async def test_delete_removes(store):
    """A deleted blob is gone, and can be put again."""
    blob = await store.put_bytes(b"here")

    assert await store.delete(blob.hash) is True

    assert await store.size(blob.hash) is None
    assert await store.put_bytes(b"here") == blob
    assert await store.read(blob.hash) == b"here"


async def test_the_sweeper_spares_what_is_young(store):
    """With `untouched_since`, only a blob that was last put before that time is removed."""
    blob = await store.put_bytes(b"young")
    now = datetime.now(UTC)

    assert await store.delete(blob.hash, untouched_since=now - timedelta(hours=1)) is False
    assert await store.size(blob.hash) == 5
    assert await store.delete(blob.hash, untouched_since=now + timedelta(hours=1)) is True
    assert await store.size(blob.hash) is None


async def test_hashes_tell_size_and_age(store):
    """The list for sweeper and checker has every blob once, with its size and the time of its last put."""
    blobs = {await store.put_bytes(content(size)) for size in (0, 1, 500)} | {
        await store.put(chunks(content(2 * PIECE)))
    }

    listed = [entry async for entry in store.hashes()]

    assert {Blob(digest, size) for digest, size, _ in listed} == blobs
    assert len(listed) == len(blobs)
    assert all(abs(datetime.now(UTC) - put_at) < timedelta(minutes=5) for _, _, put_at in listed)


async def test_fetch_file_writes_the_whole_file(store, tmp_path):
    """A blob is fetched into a file, over an older one; an absent blob leaves the file as it was."""
    data = content(2 * PIECE)
    blob = await store.put(chunks(data))
    target = tmp_path / "fetched"
    target.write_bytes(b"older")

    with pytest.raises(NotFound):
        await store.fetch_file(ABSENT, target)
    assert target.read_bytes() == b"older"

    await store.fetch_file(blob.hash, target)
    assert target.read_bytes() == data
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["fetched"]


async def test_check_passes_on_a_store_that_works(store):
    """A store that can be written and read is ready."""
    await store.check()


LARGE = """
import asyncio, resource, sys
from controlroom.objects.store import ObjectStore

PIECE = bytes(64 << 10)

async def much():
    for number in range(3200):
        yield number.to_bytes(8) + PIECE[8:]

async def main():
    store = ObjectStore.open(sys.argv[1])
    await store.put_bytes(b"warm")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    blob = await store.put(much())
    size = 0
    async for piece in store.stream(blob.hash):
        size += len(piece)
    assert size == blob.size == 3200 * len(PIECE)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_a_large_file_needs_little_memory(request, tmp_path, kind):
    """A file of 200 MiB goes in and out within 64 MiB of memory."""
    url = str(tmp_path / "large") if kind == "folder" else request.getfixturevalue("s3_url")

    done = subprocess.run([sys.executable, "-c", LARGE, url], capture_output=True, text=True, check=True)

    assert int(done.stdout) < 64 << 10  # KiB


KILLED = """
import asyncio, os, signal, sys
from controlroom.objects.store import ObjectStore

async def half_a_file():
    yield bytes(3 << 20)
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    store = ObjectStore.open(sys.argv[1])
    print((await store.put_bytes(b"acknowledged")).hash, flush=True)
    await store.put(half_a_file())

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["folder", "bucket"])
async def test_a_killed_process_loses_nothing_that_it_acknowledged(request, tmp_path, kind):
    """After kill -9 in the middle of a put, what was put before is there, and the half file is not."""
    url = (
        str(tmp_path / "killed") if kind == "folder" else request.getfixturevalue("s3_url").replace("?", "/killed?", 1)
    )

    died = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, url, stdout=subprocess.PIPE)
    (output, _) = await died.communicate()

    store = ObjectStore.open(url)
    assert died.returncode == -9
    assert await store.read(output.decode().strip()) == b"acknowledged"
    assert list(await all_of(store)) == [output.decode().strip()]
    await store.sweep_incoming(datetime.now(UTC) + timedelta(days=1))
    if kind == "folder":
        assert os.listdir(tmp_path / "killed" / "incoming") == []  # noqa: PTH208  # names are all that matter
