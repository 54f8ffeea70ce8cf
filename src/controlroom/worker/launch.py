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
    def resolve(
        cls, words: Sequence[str], variables: Mapping[str, str], working_folder: Path, *, place: Place | None = None
    ) -> "Command":
        """The command with its program found in PATH as a shell in the robot's place (or just here) would find it.

        All paths are the robot's. Raises CommandNotFound.
        """
        outside, inside = (place.outside, place.inside) if place else (Path, Path)
        program, *arguments = words
        found: Path | None = None
        if "/" in program:
            found = working_folder / program
        else:
            folders = (str(outside(Path(folder))) for folder in variables.get("PATH", "").split(":"))
            if there := shutil.which(program, path=":".join(folders)):
                found = inside(Path(there))
        if found is None or not outside(found).exists():
            raise CommandNotFound(f"The command `{program}` was not found in the environment or the robot.")
        return cls(argv=(str(found), *arguments), variables=dict(variables), working_folder=working_folder)


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
    stdout, stderr = output_pipes(place)
    try:
        tree = start_tree(
            sandbox,
            command,
            place=place,
            environment=environment,
            shown=shown,
            passed=passed,
            output=(stdout.writing_end, stderr.writing_end),
        )
    except BaseException:
        stdout.close()
        stderr.close()
        raise
    stdout.robot_has_it()
    stderr.robot_has_it()
    return Running(tree, stdout, stderr)


def start_tree(
    sandbox: Sandbox,
    command: Command,
    *,
    place: Place,
    environment: Environment,
    shown: Sequence[Path],
    passed: Sequence[int],
    output: tuple[int, int],
    nest: Path | None = None,
) -> ProcessTree:
    """Start a command whose stdout and stderr are these descriptors; with a nest it is a zygote's."""
    view = View(
        folder=place.work,
        seen=place.seen,
        nest=nest,
        working_folder=command.working_folder,
        readable=(*readable(environment, command.variables), *shown),
        passwd=place.passwd,
        kept=place.kept.folder if place.kept is not None else None,
        group=place.group,
        writable=place.writable,
        network=place.network,
    )
    wrapped = sandbox.wrap(command.argv, command.variables, view=view, user=place.user)
    return ProcessTree.start(
        place.limits.wrap(wrapped.argv),
        wrapped.variables,
        layers=sandbox.layers,
        cwd=Path("/") if sandbox.is_on else place.outside(command.working_folder),
        stdout=output[0],
        stderr=output[1],
        passed=passed,
    )


def readable(environment: Environment, variables: Mapping[str, str]) -> tuple[Path, ...]:
    """What every command in an environment may read besides the system's programs."""
    bundle = variables.get("SSL_CERT_FILE")
    return (*environment.readable, *([Path(bundle)] if bundle else []))


def output_pipes(place: Place) -> tuple[OutputPipe, OutputPipe]:
    """The pipes for stdout and stderr of a robot in this place."""
    return OutputPipe(place.folder / "stdout.log"), OutputPipe(place.folder / "stderr.log")
