"""A child program of `up`: started, spoken to, waited for, ended."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from controlroom.host import handover

_LOG_BYTES = 16 * 1024 * 1024
_LOGS_KEPT = 3
"""So many old ones, of that size: a week of a busy room, and 64 MB a part at most."""
_LAST_WORDS_BYTES = 4000


class Child:
    """One run of a child program, from its start to its end."""

    def __init__(
        self, program: Sequence[str], variables: Mapping[str, str], log: Path | None, inherits: Sequence[int] = ()
    ) -> None:
        """Start it; what it writes goes to the log, or to where our own messages go if that is None."""
        line, theirs = handover.pair()
        self._line = line
        self._log = log
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        output = None if log is None else _appending(log)
        self._log_from = 0 if output is None else os.fstat(output).st_size
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            # Why -P: a file of the folder that one happens to stand in must not be imported instead of a library
            [sys.executable, "-P", "-m", "controlroom.host.supervised", *program],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=handover.environment(theirs, dict(variables), log),
            pass_fds=(theirs.fileno(), *inherits),
            start_new_session=True,  # Ctrl-C is for us: we end the children, in the right order
        )
        theirs.close()
        if output is not None:
            os.close(output)
        self.pid = self._process.pid

    async def send(self, message: dict[str, Any]) -> None:
        """Say something to the child; silent if it is gone."""
        self._line.send(message)

    async def receive(self) -> dict[str, Any] | None:
        """The child's next message; None when it has ended."""
        if self._reader is None:
            self._reader, self._writer = await asyncio.open_unix_connection(sock=self._line.detach())
        try:
            text = await self._reader.readline()
        except ConnectionError:
            text = b""
        return handover.decode(text) if text else None

    async def ended(self) -> int:
        """Wait for the end; the exit code, negative for a signal."""
        if self._process.returncode is None and self._process.poll() is None:
            await _ended(self.pid)
        code = self._process.wait()
        if self._writer is not None:
            self._writer.close()
        return code

    async def stop(self, patience: float) -> None:
        """Ask the child to end, and after some seconds make it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(patience):
                    await self.ended()
            except TimeoutError:
                self._process.kill()
        await self.ended()

    def rotate_log(self) -> None:
        """Put the log aside if it has grown long, and have the child go on in a new one."""
        with suppress(OSError):  # a full disk: it goes on as it is
            if self._log is None or self._log.stat().st_size <= _LOG_BYTES or self._process.poll() is not None:
                return
            put_aside(self._log)
            self._log_from = 0
            self._process.send_signal(handover.REOPEN)

    def kill(self) -> None:
        """End it at once."""
        if self._process.poll() is None:
            self._process.kill()

    def last_words(self) -> str:
        """The end of what this run has written, if it went to a log."""
        if self._log is None:
            return ""
        with suppress(FileNotFoundError), self._log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_from, end - _LAST_WORDS_BYTES))
            return file.read().decode(errors="replace").strip()
        return ""


def reason(code: int) -> str:
    """How a child ended, for people."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


async def _ended(pid: int) -> None:
    """Wait until a child of ours has ended; it is reaped by the caller."""
    descriptor = os.pidfd_open(pid)
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_reader(descriptor, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _appending(log: Path) -> int:
    """The log, opened to append; a long one is put aside first."""
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        put_aside(log)
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def put_aside(log: Path) -> None:
    """Make room for a new log: `server.log` becomes `server.1.log`, this one `server.2.log`, and the last one goes."""
    names = [log, *(log.with_suffix(f".{number}.log") for number in range(1, _LOGS_KEPT + 1))]
    for newer, older in reversed(list(itertools.pairwise(names))):
        with suppress(FileNotFoundError):
            newer.replace(older)
