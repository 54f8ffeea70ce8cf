"""The program `controlroom`: finds the command, imports it, and turns failures into messages and exit codes.

What is imported here is paid for by every command. Commands are named by import path and looked up when they are
called; the list of commands needs no command line library at all.
"""

import io
import os
import sys
from typing import NamedTuple

from controlroom import __version__
from controlroom.cli.errors import FAILED, INTERRUPTED, MISUSED, CommandFailed
from controlroom.cli.screen import guard
from controlroom.errors import ControlRoomError


class Command(NamedTuple):
    """A command: its name, where it is, and what it does in one line."""

    name: str
    path: str
    summary: str


ROOM = (
    Command("up", "up:up", "Start everything on this machine: database, server, one worker"),
    Command("server", "server:server", "Start a server, for a room of several machines"),
    Command("worker", "worker:worker", "Start a worker, here or on another machine"),
    Command("mail", "mail:mail", "Take mail that starts processes"),
    Command("backup", "backup:backup", "Write a backup of a room that runs"),
    Command("restore", "backup:restore", "Make a room of a backup"),
)
WORK = (
    Command("push", "push:push", "Upload a robot's folder as a task package"),
    Command("run", "run:run", "Start a process and, with --follow, watch it to its end"),
)
NOUNS = (
    Command("process", "process:app", "Processes and their secrets: create, list, show, edit, enable, disable, delete"),
    Command("runs", "runs:app", "Process runs: list, show, follow, outputs, stop, delete"),
    Command("items", "items:app", "Work items, one or many: create, edit, retry, done, hold, release, rerun, delete"),
    Command("queues", "queues:app", "Queues, their schemas and consumers: list, show, create, rename, delete"),
    Command("artifacts", "artifacts:app", "Files that robots left: list, download"),
    Command("assistant", "assistant:app", "Assistants: list, run on this machine, create, delete, runs"),
    Command("packages", "packages:app", "Task packages and where they come from: list, show, download, source, delete"),
    Command("secrets", "secrets:app", "Secrets of the vault: list, show, set, delete"),
    Command("assets", "assets:app", "Assets: list, show, set, get, delete"),
    Command("keys", "keys:app", "API keys: list, show, create, edit, reveal, delete"),
    Command("workers", "workers:app", "Workers and link tokens: list, show, rename, link-token, delete"),
    Command("schedules", "schedules:app", "Schedules: list, show, create, edit, preview, enable, disable, delete"),
    Command("triggers", "triggers:app", "Mail that starts processes: list, show, set, rotate, enable, disable, delete"),
    Command("chains", "chains:app", "What starts what: list, show, links, create, edit, enable, disable, delete"),
    Command(
        "groups", "groups:app", "Worker groups: list, show, create, rename, add, remove, link-token, tokens, delete"
    ),
    Command("provisioners", "provisioners:app", "Workers on demand: list, show, create, edit, reveal, delete"),
    Command("webhooks", "webhooks:app", "Webhooks: list, show, create, edit, reveal, test, enable, disable, delete"),
    Command("notifications", "notifications:app", "Who is told how runs end: list, show, create, edit, delete"),
    Command("deliveries", "deliveries:app", "What was sent to the world: list, show, redeliver"),
    Command("retention", "retention:app", "How long things are kept: show, set"),
)
PEOPLE = (
    Command("rooms", "rooms:app", "Rooms that your commands find: list, forget"),
    Command("use", "rooms:use", "Choose the room that your commands speak to"),
    Command("login", "login:login", "Log in by name and password, for what takes more than an API key"),
    Command("logout", "login:logout", "End a session"),
    Command("workspaces", "workspaces:app", "Workspaces: list, create, rename"),
    Command("members", "members:app", "Members of the workspace: list, add, role, remove"),
    Command("users", "users:app", "Users and their credentials: list, show, create, password, disable, enable"),
    Command("audit", "audit:audit", "Who did what, and when"),
)
SHELL = (Command("completion", "completion:completion", "Print the shell's completion script: bash, zsh or fish"),)

SECTIONS = (
    ("A room", ROOM),
    ("Robots at work", WORK),
    ("What is in the room", NOUNS),
    ("People and rooms", PEOPLE),
    ("This shell", SHELL),
)

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
    from controlroom.cli.commands import CycloptsError, application  # noqa: PLC0415

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
