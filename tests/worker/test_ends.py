"""How robots are ended: time limits, orders, lost leases, dying workers."""

import asyncio
import os
import signal

import psutil
import pytest
import sample_robots as robots
from real_worker import working
from room_server import RoomServer
from sandboxes import needs_sandbox

from controlroom.protocol import ErrorCode, Order

STUBBORN = """
    import os, signal, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:  # a daemon, by the book
            os.execvp("sleep", ["sleep", MARK])
        os._exit(0)
    print("started")
    time.sleep(600)
"""


@pytest.fixture(params=[pytest.param("auto", marks=needs_sandbox), "off"])
async def walt(room: RoomServer, tmp_path, request):
    """A worker, with a sandbox and without."""
    async with working(room, tmp_path / "walt", sandbox=request.param) as worker:
        yield worker


@pytest.fixture
def mark():
    """A number of seconds to sleep by which a test finds its own processes."""
    return f"{600 + os.getpid() / 10_000_000:.7f}"


def sleeping(mark: str) -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == ["sleep", mark]]


async def gone(mark: str, seconds: float = 30.0) -> bool:
    """Whether no such process is left; the kernel may need a moment to bury them."""
    async with asyncio.timeout(seconds):
        while sleeping(mark):
            await asyncio.sleep(0.01)
    return True


async def test_the_time_limit_ends_the_whole_tree(room, walt, mark):
    """A robot that ignores SIGTERM and has daemonised a child is over when its time is, with all its processes."""
    files = robots.plain(STUBBORN.replace("MARK", repr(mark)))
    attempt = await room.assign(room.add_package(files), timeout_seconds=1.0)

    finish = await room.finished(attempt)

    assert finish.error.code is ErrorCode.TIMEOUT
    assert "time limit" in attempt.text[-1]
    assert attempt.artifacts["stdout.log"] == b"started\n"
    assert await gone(mark)


async def test_terminate_ends_the_whole_tree(room, walt, mark):
    """Order TERMINATE ends a robot with all its processes, and is reported."""
    attempt = await room.assign(room.add_package(robots.plain(STUBBORN.replace("MARK", repr(mark)))))
    await room.until(lambda: "started" in attempt.text)

    await room.order(attempt, Order.TERMINATE)
    finish = await room.finished(attempt)

    assert finish.error.code is ErrorCode.TERMINATED
    assert await gone(mark)


@needs_sandbox
async def test_a_robot_whose_enclosure_is_killed_is_lost_by_the_worker(room, tmp_path, mark):
    """As the kernel does when memory is short; the robot could not have done it, and is not blamed."""
    async with working(room, tmp_path / "walt") as walt:
        attempt = await room.assign(room.add_package(robots.plain(STUBBORN.replace("MARK", repr(mark)))))
        await room.until(lambda: "started" in attempt.text)
        while not sleeping(mark):
            await asyncio.sleep(0.01)  # nobody tells when the daemon has become what it is
        [daemon] = sleeping(mark)
        of_worker = {process.pid for process in psutil.Process(walt.process.pid).children()}
        [enclosure] = [process for process in daemon.parents() if process.pid in of_worker]
        enclosure.kill()
        finish = await room.finished(attempt)

    assert finish.error.code is ErrorCode.WORKER_LOST
    assert await gone(mark)


async def test_terminate_lets_a_robot_clean_up(room, walt):
    """SIGTERM comes first, and a robot that obeys it may still leave something."""
    code = """
        import signal, sys, time
        def end(*_):
            open("output/last", "w").write("words")
            sys.exit(1)
        signal.signal(signal.SIGTERM, end)
        print("started")
        time.sleep(600)
    """
    attempt = await room.assign(room.add_package(robots.plain(code)))
    await room.until(lambda: "started" in attempt.text)

    await room.order(attempt, Order.TERMINATE)
    await room.finished(attempt)

    assert attempt.artifacts["last"] == b"words"


async def test_terminate_during_the_build_of_an_environment(room, walt):
    """A step run that is still building ends at once when ordered to."""
    conda = "dependencies: [{pip: [robocorp-tasks==4.1.1]}]\nrccPostInstall: [sleep 600]\n"
    files = robots.plain("", extra="environmentConfigs: [conda.yaml]\n") | {"conda.yaml": conda}
    attempt = await room.assign(room.add_package(files))
    await room.until(lambda: any("sleep 600" in line for line in attempt.text))

    await room.order(attempt, Order.TERMINATE)
    finish = await room.finished(attempt)

    assert finish.error.code is ErrorCode.TERMINATED


async def test_what_a_robot_leaves_running_is_ended(room, walt, mark):
    """A robot that ends while a daemon of its own goes on is done, and so is the daemon."""
    code = f"""
        import os, sys
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execvp("sleep", ["sleep", {mark!r}])
            os._exit(0)
        os.wait()
        print("bye")
    """
    attempt = await room.assign(room.add_package(robots.plain(code)))

    finish = await room.finished(attempt)

    assert finish.error is None
    assert attempt.text[-1] == "bye"
    assert await gone(mark)


