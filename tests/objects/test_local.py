"""What a folder promises beyond the common contract."""

import asyncio
import contextlib
import errno
import os
import stat
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from controlroom.errors import Invalid, Unavailable
from controlroom.objects.store import ObjectStore

HOUR = timedelta(hours=1)


def path_of(folder, digest):
    """Where a blob lies."""
    return folder / "blobs" / digest[:2] / digest[2:]


def make_old(folder, digest):
    """Let the last put of a blob be a day ago."""
    day_ago = datetime.now(UTC).timestamp() - 86400
    os.utime(path_of(folder, digest), (day_ago, day_ago))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "objects"


@pytest.fixture
def store(folder):
    return ObjectStore.open(folder)


async def test_the_folder_is_the_owners_alone(store, folder):
    """Nobody else on the machine can look into the folder or its files."""
    blob = await store.put_bytes(b"private")

    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))]

    assert path_of(folder, blob.hash).exists()
    assert all(mode & 0o077 == 0 for mode in modes)


@pytest.mark.parametrize("large", [False, True])
async def test_a_put_makes_an_old_blob_young(store, folder, large):
    """Content that comes again is as young as if it had come for the first time, so that an old sweep spares it."""
    data = bytes(3 << 20) if large else b"again"
    blob = await store.put_bytes(data)
    make_old(folder, blob.hash)

    await store.put_bytes(data)

    assert await store.delete(blob.hash, untouched_since=datetime.now(UTC) - HOUR) is False


@pytest.mark.parametrize("size", [10, 2 << 20])
async def test_a_put_beside_the_sweeper_is_never_lost(store, folder, size):
    """Whatever the order of a put and the sweep of the same old blob: after both, the blob is there."""
    data = os.urandom(size)
    blob = await store.put_bytes(data)
    for _ in range(100):
        make_old(folder, blob.hash)

        await asyncio.gather(store.delete(blob.hash, untouched_since=datetime.now(UTC) - HOUR), store.put_bytes(data))

        assert await store.size(blob.hash) == size
    assert list((folder / "incoming").iterdir()) == []


async def test_sweeping_spares_uploads_under_way(store, folder):
    """Only what began before the given time is swept from the incoming files."""
    (folder / "incoming" / "left").write_bytes(b"half")

    assert await store.sweep_incoming(datetime.now(UTC) - HOUR) == 0
    assert await store.sweep_incoming(datetime.now(UTC) + HOUR) == 1
    assert list((folder / "incoming").iterdir()) == []


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 4 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], check=False, capture_output=True)
        if os.geteuid() == 0
        else None
    )
    if mounted is None or mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("size", [1 << 20, 8 << 20])
async def test_a_full_disk_is_said_and_cleaned_up(small_disk, size):
    """When the disk is full, the put says so, leaves nothing of the file, and what was there before stays."""
    store = ObjectStore.open(small_disk / "objects")
    kept = await store.put_bytes(b"kept")
    with (small_disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while size < 4 << 20 and filler.write(bytes(1 << 16)):
            pass

    with pytest.raises(Unavailable) as failure:
        await store.put_bytes(os.urandom(size))

    assert failure.value.code == "OBJECT_STORE_FULL"
    assert list((small_disk / "objects" / "incoming").iterdir()) == []
    assert await store.read(kept.hash) == b"kept"
    (small_disk / "filler").unlink()
    assert (await store.put_bytes(bytes(1000))).size == 1000


async def test_a_folder_that_went_away_is_not_ready(store, folder):
    """A store whose folder cannot be written is not ready, and says why."""
    (folder / "incoming").rmdir()

    with pytest.raises(Unavailable) as failure:
        await store.check()

    assert failure.value.code == "OBJECT_STORE_UNAVAILABLE"
    assert os.strerror(errno.ENOENT) in str(failure.value)


async def test_a_folder_can_be_given_as_an_address(tmp_path):
    """A folder is opened by its path, as a text or as a file:// address, with its one option."""
    blob = await ObjectStore.open(tmp_path / "a").put_bytes(b"x")

    assert await ObjectStore.open(str(tmp_path / "a")).read(blob.hash) == b"x"
    assert await ObjectStore.open(f"file://{tmp_path}/a?fsync=off").read(blob.hash) == b"x"


@pytest.mark.parametrize("options", ["fsync=maybe", "speed=high"])
def test_unknown_options_of_a_folder_are_refused(tmp_path, options):
    """A misspelt option is an error at start, not a surprise later."""
    with pytest.raises(Invalid) as failure:
        ObjectStore.open(f"file://{tmp_path}/a?{options}")

    assert failure.value.code == "OBJECTS_URL_INVALID"


async def test_strange_files_in_the_folder_are_no_blobs(store, folder):
    """What somebody else put into the folder is neither listed nor in the way."""
    blob = await store.put_bytes(b"ours")
    (folder / "blobs" / "lost+found").mkdir()
    (folder / "blobs" / "lost+found" / "x").touch()
    (folder / "blobs" / "README").touch()

    assert [digest async for digest, _, _ in store.hashes()] == [blob.hash]
