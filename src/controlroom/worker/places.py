"""Where one robot lives while it runs."""

import asyncio
import itertools
import os
import pwd
import shutil
import subprocess
from collections import deque
from contextlib import suppress
from pathlib import Path

from msgspec import Struct, structs

from controlroom.worker.kept_homes import KeptHome, KeptHomes
from controlroom.worker.limits import Limits
from controlroom.worker.memory_groups import MemoryGroups
from controlroom.worker.robot_users import RobotUser, RobotUsers, accounts_of, groups_with


class Place(Struct, frozen=True):
    """The folder of one robot process, and the user that it belongs to. Nobody else runs in it or as that user.

    work/robot   the robot, its own copy      work/home, work/tmp   HOME and TMPDIR
    passwd, group, stdout.log, …              the worker's: the robot sees `work` only

    In a sandbox the robot sees `work` somewhere else, at the same path as every other robot does. All paths here are
    the worker's; `inside` and `outside` translate.
    """

    folder: Path
    user: RobotUser | None
    work: Path
    """What the robot may write to."""
    seen: Path
    """Where the robot sees `work`."""
    limits: Limits = Limits()
    names: Path | None = None
    """What gives the robot's user a name in Python where nothing else does (`names_main.py`)."""
    kept: KeptHome | None = None
    """What stays of its HOME for later robots of its workspace."""
    network: bool = True
    """Whether it reaches the network, where it is enclosed."""
    writable: tuple[Path, ...] = ()
    """Folders of this machine that it may write to, at the same paths."""

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
    def space(self) -> Path:
        """What rcc calls the space: the environment, with a folder `robocorp` that can be written to."""
        return self.work / "space"

    @property
    def passwd(self) -> Path:
        """What the robot sees as /etc/passwd."""
        return self.folder / "passwd"

    @property
    def group(self) -> Path:
        """What the robot sees as /etc/group."""
        return self.folder / "group"

    @property
    def uid(self) -> int:
        """The number of the robot's user."""
        return self.user.uid if self.user else os.getuid()

    @property
    def accounts(self) -> str:
        """What the robot sees in /etc/passwd."""
        return accounts_of(self.user, home=self.inside(self.home))

    @property
    def groups(self) -> str:
        """What the robot sees in /etc/group."""
        return groups_with(self.user)

    def inside(self, path: Path) -> Path:
        """A path as the robot sees it."""
        return self.seen / path.relative_to(self.work) if path.is_relative_to(self.work) else path

    def outside(self, path: Path) -> Path:
        """A path of the robot's as the worker sees it."""
        return self.work / path.relative_to(self.seen) if path.is_relative_to(self.seen) else path

    def own(self, path: Path) -> None:
        """Give a file or folder in `work` to the robot's user."""
        if self.user is not None:
            self.user.own(path)


def make_space(place: Place, prefix: Path) -> None:
    """Make the space of an environment: links to all that is in it, and `robocorp`, which is kept where HOME's is."""
    place.space.mkdir(mode=0o755)
    place.own(place.space)
    for entry in os.listdir(prefix):  # noqa: PTH208 - before each robot
        if entry != "robocorp":
            os.symlink(prefix / entry, place.space / entry)  # noqa: PTH211 - likewise
    if place.kept is not None:
        (place.space / "robocorp").symlink_to(place.kept.space)
    else:
        (place.space / "robocorp").mkdir(mode=0o755)
        place.own(place.space / "robocorp")


