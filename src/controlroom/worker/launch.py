"""Starts a command of a robot: in a spare interpreter that waits for it, or as a process of its own."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from controlroom.errors import NotFound
from controlroom.worker.console import Console
from controlroom.worker.environments.environment import Environment
from controlroom.worker.pipes import OutputPipe
from controlroom.worker.places import Place
from controlroom.worker.processes import ProcessTree
from controlroom.worker.sandbox import Sandbox, View

_DRAIN_SECONDS = 2.0
"""How long the pipes may stay open after the tree has been ended: only a process that escaped could hold them."""


class CommandNotFound(NotFound):
    """The program of a command is nowhere in the robot's PATH."""

    code = "COMMAND_NOT_FOUND"


class Command(Struct, frozen=True, kw_only=True):
    """A command of a robot, all that decides how it behaves."""

    argv: tuple[str, ...]
    """The program as an absolute path, and its arguments."""
    variables: dict[str, str]
    working_folder: Path

    @classmethod
    def resolve(cls, words: Sequence[str], variables: Mapping[str, str], working_folder: Path) -> "Command":
        """The command with its program found in PATH as a shell would. Raises CommandNotFound."""
        program, *arguments = words
        if "/" in program:
            found: str | None = str(working_folder / program)
        else:
            found = shutil.which(program, path=variables.get("PATH", ""))
        if found is None or not Path(found).exists():
            raise CommandNotFound(f"The command `{program}` was not found in the environment or the robot.")
        return cls(argv=(found, *arguments), variables=dict(variables), working_folder=working_folder)


class Running(Struct, frozen=True):
    """A command that runs: its processes and what it prints."""

    tree: ProcessTree
    stdout: OutputPipe
    stderr: OutputPipe

    def show_in(self, console: Console) -> None:
        """Begin to read what it prints."""
        self.stdout.read_into(console)
        self.stderr.read_into(console)

    async def drain(self) -> None:
        """Read what is left, after the tree has ended."""
        await self.stdout.drain(_DRAIN_SECONDS)
        await self.stderr.drain(_DRAIN_SECONDS)

    def close(self) -> None:
        """Read nothing more."""
        self.stdout.close()
        self.stderr.close()


def start(
    sandbox: Sandbox,
    command: Command,
    *,
    place: Place,
    environment: Environment,
    shown: Sequence[Path] = (),
    passed: Sequence[int] = (),
) -> Running:
    """Start a command as a process. `shown` is what else it may read, `passed` which descriptors it inherits."""
    bundle = command.variables.get("SSL_CERT_FILE")
    view = View(
        folder=place.work,
        working_folder=command.working_folder,
        readable=(*environment.readable, *shown, *([Path(bundle)] if bundle else [])),
        passwd=place.passwd,
    )
    wrapped = sandbox.wrap(command.argv, command.variables, view=view, user=place.user)
    stdout, stderr = OutputPipe(place.folder / "stdout.log"), OutputPipe(place.folder / "stderr.log")
    try:
        tree = ProcessTree.start(
            wrapped,
            layers=sandbox.layers,
            cwd=Path("/") if sandbox.is_on else command.working_folder,
            stdout=stdout.writing_end,
            stderr=stderr.writing_end,
            passed=passed,
        )
    except BaseException:
        stdout.close()
        stderr.close()
        raise
    stdout.robot_has_it()
    stderr.robot_has_it()
    return Running(tree, stdout, stderr)
