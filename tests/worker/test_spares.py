"""A robot in a spare interpreter behaves exactly as in a fresh one: the same robots run both ways."""

import asyncio
import re
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import psutil
import pytest
import sample_robots as robots
from real_worker import WorkerProcess, working
from room_server import Attempt, Kept, PackageRef, RoomServer
from sandboxes import needs_nesting

from controlroom.protocol import ErrorCode
from controlroom.worker.environments.build_place import remove_tree

FACTS = """
    import json, os, sys
    import warnings, locale
    facts = {
        "argv": sys.argv, "orig_argv": getattr(sys, "orig_argv", None), "path": sys.path, "cwd": os.getcwd(),
        "executable": sys.executable, "prefix": sys.prefix, "flags": str(sys.flags), "warnoptions": sys.warnoptions,
        "main": sorted(name for name in globals() if name.startswith("__")), "name": __name__, "doc": __doc__,
        "file": __file__, "spec": str(__spec__), "package": __package__, "loader": type(__loader__).__name__,
        "cached": __cached__, "builtins": type(__builtins__).__name__,
        "encodings": [sys.stdout.encoding, sys.stdin.encoding, sys.getfilesystemencoding(), locale.getlocale()],
        "buffering": [sys.stdout.line_buffering, sys.stdout.write_through, sys.stderr.line_buffering],
        "stdin": sys.stdin.read(), "fds": sorted(os.listdir("/proc/self/fd")), "hooks": [str(sys.excepthook)],
        "is_main": sys.modules["__main__"].__dict__ is globals(), "umask": oct(os.umask(0)),
        "environ": dict(os.environ), "session": os.getsid(0) == os.getpid(), "meta_path": str(sys.meta_path),
        "signals": str(sorted((s, str(__import__("signal").getsignal(s))) for s in (1, 2, 13, 15))),
        "filters": str(warnings.filters), "time zone": __import__("time").tzname,
    }
    print(json.dumps(facts, indent=1))
"""

SPAWN = """
    import multiprocessing, os, sys

    def work(number):
        return number * 2, __name__, os.path.basename(sys.argv[0])

    if __name__ == "__main__":
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(pool.map(work, [1, 2]))
        with multiprocessing.get_context("fork").Pool(1) as pool:
            print(pool.map(work, [1, 2]))
"""

