"""Robots of every Python that is at hand: what of ours runs in their interpreters knows the oldest of them."""

import os
import stat
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sample_robots as robots
from real_worker import working
from room_server import RoomServer
from sandboxes import of_this_machine
from test_spares import CASES, assert_alike, run, run_in_spare

import interpreters
from controlroom.worker.environments import interpreters as choosing

SOURCES = Path(choosing.__file__).parent
PROGRAMS = [SOURCES / "finishing.py", *(SOURCES.parent / f"{name}_main.py" for name in ("names", "spare", "zygote"))]
"""What runs in the interpreters of robots."""

ALIKE = ("facts", "facts of a module", "traceback", "traceback of a module", "exit codes", "own excepthook")
"""Cases that show the most of an interpreter (`test_spares.py` has all of them, for one Python)."""

OLD = {"3.6", "3.7"}


@pytest.mark.parametrize("minor", interpreters.MINORS)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_programs_for_robots_are_read_by_every_python(minor, program):
    """Each program of ours that a robot's interpreter runs compiles there."""
    code = "import sys; compile(open(sys.argv[1], 'rb').read(), 'it', 'exec')"
    done = subprocess.run(
        [interpreters.needed(minor), "-c", code, program], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_what_is_given_on_a_command_line_is_ascii():
    """The program that is given to `python -c` needs no encoding, which old Pythons take from the locale."""
    assert (SOURCES / "finishing.py").read_bytes().isascii()


@asynccontextmanager
async def worker_with(folder: Path, minor: str, **settings):
    """A room with a worker that finds an interpreter of this version on its PATH."""
    path = f"{interpreters.needed(minor).parent}:{os.environ['PATH']}"
    room = RoomServer()
    await room.start()
    try:
        async with working(room, folder, path=path, **settings) as worker:
            yield room, worker
    finally:
        await room.stop()


def with_environment(files: dict[str, str], minor: str) -> dict[str, str]:
    """The robot, with an environment of this Python and one package."""
    conda = f"dependencies:\n  - python={minor}\n  - pip=20.1\n  - pip: [six==1.16.0]\n"
    return {**files, "robot.yaml": files["robot.yaml"] + "condaConfigFile: conda.yaml\n", "conda.yaml": conda}


@pytest.mark.skipif(
    os.geteuid() == 0 and not of_this_machine().is_on,
    reason="robots can't reach root's Pythons",
)
@pytest.mark.parametrize(
    "minor",
    [
        pytest.param(minor, marks=() if minor in {"3.6", "3.7", "3.13"} else pytest.mark.matrix)
        for minor in interpreters.MINORS
    ],
)
async def test_robots_run_with_every_python(tmp_path, minor):
    """An environment of each Python is built, a robot runs in it, and its spare behaves like a fresh interpreter."""
    cache = str(tmp_path / "cache")
    code = "import sys, six\nprint('%d.%d' % sys.version_info[:2], six.__cached__.endswith('.pyc'))"
    async with (
        worker_with(tmp_path / "walt", minor, environments=cache) as (room, walt),
        worker_with(tmp_path / "wanda", minor, environments=cache, spares_memory_bytes=0) as (other, wanda),
    ):
        attempt, _ = await run(room, walt, room.add_package(with_environment(robots.plain(code), minor)))
        assert (attempt.finish.error, attempt.artifacts.get("stdout.log")) == (None, f"{minor} True\n".encode())
        for case in ALIKE if minor in OLD else ALIKE[:1]:
            files = with_environment(CASES[case], minor)
            plain, _ = await run(other, wanda, other.add_package(files))
            assert_alike(await run_in_spare(room, walt, room.add_package(files)), plain)


@pytest.mark.parametrize("minor", sorted(OLD))
async def test_robot_framework_of_the_oldest_pythons(tmp_path, minor):
    """A robot of Robot Framework runs there, in a spare as in a fresh interpreter."""
    files = {
        "robot.yaml": "tasks: {main: {robotTaskName: Greet}}\ncondaConfigFile: conda.yaml\nartifactsDir: output\n",
        "conda.yaml": f"dependencies: [python={minor}, {{pip: [robotframework==4.1.3]}}]",
        "tasks.robot": "*** Tasks ***\nGreet\n    Log To Console    hello\n    Fail    on purpose\n",
    }
    async with worker_with(tmp_path / "walt", minor) as (room, walt):
        package = room.add_package(files)
        plain, in_spare = await run(room, walt, package)
        assert not in_spare
        assert "on purpose" in plain.artifacts["stdout.log"].decode()
        assert_alike(await run_in_spare(room, walt, package), plain)


def reached_by_all(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


@pytest.mark.parametrize("minor", sorted(OLD))
async def test_spares_of_the_oldest_pythons_without_a_sandbox(tmp_path, minor):
    """Without a sandbox spares are not forked; those of the oldest Pythons behave like fresh interpreters, too."""
    if os.geteuid() == 0 and not reached_by_all(interpreters.needed(minor)):
        pytest.skip("robots' users cannot reach this interpreter without a sandbox")
    async with worker_with(tmp_path / "walt", minor, sandbox="off") as (room, walt):
        package = room.add_package(with_environment(CASES["facts of a module"], minor))
        plain, in_spare = await run(room, walt, package)
        assert not in_spare
        assert_alike(await run_in_spare(room, walt, package), plain)
