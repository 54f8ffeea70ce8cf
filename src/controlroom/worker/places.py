"""Where one robot lives while it runs."""

import asyncio
import itertools
import os
import shutil
from collections import deque
from pathlib import Path

from msgspec import Struct

from controlroom.worker.robot_users import RobotUser, RobotUsers

_ACCOUNTS = "root:x:0:0:root:/root:/usr/sbin/nologin\nrobot:x:{uid}:{gid}:robot:{home}:/bin/sh\n"


class Place(Struct, frozen=True):
    """The folder of one robot process, and the user that it belongs to. Nobody else runs in it or as that user.

    work/robot   the robot, its own copy      work/home, work/tmp   HOME and TMPDIR
    passwd, stdout.log, stderr.log, …         the worker's: the robot sees `work` only
    """

    folder: Path
    user: RobotUser | None

    @property
    def work(self) -> Path:
        """What the robot may write to."""
        return self.folder / "work"

    @property
    def robot(self) -> Path:
        """Where the package is unpacked."""
        return self.work / "robot"

    @property
    def home(self) -> Path:
        """The robot's HOME."""
        return self.work / "home"

    @property
    def temporary(self) -> Path:
        """The robot's TMPDIR."""
        return self.work / "tmp"

    @property
    def passwd(self) -> Path:
        """What the robot sees as /etc/passwd."""
        return self.folder / "passwd"

    def own(self, path: Path) -> None:
        """Give a file or folder in `work` to the robot's user."""
        if self.user is not None:
            self.user.own(path)


class Places:
    """Makes places and clears them away. Only the worker that holds the folder's lock may."""

    def __init__(self, runs: Path, users: RobotUsers, *, kept: int) -> None:
        self._runs = runs
        self._users = users
        self._numbers = itertools.count(1)
        self._kept: deque[Path] = deque()
        self._keep = kept

    def make(self) -> Place:
        """A new, empty place. Raises Unavailable when no user is free."""
        user = self._users.take()
        # Why numbers: sockets below a robot's TMPDIR must have paths of less than 108 bytes
        place = Place(self._runs / str(next(self._numbers)), user)
        uid, gid = (user.uid, user.uid) if user else (os.getuid(), os.getgid())
        # Why the group: without a sandbox the robot's user has to pass, and no other robot's may. What is below can be
        # open then, and has to be: bubblewrap enters the working folder as root without root's rights
        place.folder.mkdir(mode=0o710)
        os.chown(place.folder, -1, gid)
        for folder in (place.work, place.robot, place.home, place.temporary):
            folder.mkdir(mode=0o755)
            place.own(folder)
        place.passwd.write_text(_ACCOUNTS.format(uid=uid, gid=gid, home=place.home), encoding="utf-8")
        place.passwd.chmod(0o644)
        return place

    async def clear(self, place: Place, *, keep: bool = False) -> None:
        """Remove a place in which nothing runs any more; with `keep`, when newer ones have taken its turn."""
        self._users.give_back(place.user)
        doomed = [place.folder]
        if keep and self._keep:
            self._kept.append(place.folder)
            doomed = [self._kept.popleft() for _ in range(len(self._kept) - self._keep)]
        for folder in doomed:
            await asyncio.to_thread(_remove, folder)


def _remove(folder: Path) -> None:
    """Remove a tree in which a robot may have closed folders against itself (rmtree never follows links)."""
    try:
        shutil.rmtree(folder)
    except PermissionError:
        for path, _, _ in os.walk(folder):
            Path(path).chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)
