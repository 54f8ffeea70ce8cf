"""No robot can hang its step run: whatever it does to those who watch over it, when its program ends it has ended."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import sample_robots as robots
from real_worker import working
from room_server import RoomServer
from sandboxes import needs_sandbox
from test_sandbox import ORDINARY, python_for

from controlroom.worker.environments.build_place import remove_tree

PRELUDE = """
    import ctypes, os, signal, sys, time

    ATTACH, SEIZE, TRACE_CALLS = 16, 0x4206, 24
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    keeper, main = os.getppid(), os.getpid()

    def aside(work):
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.setsid()
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                if number != signal.SIGCHLD:
                    signal.signal(number, signal.SIG_IGN)
            try:
                work()
            except OSError:
                pass
            os.write(writing, b"1")
            while True:
                time.sleep(float(MARK))
        os.read(reading, 1)
"""

ATTACKS = {
    "traces its keeper": "aside(lambda: libc.ptrace(ATTACH, keeper, None, None))",
    "seizes its keeper": "aside(lambda: libc.ptrace(SEIZE, keeper, None, None))",
    "traces every call of its keeper": """
        def trace():
            libc.ptrace(ATTACH, keeper, None, None)
            if os.fork() == 0:
                os._exit(0)
            while True:
                os.waitpid(-1, 0x40000000)
                libc.ptrace(TRACE_CALLS, keeper, None, None)
        import threading
        aside(lambda: threading.Thread(target=trace).start() or time.sleep(0.2))
    """,
    "traces its own main": "aside(lambda: libc.ptrace(SEIZE, main, None, None))",
    "stops its keeper": "aside(lambda: os.kill(keeper, signal.SIGSTOP))",
    "kills its keeper": "aside(lambda: keeper > 1 and os.kill(keeper, signal.SIGKILL))",
    "stops everything": """
        aside(lambda: None)
        try:
            os.kill(keeper, signal.SIGSTOP)
        except OSError:
            pass
        os.kill(main, signal.SIGSTOP) if END_BY_ORDER else None
    """,
    "hands itself on": """
        def hand_on():
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                if os.fork():
                    os._exit(0)
        if os.fork() == 0:
            os.setsid()
            hand_on()
    """,
    "keeps its streams": "aside(lambda: None)",
    "slows its keeper": """
        def slow():
            os.setpriority(os.PRIO_PROCESS, keeper, 19)
            os.sched_setscheduler(keeper, os.SCHED_IDLE, os.sched_param(0))
        aside(slow)
    """,
    "limits its keeper": """
        import resource
        def limit():
            for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_DATA):
                resource.prlimit(keeper, kind, (0, 0))
        aside(limit)
    """,
}


def robot(attack: str, mark: str, *, ends: bool) -> dict[str, str]:
    lines = [*PRELUDE.strip("\n").splitlines(), f"    MARK, END_BY_ORDER = {mark!r}, {not ends}"]
    indented = attack.strip("\n").splitlines()
    depth = min(len(line) - len(line.lstrip()) for line in indented if line.strip())
    lines += ["    " + line[depth:] for line in indented]
    lines += ["    print('done', flush=True)", "    " + ("os._exit(0)" if ends else "time.sleep(600)")]
    return robots.plain("\n".join(lines))


WORKERS = {
    "enclosed": ("auto", None),
    "of an ordinary user": ("auto", ORDINARY),
    "without a sandbox": ("off", None),
    "of an ordinary user, without a sandbox": ("off", ORDINARY),
}


def _marks(sandbox: str, uid: int | None) -> list[pytest.MarkDecorator]:
    """Two kinds of worker are for every day, all four for `make matrix`."""
    return [needs_sandbox] * (sandbox == "auto") + [pytest.mark.matrix] * (uid is not None)


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=_marks(*each)) for name, each in WORKERS.items()],
)
async def busy_room(request) -> AsyncIterator[RoomServer]:
    """A server with a worker: enclosing its robots or not, of whoever runs the tests and of an ordinary user."""
    sandbox, uid = WORKERS[request.param]
    if uid is not None and os.geteuid() != 0:
        pytest.skip("only root can start a worker as another user")
    top = Path(tempfile.mkdtemp(dir="/var/tmp"))
    top.chmod(0o755)
    folder = top / "walt"
    folder.mkdir()
    if uid is not None:
        os.chown(folder, uid, uid)
    server = RoomServer()
    await server.start()
    async with working(server, folder, uid=uid, python=python_for(uid), sandbox=sandbox):
        yield server
    await server.stop()
    for process in psutil.process_iter(["cmdline"]):  # an ordinary user's robot without a sandbox may kill its keeper
        if any(word.startswith(str(folder)) for word in process.info["cmdline"] or ()):
            process.kill()
    remove_tree(top)


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_robot_whose_program_has_ended_has_ended(busy_room, attack):
    """A robot that ends while something of it goes on, and holds up who should see it, is over within seconds."""
    package = busy_room.add_package(robot(ATTACKS[attack], "600", ends=True))
    for _ in range(2):  # the second one in a spare, where there is one by then
        attempt = await busy_room.assign(package)
        await busy_room.finished(attempt, 15)
        # Why the exception: the program itself goes with its keeper, where it may kill it
        assert "done" in attempt.text or attack == "kills its keeper", attempt.text


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_time_limit_ends_every_robot(busy_room, attack):
    """A time limit ends a robot whatever it does to who watches over it."""
    package = busy_room.add_package(robot(ATTACKS[attack], "600", ends=False))
    attempt = await busy_room.assign(package, timeout_seconds=1.0)
    finish = await busy_room.finished(attempt, 20)
    assert finish.error is not None


async def test_a_spare_that_is_never_ready_is_done_without(room, open_folder):
    """A module that never ends to be imported ahead of time keeps no robot from a process of its own."""
    code = "import sys; print('fine', 'zygote' in sys.argv)"
    async with working(room, open_folder / "walt", spares_forked=False) as walt:
        await room.until(lambda: room.sessions)
        program = walt.folder / "spare.py"
        program.write_text("import time\ntime.sleep(600)\n")
        package = room.add_package(robots.plain(code))
        for _ in range(2):
            attempt = await room.assign(package)
            finish = await room.finished(attempt, 30)
            assert finish.error is None
            assert attempt.text[-1] == "fine False"


async def test_what_a_robot_leaves_keeps_nobody(room, open_folder):
    """Folders of any depth, closed folders, pipes, sockets and links in its results hold up neither end nor removal."""
    code = """
        import os, socket, sys
        os.chdir("output")
        os.mkfifo("pipe")
        socket.socket(socket.AF_UNIX).bind("socket")
        os.symlink(".", "loop")
        os.symlink("/proc/kmsg", "kernel")
        open("file", "w").write("content")
        os.makedirs("closed/inner")
        open("closed/file", "w").close()
        os.chmod("closed", 0)
        for _ in range(2000):
            os.mkdir("d")
            os.chdir("d")
    """
    async with working(room, open_folder / "walt", spares_memory_bytes=0) as walt:
        attempt = await room.assign(room.add_package(robots.plain(code)))
        finish = await room.finished(attempt, 30)
        assert finish.error is None, finish.error
        assert attempt.artifacts["file"] == b"content"
        async with walt.logged("step run ended"), asyncio.timeout(30):
            while list((walt.folder / "runs").iterdir()):
                await asyncio.sleep(0.05)  # nobody tells when a folder has gone
