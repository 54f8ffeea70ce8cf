"""The data folder of a room on one machine: whose it is, which process runs it, and what people need to enter.

up.lock      held by the process that runs the room; its content says which one and where
ready.json   address and credentials, for the commands on this machine (also while the room rests)
postgres/ objects/ worker/ logs/ tls/ master.key
"""

import fcntl
import json
import os
from pathlib import Path
from typing import Any, Self

from controlroom.cli.errors import ALREADY_RUNNING, CommandFailed
from controlroom.cli.known_rooms import READY_FILE


class DataFolder:
    """A data folder that is ours as long as this process lives."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def take(cls, path: Path) -> Self:
        """Make the folder (0700) if need be, and lock it. Raises CommandFailed if another process has it."""
        path = path.resolve() if ".." in path.parts else path.absolute()  # links keep their names: one room, one name
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)
            lock = os.open(path / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CommandFailed(
                f"the data folder {path} cannot be used: {error.strerror}", hint="Name another one with --data."
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(lock)
            os.close(lock)
            raise CommandFailed(
                f"the room of {path} is running already{holder}",
                hint="Use that one, or start another with --data FOLDER --port PORT.",
                exit_code=ALREADY_RUNNING,
            ) from None
        return cls(path, lock)

    def say(self, **facts: Any) -> None:
        """Tell whoever finds the folder locked."""
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, json.dumps(facts).encode(), 0)

    @property
    def ready_file(self) -> Path:
        """What the commands on this machine read."""
        return self.path / READY_FILE

    def last_ready(self) -> dict[str, Any]:
        """What an earlier start wrote; empty if there was none."""
        try:
            found = json.loads(self.ready_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def folder(self, name: str) -> Path:
        """A folder in it, made if need be (0700)."""
        path = self.path / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path


def _holder(lock: int) -> str:
    try:
        facts = json.loads(os.pread(lock, 4096, 0))
        return f" (process {facts['pid']}, {facts['url']})" if "url" in facts else f" (process {facts['pid']})"
    except (ValueError, KeyError, TypeError):
        return ""