CASES = {
    "facts": robots.plain(FACTS),
    "facts of a module": robots.plain(FACTS, command="python -m package.inner one 'two three'", package____init__="")
    | {"package/inner.py": robots.plain(FACTS)["task.py"], "package/__init__.py": "print('package')"},
    "arguments": robots.plain("import sys; print(sys.argv)", command="python task.py -x 'a b' --c=d"),
    "in a subfolder": robots.plain("", command="python sub/task.py", sub__task=FACTS, sub__near="print('near')"),
    "python3": robots.plain(FACTS, command="python3 task.py"),
    "path of robot.yaml": robots.plain(
        "import far, sys; print(sys.path, far.__file__)", extra="PYTHONPATH: [libs, libs, .]\n", libs__far=""
    ),
    "traceback": robots.plain(
        "def f():\n    return 1 / 0\n\ntry:\n    f()\nexcept Exception as e:\n    raise ValueError from e"
    ),
    "traceback of a module": robots.plain("", command="python -m other", other="import json\njson.loads('{')"),
    "syntax error": robots.plain("print(1)\nif True print(2)"),
    "exit codes": robots.plain("import sys\nsys.exit(7)"),
    "exit with text": robots.plain("raise SystemExit('that is enough')"),
    "exit at once": robots.plain("import os\nprint('x', end='')\nos._exit(5)"),
    "own excepthook": robots.plain(
        "import sys\nsys.excepthook = lambda *a: print('hook', a[0].__name__, a[2].tb_next, sys.exc_info())\n1 / 0"
    ),
    "broken excepthook": robots.plain(
        "import sys\ndef hook(*a): raise OSError('in hook')\nsys.excepthook = hook\n1 / 0"
    ),
    "interrupted": robots.plain("raise KeyboardInterrupt"),
    "own signal": robots.plain("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nimport time; time.sleep(10)"),
    "order of ends": robots.plain(
        """
        import atexit, sys, threading, time
        atexit.register(print, "atexit")
        def slow(): time.sleep(0.05); print("thread")
        threading.Thread(target=slow).start()
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        class Last:
            def __del__(self): print("del")
        last = Last()
        print("main", threading.current_thread() is threading.main_thread(), threading.active_count())
        """
    ),
    "multiprocessing": robots.plain(SPAWN),
    "multiprocessing of a module": robots.plain("", command="python -m spawning", spawning=SPAWN),
    "subprocess": robots.plain(
        "import subprocess, sys\nprint(subprocess.check_output([sys.executable, '-c', 'import sys; print(sys.path)']))"
    ),
    "relative import": robots.plain(
        "", command="python -m p.run", p__run="from . import q; print(q.__name__)", p__q=""
    ),
    "no such module": robots.plain("", command="python -m nothing.here"),
    "no such script": robots.plain("", command="python nothing.py"),
    "warnings": robots.plain(
        "import warnings\nwarnings.warn('old', DeprecationWarning)\nimport asyncio\nasyncio.sleep(1)"
    ),
    "unraisable": robots.plain("class A:\n    def __del__(self): 1 / 0\nA()\nprint('on')"),
    "thread fails": robots.plain("import threading\nthreading.Thread(target=lambda: 1 / 0, name='t').start()"),
    "shadowing": robots.plain(
        "import runpy; print(runpy.__file__)", command="python -m go", go="import runpy; print(runpy.X)", runpy="X = 1"
    ),
    "encodings": robots.plain(
        "print('gr\\u00fc\\u00df', ascii(open('t', 'w').encoding))\nimport sys\nsys.stderr.write('\\udcff')"
    ),
    "recursion": robots.plain("def f(): f()\ntry: f()\nexcept RecursionError as e: print(e)"),
    "pickling": robots.plain("import pickle\nclass A: pass\nprint(pickle.loads(pickle.dumps(A())).__class__ is A)"),
    "inspection": robots.plain("import inspect\ndef f(): pass\nprint(inspect.getsource(f), inspect.getmodule(f))"),
    "dataclass": robots.plain(
        """
        from __future__ import annotations
        import dataclasses
        @dataclasses.dataclass
        class A:
            b: int
        print(A(1), __annotations__)
        """
    ),
}
PLAIN_BY_NATURE = {"no such script", "shadowing"}
"""Commands that a spare leaves to a fresh process."""


@pytest.fixture(scope="module", params=[pytest.param(True, marks=needs_nesting), False], ids=["forked", "alone"])
async def rooms(request, tmp_path_factory):
    """A server with a worker that keeps spares, and one with a worker that keeps none."""
    with_spares, without = RoomServer(), RoomServer()
    await with_spares.start()
    await without.start()
    cache = tempfile.mkdtemp(dir="/var/tmp")  # where no sandbox can be had, robots of other users must reach it
    Path(cache).chmod(0o755)
    async with (
        working(
            with_spares, tmp_path_factory.mktemp("spares"), environments=cache, spares_forked=request.param
        ) as walt,
        working(without, tmp_path_factory.mktemp("plain"), environments=cache, spares_memory_bytes=0) as wanda,
    ):
        yield (with_spares, walt), (without, wanda)
    await with_spares.stop()
    await without.stop()
    remove_tree(Path(cache))


async def run(room: RoomServer, walt: WorkerProcess, package: PackageRef, **fields) -> tuple[Attempt, bool]:
    """Run a robot; tells also whether it ran in a spare."""
    attempt = await room.assign(package, **fields)
    await room.finished(attempt)
    async with walt.logged(str(attempt.assignment.step_run_id)) as line:
        return attempt, "spare=True" in line


