"""What reaches the person's terminal: text and colours, nothing that steers it.

Names, messages and console lines come from robots and other people; a terminal obeys sequences in them (clear, set the
title, answer as if typed). So everything that a command prints goes through here, whether or not a terminal is at the
other end today: what is written to a file is shown by one tomorrow. What draws on the terminal itself (progress bars,
the line that is not finished yet) writes to `terminal`.
"""

import re
import sys
from collections.abc import Iterable
from typing import Any, Final, TextIO, cast

# CSI; OSC, DCS, APC, PM and SOS up to their terminator; other escapes; then every control but TAB and LF
_SEQUENCE: Final = re.compile(
    r"(?P<colour>\x1b\[[0-9;:]*m)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]"
)
COLOUR: Final = re.compile(r"\x1b\[[0-9;:]*m")
_RESET: Final = "\x1b[0m"


def harmless(text: str) -> str:
    """The text without what steers a terminal; colours stay."""
    return text if text.isprintable() else _SEQUENCE.sub(_kept, text)


def line(text: str) -> str:
    """One line of somebody's, harmless, whose colours end with it."""
    shown = harmless(text)
    return shown + _RESET if "\x1b" in shown and not shown.endswith(_RESET) else shown


def terminal(stream: TextIO) -> TextIO:
    """The stream behind a guarded one, for what draws."""
    return stream.stream if isinstance(stream, Guarded) else stream


def guard() -> None:
    """Let all that this process prints go through here."""
    sys.stdout, sys.stderr = cast("TextIO", Guarded(sys.stdout)), cast("TextIO", Guarded(sys.stderr))


class Guarded:
    """A text stream that is written to harmlessly; bytes (a file's content, by `buffer`) are its owner's."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = terminal(stream)

    def write(self, text: str) -> int:
        """See `TextIO.write`."""
        self.stream.write(harmless(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """See `TextIO.writelines`."""
        for each in lines:
            self.write(each)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _kept(found: "re.Match[str]") -> str:
    return found["colour"] or ""
