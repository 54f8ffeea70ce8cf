"""A worker that cannot work takes no work, says why, and gives back what it could not begin."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import sample_robots as robots
from real_worker import working
from room_server import RoomServer

from controlroom.worker.health import Health

MEGABYTE = 1024 * 1024


@pytest.fixture
def small_disk(open_folder):
    """A folder on a file system of 256 MB."""
    folder = open_folder / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256m,mode=755", "none", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path, *, leaving: int) -> Path:
    """Leave so much room in a file system."""
    ballast = folder / "ballast"
    status = os.statvfs(folder)
    with ballast.open("wb") as file:
        for _ in range((status.f_bavail * status.f_frsize - leaving) // MEGABYTE):
            file.write(bytes(MEGABYTE))
    return ballast


async def test_without_room_no_work_is_taken(room: RoomServer, small_disk):
    """Free space is looked at before a claim: the worker rests and says why, and works as soon as there is room."""
    async with working(room, small_disk / "walt", min_free_bytes=32 * MEGABYTE, claim_wait_seconds=0.2) as walt:
        await room.until(lambda: room.requests["claims"] > 1)
        ballast = fill(small_disk, leaving=16 * MEGABYTE)
        async with walt.logged("worker rests"):
            claims = room.requests["claims"]
        attempt = await room.assign(room.add_package(robots.plain("print(1)")))
        await room.until(lambda: any("MB free" in trouble for trouble in room.troubles))
        assert room.requests["claims"] == claims
        assert not attempt.heard

        ballast.unlink()

        assert (await room.finished(attempt)).error is None
        assert attempt.returned == []
        await room.until(lambda: room.troubles[-1] == "")


async def test_what_could_not_be_begun_is_given_back(room: RoomServer, open_folder):
    """Whatever goes wrong before the robot began costs the robot nothing; the worker rests before it claims again."""
    package = room.add_package(robots.plain("print('fine')"))
    async with working(room, open_folder / "walt", spares_memory_bytes=0, claim_wait_seconds=0.2) as walt:
        await room.until(lambda: room.sessions)
        runs = walt.folder / "runs"
        shutil.rmtree(runs)
        runs.touch()
        attempt = await room.assign(package)
        await room.until(lambda: attempt.returned)
        await room.until(lambda: "runs" in room.troubles[-1])
        assert attempt.finish is None
        runs.unlink()
        runs.mkdir(mode=0o711)
        other = await room.assign(package)
        assert (await room.finished(other)).error is None
        await room.until(lambda: room.troubles[-1] == "")


@pytest.mark.parametrize("files", [{}, {"requirements.txt": "six\n"}], ids=["place", "environment"])
async def test_a_full_disk_is_not_the_robots_fault(room: RoomServer, small_disk, files):
    """A disk that is full before the robot began, in whichever step, fails no step run."""
    extra = "environmentConfigs: [requirements.txt]\n" if files else ""
    package = room.add_package(robots.plain("print(1)", extra=extra) | files | {"much": "x" * 5 * MEGABYTE})
    async with working(room, small_disk / "walt", min_free_bytes=0, spares_memory_bytes=0, claim_wait_seconds=0.2):
        await room.until(lambda: room.sessions)
        fill(small_disk, leaving=2 * MEGABYTE)
        attempt = await room.assign(package)
        await room.until(lambda: attempt.returned)
        assert attempt.finish is None


async def test_a_stopped_worker_gives_back_what_has_not_begun(room: RoomServer, open_folder):
    """SIGTERM while an environment is built: the step run is another worker's, not lost."""
    conda = "dependencies: [{pip: [six]}]\nrccPostInstall: [sleep 600]\n"
    files = robots.plain("", extra="environmentConfigs: [conda.yaml]\n") | {"conda.yaml": conda}
    async with working(room, open_folder / "walt") as walt:
        attempt = await room.assign(room.add_package(files))
        await room.until(lambda: any("sleep 600" in line for line in attempt.text))
        assert await walt.stop() == 0

    assert attempt.returned == ["The worker was asked to stop."]
    assert attempt.finish is None


async def test_a_robot_that_has_begun_is_not_given_back(room: RoomServer, open_folder):
    """What a robot's own code breaks is the robot's failure, however full the disk is by then."""
    code = "raise OSError(28, 'No space left on device')"
    async with working(room, open_folder / "walt"):
        attempt = await room.assign(room.add_package(robots.plain(code)))
        finish = await room.finished(attempt)

    assert finish.error.code == "ROBOT_FAILED"
    assert attempt.returned == []


def test_what_is_looked_at(tmp_path):
    """A folder that is yet to be made counts as the one that it will be in; a file system of files counts files."""
    assert Health([tmp_path / "not" / "yet"], min_free_bytes=1).look() == ""
    assert "MB free" in Health([tmp_path / "not" / "yet"], min_free_bytes=10**18).look()


def test_rests_grow_and_a_robot_that_begins_ends_them(tmp_path):
    """Each failure in a row makes the rest longer; what is told is the last reason."""
    told = []
    health = Health([tmp_path], min_free_bytes=0)
    health.when_changed = lambda: told.append(health.trouble)
    health.failed("one")
    first = health._rests_until
    health.failed("two")
    assert health._rests_until > first + 1
    assert told == ["one", "two"]
    health.succeeded()
    health.failed("two")
    assert health._rests_until < first + 3
