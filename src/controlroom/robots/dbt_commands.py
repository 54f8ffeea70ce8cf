"""Which commands of dbt 1.11 may be run, read from the line that somebody has typed. Pure, and no shell.

Server and worker ask the same: what is written into a job, what a start puts in its place, and what is run at last. A
command that is refused would leave the folder of its run, or open something that others reach.
"""

import re
import shlex
from collections.abc import Sequence
from typing import ClassVar, Final

from msgspec import Struct

from controlroom.errors import Invalid

PROGRAM: Final = "dbt"

ALLOWED: Final = frozenset(
    {
        *(
            "build",
            "clean",
            "clone",
            "compile",
            "debug",
            "deps",
            "docs generate",
            "list",
            "ls",
            "parse",
            "retry",
            "run",
        ),
        *("run-operation", "seed", "show", "snapshot", "source freshness", "source snapshot-freshness"),
        "test",
    }
)
"""Not `init`, which makes a project of its own, and not `docs serve`, which opens a port and never ends."""

_GROUPS: Final = frozenset({"docs", "source"})
"""Whose commands have a second word."""

_OF_RUN: Final = frozenset(
    {
        *("--profiles-dir", "--project-dir", "--target-path", "--log-path", "--state", "--defer-state"),
        *("--deprecated-state", "--partial-parse-file-path", "--record-timing-info"),
    }
)
"""Options that name a file or folder: where they are, the run says."""

_REFUSED: Final = {
    **dict.fromkeys(_OF_RUN, "the run says where its files are"),
    "--upload-to-artifacts-ingest-api": "what a run leaves stays in the room",
    "--no-clean-project-files-only": "it would remove files outside of the project",
    "--version": "it asks the package index; which version runs is told by the run's profile step",
}
_SHORT: Final = {"r": "--record-timing-info", "V": "--version", "v": "--version"}
_SHORT_WITH_VALUE: Final = frozenset("mostr")
_WITH_VALUE: Final = frozenset(
    {
        *("--defer-state", "--deprecated-defer", "--deprecated-favor-state", "--deprecated-state"),
        *("--indirect-selection", "--log-file-max-bytes", "--log-format", "--log-format-file", "--log-level"),
        *("--log-level-file", "--log-path", "--partial-parse-file-path", "--printer-width", "--profile"),
        *("--record-timing-info", "--state", "--target", "--warn-error-options", "-r", "-t"),
    }
)
"""Options before the command's name that take the next word."""

_SHORT_CLUSTER: Final = re.compile(r"-[A-Za-z].*", re.DOTALL)
_LONGEST_TOLD: Final = 200


class CommandRefused(Invalid):
    """A command that may not be run."""

    code: ClassVar[str] = "COMMAND_REFUSED"

    def __init__(self, line: str, reason: str) -> None:
        told = line if len(line) <= _LONGEST_TOLD else line[:_LONGEST_TOLD] + "…"
        super().__init__(f"{told!r} may not be run: {reason}", command=told, reason=reason)


class DbtCommand(Struct, frozen=True):
    """A command that may be run."""

    words: tuple[str, ...]
    """With the program as the first."""
    subcommand: str
    """What it does: `build`, `docs generate`."""


def read(line: str) -> DbtCommand:
    """The command of a line, its words parted as a shell does. Raises CommandRefused."""
    try:
        words = shlex.split(line)
    except ValueError as wrong:
        raise CommandRefused(line, f"its quotes do not close ({wrong})") from wrong
    return checked(words, line)


def checked(words: Sequence[str], line: str | None = None) -> DbtCommand:
    """Likewise, of words that are parted already."""
    line = shlex.join(words) if line is None else line
    if not words or words[0] != PROGRAM:
        raise CommandRefused(line, f"only {PROGRAM} is run here, and nothing else: no shell, no other program")
    for word in words[1:]:
        if (option := _refused(word)) is not None:
            raise CommandRefused(line, f"{option} is not for jobs: {_REFUSED[option]}")
    subcommand, rest = _subcommand(words[1:])
    if subcommand not in ALLOWED:
        known = ", ".join(sorted(ALLOWED))
        raise CommandRefused(line, f"{subcommand or 'nothing'!r} is no command for jobs: there are {known}")
    if subcommand.startswith("source ") and any(_is_output(word) for word in rest):
        raise CommandRefused(line, "--output is not for jobs: the run says where its files are")
    return DbtCommand(tuple(words), subcommand)


def _subcommand(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The name of the command, and what comes after it. Global options may stand before each of its words."""
    name: list[str] = []
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if word.startswith("-"):
            place += word in _WITH_VALUE
            continue
        name.append(word)
        if word not in _GROUPS or len(name) > 1:
            break
    return " ".join(name), words[place:]


def _refused(word: str) -> str | None:
    """The refused option that a word is or begins with, wherever it stands: also where it is another option's value."""
    if word.startswith("--"):
        option = word.partition("=")[0]
        return option if option in _REFUSED else None
    if _SHORT_CLUSTER.fullmatch(word):
        return next((_SHORT[letter] for letter in _letters(word) if letter in _SHORT), None)
    return None


def _is_output(word: str) -> bool:
    if word.startswith("--"):
        return word.partition("=")[0] == "--output"
    return bool(_SHORT_CLUSTER.fullmatch(word)) and "o" in _letters(word)


def _letters(word: str) -> str:
    """The short options of a word such as `-xqs`: up to the first that takes the rest of it as its value."""
    for place, letter in enumerate(word[1:], start=1):
        if letter in _SHORT_WITH_VALUE:
            return word[1 : place + 1]
    return word[1:]
