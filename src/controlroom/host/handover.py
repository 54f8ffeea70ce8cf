"""How `up` and its children speak: JSON lines over a socket pair that only the two of them have.

What a child must know (the database's password, the worker's link token) never stands in an argument list, an
environment or a file. A child also ties itself to its parent: it is killed with it, however the parent dies.
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_VARIABLE = "CONTROLROOM_HANDOVER"
_PR_SET_PDEATHSIG = 1

FAILED = "failed"
"""The field of a message by which a child says in words why it ends."""
REOPEN = signal.SIGUSR1
"""The signal by which a child is told that its log was put aside."""
CODE = "code"
"""The field beside it by which programs know the reason."""


class Handover:
    """One end of the line between `up` and a child."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._received = b""

    def send(self, message: dict[str, Any]) -> None:
        """Say something; silent if the other side is gone."""
        with contextlib.suppress(OSError):
            self._line.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> dict[str, Any] | None:
        """Wait for the next message; None when the other side is gone."""
        while b"\n" not in self._received:
            piece = self._line.recv(65536)
            if not piece:
                return None
            self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        return decode(line)

    def detach(self) -> socket.socket:
        """The socket itself, for a loop to read."""
        return self._line


def decode(line: bytes) -> dict[str, Any]:
    """The message of a line."""
    message: dict[str, Any] = json.loads(line)
    return message


def pair() -> tuple[Handover, socket.socket]:
    """Our end, and the socket that the child inherits."""
    ours, theirs = socket.socketpair()
    return Handover(ours), theirs


def environment(theirs: socket.socket, variables: dict[str, str], log: Path | None) -> dict[str, str]:
    """The child's environment: it says which descriptor is the line, whose child it is, and where its log is."""
    return {**variables, _VARIABLE: f"{theirs.fileno()}:{os.getpid()}:{log or ''}"}


def from_parent() -> Handover:
    """The child's end. From here on the child is killed when its parent ends."""
    descriptor, parent, log = os.environ.pop(_VARIABLE).split(":", 2)
    if log:
        signal.signal(REOPEN, lambda *_: _write_to(log))
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)
    line = socket.socket(fileno=int(descriptor))
    line.set_inheritable(False)
    return Handover(line)


def _write_to(log: str) -> None:
    """Let all that this process says go to a file of this name from here on: what it had open was put aside."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def inherited(descriptors: Sequence[int]) -> list[socket.socket]:
    """Listening sockets that the parent opened."""
    sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    for each in sockets:
        each.set_inheritable(False)
    return sockets
