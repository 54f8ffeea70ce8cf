"""A hostile robot gets nothing, whoever started the worker."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import forbidding
import psutil
import pytest
import sample_robots as robots
from real_worker import working
from room_server import RoomServer
from sandboxes import BUILDER, copy_of_program, needs_nesting, needs_sandbox

from controlroom.protocol import SandboxKind
from controlroom.worker import bubblewrap
from controlroom.worker.environments.build_place import remove_tree
from controlroom.worker.robot_users import accounts_of, groups_with
from controlroom.worker.sandbox import Sandbox, View, prepare, split_loader_variables, system_plan
from controlroom.worker.settings import SandboxMode

ORDINARY = 12_345

HOSTILE = """
    import ctypes, glob, json, os, signal, socket, stat, subprocess, sys, time

    got = {}

    def attempt(name):
        def run(function):
            try:
                got[name] = function()
            except BaseException as error:
                got[name] = f"refused: {type(error).__name__}"
        return run

    data, bystander = os.environ["DATA"], int(os.environ["BYSTANDER"])

    for secret in ("master.key", "objects/blob", "worker/worker.json"):
        attempt("read " + secret)(lambda: open(os.path.join(data, secret)).read())
    attempt("list data folder")(lambda: [name for name in os.listdir(data) if name not in ("worker",)])
    attempt("worker's token")(lambda: open(os.environ["WORKER"] + "/worker.json").read())
    runs = os.environ["WORKER"] + "/runs/"
    attempt("other runs")(lambda: os.listdir(runs))
    attempt("nests")(lambda: [name for nest in glob.glob("/robot*-nest") for name in os.listdir(nest)])
    caches = {"runs", "environments", "authorities.pem"}
    attempt("the caches")(lambda: sorted(set(os.listdir(os.environ["WORKER"])) - caches))

    @attempt("database socket")
    def _():
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(data + "/s")
        return "connected"

    @attempt("write into its environment")
    def _():
        import site
        folder = site.getsitepackages()[0]
        try:
            os.chmod(folder, 0o777)
        except OSError:
            pass
        open(folder + "/evil.pth", "w").close()
        return "written"

    @attempt("write beside its interpreter")
    def _():
        open(os.path.join(os.path.dirname(os.path.realpath(sys.executable)), "evil"), "w").close()
        return "written"

    attempt("signal a bystander")(lambda: os.kill(bystander, signal.SIGKILL) or "signalled")
    def _refused(pid):
        try:
            os.kill(pid, 0)
        except OSError:
            return True
        return False

    attempt("signal everybody")(lambda: [pid for pid in range(2, 100_000) if pid != os.getpid() and not _refused(pid)])
    attempt("see processes")(lambda: [p for p in glob.glob("/proc/[0-9]*") if int(p[6:]) not in (1, os.getpid())])
    own = "RC_ACTIVITY_RUN_ID=" + os.environ["RC_ACTIVITY_RUN_ID"]

    @attempt("variables of others")
    def _():
        found = [part for path in glob.glob("/proc/[0-9]*/environ") for part in open(path).read().split("\\0")]
        return [part for part in found if part.startswith("RC_ACTIVITY_RUN_ID=") and part != own]

    attempt("shadow")(lambda: open("/etc/shadow").read())
    homes = glob.glob("/home/*") + ["/root"]
    attempt("homes")(lambda: [name for home in homes for name in os.listdir(home) if name != ".pyenv"])
    attempt("become root")(lambda: os.setuid(0) or "root")
    libc = ctypes.CDLL(None, use_errno=True)
    attempt("mount")(lambda: "mounted" if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0 else 1 / 0)
    status = [line.split() for line in open("/proc/self/status") if line.startswith("Cap")]
    attempt("capabilities")(lambda: [name for name, value in status if int(value, 16)])
    attempt("ipc of others")(lambda: open("/proc/sysvipc/shm").read().splitlines()[1:])
    attempt("root")(lambda: "root" if os.getuid() == 0 else 1 / 0)
    attempt("write to the system")(lambda: open("/usr/evil", "w").close() or "written")
    su = dict(stdin=subprocess.DEVNULL, check=True, capture_output=True)
    attempt("new privileges")(lambda: subprocess.run(["su", "-c", "id"], **su) and "root")

    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            os.execvp("sleep", ["sleep", os.environ["MARK"]])
        os._exit(0)
    os.wait()
    print(json.dumps(got))
