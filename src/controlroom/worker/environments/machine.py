"""Robots without an environment file run with the machine's own tools."""

import os
import sys
from pathlib import Path

from controlroom import whole_files
from controlroom.robots.python_versions import written
from controlroom.worker.environments.build_place import BuildPlace, make_open
from controlroom.worker.environments.environment import Environment, EnvironmentFailed, EnvironmentKind
from controlroom.worker.environments.interpreters import Interpreter, Interpreters

_USUAL_FOLDERS = frozenset({"/usr/local/bin", "/usr/bin", "/bin"})
"""They are on every robot's PATH; put in front they would change which of their other programs are found."""


async def environment(interpreters: Interpreters, place: BuildPlace, *, path: str, aliases: Path) -> Environment:
    """The first `python3` of this PATH that robots can run, else the worker's own.

    `python` means it too where the machine has no such command beside it.
    """
    found = await interpreter(interpreters, place, path=path)
    beside = found.path.parent
    front = [] if (beside / "python").exists() else [_alias(aliases, found.path)]
    if str(beside) not in _USUAL_FOLDERS:
        front.append(beside)
    return Environment(
        kind=EnvironmentKind.MACHINE,
        fingerprint="",
        prefix=found.base_prefix,
        python=found.path,
        python_version=written(found.version),
        path=tuple(front),
        readable=tuple(dict.fromkeys((found.base_prefix, beside.parent, *front))),
    )


async def interpreter(interpreters: Interpreters, place: BuildPlace, *, path: str) -> Interpreter:
    """The machine's Python 3; raises EnvironmentFailed if robots can run none."""
    own = Path(getattr(sys, "_base_executable", sys.executable))
    for candidate in (*(Path(folder) / "python3" for folder in path.split(os.pathsep) if folder), own):
        if (usable := await interpreters.probe(candidate, place)) is not None:
            return usable
    raise EnvironmentFailed("This machine has no python3 that robots can run")


def _alias(aliases: Path, interpreter: Path) -> Path:
    """A folder in which `python` is this interpreter."""
    folder = aliases / str(interpreter).strip("/").replace("/", "-")
    make_open(folder)
    if not (folder / "python").is_symlink():
        aside = whole_files.aside(folder / "python")
        aside.symlink_to(interpreter)
        aside.rename(folder / "python")
    return folder
