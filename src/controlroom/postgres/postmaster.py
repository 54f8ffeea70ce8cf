"""The processes of a private PostgreSQL: found, waited for and ended, each by its own id.

A process belongs to a cluster if it runs PostgreSQL's program in the cluster's folder; a number in a file may long be
somebody else's.
"""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import msgspec

SOCKET = ".s.PGSQL.5432"


class PidFile(msgspec.Struct, frozen=True):
    """What the server writes about itself: its process and how far it is (`starting`, `ready`, `stopping`)."""

    pid: int
    status: str

    @classmethod
    def read(cls, cluster: Path) -> "PidFile | None":
        """The file's content; None if there is none, or it is not written yet."""
        try:
            lines = (cluster / "postmaster.pid").read_text().splitlines()
            return cls(int(lines[0]), lines[7].strip() if len(lines) > 7 else "starting")  # noqa: PLR2004 - its format
        except (FileNotFoundError, ValueError, IndexError):
            return None


def belongs(pid: int, cluster: Path) -> bool:
    """Whether a live process is one of the cluster's server."""
    try:
        program = Path(f"/proc/{pid}/exe").readlink().name
        return program.startswith("postgres") and Path(f"/proc/{pid}/cwd").samefile(cluster)
    except OSError:  # it has ended, or it is somebody else's
        return False


def processes(cluster: Path) -> list[int]:
    """The live processes of the cluster's server."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if belongs(pid, cluster)]


def running(cluster: Path) -> PidFile | None:
    """The cluster's server, if it runs."""
    written = PidFile.read(cluster)
    return written if written is not None and belongs(written.pid, cluster) else None


async def clear_away(cluster: Path) -> None:
    """Make room for a new server after the old one was killed.

    Its orphans hold its shared memory and may be busy for long; whatever they do, nobody can hear of it any more, and
    recovery decides by what is on disk. With none left, the lock files of the dead mean nothing, even if the number in
    them is another process' now, or a zombie's.
    """
    while orphans := processes(cluster):
        for pid in orphans:
            tell(pid, signal.SIGKILL)
        await asyncio.gather(*(ended(pid) for pid in orphans))
    for left in ("postmaster.pid", SOCKET, f"{SOCKET}.lock"):
        (cluster / left).unlink(missing_ok=True)


async def ended(pid: int) -> None:
    """Wait until a process has ended (it may still have to be reaped by its parent)."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except OSError:  # a kernel (or an imitation of one) without pidfds
        while _runs(pid):  # noqa: ASYNC110 - another process' end sets no event of ours
            await asyncio.sleep(0.05)
        return
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.add_reader(descriptor, over.cancel)
    try:
        await asyncio.wait([over])
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _runs(pid: int) -> bool:
    return Path(f"/proc/{pid}/exe").exists()  # a zombie has none


def tell(pid: int, what: signal.Signals) -> None:
    """Send a signal to a process, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, what)
