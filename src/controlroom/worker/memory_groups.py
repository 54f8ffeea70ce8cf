"""Limits of memory for robots: a control group of the kernel's for each, where the worker may make some.

What a group counts is what its processes hold together, files in memory included; never address space, which browsers
reserve by the terabyte. Whose group holds more is killed by the kernel, and the group knows it.

The unified hierarchy (version 2) needs a folder in which the worker may make groups: root has one, others where it was
delegated to them (`systemd-run --user --scope -p Delegate=yes`). Version 1 is for machines that still have it.

Only the worker that made a group removes it. When the worker dies the kernel ends its robots; the empty groups stay
until the next worker of the same folder starts. It costs a folder and two writes a robot.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import structlog
from msgspec import Struct

log = structlog.get_logger(__name__)


class MemoryGroup(Struct, frozen=True):
    """The group of one robot."""

    folder: Path

    @property
    def processes(self) -> Path:
        """Where a process id is written to become a member."""
        return self.folder / "cgroup.procs"

    def add(self, pid: int) -> None:
        """Make a process a member, and with it what it starts from now on."""
        self.processes.write_text(str(pid), encoding="ascii")

    @property
    def has_overrun(self) -> bool:
        """Whether the kernel has killed a member because the limit was reached."""
        for name in ("memory.events", "memory.oom_control"):
            with suppress(OSError):
                lines = (self.folder / name).read_text(encoding="ascii").splitlines()
                return any(int(line.split()[1]) > 0 for line in lines if line.startswith("oom_kill "))
        return False

    def remove(self) -> None:
        """Remove it; nothing may run in it any more."""
        with suppress(OSError):
            self.folder.rmdir()


class MemoryGroups:
    """Makes groups with one limit, in a group of the worker's own."""

    def __init__(self, home: Path, bytes_each: int, *, unified: bool) -> None:
        self._home = home
        self._bytes = bytes_each
        self._unified = unified

    @classmethod
    def prepare(cls, bytes_each: int, *, folder: Path) -> Self | None:
        """Where groups can be made, proved by one; None where they can't. They are named by the worker's folder."""
        name = "controlroom-" + hashlib.sha256(str(folder).encode()).hexdigest()[:12]
        for parent, unified in _parents():
            home = parent / name
            groups = cls(home, bytes_each, unified=unified)
            try:
                _sweep(home)
                home.mkdir(exist_ok=True)
                if unified:
                    _hand_down(parent, home)
                groups.make("proof").remove()
            except OSError as error:
                log.debug("no groups of memory", parent=str(parent), reason=str(error))
                _sweep(home)
                continue
            return groups
        return None

    def make(self, name: str) -> MemoryGroup:
        """A new, empty group. Raises OSError."""
        folder = self._home / name
        folder.mkdir(exist_ok=True)
        limit, swap = ("memory.max", "memory.swap.max") if self._unified else ("memory.limit_in_bytes", "")
        (folder / limit).write_text(str(self._bytes), encoding="ascii")
        if swap:
            with suppress(OSError):  # a kernel that swaps nothing
                (folder / swap).write_text("0", encoding="ascii")
            (folder / "memory.oom.group").write_text("1", encoding="ascii")  # all of the robot, not a part of it
        return MemoryGroup(folder)

    def close(self) -> None:
        """Remove what is left; nothing may run in it any more."""
        _sweep(self._home)


def _parents() -> Iterator[tuple[Path, bool]]:
    """The groups in which ours may be made, those that were given to us first; whether they are of version 2."""
    own = {}
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            own[controllers] = path
    for mount, kind, options in _mounts():
        unified = kind == "cgroup2"
        if unified or (kind == "cgroup" and "memory" in options):
            names = "" if unified else next((names for names in own if "memory" in names.split(",")), "")
            mine = Path(mount + own.get(names, "/"))
            yield from ((folder, unified) for folder in dict.fromkeys((mine, Path(mount))) if folder.is_dir())


def _mounts() -> Iterator[tuple[str, str, list[str]]]:
    with suppress(OSError):
        for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
            _, mount, kind, options, *_ = line.split(" ")
            yield mount, kind, options.split(",")


def _hand_down(parent: Path, home: Path) -> None:
    """Have the controller of memory in the groups below `home`. Raises OSError where it can't be had."""
    if "memory" not in (home / "cgroup.controllers").read_text(encoding="ascii").split():
        members = (parent / "cgroup.procs").read_text(encoding="ascii").split()
        if members == [str(os.getpid())]:  # a group that hands down may have no members of its own
            aside = parent / f"{home.name}-worker"
            aside.mkdir(exist_ok=True)
            (aside / "cgroup.procs").write_text("0", encoding="ascii")
        (parent / "cgroup.subtree_control").write_text("+memory", encoding="ascii")
    (home / "cgroup.subtree_control").write_text("+memory", encoding="ascii")


def _sweep(home: Path) -> None:
    """Remove a group and the empty ones below it."""
    with suppress(OSError):
        for entry in home.iterdir():
            if entry.is_dir():
                MemoryGroup(entry).remove()
        home.rmdir()
