"""The program `controlroom`: finds the command, imports it, and turns failures into messages and exit codes.

What is imported here is paid for by every command. Commands are named by import path and looked up when they are
called; the list of commands needs no command line library at all.
"""

import io
import os
import sys

from controlroom import __version__
from controlroom.cli.commands import SECTIONS
from controlroom.cli.errors import FAILED, INTERRUPTED, MISUSED, CommandFailed
from controlroom.cli.screen import guard
from controlroom.errors import ControlRoomError

_INTRODUCTION = "An open, self-hosted control room for automations."
_ROOM_OPTIONS = """\
Commands that speak to a room find it by --url, --workspace and --api-key, by CONTROLROOM_URL, CONTROLROOM_WORKSPACE and
CONTROLROOM_API_KEY, or among the rooms that `up` started and `login` entered (`controlroom rooms`). --json prints JSON.
`controlroom COMMAND --help` tells more."""


def main() -> None:
    """Run the command that the process's arguments name, and exit."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # Why: names of files may be no text, and are printed as they are
        sys.stdout.reconfigure(errors="surrogateescape" if sys.stdout.encoding == "utf-8" else "backslashreplace")
    guard()
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # Why quiet: `controlroom items list | head` has got what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command; gives its exit code."""
    match arguments:
        case [] | ["--help" | "-h" | "help"]:
            print(overview())
            return 0
        case ["--version"]:
            print(f"controlroom {__version__}")
            return 0
    try:
        return _dispatch(arguments)
    except CommandFailed as failed:
        _complain(failed.message, failed.hint)
        return failed.exit_code
    except ControlRoomError as failed:
        _complain(failed.message)
        return FAILED
    except BrokenPipeError:
        raise
    except OSError as failed:  # a file that is named and not there, a full disk: the system has said it best
        _complain(": ".join(str(part) for part in (failed.filename, failed.strerror or failed) if part))
        return FAILED


def overview() -> str:
    """What `controlroom --help` prints."""
    lines = ["Usage: controlroom COMMAND …", "", _INTRODUCTION]
    for title, commands in SECTIONS:
        lines += ["", f"{title}:"]
        lines += [f"  {command.name:<15}{command.summary}" for command in commands]
    return "\n".join([*lines, "", _ROOM_OPTIONS])


def _dispatch(arguments: list[str]) -> int:
    # Why here: this import costs more than all of the overview
    from controlroom.cli.application import CycloptsError, application  # noqa: PLC0415

    try:
        result = application()(arguments, exit_on_error=False, result_action="return_value")
    except CycloptsError:  # said already, with the usage
        return MISUSED
    return result if isinstance(result, int) else 0


def _complain(message: str, hint: str = "") -> None:
    sys.stdout.flush()
    print(f"controlroom: {message}", file=sys.stderr)
    if hint:
        print(f"  {hint}", file=sys.stderr)


if __name__ == "__main__":
    main()