"""


def python_for(uid: int | None) -> list[str]:
    """An interpreter with our packages that this user can start."""
    if uid is None:
        return [sys.executable]
    for candidate in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        imports = "import msgspec, httpx2, psutil, structlog, controlroom"
        search = ":".join(path for path in sys.path if path)
        command = ["/usr/bin/env", f"PYTHONPATH={search}", candidate]
        ended = subprocess.run(
            [*command, "-c", imports], user=uid, group=uid, extra_groups=[], capture_output=True, check=False, cwd="/"
        )
        if ended.returncode == 0:
            return command
    pytest.skip("no interpreter with our packages can be started by an ordinary user here")


@pytest.fixture(params=["as started", pytest.param("ordinary user", marks=pytest.mark.matrix)])
def uid(request) -> int | None:
    """Who starts the worker: whoever runs the tests (often root), and an ordinary user."""
    if request.param == "as started":
        return None
    if os.geteuid() != 0:
        pytest.skip("only root can start a worker as another user")
    return ORDINARY


@pytest.fixture
def data(tmp_path_factory, uid):
    """A data folder with secrets and a socket in it, as a server has it."""
    folder = Path("/var/tmp") / f"controlroom-test-{os.getpid()}-{uid}"  # noqa: S108 - short: it holds a socket
    (folder / "objects").mkdir(parents=True)
    (folder / "worker").mkdir()
    for name in ("master.key", "objects/blob"):
        (folder / name).write_text("TOP SECRET")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / "s"))
    listening.listen()
    folder.chmod(0o700)
    if uid is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, uid, uid)
    yield folder
    listening.close()
    remove_tree(folder)  # environments are closed even against their owner


@pytest.fixture(params=["the wheel's", "the system's"])
def path(request, open_folder) -> str:
    """A PATH with an interpreter and no bubblewrap, and one with a copy of the wheel's as if the system had it."""
    (open_folder / "bin").mkdir()
    interpreter = shutil.which("python3", path="/usr/local/bin:/usr/bin") or sys.executable
    (open_folder / "bin" / "python3").symlink_to(interpreter)
    folders = [open_folder / "bin"]
    if request.param == "the system's":
        folders.insert(0, copy_of_program(open_folder / "installed"))
    return ":".join(map(str, folders))


@needs_sandbox
@needs_nesting
async def test_a_hostile_robot_gets_nothing(room: RoomServer, data: Path, uid, path):
    """Secrets, runs, sockets, processes, privileges are out of reach, its environment is fixed, and it ends.

    So it is with either program that encloses robots: the one on the PATH if there is one, else the wheel's.
    """
    bystander = subprocess.Popen(["sleep", "600"], user=uid, group=uid, extra_groups=[] if uid else None)
    mark = f"{700 + os.getpid() / 10_000_000:.7f}"
    step = {"DATA": str(data), "WORKER": str(data / "worker"), "BYSTANDER": str(bystander.pid), "MARK": mark}
    files = robots.plain(HOSTILE, extra="environmentConfigs: [requirements.txt]\n") | {"requirements.txt": "idna\n"}
    try:
        async with working(
            room, data / "worker", uid=uid, python=python_for(uid), path=path, slots=2, sandbox_hidden=[str(data)]
        ) as walt:
            attempts = [await room.assign(room.add_package(files), variables=step) for _ in range(2)]
            for attempt in attempts:
                finish = await room.finished(attempt)
                assert finish.error is None, (finish.error.message, walt.log)
            while "spare=True" not in walt.log:  # and once more in a spare
                attempts.append(await room.assign(room.add_package(files), variables=step))
                await room.finished(attempts[-1])
                assert len(attempts) < 20
            assert "zygote ready" in walt.log
            assert bystander.poll() is None
        assert room.sessions[0].sandbox is SandboxKind.BWRAP
        assert ("the system's" if "installed" in path else "wheel") in room.sessions[0].sandbox_note
        for attempt in attempts:
            got = json.loads(attempt.text[-1])
            assert {what: gain for what, gain in got.items() if gain and not str(gain).startswith("refused")} == {}
        assert not [process for process in psutil.process_iter(["cmdline"]) if mark in (process.info["cmdline"] or ())]
    finally:
        bystander.kill()
        bystander.wait()


