"""How a command ends: what it says, and with which exit code."""

from controlroom.errors import ControlRoomError

FAILED = 1
"""The command was understood and did not succeed."""
MISUSED = 2
"""The command line itself is wrong."""
ALREADY_RUNNING = 3
"""`up` on a data folder whose room is running."""
INTERRUPTED = 130
"""Ended by Ctrl-C, as shells count it."""


class CommandFailed(ControlRoomError):  # noqa: N818 - named as its kind is
    """The command could not do what it was asked, and says what to do about it."""

    code = "COMMAND_FAILED"
    exit_code = FAILED

    def __init__(self, message: str, *, hint: str = "", exit_code: int | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        if exit_code is not None:
            self.exit_code = exit_code


class Misused(CommandFailed):
    """An argument makes no sense."""

    code = "USAGE"
    exit_code = MISUSED
