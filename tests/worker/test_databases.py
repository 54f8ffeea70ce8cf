"""The file of a database that robots work on, by a real worker: brought to them, and back, whatever ended them."""

from pathlib import Path

import pytest
import sample_robots as robots
from real_worker import working
from room_server import RoomServer
from sandboxes import needs_sandbox

from controlroom.protocol import Command, Commands, DatabaseFile, ErrorCode
from controlroom.worker.databases import DatabaseNotHad, file_name, has_unsaved, on_disk, take
from controlroom.worker.places import Place

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


@pytest.fixture
def place(tmp_path) -> Place:
    """A place of a run, with a database in it."""
    found = Place(folder=tmp_path / "1", user=None, work=tmp_path / "1" / "work", seen=Path("/robot"))
    (found.work / "database").mkdir(parents=True)
    (found.work / "database" / "shop.duckdb").write_bytes(b"tables")
    return found


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.duckdb", "inner/../../x", "out/x.duckdb", "{allowed}", "/"])
def test_only_allowed_folders(tmp_path, place, path):
    """A path that leads elsewhere, also by a link, is refused; so is any where nothing is allowed."""
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "out").symlink_to(tmp_path)

    for folders in ([], [allowed]):
        with pytest.raises(DatabaseNotHad, match="database_folders"):
            on_disk(path.format(allowed=allowed), folders, place)


def test_an_allowed_file(tmp_path, place):
    """It need not be there yet; its folder must be."""
    assert on_disk(str(tmp_path / "x.duckdb"), [tmp_path], place) == tmp_path / "x.duckdb"
    assert on_disk("x.duckdb", [tmp_path], place) == tmp_path / "x.duckdb"
    with pytest.raises(DatabaseNotHad, match="does not exist"):
        on_disk("none/x.duckdb", [tmp_path], place)


def test_a_database_is_taken_if_it_is_a_file(place):
    """A link in its place, or in place of its folder, is no database."""
    folder = place.work / "database"
    assert not has_unsaved(place, folder, "shop.duckdb")
    (folder / "shop.duckdb.wal").write_bytes(b"more")
    assert has_unsaved(place, folder, "shop.duckdb")
    (folder / "link.duckdb").symlink_to("/etc/passwd")

    assert take(place, folder, "link.duckdb", place.folder) is None
    assert take(place, folder, "none.duckdb", place.folder) is None
    taken = take(place, folder, "shop.duckdb", place.folder)
    assert taken is not None
    assert taken.read_bytes() == b"tables"
    folder.rename(place.work / "moved")
    folder.symlink_to(place.work / "moved")
    assert take(place, folder, "shop.duckdb.wal", place.folder) is None


@pytest.mark.parametrize(
    ("name", "expected"), [("shop.duckdb", "shop.duckdb"), ("../x", "x"), ("", "database-7"), ("..", "database-7")]
)
def test_the_name_of_a_file_is_one_name(name, expected):
    """Whatever the connection calls it."""
    assert file_name(DatabaseFile(connection=7, name=name, hash=None, size=0, most_bytes=1)) == expected
