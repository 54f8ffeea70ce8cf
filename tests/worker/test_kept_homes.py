"""What robots download into their home folder stays for the next robot of the workspace, and for nobody else."""

import stat
from pathlib import Path
from uuid import UUID

import pytest
import sample_robots as robots
from real_worker import working
from test_spares import run, run_in_spare

KEEP = """
    import os, pathlib, sys
    home = pathlib.Path.home()
    for place in (home / ".robocorp" / "tool", home / ".cache" / "ms-playwright" / "browser"):
        program = place / "program"
        print(program.read_text() if program.exists() else "nothing")
        place.mkdir(exist_ok=True)
        program.write_text("there")
        program.chmod(0o755)
    (home / "else").write_text("x")
    print(sorted(path.name for path in home.iterdir()))
"""
EMPTY = b"nothing\nnothing\n['.cache', '.robocorp', 'else']\n"
FULL = b"there\nthere\n['.cache', '.robocorp', 'else']\n"
OTHER = UUID(int=77)


@pytest.fixture(params=["auto", "off"])
def sandbox(request):
    return request.param


async def ran(room, package, **fields) -> bytes:
    attempt = await room.assign(package, **fields)
    finish = await room.finished(attempt)
    assert finish.error is None, attempt.text
    return attempt.artifacts.get("stdout.log", b"")


async def test_downloads_stay_for_the_workspace_alone(room, tmp_path, sandbox):
    """A second robot of the workspace finds them and may change them, also after the worker began anew."""
    package = room.add_package(robots.plain(KEEP))
    async with working(room, tmp_path / "walt", sandbox=sandbox):
        assert await ran(room, package) == EMPTY
        assert await ran(room, package) == FULL
        assert await ran(room, package, workspace_id=OTHER) == EMPTY
    if (tmp_path / "walt" / "kept").exists():  # else robots lived elsewhere, where the tests leave nothing
        async with working(room, tmp_path / "walt", sandbox=sandbox):
            assert await ran(room, package) == FULL


@pytest.mark.parametrize("forked", [True, False])
async def test_spares_see_what_is_kept_for_their_workspace(room, tmp_path, forked):
    """A robot in a spare finds its workspace's downloads, whichever kind of spare, and not those of another."""
    package = room.add_package(robots.plain(KEEP))
    async with working(room, tmp_path / "walt", spares_forked=forked) as walt:
        await run(room, walt, package, share_environments=True)
        attempt = await run_in_spare(room, walt, package, share_environments=True)
        assert attempt.artifacts["stdout.log"] == FULL
        other, _ = await run(room, walt, package, share_environments=True, workspace_id=OTHER)
        assert other.artifacts["stdout.log"] == EMPTY


async def test_robots_at_once_may_change_each_others_downloads(room, tmp_path, sandbox):
    """Two robots of a workspace, each perhaps its own user, write into the same folders at the same time."""
    first = """
        import pathlib
        place = pathlib.Path.home() / ".robocorp"
        (place / "made").mkdir()
        (place / "made" / "file").write_text("first")
        pathlib.Path("output/began").touch()
        while not (place / "made" / "second").exists(): pass
        print((place / "made" / "file").read_text())
    """
    second = """
        import pathlib
        place = pathlib.Path.home() / ".robocorp"
        while not (place / "made" / "file").exists(): pass
        (place / "made" / "file").unlink()
        (place / "made" / "file").write_text("second")
        (place / "made" / "second").touch()
    """
    async with working(room, tmp_path / "walt", sandbox=sandbox, slots=2):
        one = await room.assign(room.add_package(robots.plain(first)))
        other = await room.assign(room.add_package(robots.plain(second)))
        assert (await room.finished(one)).error is None, one.text
        assert (await room.finished(other)).error is None, other.text
        assert one.artifacts["stdout.log"] == b"second\n"


async def test_too_much_is_taken_away(room, tmp_path, sandbox):
    """Beyond the limit the workspace's downloads go when nothing of it runs; with the limit 0 nothing is kept."""
    large = KEEP + '    (home / ".robocorp" / "large").write_bytes(b"x" * 3_000_000)\n'
    async with working(room, tmp_path / "walt", sandbox=sandbox, kept_home_bytes=1_000_000) as walt:
        assert await ran(room, room.add_package(robots.plain(KEEP))) == EMPTY
        assert await ran(room, room.add_package(robots.plain(large))) == FULL
        async with walt.logged("kept home emptied"):
            pass
        assert await ran(room, room.add_package(robots.plain(KEEP))) == EMPTY
    none = KEEP.replace("place.mkdir(exist_ok=True)", "place.mkdir(parents=True)")
    async with working(room, tmp_path / "walt", sandbox=sandbox, kept_home_bytes=0):
        for _ in range(2):
            assert await ran(room, room.add_package(robots.plain(none))) == EMPTY
    assert not (tmp_path / "walt" / "kept").exists()


async def test_a_hostile_robot_opens_nothing_through_its_kept_folder(room, tmp_path, sandbox):
    """Links and second names that a robot leaves there lead nobody to change what they lead to."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    code = f"""
        import os, pathlib
        home = pathlib.Path.home() / ".robocorp"
        os.symlink({str(secret)!r}, home / "file")
        os.symlink("/etc", home / "folder")
        (home / "mine").write_text("x")
        os.link(home / "mine", home / "twin")
    """
    async with working(room, tmp_path / "walt", sandbox=sandbox, kept_home_bytes=1):
        await ran(room, room.add_package(robots.plain(code)))
        await ran(room, room.add_package(robots.plain("print(1)")))
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(Path("/etc").stat().st_mode) == 0o755
    assert secret.read_text() == "secret"


SPACE = """
    import os, pathlib
    space = pathlib.Path(os.environ["RCC_HOLOTREE_SPACE_ROOT"])
    print((space / "bin" / "python").exists(), (space / "pyvenv.cfg").exists())
    browsers = space / "robocorp" / "playwright"
    print(browsers.exists())
    browsers.mkdir(exist_ok=True)
    home = pathlib.Path.home() / ".robocorp"
    print(os.environ["ROBOCORP_HOME"] == str(home), len(os.environ["RCC_ENVIRONMENT_HASH"]))
"""


@pytest.mark.parametrize("kept", [10**9, 0])
async def test_the_space_of_rcc(room, tmp_path, sandbox, kept):
    """The environment with a folder `robocorp` that can be written to, kept where HOME's downloads are."""
    files = robots.plain(SPACE, extra="condaConfigFile: conda.yaml\n") | {"conda.yaml": "dependencies: [python=3.11]"}
    async with working(room, tmp_path / "walt", sandbox=sandbox, kept_home_bytes=kept):
        assert await ran(room, room.add_package(files)) == b"True True\nFalse\nTrue 16\n"
        again = b"True True\n%s\nTrue 16\n" % str(bool(kept)).encode()
        assert await ran(room, room.add_package(files)) == again
