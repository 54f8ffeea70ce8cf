"""Lines of several consoles as they come, each behind its label, and the line that has no end yet.

On a terminal an unfinished line is drawn over in place. Elsewhere what was printed stays: it is gone on with where the
text only grew, else printed anew, and not more often than every few seconds.
"""

import shutil
import sys
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from controlroom.cli.screen import COLOUR, line, terminal

_SECONDS: Final = 5.0
"""Between two states of an unfinished line where each stays. Why: a bar of an hour is 720 lines of a file then."""
_BEGINNING: Final = "\r\x1b[K"


class Label(NamedTuple):
    """Who printed a line, and in which colour that is shown (an SGR number)."""

    text: str
    colour: int


class LiveLines:
    """Writes to stdout, or to stderr when stdout is for a program."""

    def __init__(self, *, to_stderr: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = terminal(sys.stderr if to_stderr else sys.stdout)
        self._is_terminal = self._out.isatty()
        self._clock = clock
        self._open: tuple[str, str] | None = None
        """Whose unfinished line stands at the end of what was printed, and its text."""
        self._told: dict[str, tuple[str, float]] = {}
        """What was printed last of a label's unfinished line, and when."""

    def line(self, label: Label, text: str) -> None:
        """A whole line."""
        self._told.pop(label.text, None)
        shown = line(text)
        for each in shown.split("\n"):
            self._begin_or_go_on(label, each)
            self._out.write("\n")
            self._open = None
        self._out.flush()

    def unfinished(self, label: Label, text: str) -> None:
        """What stands in a line that has no end yet."""
        shown = line(text.replace("\n", " "))
        if self._is_terminal:
            shown = line(_fitting(shown, shutil.get_terminal_size().columns - len(label.text) - 4))
            is_due = self._open != (label.text, shown)
        else:
            before, at = self._told.get(label.text, ("", float("-inf")))
            is_due = shown != before and (self._grows(label, shown) or self._clock() - at >= _SECONDS)
        if is_due:
            self._begin_or_go_on(label, shown)
            self._open, self._told[label.text] = (label.text, shown), (shown, self._clock())
            self._out.flush()

    def end(self) -> None:
        """Let what comes next begin on a line of its own."""
        if self._open is not None:
            self._out.write(_BEGINNING if self._is_terminal else "\n")
            self._open = None
        self._out.flush()

    def _begin_or_go_on(self, label: Label, shown: str) -> None:
        if self._open is not None and self._grows(label, shown) and not self._is_terminal:
            self._out.write(shown[len(self._open[1]) :])
            return
        self.end()
        self._out.write(f"\x1b[{label.colour}m{label.text}\x1b[0m | " if self._is_terminal else f"{label.text} | ")
        self._out.write(shown)

    def _grows(self, label: Label, shown: str) -> bool:
        return self._open is not None and self._open[0] == label.text and shown.startswith(self._open[1])


def _fitting(text: str, columns: int) -> str:
    """The end of a line as fits into a row of the terminal: a line that wraps cannot be drawn over."""
    plain = COLOUR.sub("", text)
    if len(plain) <= columns:
        return text
    return plain[-columns:] if columns > 0 else ""
