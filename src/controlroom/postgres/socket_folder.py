"""Where clients find the socket of a private server: in its cluster, or by a short link if that path is too long.

A socket's path has 107 bytes at most (`sun_path` of unix(7)). The link's name is a function of the cluster's path and
lies in a folder of this user alone, so that a start finds again what a killed one has left. A stop takes its link away;
links whose cluster is gone are taken away by whoever starts next.
"""

import contextlib
import hashlib
import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from controlroom import whole_files
from controlroom.postgres.postmaster import SOCKET

_LONGEST_PATH = 107
_TRIES = 10


def reachable(cluster: Path, homes: Sequence[Path] | None = None) -> Path:
    """A folder in which clients find the cluster's socket by a path that is short enough; a link is made if need be.

    Nothing is trusted that another user may have put into a home that everybody can write to: if all homes are spoilt
    in that way, the link lies in a new folder of a name that nobody can foresee, and only `forget` takes it away.
    """
    cluster = cluster.resolve()
    if _is_short(cluster):
        return cluster
    for home in _homes() if homes is None else homes:
        if (link := _linked_in(home, cluster)) is not None:
            return link
    return _linked(Path(tempfile.mkdtemp(prefix="controlroom-")), cluster)


def forget(link: Path, cluster: Path) -> None:
    """Take away the link that `reachable` gave for a cluster, if it is one, and its folder if nothing else is in it."""
    if link == cluster.resolve():
        return
    with contextlib.suppress(OSError):
        link.unlink()
        link.parent.rmdir()


def _homes() -> list[Path]:
    """Where the links of this user may lie, the best first: only the last is everybody's."""
    runtime = [Path(f"/run/user/{os.geteuid()}"), Path("/run")]
    return [*(home for home in runtime if os.access(home, os.W_OK)), Path(tempfile.gettempdir())]


def _linked_in(home: Path, cluster: Path) -> Path | None:
    """The cluster's link in a home; None where that cannot be, or not safely."""
    for _ in range(_TRIES):
        folder = _own_folder(home)
        if folder is None or not _is_short(folder / _name(cluster)):
            return None
        with contextlib.suppress(FileNotFoundError):  # a room that stops has just taken the folder away
            _clear(folder)
            return _linked(folder, cluster)
    return None


def _own_folder(home: Path) -> Path | None:
    """This user's folder in a home, made if missing; None if it cannot be had, or somebody else may write in it."""
    folder = home / f"controlroom-{os.geteuid()}"
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()  # a link of somebody else's would lead us to where they want
    except OSError:
        return None
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
    return folder if is_ours else None


def _linked(folder: Path, cluster: Path) -> Path:
    """The cluster's link in a folder of ours, put in one step: others may be using it."""
    link = folder / _name(cluster)
    if link.is_symlink() and link.readlink() == cluster:
        return link
    new = whole_files.aside(link)
    new.symlink_to(cluster)
    return new.rename(link)


def _clear(folder: Path) -> None:
    """Take away the links that lead nowhere any more."""
    for each in folder.iterdir():
        if each.is_symlink() and not each.exists():
            each.unlink(missing_ok=True)


def _name(cluster: Path) -> str:
    return hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]


def _is_short(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET)) <= _LONGEST_PATH