async def run_in_spare(room: RoomServer, walt: WorkerProcess, package: PackageRef, **fields) -> Attempt:
    """Run a robot until it came upon a spare."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        attempt, in_spare = await run(room, walt, package, **fields)
        if in_spare:
            return attempt
    raise AssertionError("no spare was used\n" + walt.log[-3000:])


def assert_alike(one: Attempt, other: Attempt) -> None:
    """They printed and ended alike, but for what differs between any two runs."""
    assert printed(one, "stdout.log") == printed(other, "stdout.log")
    assert printed(one, "stderr.log") == printed(other, "stderr.log")
    assert one.finish.exit_code == other.finish.exit_code


def printed(attempt: Attempt, stream: str) -> list[str]:
    ids = (attempt.assignment.step_run_id, attempt.assignment.run_id)
    volatile = (
        rf"{ids[0]}|{ids[1]}|/[\w/-]*/runs/\d+/|/[\w/-]*/(?:names\b|authorities\.pem)|http://127.0.0.1:\d+|0x[0-9a-f]+"
    )
    return re.sub(volatile, "*", attempt.artifacts.get(stream, b"").decode()).splitlines()


@pytest.mark.parametrize("case", CASES)
async def test_spares_behave_like_fresh_interpreters(rooms, case):
    """Output, exit code and everything a robot can see of its interpreter are the same."""
    (room, walt), (other_room, wanda) = rooms

    plain, _ = await run(other_room, wanda, other_room.add_package(CASES[case]))
    package = room.add_package(CASES[case])
    if case in PLAIN_BY_NATURE:
        spare, used = await run(room, walt, package)
        spare, used = await run(room, walt, package)
        assert not used
    else:
        spare = await run_in_spare(room, walt, package)

    assert_alike(spare, plain)


@pytest.mark.parametrize(
    "step",
    [{"PYTHONHASHSEED": "0"}, {"LC_ALL": "C"}, {"LD_LIBRARY_PATH": "/x"}, {"PATH": "/x"}, {"PYTHONSAFEPATH": "1"}],
)
async def test_variables_that_are_read_at_start_need_a_fresh_interpreter(rooms, step):
    """A spare was started before the step's variables were known: what only a start can honour is left to one."""
    (room, walt), (other_room, wanda) = rooms

    plain, _ = await run(other_room, wanda, other_room.add_package(CASES["facts"]), variables=step)
    await run(room, walt, room.add_package(CASES["facts"]), variables=step)
    attempt, in_spare = await run(room, walt, room.add_package(CASES["facts"]), variables=step)

    assert not in_spare
    assert_alike(attempt, plain)


async def test_the_time_zone_of_a_step(rooms):
    """TZ holds in a spare as in a fresh interpreter."""
    (room, walt), (other_room, wanda) = rooms
    step = {"TZ": "Asia/Tokyo"}

    plain, _ = await run(other_room, wanda, other_room.add_package(CASES["facts"]), variables=step)
    spare = await run_in_spare(room, walt, room.add_package(CASES["facts"]), variables=step)

    assert "JST" in spare.console.decode()
    assert_alike(spare, plain)


TASKS = """
    import sys
    from robocorp import log
    from robocorp.tasks import task
    import helper

    @task
    def work():
        print("working", __name__, __file__, sys.argv)
        helper.double(4)
        log.info("noted")

    @task
    def fail():
        helper.double(None)
"""


@pytest.mark.parametrize("name", ["work", "fail", "missing"])
async def test_robocorp_tasks(rooms, name):
    """A robot of robocorp.tasks prints, logs and ends the same way, down to the events of its log."""
    (room, walt), (other_room, wanda) = rooms
    files = dict(robots.tasks(TASKS, name=name)) | {"helper.py": "def double(x):\n    y = x * 2\n    return y\n"}

    plain, _ = await run(other_room, wanda, other_room.add_package(files))
    spare = await run_in_spare(room, walt, room.add_package(files))

    assert_alike(spare, plain)
    assert events(spare) == events(plain)


def events(attempt: Attempt) -> list[str]:
    """The kinds of events in a robot's log, in order."""
    return [line.split(" ", 1)[0] for line in attempt.artifacts.get("output.robolog", b"").decode().splitlines()]


async def test_robot_framework(rooms):
    """A robot of Robot Framework prints and ends the same way."""
    (room, walt), (other_room, wanda) = rooms
    files = {
        "robot.yaml": "tasks: {main: {robotTaskName: Greet}}\nenvironmentConfigs: [conda.yaml]\nartifactsDir: output\n",
        "conda.yaml": "dependencies: [python=3.11, {pip: [robotframework==7.3]}]",
        "tasks.robot": (
            "*** Settings ***\nLibrary    Collections\nLibrary    mine.py\n*** Tasks ***\nGreet\n"
            "    Log To Console    hello\n    Mine\n    Fail    on purpose\n"
        ),
        "mine.py": "import sys\ndef mine(): print('mine', sys.argv[1:], file=sys.__stdout__)",
    }

    plain, _ = await run(other_room, wanda, other_room.add_package(files))
    spare = await run_in_spare(room, walt, room.add_package(files))

    assert "mine" in spare.console.decode()
    assert_alike(spare, plain)
    assert set(spare.artifacts) == set(plain.artifacts)


