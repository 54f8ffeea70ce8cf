"""A hostile robot gets nothing, whoever started the worker."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
import sample_robots as robots
from real_worker import working
from room_server import RoomServer

from controlroom.protocol import SandboxKind
from controlroom.worker.environments.workshop import remove_tree
from controlroom.worker.sandbox import Sandbox, View, split_loader_variables, system_plan

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
    caches = {"runs", "environments"}
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


@pytest.fixture(params=["as started", "ordinary user"])
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


async def test_a_hostile_robot_gets_nothing(room: RoomServer, data: Path, uid):
    """Secrets, runs, sockets, processes, privileges are out of reach, its environment is fixed, and it ends."""
    bystander = subprocess.Popen(["sleep", "600"], user=uid, group=uid, extra_groups=[] if uid else None)
    mark = f"{700 + os.getpid() / 10_000_000:.7f}"
    step = {"DATA": str(data), "WORKER": str(data / "worker"), "BYSTANDER": str(bystander.pid), "MARK": mark}
    files = robots.plain(HOSTILE, extra="environmentConfigs: [requirements.txt]\n") | {"requirements.txt": "idna\n"}
    try:
        async with working(
            room, data / "worker", uid=uid, python=python_for(uid), slots=2, sandbox_hidden=[str(data)]
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
        for attempt in attempts:
            got = json.loads(attempt.text[-1])
            assert {what: gain for what, gain in got.items() if gain and not str(gain).startswith("refused")} == {}
        assert not [process for process in psutil.process_iter(["cmdline"]) if mark in (process.info["cmdline"] or ())]
    finally:
        bystander.kill()
        bystander.wait()


async def test_a_browser_s_needs_are_met(room, tmp_path):
    """Shared memory, a home, fonts, names and certificates: what heavy robots need is there."""
    code = """
        import getpass, os, pwd, socket, ssl, tempfile, multiprocessing.shared_memory as shared
        shared.SharedMemory(create=True, size=1000).unlink()
        assert getpass.getuser() == pwd.getpwuid(os.getuid()).pw_name == "robot"
        assert pwd.getpwuid(os.getuid()).pw_dir == os.path.expanduser("~")
        with tempfile.NamedTemporaryFile(), open("/tmp/x", "w"), open("/dev/shm/x", "w"), open("/dev/null", "w"):
            pass
        socket.getaddrinfo("localhost", 80)
        os.chdir(os.path.expanduser("~"))
        print("fine")
    """
    async with working(room, tmp_path / "walt"):
        attempt = await room.assign(room.add_package(robots.plain(code)))
        finish = await room.finished(attempt)

    assert finish.error is None, finish.error
    assert attempt.text == ["fine"]


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


@pytest.fixture
def open_folder():
    """A folder that every user can reach, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


async def test_without_bubblewrap_everybody_is_told(room, tmp_path, open_folder):
    """No bwrap: the server, the log and the console of each step run hear of it; `required` refuses to start."""
    empty = open_folder
    (empty / "python3").symlink_to(shutil.which("python3", path="/usr/local/bin:/usr/bin") or sys.executable)
    async with working(room, tmp_path / "walt", path=str(empty)) as walt:
        attempt = await room.assign(room.add_package(robots.plain("print(1)")))
        finish = await room.finished(attempt)
        assert "WITHOUT A SANDBOX" in walt.log
    async with working(room, tmp_path / "strict", path=str(empty), sandbox="required") as strict:
        assert await strict.process.wait() != 0
        assert "SANDBOX_UNAVAILABLE" in strict.log or "offers none" in strict.log

    assert finish.error is None
    assert room.sessions[0].sandbox is SandboxKind.UNAVAILABLE
    assert "bwrap" in room.sessions[0].sandbox_note
    assert "without a sandbox" in attempt.text[0]


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