async def test_pause_halts_the_robot_and_its_time(room, walt):
    """A paused robot stands still for longer than its time limit, and then goes on to its end."""
    code = """
        import time
        last, number = time.monotonic(), 0
        while time.monotonic() - last < 5:
            last = time.monotonic()
            print(number, flush=True)
            number += 1
            time.sleep(0.01)
        print("has stood still")
    """
    attempt = await room.assign(room.add_package(robots.plain(code)), timeout_seconds=8.0)
    await room.until(lambda: attempt.lines > 5)

    await room.order(attempt, Order.PAUSE)
    before = attempt.heartbeats
    await room.until(lambda: attempt.heartbeats >= before + 5)  # of about 2 s each
    assert attempt.finish is None
    await room.order(attempt, Order.CONTINUE)
    finish = await room.finished(attempt)

    assert finish.error is None
    *numbers, last = attempt.text
    assert numbers == [str(number) for number in range(len(numbers))]
    assert last == "has stood still"


async def test_a_robot_that_is_paused_before_it_begins_waits_for_its_order(room, walt):
    """Its environment is made ready and nothing more: the server hears of no beginning, nor does its time pass."""
    attempt = await room.assign(room.add_package(robots.plain("print('hi')")), paused=True, timeout_seconds=3.0)
    attempt.order = Order.PAUSE
    await room.until(lambda: attempt.heartbeats >= 3)  # of about 2 s each
    assert (attempt.lines, set(attempt.phases) - {0}) == (0, set())

    await room.order(attempt, Order.CONTINUE)
    finish = await room.finished(attempt)

    assert (finish.error, attempt.text) == (None, ["hi"])


async def test_a_superseded_attempt_is_forgotten(room, walt, mark):
    """When the attempt is somebody else's, the robot is ended and nothing is reported."""
    attempt = await room.assign(room.add_package(robots.plain(STUBBORN.replace("MARK", repr(mark)))))
    await room.until(lambda: "started" in attempt.text)

    attempt.superseded = True
    await room.order(attempt, Order.ABANDON)

    assert await gone(mark, 15)
    other = await room.assign(room.add_package(robots.plain("print(1)")))
    await room.finished(other)
    assert attempt.finish is None


async def test_a_lost_session_is_opened_anew(room, walt, mark):
    """A worker that the server thought lost ends its robots, opens a new session and goes on."""
    attempt = await room.assign(room.add_package(robots.plain(STUBBORN.replace("MARK", repr(mark)))))
    await room.until(lambda: "started" in attempt.text)

    attempt.superseded = True
    room.forget_session()
    await room.order(attempt, Order.ABANDON)
    await room.until(lambda: len(room.sessions) == 2)

    assert await gone(mark)
    other = await room.assign(room.add_package(robots.plain("print(1)")))
    assert (await room.finished(other)).error is None


async def test_a_stopped_worker_reports_its_robots(room, walt, mark):
    """SIGTERM: robots are ended and reported as lost with the worker, the session is closed, the exit code is 0."""
    attempt = await room.assign(room.add_package(robots.plain(STUBBORN.replace("MARK", repr(mark)))))
    await room.until(lambda: "started" in attempt.text)

    assert await walt.stop() == 0

    assert attempt.finish.error.code is ErrorCode.WORKER_LOST
    assert room.closed_sessions
    assert await gone(mark)


async def test_a_killed_worker_takes_its_robots_along(room, walt, mark):
    """After kill -9 of the worker no process of its robots is left."""
    attempt = await room.assign(room.add_package(robots.plain(STUBBORN.replace("MARK", repr(mark)))))
    await room.until(lambda: "started" in attempt.text)

    walt.process.send_signal(signal.SIGKILL)
    await walt.process.wait()

    assert await gone(mark)


async def test_a_server_that_is_silent_for_a_lease(room, tmp_path, mark):
    """A worker that hears nothing for a lease ends its robots: they may be somebody else's by then."""
    room.lease, room.heartbeat_hold = 1.0, 0.2
    async with working(room, tmp_path / "walt"):
        attempt = await room.assign(room.add_package(robots.plain(STUBBORN.replace("MARK", repr(mark)))))
        await room.until(lambda: "started" in attempt.text)

        await room.stop()

        assert await gone(mark, 15)
        await room.start()


async def test_slots_run_robots_at_once(room, tmp_path):
    """Robots of one worker run side by side, and their artifacts never mix."""
    code = """
        import os, pathlib, sys, time
        number = os.environ["NUMBER"]
        open("output/mine", "w").write(number)
        print("started")
        while not pathlib.Path("output/go").exists(): time.sleep(0.01)
    """
    async with working(room, tmp_path / "walt", slots=3) as walt:
        package = room.add_package(robots.plain(code))
        attempts = [await room.assign(package, variables={"NUMBER": str(number)}) for number in range(4)]
        await room.until(lambda: sum("started" in attempt.text for attempt in attempts) == 3)
        assert not attempts[3].text

        for folder in walt.runs.glob("*/work/robot/output"):
            (folder / "go").touch()
        await room.until(lambda: sum(attempt.finish is not None for attempt in attempts) == 3)
        await room.until(lambda: "started" in attempts[3].text)
        await room.order(attempts[3], Order.TERMINATE)
        await room.finished(attempts[3])

    assert [attempt.artifacts["mine"] for attempt in attempts] == [b"0", b"1", b"2", b"3"]
