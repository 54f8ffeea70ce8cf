"""The console of a step run, from the robot's `print` to the server."""

import sys

import pytest
import sample_robots as robots
from real_worker import working
from room_server import RoomServer
from sandboxes import of_this_machine

from controlroom.protocol import MAX_LINE_BYTES


@pytest.fixture
async def walt(room: RoomServer, tmp_path):
    # Why off: where none can be had each console begins with a warning
    async with working(room, tmp_path / "walt", sandbox="auto" if of_this_machine().is_on else "off") as worker:
        yield worker


async def test_a_million_lines(room, walt):
    """None of a million lines is lost, doubled or out of order, and the raw log has them too."""
    code = "import sys\nfor number in range(0, 1000000, 100):\n    print(*range(number, number + 100), sep='\\n')"
    attempt = await room.assign(room.add_package(robots.plain(code)))

    finish = await room.finished(attempt, 120)

    assert finish.error is None
    assert finish.console_lines == 1_000_000
    assert attempt.text == [str(number) for number in range(1_000_000)]
    assert attempt.artifacts["stdout.log"] == attempt.console


async def test_noise_and_long_lines(room, walt):
    """Bytes that are no text arrive as text, a line over the limit is cut; the raw log has what was written."""
    code = """
        import os, random
        noise = random.Random(1).randbytes(300_000)
        os.write(1, b"begin\\n"); rest = noise
        while rest: rest = rest[os.write(1, rest):]
        os.write(1, b"\\n")
        long = b"x" * 3_000_000
        while long: long = long[os.write(1, long):]
        os.write(1, b"\\nend without line end")
    """
    attempt = await room.assign(room.add_package(robots.plain(code)))

    finish = await room.finished(attempt)

    assert finish.error is None
    lines = attempt.console.decode().split("\n")
    assert lines[0] == "begin"
    assert lines[-3:] == ["x" * MAX_LINE_BYTES, "end without line end", ""]
    assert "\0" not in attempt.console.decode()
    assert len(attempt.artifacts["stdout.log"]) > 3_300_000


async def test_lines_are_sent_while_the_robot_runs(room, walt):
    """A line reaches the server before the robot has ended."""
    code = "import pathlib, time\nprint('early')\nwhile not pathlib.Path('output/go').exists(): time.sleep(0.01)"
    attempt = await room.assign(room.add_package(robots.plain(code)))

    await room.until(lambda: "early" in attempt.text)

    assert attempt.finish is None
    (go,) = walt.runs.glob("*/work/robot/output")
    (go / "go").touch()
    assert (await room.finished(attempt)).error is None


async def test_server_errors_lose_no_line(room, walt):
    """While the server answers 503, lines wait, and then arrive once and in order."""
    code = "import time\nfor number in range(200):\n    print(number)\n    time.sleep(0.005)"
    attempt = await room.assign(room.add_package(robots.plain(code)))
    await room.until(lambda: attempt.lines > 5)
    room.failing = 4

    finish = await room.finished(attempt)

    assert finish.error is None
    assert attempt.text == [str(number) for number in range(200)]


async def test_a_server_that_is_away(room, walt):
    """The server may go and come back while a robot runs: nothing is lost, and the robot never notices."""
    code = "import time\nfor number in range(300):\n    print(number)\n    time.sleep(0.01)"
    attempt = await room.assign(room.add_package(robots.plain(code)))
    await room.until(lambda: attempt.lines > 5)

    await room.stop()
    await room.start()
    finish = await room.finished(attempt)

    assert finish.error is None
    assert attempt.text == [str(number) for number in range(300)]


async def test_a_silent_server_makes_the_robot_wait_not_the_memory_grow(room, walt):
    """What can't be sent stays with the robot, which waits in its `print`."""
    code = "for number in range(600000): print('x' * 100)"
    attempt = await room.assign(room.add_package(robots.plain(code)))
    await room.until(lambda: attempt.lines > 1000)
    room.failing = sys.maxsize
    await room.until(lambda: room.failing < sys.maxsize - 3)
    have = attempt.lines

    room.failing = 0
    finish = await room.finished(attempt)

    assert have < 600_000
    assert finish.console_lines == attempt.lines == 600_000


async def test_a_line_without_end_is_told_while_it_stands(room, walt):
    """A question is shown to who watches, after the lines before it; once it has ended it is a line like all others."""
    code = """
        import pathlib, time
        print("before", flush=True)
        print("Name? ", end="", flush=True)
        while not pathlib.Path("output/go").exists(): time.sleep(0.01)
        print("Ada")
    """
    attempt = await room.assign(room.add_package(robots.plain(code)))

    await room.until(lambda: attempt.unfinished)

    first = attempt.lines
    assert attempt.unfinished == [(first, "Name? ")]
    assert attempt.text[-1] == "before"
    (go,) = walt.runs.glob("*/work/robot/output")
    (go / "go").touch()
    assert (await room.finished(attempt)).error is None
    assert attempt.text[-2:] == ["before", "Name? Ada"]
    assert {number for number, _ in attempt.unfinished} == {first}


async def test_a_progress_bar_is_seen_moving_and_stored_once(room, walt):
    """Whoever watches sees its states, not all of them; one line is left, the last state; the raw log has them all."""
    code = """
        import sys, time
        for number in range(151):
            sys.stderr.write(f"\\r{number:3d}")
            sys.stderr.flush()
            time.sleep(0.02)
        print("ready")
        sys.stderr.write("\\n")
    """
    attempt = await room.assign(room.add_package(robots.plain(code)))

    finish = await room.finished(attempt)

    assert finish.error is None
    told = [int(text) for _, text in attempt.unfinished]
    assert len(told) >= 2
    assert told == sorted(told)
    assert len(told) < 10
    assert sorted(line for line in attempt.text if not line.startswith("Warning")) == ["150", "ready"]
    assert attempt.artifacts["stderr.log"].count(b"\r") == 151
