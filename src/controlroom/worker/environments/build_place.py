"""Where one build runs its commands: its own folder, chosen variables, the sandbox, the user that builds run as."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from controlroom.worker import orphans
from controlroom.worker.captured import captured
from controlroom.worker.environments import package_indexes

_LONGEST_LINE = 64 * 1024
_UMASK = 0o022
"""Robots run as other users than builds."""


class Enclosure(Protocol):
    """Encloses a command, so that it sees of this machine only the system's programs and what is named here.

    It also makes the command run as the user that builds run as.
    """

    def __call__(
        self,
        argv: Sequence[str],
        *,
        variables: Mapping[str, str],
        folder: Path,
        writable: Sequence[Path],
        readable: Sequence[Path],
    ) -> tuple[Sequence[str], Mapping[str, str], int]:
        """The command line and the variables to start instead, and how many processes then stand above the command.

        Everything named has the same path inside; `folder` is the working folder, and writable.
        """
        ...


class RunAs(msgspec.Struct, frozen=True):
    """The unprivileged user that builds and robots run as, where the worker was started as root."""

    uid: int
    """Its group has the same number."""


class CommandFailed(Exception):  # noqa: N818 - a fact about a command; builders turn it into EnvironmentFailed
    """A build command ended with an error."""

    def __init__(self, argv: Sequence[str], exit_code: int, lines: Sequence[str]) -> None:
        super().__init__(f"{Path(argv[0]).name} ended with exit code {exit_code}")
        self.exit_code = exit_code
        self.lines = tuple(lines)


class BuildPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Runs commands for builds. Whatever happens to the caller, no command outlives its call."""

    home: Path
    """Working folder, HOME and TMPDIR of the commands; gone after the build."""

    variables: dict[str, str]
    enclosure: Enclosure | None
    run_as: RunAs | None
    readable: tuple[Path, ...]
    offered: Path
    """A folder with wheels that the worker offers, wherever packages come from otherwise."""
    progress: Callable[[str], None]

    async def run(
        self,
        argv: Sequence[str | Path],
        *,
        writable: Sequence[Path] = (),
        readable: Sequence[Path] = (),
        variables: Mapping[str, str] | None = None,
        quiet: bool = False,
    ) -> str:
        """Run a command and show its standard error as progress (unless quiet); returns its standard output.

        Raises CommandFailed with the lines of its standard error.
        """
        words = [str(word) for word in argv]
        environment: Mapping[str, str] = {**self.variables, **(variables or {})}
        if self.enclosure is None:
            # Why not alone: other builds run as the same user
            uid = self.run_as.uid if self.run_as else None
            command: Sequence[str] = orphans.command(words, uid=uid, is_alone=False)
            layers = 1
        else:
            command, environment, layers = self.enclosure(
                words,
                variables=environment,
                folder=self.home,
                writable=writable,
                readable=_outside(writable, (*self.readable, *readable)),
            )
        lines: list[str] = []
        async with captured(command, environment, layers=layers, cwd=self.home, umask=_UMASK) as program:
            _, output, exit_code = await asyncio.gather(
                self._show(program.stderr, lines, quiet=quiet), program.stdout.read(), program.tree.wait()
            )
        if exit_code != 0:
            raise CommandFailed(words, exit_code, lines)
        return output.decode(errors="replace")

    async def _show(self, stream: asyncio.StreamReader, lines: list[str], *, quiet: bool) -> None:
        async for line in _lines_of(stream):
            lines.append(package_indexes.without_credentials(line))
            if not quiet:
                self.progress(lines[-1])


def furnish(
    home: Path,
    *,
    own: Mapping[str, str],
    enclosure: Enclosure | None,
    run_as: RunAs | None,
    readable: Sequence[Path],
    offered: Path,
    progress: Callable[[str], None],
) -> BuildPlace:
    """Make a folder a build place, with what the worker's own variables say about package indexes."""
    variables = package_indexes.variables(own, home=Path(own.get("HOME", "/")))
    if configuration := variables.get("UV_CONFIG_FILE"):
        # Why a copy: the build's user may be unable to read the folder where the worker's user keeps it
        copy = home / "uv.toml"
        copy.touch(mode=0o600)
        variables["UV_CONFIG_FILE"] = str(shutil.copyfile(configuration, copy))
        give_to(run_as, copy)
    variables |= {
        "PATH": own.get("PATH", os.defpath),
        "HOME": str(home),
        "TMPDIR": str(home),
        "NO_COLOR": "1",
        "UV_NO_PROGRESS": "1",
        "PYTHONUNBUFFERED": "1",
    }
    variables.setdefault("LANG", "C.UTF-8")
    home.chmod(0o711)  # a sandbox that is set up by root without root's rights must be able to enter it
    give_to(run_as, home)
    return BuildPlace(
        home=home,
        variables=variables,
        enclosure=enclosure,
        run_as=run_as,
        readable=(*readable, *package_indexes.readable_paths(variables)),
        offered=offered,
        progress=progress,
    )


def give_to(run_as: RunAs | None, *paths: Path) -> None:
    """Make the build's user the owner, where it is another than ours."""
    if run_as is not None:
        for path in paths:
            os.chown(path, run_as.uid, run_as.uid, follow_symlinks=False)


def make_open(folder: Path) -> None:
    """Make a folder, and its parents, that builds and robots can enter, whatever the worker's umask is."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_uid == os.geteuid():
        folder.chmod(0o755)


def remove_tree(folder: Path) -> None:
    """Remove a folder with everything in it, read-only parts too; nothing happens if it is not there."""
    if not folder.exists():
        return
    for parent, names, _ in os.walk(folder):
        for path in (parent, *(os.path.join(parent, name) for name in names)):  # noqa: PTH118 - walk speaks strings
            if not os.path.islink(path) and not os.access(path, os.W_OK | os.X_OK):  # noqa: PTH114 - likewise
                with suppress(OSError):
                    os.chmod(path, 0o700)  # noqa: PTH101 - likewise
    shutil.rmtree(folder, ignore_errors=True)


def _outside(writable: Sequence[Path], readable: Sequence[Path]) -> tuple[Path, ...]:
    """What is not writable anyway: shown read-only on top of it, it would be closed."""
    return tuple(path for path in readable if not any(path.is_relative_to(folder) for folder in writable))


def short_cause(failure: CommandFailed) -> str:
    """What a command's complaint comes to, in one line: the last error with its innermost cause, else the last line."""
    lines = [line.strip() for line in failure.lines if line.strip()]
    errors = [index for index, line in enumerate(lines) if line.lower().startswith("error:")]
    if not errors:
        return f"{lines[-1] if lines else 'no message'} (exit code {failure.exit_code})"
    complaint = lines[errors[-1]].split(" ", 1)[1]
    causes = [line.removeprefix("cause: ") for line in lines[errors[-1] + 1 :] if line.startswith("cause: ")]
    return f"{complaint}: {causes[-1]}" if causes else complaint


async def _lines_of(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines of a stream; a line without end is cut."""
    rest = b""
    while chunk := await stream.read(_LONGEST_LINE):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line[:_LONGEST_LINE].decode(errors="replace").rstrip()
        rest = rest[:_LONGEST_LINE]
    if rest:
        yield rest.decode(errors="replace").rstrip()