@needs_sandbox
async def test_a_browser_s_needs_are_met(room, tmp_path):
    """Shared memory, a home, fonts, names and certificates: what heavy robots need is there."""
    code = """
        import socket, ssl, tempfile, multiprocessing.shared_memory as shared
        shared.SharedMemory(create=True, size=1000).unlink()
        with tempfile.NamedTemporaryFile(), open("/tmp/x", "w"), open("/dev/shm/x", "w"), open("/dev/null", "w"):
            pass
        socket.getaddrinfo("localhost", 80)
        print("fine")
    """
    async with working(room, tmp_path / "walt"):
        attempt = await room.assign(room.add_package(robots.plain(code)))
        finish = await room.finished(attempt)

    assert finish.error is None, finish.error
    assert attempt.text == ["fine"]


WHO_AM_I = """
    import getpass, grp, os, pathlib, pwd
    uid, gid, home = os.getuid(), os.getgid(), os.environ["HOME"]
    me = pwd.getpwuid(uid)
    assert getpass.getuser() == "robot"
    assert grp.getgrgid(gid).gr_gid == grp.getgrnam(grp.getgrgid(gid).gr_name).gr_gid == gid
    assert me == pwd.getpwnam(me.pw_name) and me in pwd.getpwall() and os.path.isdir(me.pw_dir)
    assert os.path.expanduser("~") == home and os.path.expanduser("~" + me.pw_name) == me.pw_dir
    pathlib.Path("mine").touch()
    assert pathlib.Path("mine").owner() == me.pw_name and pathlib.Path("mine").group() and pathlib.Path("/usr").owner()
    for unknown in (pwd.getpwuid, grp.getgrgid):
        try:
            unknown(54321)
        except KeyError:
            continue
        raise AssertionError("everybody is known")
    os.chdir(home)
    print("I am", me.pw_name)
"""


async def who(room: RoomServer, files: dict[str, str]) -> list[str]:
    """What a robot says that asks who it is: in a process of its own, then in a spare or two."""
    said = []
    for _ in range(3):
        attempt = await room.assign(room.add_package(files))
        finish = await room.finished(attempt)
        assert finish.error is None, finish.error
        said.append(attempt.text[-1])
    return said


@needs_sandbox
async def test_a_robot_in_the_sandbox_has_a_name(room, tmp_path):
    """Its user and group are called `robot`, whoever asks: Python, or any other program."""
    files = robots.plain(WHO_AM_I + "    print(*os.popen('id -un; id -gn').read().split())\n")
    async with working(room, tmp_path / "walt"):
        assert await who(room, files) == ["robot robot"] * 3


async def test_a_robot_without_a_sandbox_has_a_name(room, open_folder, uid):
    """Where the machine has no name for a robot's user either, Python has one, and whatever it imports at its start.

    The robot may still have a `sitecustomize` of its own.
    """
    own = {"libs/sitecustomize.py": "import builtins; builtins.OWN = 'customized'"}
    files = robots.plain(WHO_AM_I + "    print(OWN, me.pw_name)\n", extra="PYTHONPATH: [libs]\n") | own
    folder = _folder_of(uid, open_folder)
    async with working(room, folder, uid=uid, python=python_for(uid), sandbox="off"):
        said = await who(room, files)
        assert {line.split()[0] for line in said} == {"customized"}
        plain = await who(room, robots.plain(WHO_AM_I))

    name = plain[0].removeprefix("I am ")
    assert name == "robot" or uid is None
    assert plain == [f"I am {name}"] * 3


def _folder_of(uid: int | None, folder: Path) -> Path:
    made = folder / "walt"
    made.mkdir()
    if uid is not None:
        os.chown(made, uid, uid)
    return made


def test_the_groups_that_a_robot_sees_are_the_machine_s_without_people():
    """A robot's /etc/group names its own group and those of programs, and tells nobody's membership."""
    lines = groups_with(BUILDER).splitlines()

    gid = BUILDER.uid if BUILDER else os.getgid()
    assert f"robot:x:{gid}:" in lines
    assert all(line.endswith(":") for line in lines)
    assert "nobody" in accounts_of(BUILDER, home=Path("/x"))


@needs_sandbox
async def test_a_step_s_loader_variables_reach_the_robot_only(room, tmp_path):
    """LD_PRELOAD of a step is for the robot: the programs that build the sandbox never see it."""
    async with working(room, tmp_path / "walt"):
        attempt = await room.assign(
            room.add_package(robots.plain("import os; print(os.environ['LD_PRELOAD'])")),
            variables={"LD_PRELOAD": "/nowhere.so"},
        )
        finish = await room.finished(attempt)

    assert finish.error is None
    complaints = [line for line in attempt.artifacts["stderr.log"].decode().splitlines() if "/nowhere.so" in line]
    assert len(complaints) == 1, complaints
    assert "/nowhere.so" in attempt.text


