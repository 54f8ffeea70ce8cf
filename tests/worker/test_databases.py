"""The file of a database that robots work on, by a real worker: brought to them, and back, whatever ended them."""

import pytest
import sample_robots as robots
from real_worker import working
from room_server import RoomServer
from sandboxes import needs_sandbox

from controlroom.protocol import Command, Commands, DatabaseFile, ErrorCode

ADDS = """\
import os, pathlib, sys
file = pathlib.Path(os.environ["CONTROLROOM_DATABASE"])
before = file.read_bytes() if file.exists() else b"nothing"
print(file.name, "had", before.decode())
file.write_bytes(before + b"+1")
sys.exit({exit_code})
"""


@pytest.fixture(params=[pytest.param("auto", marks=needs_sandbox), "off"])
async def walt(room: RoomServer, tmp_path, request):
    """A worker, with a sandbox and without."""
    async with working(room, tmp_path / "walt", sandbox=request.param) as worker:
        yield worker


def version(room: RoomServer, content: bytes | None, most: int = 1000) -> DatabaseFile:
    """The file of a connection, as the last run left it."""
    found = None if content is None else room.keep(content)
    return DatabaseFile(connection=7, name="dw.duckdb", hash=found, size=len(content or b""), most_bytes=most)


async def test_a_robot_works_on_the_file_and_leaves_the_next_version(room, walt):
    """Also one that fails; where there is no version yet it begins with none."""
    for before, after, exit_code in ((None, b"nothing+1", 0), (b"old", b"old+1", 0), (b"old", b"old+1", 3)):
        package = room.add_package(robots.plain(ADDS.format(exit_code=exit_code)))
        attempt = await room.assign(package, database=version(room, before))

        finish = await room.finished(attempt)

        assert finish.exit_code == exit_code
        assert f"dw.duckdb had {(before or b'nothing').decode()}" in attempt.text
        assert attempt.databases == [after]


async def test_commands_work_on_one_file_and_it_comes_back_once(room, walt):
    """What one has written the next one finds."""
    words = ("python", "-c", ADDS.format(exit_code=0))
    commands = Commands(tuple(Command(name=name, words=words) for name in ("first", "second")))
    package = room.add_package(robots.plain("print('never')"))
    attempt = await room.assign(package, work=commands, database=version(room, b"old"))

    await room.finished(attempt)

    assert attempt.databases == [b"old+1+1"]


async def test_a_file_that_has_become_too_large_fails_the_robot(room, walt):
    """Its changes are not kept, and that is said."""
    package = room.add_package(robots.plain(ADDS.format(exit_code=0)))
    attempt = await room.assign(package, database=version(room, b"old", most=4))

    finish = await room.finished(attempt)

    assert finish.error.code is ErrorCode.ROBOT_FAILED
    assert "its changes are not kept" in finish.error.message
    assert attempt.databases == []


async def test_a_file_that_does_not_come_as_it_was_told_begins_nothing(room, walt):
    """The robot never runs on something else."""
    wrong = DatabaseFile(connection=7, name="dw.duckdb", hash=room.keep(b"old"), size=3, most_bytes=1000)
    room.packages[wrong.hash] = b"other"
    package = room.add_package(robots.plain(ADDS.format(exit_code=0)))
    attempt = await room.assign(package, database=wrong)

    finish = await room.finished(attempt)

    assert finish.error.code is ErrorCode.PACKAGE_INVALID
    assert not any("had" in line for line in attempt.text)
