"""What a robot may use of the machine, where the operator says so."""

from pathlib import Path

import pytest
import sample_robots as robots
from real_worker import working
from room_server import RoomServer
from sandboxes import needs_sandbox

from controlroom.protocol import ErrorCode
from controlroom.worker.memory_groups import MemoryGroups

MEGABYTE = 1024 * 1024
GREEDY = """
    import mmap, subprocess, sys
    reserved = mmap.mmap(-1, 1 << 40, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, 0)  # as browsers do
    print("begun", flush=True)
    if len(sys.argv) > 1:
        subprocess.run([sys.executable, "-c", "held = bytearray(600 << 20); print(len(held))"], check=True)
    print("done")
"""


@pytest.fixture(params=[pytest.param("auto", marks=needs_sandbox), "off"])
def sandbox(request) -> str:
    """With a sandbox and without."""
    return request.param


@pytest.fixture(scope="module")
def groups(tmp_path_factory):
    """Whether control groups can be had here."""
    found = MemoryGroups.prepare(MEGABYTE, folder=tmp_path_factory.mktemp("groups"))
    if found is None:
        pytest.skip("no control group of memory is delegated to us here")
    found.close()


async def until_spare(room: RoomServer, walt, files: dict[str, str]):
    """Run a robot in a process of its own and, some time later, in a spare."""
    seen = set()
    for _ in range(20):
        attempt = await room.assign(room.add_package(files))
        finish = await room.finished(attempt)
        async with walt.logged(str(attempt.assignment.step_run_id)) as line:
            way = "spare=True" in line
        if way not in seen:
            seen.add(way)
            yield attempt, finish
        if len(seen) == 2:
            return


@pytest.mark.matrix
async def test_a_robot_s_memory_is_bounded(room, open_folder, sandbox, groups):
    """A robot whose processes hold more than the limit is ended and says why; reserving address space is free."""
    async with working(room, open_folder / "walt", sandbox=sandbox, robot_memory_bytes=300 * MEGABYTE) as walt:
        async for attempt, finish in until_spare(room, walt, robots.plain(GREEDY, command="python task.py much")):
            assert finish.error.code is ErrorCode.ROBOT_FAILED
            assert "more memory than the worker allows" in finish.error.message
            assert attempt.text[0] == "begun"
        async for attempt, finish in until_spare(room, walt, robots.plain(GREEDY)):
            assert (finish.error, attempt.text) == (None, ["begun", "done"])
    assert not list(Path("/sys/fs/cgroup").glob("**/controlroom-*/*/cgroup.procs"))


async def test_a_robot_s_files_are_bounded(room, open_folder, sandbox):
    """Each file that a robot writes may become as large as the limit, and the error says what happened."""
    code = f"""
        import pathlib
        pathlib.Path("output/good").write_bytes(bytes({MEGABYTE}))
        try:
            pathlib.Path("output/large").write_bytes(bytes({MEGABYTE} + 1))
        except OSError as error:
            print(error.strerror)
    """
    async with working(room, open_folder / "walt", sandbox=sandbox, robot_file_bytes=MEGABYTE) as walt:
        async for attempt, finish in until_spare(room, walt, robots.plain(code)):
            assert (finish.error, attempt.text) == (None, ["File too large"])
            assert len(attempt.artifacts["good"]) == len(attempt.artifacts["large"]) == MEGABYTE


async def test_robots_are_not_bounded_unasked(room, open_folder, sandbox):
    """Without the settings a robot has the limits of the worker."""
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_FSIZE), open('/proc/self/cgroup').read())"
    async with working(room, open_folder / "walt", sandbox=sandbox):
        attempt = await room.assign(room.add_package(robots.plain(code)))
        finish = await room.finished(attempt)

    assert finish.error is None
    assert "controlroom-" not in attempt.artifacts["stdout.log"].decode()
