"""Builds in the sandbox that robots run in."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from controlroom.worker.environments.build_place import Enclosure
from controlroom.worker.robot_users import RobotUser
from controlroom.worker.sandbox import Sandbox, View


def enclosure(sandbox: Sandbox, user: RobotUser | None) -> Enclosure | None:
    """How the worker's sandbox encloses a build command; None where it keeps nothing from the machine's files."""
    if not sandbox.is_on:
        return None

    def enclose(
        argv: Sequence[str],
        *,
        variables: Mapping[str, str],
        folder: Path,
        writable: Sequence[Path],
        readable: Sequence[Path],
    ) -> tuple[Sequence[str], Mapping[str, str], int]:
        view = View(folder=folder, working_folder=folder, readable=tuple(readable), writable=tuple(writable))
        wrapped = sandbox.wrap(argv, variables, view=view, user=user)
        return wrapped.argv, wrapped.variables, sandbox.layers

    return enclose
