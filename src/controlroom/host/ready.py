"""What the ready file says, and how it is written."""

import errno
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controlroom import whole_files
from controlroom.cli.errors import CommandFailed


class ReadyFile:
    """The file by which programs learn that a room is ready: `--ready-file`, or the one of the data folder."""

    def __init__(self, path: Path) -> None:
        # Why where it leads: a link stays the link that somebody made
        self.path = Path(os.path.realpath(path))
        self._shown = path

    def check(self) -> None:
        """See that it can be written, before anything is started for it. Raises CommandFailed that says why not."""
        try:
            if self._is_special():
                os.close(os.open(self.path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
            else:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                tried = whole_files.aside(self.path)
                os.close(os.open(tried, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
                tried.unlink()
        except OSError as error:
            raise self._unwritable(error) from error

    def forget(self) -> None:
        """Take away what an earlier start left: who waits for the file must not read that."""
        if not self._is_special():
            self.path.unlink(missing_ok=True)

    def write(self, facts: Mapping[str, Any]) -> None:
        """Write it as JSON, mode 0600: whole or not at all, even for a reader at that moment. Raises CommandFailed."""
        text = json.dumps(facts, indent=2) + "\n"
        try:
            if self._is_special():
                with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC), "w") as given:
                    given.write(text)
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            whole_files.write(self.path, text.encode())
        except OSError as error:
            raise self._unwritable(error) from error

    def _is_special(self) -> bool:
        """Whether there is a pipe or device, which no file may replace. Raises OSError for a folder."""
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError:
            return False
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self.path))
        return not stat.S_ISREG(mode)

    def _unwritable(self, error: OSError) -> CommandFailed:
        return CommandFailed(
            f"the ready file {self._shown} cannot be written: {error.strerror}",
            hint="Name another one with --ready-file.",
        )


def ready_facts(room: dict[str, Any], url: str, https_url: str | None) -> dict[str, Any]:
    """Address and credentials of a room, from what its server knows of the first start."""
    facts = {
        "url": url,
        "workspace_id": room["workspace_id"],
        "api_key": room["api_key"],
        "admin": {"username": room["username"], "password": room["password"]},
        "user_credentials": room["user_credentials"],
        "pid": os.getpid(),
    }
    if https_url is not None:
        facts |= {"https_url": https_url, "ca_file": room["ca_file"]}
    return facts
