"""The worker's own folder: its credential, its caches, and the folders of the robots that run."""

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from controlroom import whole_files
from controlroom.errors import Conflict, Invalid
from controlroom.protocol import Linked

_CREDENTIAL = "worker.json"


class FolderInUse(Conflict):
    """Another worker that is running uses this folder."""

    code = "FOLDER_IN_USE"


class WorkerFolder:
    """A folder that belongs to one running worker at a time.

    The lock is the kernel's: it is free again the moment the worker is gone, however it ended. Folders of robots that
    an earlier worker left behind are removed when the folder is opened: their attempts are lost, nobody needs them.
    """

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.packages = path / "packages"
        self.runs = path / "runs"
        self._credential = path / _CREDENTIAL
        self._lock = lock

    @classmethod
    def open(cls, path: Path) -> Self:
        """Take the folder, made with mode 0700 if it is new. Raises `FolderInUse`."""
        path = path.absolute()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise FolderInUse(f"Another worker is using {path}: give this one a folder of its own.") from None
        folder = cls(path, lock)
        folder.packages.mkdir(exist_ok=True)
        shutil.rmtree(folder.runs, ignore_errors=True)
        # Why 0711: without a sandbox a robot's own user passes through to its own folder, and can list nobody else's
        folder.runs.mkdir(mode=0o711, exist_ok=True)
        return folder

    def credential(self, url: str) -> Linked | None:
        """The credential of this server, None if the worker is not linked to it. Raises Invalid if unreadable."""
        stored = _stored(self._credential)
        return stored.linked if stored is not None and stored.url == url else None

    def linked_elsewhere(self) -> str | None:
        """The address of the server that the worker is linked to, if it is to one."""
        stored = _stored(self._credential)
        return stored.url if stored is not None else None

    def keep_credential(self, url: str, linked: Linked) -> None:
        """Store what the server gave, whole or not at all, readable by the worker's user only."""
        whole_files.write(self._credential, msgspec.json.encode(_Stored(url=url, linked=linked)))

    def close(self) -> None:
        """Give the folder free."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def is_linked(folder: Path, url: str) -> bool:
    """Whether a worker's folder holds a credential of the server at an address, whoever uses the folder."""
    try:
        stored = _stored(folder / _CREDENTIAL)
    except Invalid:
        return False
    return stored is not None and stored.url == url


def set_aside(folder: Path) -> None:
    """Keep the folder's credential under another name: its worker is to be linked anew."""
    with suppress(FileNotFoundError):
        (folder / _CREDENTIAL).replace(folder / f"{_CREDENTIAL}.old")


def _stored(file: Path) -> "_Stored | None":
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Stored)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Invalid(
            f"{file} can't be read ({error}): remove it and link the worker again.", code="CREDENTIAL_DAMAGED"
        ) from error


class _Stored(msgspec.Struct, frozen=True):
    """A credential is of use at one server only."""

    url: str
    linked: Linked