FORBIDDING = [sys.executable, forbidding.__file__]


async def test_where_namespaces_are_forbidden_everybody_is_told_and_robots_run(room, open_folder, uid):
    """The server, the log and the console hear why there is no sandbox; robots run, in spares too, and have names."""
    folder = _folder_of(uid, open_folder)
    program = python_for(uid)
    launcher = [program[-1], str(shutil.copy(forbidding.__file__, open_folder))]
    async with working(room, folder, uid=uid, python=[*launcher, *program]) as walt:
        assert await who(room, robots.plain(WHO_AM_I))
        assert "WITHOUT A SANDBOX" in walt.log
        while "spare=True" not in walt.log:
            await who(room, robots.plain(WHO_AM_I))

    assert room.sessions[0].sandbox is SandboxKind.UNAVAILABLE
    assert "user namespaces are forbidden" in room.sessions[0].sandbox_note
    for attempt in room.attempts.values():
        assert "without a sandbox" in attempt.text[0]
        assert attempt.finish.error is None


async def test_a_required_sandbox_that_cannot_be_had(room, tmp_path):
    """A worker that must enclose its robots and can't refuses to start, and says why."""
    async with working(room, tmp_path / "strict", python=[*FORBIDDING, sys.executable], sandbox="required") as strict:
        assert await strict.process.wait() != 0
        assert "SANDBOX_UNAVAILABLE" in strict.log or "offers none" in strict.log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can do without a user namespace")
@needs_sandbox
async def test_root_needs_no_user_namespace(room, tmp_path):
    """Where only user namespaces are forbidden, root still has a sandbox: its robots are users of their own anyway."""
    limited = [*FORBIDDING, "--users-only", sys.executable]
    async with working(room, tmp_path / "walt", python=limited):
        assert await who(room, robots.plain(WHO_AM_I))

    assert room.sessions[0].sandbox is SandboxKind.BWRAP
    assert "without user namespaces" in room.sessions[0].sandbox_note


@needs_sandbox
@pytest.mark.parametrize(
    "program",
    ["exit 1", "exec true", 'shift $(($# - 3)); exec "$@"', "exec sleep 600", None],
    ids=["fails", "does nothing", "encloses nothing", "hangs", "is no program"],
)
async def test_a_system_s_bubblewrap_that_does_not_work_is_passed_over(open_folder, monkeypatch, program):
    """Whatever is called bwrap on the PATH must prove that it encloses; else the wheel's is used."""
    fake = open_folder / "bwrap"
    fake.write_text(f"#!/bin/sh\n{program}\n" if program else "garbage")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{open_folder}:{os.environ['PATH']}")
    monkeypatch.setattr(bubblewrap, "_PATIENCE_SECONDS", 3.0)
    scratch = open_folder / "scratch"
    scratch.mkdir()

    sandbox = await prepare(SandboxMode.AUTO, scratch=scratch, user=BUILDER, readable=(), hidden=())

    assert sandbox.kind is SandboxKind.BWRAP
    assert sandbox.bwrap != str(fake)
    assert sandbox.note


def test_what_is_hidden_stays_hidden_below_what_is_shown(tmp_path):
    """A data folder below a folder that robots see is covered, and their own folder in it is not."""
    sandbox = Sandbox(kind=SandboxKind.BWRAP, bwrap="bwrap", system=system_plan(), hidden=(Path("/usr/data"),))
    view = View(folder=Path("/usr/data/runs/1/work"), working_folder=Path("/usr/data/runs/1/work"))

    argv = sandbox.wrap(["/bin/true"], {}, view=view, user=None).argv

    shown, covered = argv.index("/usr"), argv.index("/usr/data")
    own = argv.index("/usr/data/runs/1/work")
    assert shown < covered < own
    assert argv[covered - 1] == "--tmpfs"
    assert argv[own - 1] == "--bind"


def test_loader_variables_are_told_from_others():
    """What changes how programs are loaded is separated from what does not."""
    safe, risky = split_loader_variables({"LD_PRELOAD": "x", "GCONV_PATH": "y", "HOME": "/", "LDAP": "z"})

    assert safe == {"HOME": "/", "LDAP": "z"}
    assert set(risky) == {"LD_PRELOAD", "GCONV_PATH"}
