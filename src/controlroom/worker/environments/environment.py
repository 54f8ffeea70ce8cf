"""What a built environment is to the one who runs something in it."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from controlroom.errors import Invalid

ADAPTER_MODULE: Final = "controlroom_workitems"
"""The module of the room's own adapter for the vendor's library of work items, where an environment has that."""
CONNECTION_MODULE: Final = "controlroom_connection"
"""The module of the connection that it has, which our own library for robots has as well."""


class EnvironmentFailed(Invalid):
    """The environment that a robot asks for could not be had; the message is the short cause."""

    code = "ENVIRONMENT_FAILED"


class EnvironmentKind(StrEnum):
    """Who made the environment."""

    UV = "uv"
    CONDA = "conda"
    MACHINE = "machine"
    """Nobody: the robot has no environment file and runs with the machine's own tools."""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """A ready environment: where it lies, and what running in it needs.

    It is valid while the lease that gave it is held (`EnvironmentCache.use`): afterwards it may be pruned.
    """

    kind: EnvironmentKind
    fingerprint: str
    """Of the specification, or empty for the machine's own tools."""

    prefix: Path
    python: Path
    """The interpreter to call. It is inside the prefix, except for conda environments without Python."""

    python_version: str
    variables: dict[str, str] = {}
    """What activation sets. PATH is not among them: see `path`."""

    path: tuple[Path, ...] = ()
    """Folders that go in front of PATH."""

    readable: tuple[Path, ...] = ()
    """Folders that a sandbox must show (never writable) for the environment to work: its own and its interpreter's."""

    has_adapter: bool = False
    """Whether the vendor's library for work items is in it, with the room's adapter beside it."""

    warnings: tuple[str, ...] = ()
    """What the author should know, each a line: for example that another patch version of Python was taken."""

    def activate(self, variables: Mapping[str, str]) -> dict[str, str]:
        """These variables with the environment activated on top of them."""
        inherited = variables.get("PATH", "")
        front = ":".join(str(folder) for folder in self.path)
        activated = {**variables, **self.variables}
        # Why dropped: a PYTHONHOME of the machine would make the environment's interpreter load another's library.
        activated.pop("PYTHONHOME", None)
        activated["PATH"] = ":".join(part for part in (front, inherited) if part)
        return activated
