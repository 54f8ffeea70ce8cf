"""Under which user a robot runs."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from controlroom.errors import Unavailable

_LOCKS = Path("/run/controlroom-robot-uids")
NAME = "robot"
"""How every robot's user and its group are called, as the robot sees it."""

_NOBODY = 65_534
"""Whom the kernel names where a user or group does not exist in a namespace: the machine's files belong to it there."""

_FIRST_OF_PEOPLE = 1000
"""Below lie the groups that programs know by name."""


class RobotUser(Struct, frozen=True):
    """A user (and group of the same number) that belongs to one robot at a time."""

    uid: int

    def own(self, path: Path) -> None:
        """Give a file or folder to this user."""
        os.chown(path, self.uid, self.uid, follow_symlinks=False)


class RobotUsers:
    """The users of a worker that was started as root: robots never run as root, and no two at a time as the same.

    Several workers on one machine share the range by locks that the kernel frees when a worker dies. A worker that was
    started as an ordinary user has no choice: its robots run as that user, and the sandbox keeps them apart.
    """

    def __init__(self, uids: tuple[int, int]) -> None:
        self._range = range(uids[0], uids[1] + 1)
        self._taken: dict[int, int] = {}
        self._as_root = os.geteuid() == 0
        if self._as_root:
            _LOCKS.mkdir(mode=0o700, exist_ok=True)

    def take(self) -> RobotUser | None:
        """A user that nobody else has, None if the worker's own must do. Raises Unavailable."""
        if not self._as_root:
            return None
        for uid in self._range:
            if uid not in self._taken and (lock := _try_lock(_LOCKS / str(uid))) is not None:
                self._taken[uid] = lock
                return RobotUser(uid)
        raise Unavailable(f"All user ids for robots are taken ({self._range.start} to {self._range.stop - 1}).")

    def give_back(self, user: RobotUser | None) -> None:
        """Nothing runs as this user any more."""
        if user is not None and (lock := self._taken.pop(user.uid, None)) is not None:
            with suppress(OSError):
                os.close(lock)


def accounts_of(user: RobotUser | None, *, home: Path) -> str:
    """An /etc/passwd in which this user (the worker's own when None) is the robot."""
    uid, gid = (user.uid, user.uid) if user else (os.getuid(), os.getgid())
    accounts = {
        uid: f"{NAME}:x:{uid}:{gid}:{NAME}:{home}:/bin/sh",
        0: "root:x:0:0:root:/root:/usr/sbin/nologin",
        _NOBODY: f"nobody:x:{_NOBODY}:{_NOBODY}:nobody:/nonexistent:/usr/sbin/nologin",
    }
    return "".join(f"{line}\n" for line in accounts.values())


def groups_with(user: RobotUser | None) -> str:
    """An /etc/group with the machine's own groups, without their members, in which the robot's has a name, too."""
    gid = user.uid if user else os.getgid()
    groups = {gid: NAME, 0: "root", _NOBODY: "nogroup"}
    with suppress(OSError):
        for line in Path("/etc/group").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, number, *_ = [*line.split(":"), "", "", ""]
            if number.isdecimal() and int(number) < _FIRST_OF_PEOPLE:
                groups.setdefault(int(number), name)
    return "".join(f"{name}:x:{number}:\n" for number, name in groups.items())


def _try_lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
