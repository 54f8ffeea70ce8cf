"""What robots' libraries download into their home folder, kept from one step run to the next.

A robot's HOME is new each time. Browsers (`~/.robocorp`, `~/.cache/ms-playwright`, `robocorp/` of rcc's space) are
hundreds of megabytes, so each workspace has a folder of this worker for them:

    kept/WORKSPACE-TOKEN/{robocorp,ms-playwright,space}/

A robot sees its workspace's folder only. In a sandbox it is the one that is mounted. Without one, its name is not to be
guessed and its parent not to be listed. Where robots have users of their own, what is kept is handed over to the user
of each robot that begins, and stays open to those of the same workspace that run already.

Nobody else writes here: the worker holds the lock of its folder. When it dies half-way, files are left as robots left
them, and handed over at the next step run. It costs a look at each kept file after the last step run of a workspace,
and before one whose robot is another user than the last one's.
"""

import asyncio
import os
import secrets
import shutil
import stat
import struct
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog
from msgspec import Struct

from controlroom.worker.robot_users import RobotUser

log = structlog.get_logger(__name__)

_PARTS: Final = ("robocorp", "ms-playwright", "space")
_OPEN_TO_ALL: Final = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", tag, 7, 0xFFFFFFFF) for tag in (0x01, 0x04, 0x20)
)
"""An access list for what will be made in a folder: all may do everything, whatever the maker's umask (acl(5))."""


class KeptHome(Struct, frozen=True):
    """The kept folder of one workspace."""

    folder: Path
    seen: Path
    """Where its robots see it."""

    @property
    def links(self) -> dict[str, Path]:
        """What in a robot's HOME leads into it."""
        return {".robocorp": self.seen / "robocorp", ".cache/ms-playwright": self.seen / "ms-playwright"}

    @property
    def space(self) -> Path:
        """What `robocorp` in rcc's space leads to."""
        return self.seen / "space"


class KeptHomes:
    """The kept folders of one worker, below a folder that belongs to it; none if they may hold nothing."""

    def __init__(self, folder: Path, *, max_bytes: int, seen: Path | None, users_differ: bool) -> None:
        """`seen` is where robots see theirs (where it is, when None); `users_differ` if each robot has its own user."""
        self._folder = folder
        self._max_bytes = max_bytes
        self._seen = seen
        self._users_differ = users_differ
        self._running: dict[str, int] = defaultdict(int)
        self._owners: dict[str, int] = {}
        """Whom all that is kept of a workspace belongs to, where it is known."""
        self._tidying = asyncio.Lock()
        if max_bytes > 0:
            folder.mkdir(mode=0o711, exist_ok=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)

    def of(self, workspace: str) -> KeptHome | None:
        """The folder of a workspace, made if it is new; None if nothing is kept."""
        if self._max_bytes <= 0 or not workspace:
            return None
        found = next(self._folder.glob(f"{workspace}-*"), None)
        home = found or self._folder / f"{workspace}-{secrets.token_hex(16)}"
        home.mkdir(mode=0o755, exist_ok=True)
        for part in _PARTS:
            self._make(home / part)
        return KeptHome(home, self._seen or home)

    async def enter(self, workspace: str, user: RobotUser | None) -> None:
        """A step run of a workspace begins, as this user: nothing of its folder is taken away until it leaves."""
        if self._max_bytes <= 0:
            return
        async with self._tidying:
            has_others = self._running[workspace] > 0
            self._running[workspace] += 1
            if user is None or self._owners.get(workspace) == user.uid:
                return
            try:
                for home in self._folder.glob(f"{workspace}-*"):
                    await asyncio.to_thread(_hand_over, home, user.uid)
            except BaseException:
                self._running[workspace] -= 1
                raise
            if has_others:
                self._owners.pop(workspace, None)  # the others may go on to leave files that are theirs
            else:
                self._owners[workspace] = user.uid

    async def leave(self, workspace: str) -> None:
        """A step run of a workspace has ended, with all its processes."""
        if self._max_bytes <= 0:
            return
        self._running[workspace] -= 1
        if self._running[workspace] <= 0:
            del self._running[workspace]
            await self._tidy(workspace)

    async def _tidy(self, ended: str) -> None:
        """Take away what is too much, that of the longest unused workspaces first."""
        async with self._tidying:
            if ended in self._running:
                return
            for home in self._folder.glob(f"{ended}-*"):
                os.utime(home)  # the time of last use
            homes = sorted(self._folder.iterdir(), key=lambda home: home.stat().st_mtime_ns)
            sizes = {home: await asyncio.to_thread(_size, home) for home in homes}
            total = sum(sizes.values())
            for home in homes:
                if total > self._max_bytes and home.name.rpartition("-")[0] not in self._running:
                    log.info("kept home emptied", workspace=home.name.rpartition("-")[0], bytes=sizes[home])
                    await asyncio.to_thread(_empty, home)
                    total -= sizes[home]

    def _make(self, part: Path) -> None:
        """A folder that the workspace's robots may write to; what a robot put in its place goes."""
        try:
            if stat.S_ISDIR(part.lstat().st_mode):
                return
            part.unlink()
        except FileNotFoundError:
            pass
        part.mkdir(mode=0o755)
        if self._users_differ:
            part.chmod(0o777)
            with suppress(OSError):  # not every file system has access lists: then files open when a step run has ended
                os.setxattr(part, "system.posix_acl_default", _OPEN_TO_ALL)


def _hand_over(home: Path, uid: int) -> None:
    """Make what lies in a home a user's, and give all others who can reach it all rights on it, too.

    Robots wrote it: links are not followed, and files that have a second name are left, since that may lie elsewhere.
    """
    for part in _PARTS:
        for _, _, names, folder in os.fwalk(home / part, follow_symlinks=False):
            os.fchown(folder, uid, uid)
            os.fchmod(folder, 0o777)
            for name in names:
                with suppress(OSError):
                    _hand_over_file(folder, name, uid)


def _hand_over_file(folder: int, name: str, uid: int) -> None:
    file = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        status = os.fstat(file)
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
            path = f"/proc/self/fd/{file}"  # an open file has no other path that is surely its own
            os.chown(path, uid, uid)
            os.chmod(path, 0o777 if status.st_mode & 0o111 else 0o666)  # noqa: PTH101 - as above
    finally:
        os.close(file)


def _size(home: Path) -> int:
    """Bytes on the disk."""
    total = 0
    for _, _, names, folder in os.fwalk(home, follow_symlinks=False):
        for name in names:
            with suppress(OSError):
                total += os.stat(name, dir_fd=folder, follow_symlinks=False).st_blocks * 512
    return total


def _empty(home: Path) -> None:
    """Remove what lies in a home, not the folders that waiting spares have mounted."""
    for part in (home / name for name in _PARTS):
        for entry in list(part.iterdir()) if part.is_dir() and not part.is_symlink() else ():
            if entry.is_dir() and not entry.is_symlink():
                for parent, _, _ in os.walk(entry):
                    with suppress(OSError):
                        os.chmod(parent, 0o700)  # noqa: PTH101 - robots may close folders against their owner
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
