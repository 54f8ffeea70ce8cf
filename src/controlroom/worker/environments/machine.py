"""Robots without an environment file run with the machine's own tools."""

import os
import sys
from pathlib import Path

from controlroom.worker.environments.environment import Environment, EnvironmentFailed, EnvironmentKind
from controlroom.worker.environments.interpreters import Interpreter, Interpreters
from controlroom.worker.environments.python_versions import written
from controlroom.worker.environments.workshop import Workshop


async def environment(interpreters: Interpreters, workshop: Workshop, *, path: str, aliases: Path) -> Environment:
    """The first `python3` of this PATH that robots can run, else the worker's own.

    `python` means it too where the machine has no such command.
    """
    found = await interpreter(interpreters, workshop, path=path)
    has_python = await _usable("python", path, interpreters, workshop) is not None
    front = () if has_python else (_alias(aliases, found.path),)
    return Environment(
        kind=EnvironmentKind.MACHINE,
        fingerprint="",
        prefix=found.base_prefix,
        python=found.path,
        python_version=written(found.version),
        path=front,
        readable=(found.base_prefix, *front),
    )


async def interpreter(interpreters: Interpreters, workshop: Workshop, *, path: str) -> Interpreter:
    """The machine's Python 3; raises EnvironmentFailed if robots can run none."""
    own = Path(getattr(sys, "_base_executable", sys.executable))
    found = await _usable("python3", path, interpreters, workshop) or await interpreters.probe(own, workshop)
    if found is None:
        raise EnvironmentFailed("This machine has no python3 that robots can run")
    return found


async def _usable(command: str, path: str, interpreters: Interpreters, workshop: Workshop) -> Interpreter | None:
    """The first Python 3 of this name on the PATH that the robots' user can run: what their shell would find."""
    for folder in path.split(os.pathsep):
        candidate = Path(folder or ".") / command
        if (usable := await interpreters.probe(candidate, workshop)) is not None:
            return usable
    return None


def _alias(aliases: Path, interpreter: Path) -> Path:
    """A folder in which `python` and `python3` are this interpreter."""
    folder = aliases / str(interpreter).strip("/").replace("/", "-")
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    for name in ("python", "python3"):
        if not (folder / name).is_symlink():
            aside = folder / f".{name}-{os.getpid()}"
            aside.symlink_to(interpreter)
            aside.rename(folder / name)
    return folder