def spares_of(walt: WorkerProcess) -> list[psutil.Process]:
    """The interpreters that wait, zygotes and the first processes of the namespaces included; elders first."""
    below = psutil.Process(walt.process.pid).children(recursive=True)
    found = []
    for process in below:
        with suppress(psutil.NoSuchProcess):  # others come and go meanwhile
            words = process.cmdline()  # none of one that ends just now
            if process.name().startswith("python") and any(word.endswith("spare.py") for word in words[1:2]):
                found.append((process.create_time(), process.pid, process))
    return [process for *_, process in sorted(found, key=lambda each: each[:2])]


@pytest.mark.parametrize("sandbox", ["auto", "off"])
@pytest.mark.parametrize("command", ["python", "python3"])
async def test_a_machine_that_has_only_python3_has_spares(room, tmp_path, open_folder, command, sandbox):
    """Where the machine has no `python` (Debian, Fedora), robots without an environment file come upon spares, too."""
    (open_folder / "bin").mkdir()
    interpreter = shutil.which("python3", path="/usr/local/bin:/usr/bin") or sys.executable
    (open_folder / "bin" / "python3").symlink_to(interpreter)
    code = "import os, sys; print(os.path.basename(sys.executable))"
    package = room.add_package(robots.plain(code, command=f"{command} task.py"))
    async with working(room, tmp_path / "walt", path=str(open_folder / "bin"), sandbox=sandbox) as walt:
        attempt = await run_in_spare(room, walt, package)

    assert attempt.text[-1] == command


@pytest.mark.parametrize("forked", [pytest.param(True, marks=needs_nesting), False])
async def test_a_killed_spare_is_replaced(room, tmp_path, forked):
    """A spare that dies while it waits harms nobody, and another takes its place."""
    package = room.add_package(robots.plain("print('fine')"))
    async with working(room, tmp_path / "walt", spares_forked=forked) as walt:
        await run_in_spare(room, walt, package)
        spare = (await waiting(walt))[-1]
        spare.kill()
        attempt, _ = await run(room, walt, package)
        assert attempt.finish.error is None
        await run_in_spare(room, walt, package)


@needs_nesting
async def test_a_killed_zygote_is_replaced(room, tmp_path):
    """A zygote that dies takes its spares with it; another bears new ones."""
    package = room.add_package(robots.plain("print('fine')"))
    async with working(room, tmp_path / "walt") as walt:
        await run_in_spare(room, walt, package)
        zygote, *offspring = await waiting(walt)
        assert "zygote" in zygote.cmdline()
        zygote.kill()
        await asyncio.to_thread(psutil.wait_procs, offspring, timeout=30)
        attempt, _ = await run(room, walt, package)
        assert attempt.finish.error is None
        await run_in_spare(room, walt, package)
        assert "zygote" in (await waiting(walt))[0].cmdline()
        assert not any(process.is_running() for process in (zygote, *offspring))


@needs_nesting
async def test_a_robot_whose_zygote_is_killed_is_lost_by_the_worker(room, tmp_path):
    """It ends with its zygote; that is told of the worker, not of the robot."""
    package = room.add_package(robots.plain("print('fine')"))
    endless = room.add_package(robots.plain("import time\nprint('begun', flush=True)\ntime.sleep(600)"))
    async with working(room, tmp_path / "walt") as walt:
        await run_in_spare(room, walt, package)
        zygote = (await waiting(walt))[0]
        attempt = await room.assign(endless)
        await room.until(lambda: "begun" in attempt.text)
        zygote.kill()
        finish = await room.finished(attempt)
        async with walt.logged(str(attempt.assignment.step_run_id)) as line:
            assert "spare=True" in line

    assert finish.error.code == ErrorCode.WORKER_LOST
    assert "killed from outside" in finish.error.message
    assert finish.phases[-1].message == finish.error.message


