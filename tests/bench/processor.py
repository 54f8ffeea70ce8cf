"""Processor time of a room's parts, read from /proc: what others do on the machine does not count."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from msgspec import Struct
from tests.rooms import Room

_NANO = 1e-9


class Spent(Struct, frozen=True):
    """Seconds of processor so far, and the time of the look."""

    server: float
    database: float
    at: float


class Used(Struct):
    """What a block took; filled when it has ended."""

    server: float = 0.0
    database: float = 0.0
    seconds: float = 0.0


class Meter:
    """Looks at the servers and the database of a room."""

    def __init__(self, here: Room) -> None:
        self._servers = [each for each in here.process.children() if "server" in each.cmdline()[3:]]
        self._database = here.child("database")
        self._idle = Used()
        """What the room takes at rest, in each second."""

    @property
    def at_rest(self) -> tuple[float, float]:
        """Seconds of servers and database that each second takes at rest."""
        return self._idle.server, self._idle.database

    def rest(self, seconds: float) -> None:
        """Learn what the room takes at rest; from here on it does not count."""
        with self.used() as idle:
            time.sleep(seconds)
        self._idle = Used(idle.server / idle.seconds, idle.database / idle.seconds)

    @contextmanager
    def used(self) -> Iterator[Used]:
        """What the block takes above what the room takes at rest."""
        before, found = self._spent(), Used()
        yield found
        after = self._spent()
        found.seconds = after.at - before.at
        found.server = after.server - before.server - self._idle.server * found.seconds
        found.database = after.database - before.database - self._idle.database * found.seconds

    def _spent(self) -> Spent:
        server = sum(map(of_tree, self._servers))
        return Spent(server, of_tree(self._database), time.monotonic())


def of_tree(process: psutil.Process) -> float:
    """Seconds of a process, of those below it that live, and of those that have ended."""
    return sum(map(_of_process, [process, *process.children(recursive=True)]))


def _of_process(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        times = process.cpu_times()
        return _of_threads(Path(f"/proc/{process.pid}/task").iterdir()) + times.children_user + times.children_system
    return 0.0


def _of_threads(tasks: Iterable[Path]) -> float:
    """Why schedstat: it counts nanoseconds, where the usual figures are cut to hundredths of a second."""
    total = 0
    for task in tasks:
        with suppress(FileNotFoundError, ProcessLookupError):
            total += int((task / "schedstat").read_text().split()[0])
    return total * _NANO
