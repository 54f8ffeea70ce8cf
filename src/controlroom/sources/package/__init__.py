"""The task package that runs a source inside the room, on a schedule, with what its vault keeps.

The package is a robot like any other: `robot.yaml`, a hash-pinned list of packages, and `controlroom.sources` itself.
What it loads, and where to, is said by variables of its step and by a secret (`settings`); how it does is `task`.
"""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

ROBOT: Final = "robot"
"""The folder of what lies at the top of the package."""
_LEFT_OUT: Final = {"__pycache__", "notebook", ROBOT}


def write(folder: Path, *, requirements: str | None = None) -> None:
    """Write the robot into a folder; `requirements` is a list of packages in place of ours."""
    for source in files(__package__).joinpath(ROBOT).iterdir():
        (folder / source.name).write_bytes(source.read_bytes())
    if requirements is not None:
        (folder / "requirements.txt").write_text(requirements, encoding="utf-8")
    house = files("controlroom")
    _copy(house / "__init__.py", folder / "controlroom" / "__init__.py")
    for inner, file in _below(house / "sources"):
        _copy(file, folder / "controlroom" / "sources" / inner)


def _below(folder: Traversable, inner: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        name = f"{inner}{entry.name}"
        if entry.is_dir():
            if entry.name not in _LEFT_OUT:
                yield from _below(entry, f"{name}/")
        elif entry.name.endswith((".py", ".typed")):
            yield name, entry


def _copy(source: Traversable, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(source.read_bytes())