@needs_nesting
async def test_a_zygote_that_cannot_bear_is_done_without(room, tmp_path):
    """A library that starts a thread when it is imported can't be forked: its spares start by themselves."""
    files = dict(robots.tasks("from robocorp.tasks import task\n@task\ndef work(): print('fine')", name="work"))
    package = room.add_package(files)
    async with working(room, tmp_path / "walt") as walt:
        await run(room, walt, package)
        [site_packages] = (walt.folder / "environments").glob("**/site-packages")
        threaded = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
        module = site_packages / "robocorp" / "tasks" / "_interrupts.py"
        module.chmod(0o644)
        module.write_text(threaded + module.read_text())
        for zygote in spares_of(walt):
            with suppress(psutil.NoSuchProcess):  # what a zygote has borne goes with it
                zygote.kill()
        async with walt.logged("no zygote"):
            await run_in_spare(room, walt, package)


@needs_nesting
@pytest.mark.parametrize("step", ["system.unshare(", 'system.mount("devpts"', 'system.mount("proc"', "os.fork()"])
async def test_where_the_kernel_forbids_forking_into_namespaces_spares_start_alone(room, tmp_path, step):
    """Whichever step of a birth is refused: robots run meanwhile, and later in spares that started by themselves."""
    package = room.add_package(robots.plain("print('fine')"))
    async with working(room, tmp_path / "walt") as walt:
        await room.until(lambda: room.sessions)
        program = walt.folder / "zygote.py"
        text = program.read_text()
        assert step in text
        program.write_text(
            "def forbidden(*_):\n    raise OSError('forbidden')\n" + text.replace(step, f"forbidden() or {step}")
        )

        attempt = await run_in_spare(room, walt, package)

        assert attempt.finish.error is None
        assert "zygote" not in walt.log.split("spare ready")[-1]
        assert not [process for process in spares_of(walt) if "zygote" in process.cmdline()]


async def waiting(walt: WorkerProcess) -> list[psutil.Process]:
    """What waits, as soon as a spare does."""
    while len(found := spares_of(walt)) < 1:
        await asyncio.sleep(0.02)  # nobody tells when a process is there
    async with walt.logged("spare ready"):
        return found


async def test_what_is_allocated_is_ready_before_anybody_asks(room, tmp_path):
    """So many interpreters as are asked for, up to the worker's slots; the first run of the task takes one."""
    package = room.add_package(robots.plain("print('at once')"))
    workspace, organization = UUID(int=1), UUID(int=2)
    room.kept = [
        Kept(package=package, task="main", workspace_id=workspace, organization_id=organization, count=9),
        Kept(package=package, task="there is none", workspace_id=workspace, organization_id=organization, count=1),
    ]
    async with working(room, tmp_path / "walt", spares_forked=False, slots=2) as walt:
        while len(spares_of(walt)) < 2:
            await asyncio.sleep(0.02)  # nobody tells when a process is there
        attempt, _ = await run(room, walt, package)
        assert attempt.text[-1] == "at once"
        assert len(spares_of(walt)) <= 2


@needs_nesting
async def test_spares_are_given_back(room, tmp_path):
    """Spares go when nobody asked for a while, and their places with them."""
    async with working(room, tmp_path / "walt", spares_idle_seconds=4.0) as walt:
        package = room.add_package(robots.plain("print(1)"))
        while "spare ready" not in walt.log:  # a slow machine makes none before it is time to give it back
            await run(room, walt, package)
        assert spares_of(walt)
        async with walt.logged("spare given back"), walt.logged("zygote given back"):
            assert not spares_of(walt)
            assert not list(walt.runs.iterdir())


@needs_nesting
async def test_a_robot_that_runs_for_long_keeps_its_zygote_and_nothing_else(room, tmp_path):
    """When nobody asks any more, spares go and none is made anew, though the zygote must stay for its robot."""
    package = room.add_package(robots.plain("import time; print(1, flush=True); time.sleep(4)"))
    async with working(room, tmp_path / "walt", spares_idle_seconds=1.0) as walt:
        quick = room.add_package(robots.plain("print(1)"))
        await run_in_spare(room, walt, quick)
        attempt, in_spare = await run(room, walt, package)
        assert (attempt.finish.error, in_spare) == (None, True)
        async with walt.logged("zygote given back"):
            assert walt.log.count("spare given back") <= 2


async def test_the_memory_of_spares_is_bounded(room, tmp_path):
    """No more spares wait than the setting has room for; at zero there are none."""
    async with working(room, tmp_path / "walt", spares_memory_bytes=1000) as walt:
        for _ in range(3):
            attempt, in_spare = await run(room, walt, room.add_package(robots.plain("print(1)")))
            assert (attempt.finish.error, in_spare) == (None, False)
        assert not spares_of(walt)