class Places:
    """Makes places and clears them away. Only the worker that holds the folder's lock may."""

    def __init__(
        self,
        runs: Path,
        users: RobotUsers,
        *,
        kept: int,
        kept_homes: KeptHomes,
        seen: Path | None = None,
        names: Path | None = None,
        memory: MemoryGroups | None = None,
        file_bytes: int = 0,
    ) -> None:
        """Places below `runs`, all of them seen by their robots at `seen` (where they are, when None).

        The `kept` last ones stay for a look inside. `names` is a folder with the `sitecustomize.py` for robots whose
        user the machine has no name for. `memory` and `file_bytes` bound each robot.
        """
        self._runs = runs
        self._users = users
        self._numbers = itertools.count(1)
        self._kept: deque[Path] = deque()
        self._keep = kept
        self.kept_homes = kept_homes
        self._seen = seen
        self._names = names
        self._memory = memory
        self._file_bytes = file_bytes
        self._left_nests: set[Path] = set()

    def make_nest(self) -> Path:
        """A folder in which places can be made that a zygote can reach. Only their users can look into them."""
        nest = self._runs / f"nest-{next(self._numbers)}"
        nest.mkdir(mode=0o711)
        return nest

    def leave_nest(self, nest: Path) -> None:
        """Remove a nest whose zygote is gone, when the last place in it is cleared."""
        self._left_nests.add(nest)
        self._remove_left_nest(nest)

    def make(self, workspace: str, nest: Path | None = None, *, network: bool = True) -> Place:
        """A new, empty place for a robot of a workspace, with what it sees of the place in the nest if one is given.

        Without a workspace nothing is kept of its HOME. Raises Unavailable when no user is free.
        """
        user = self._users.take()
        gid = user.uid if user else os.getgid()
        # Why numbers: sockets below a robot's TMPDIR must have paths of less than 108 bytes
        number = str(next(self._numbers))
        folder, around = self._runs / number, (nest or self._runs) / number
        work = around / "work"
        limits = Limits(self._memory.make(number) if self._memory else None, self._file_bytes)
        kept = self.kept_homes.of(workspace)
        place = Place(folder, user, work, self._seen or work, limits, kept=kept, network=network)
        if self._names is not None and not _has_name(place.uid):
            place = structs.replace(place, names=self._names)
        # Why the group: without a sandbox the robot's user has to pass, and no other robot's may. What is below can be
        # open then, and has to be: bubblewrap enters the working folder as root without root's rights
        for closed in {folder, around}:
            closed.mkdir(mode=0o710)
            os.chown(closed, -1, gid)
        for open_folder in (place.work, place.robot, place.home, place.temporary):
            open_folder.mkdir(mode=0o755)
            place.own(open_folder)
        for name, target in place.kept.links.items() if place.kept is not None else ():
            link = place.home / name
            if link.parent != place.home:
                link.parent.mkdir(mode=0o755)
                place.own(link.parent)
            link.symlink_to(target)
        for file, text in ((place.passwd, place.accounts), (place.group, place.groups)):
            file.write_text(text, encoding="utf-8")
            file.chmod(0o644)
        return place

    async def clear(self, place: Place, *, keep: bool = False) -> None:
        """Remove a place in which nothing runs any more; with `keep`, when newer ones have taken its turn."""
        self._users.give_back(place.user)
        place.limits.lift()
        doomed = [place.folder] if place.work.parent == place.folder else [place.folder, place.work.parent]
        if keep and self._keep:
            if len(doomed) > 1:
                place.work.rename(place.folder / "work")
                place.work.parent.rmdir()
            self._kept.append(place.folder)
            doomed = [self._kept.popleft() for _ in range(len(self._kept) - self._keep)]
        for folder in doomed:
            await asyncio.to_thread(_remove, folder)
        self._remove_left_nest(place.work.parent.parent)

    def _remove_left_nest(self, nest: Path) -> None:
        if nest in self._left_nests:
            with suppress(OSError):  # somebody's place is still there
                nest.rmdir()
                self._left_nests.discard(nest)


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _remove(folder: Path) -> None:
    """Remove a tree in which a robot may have closed folders against itself, or nested them ever deeper."""
    try:
        shutil.rmtree(folder)  # it never follows links
    except (OSError, RecursionError):
        # Why other programs: they walk down without a stack, and by names of any length
        for words in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run([*words, "--", str(folder)], check=False, capture_output=True)  # noqa: S603 - no robot's words
