"""Which robot is meant, of a folder or a package that may hold several."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from controlroom.robots.yaml_text import invalid

FILE_NAME: Final = "robot.yaml"
PROJECT_FILE: Final = "dbt_project.yml"
"""In the folder of a dbt project: a package without tasks, whose commands a job says."""
NEVER_SEARCHED: Final = frozenset(
    {".git", "__pycache__", "node_modules", ".venv", "venv", "__MACOSX", "dbt_packages", "dbt_modules"}
)
"""Folders in which no robot is looked for: what lies there was not put there as one."""
_SHOWN: Final = 20
_KINDS: Final = ((FILE_NAME, "robots"), (PROJECT_FILE, "dbt projects"))


def robots_among(names: Iterable[str], file_name: str = FILE_NAME) -> list[str]:
    """The robot.yaml of each robot, or another file likewise; what lies in the folder of another is part of that."""
    found = sorted(
        (
            name
            for name in names
            if (path := PurePosixPath(name)).name == file_name and NEVER_SEARCHED.isdisjoint(path.parts[:-1])
        ),
        key=lambda name: (name.count("/"), name),
    )
    robots: list[str] = []
    folders: set[str] = set()
    for name in found:
        above = [str(parent) for parent in PurePosixPath(name).parents]
        if folders.isdisjoint(above):
            robots.append(name)
            folders.add(above[0])
    return robots


def choose_robot(names: Iterable[str], within: str, *, where: str) -> str:
    """The robot.yaml of the only robot, in a folder if one is named; where there is none, that of the only dbt project.

    Raises Invalid that lists those that there are.
    """
    names = list(names)
    inside = [name for name in names if not within or name.startswith(within + "/")]
    for file_name, what in _KINDS:
        found = robots_among(inside, file_name)
        if len(found) == 1:
            return found[0]
        if found:
            raise invalid(
                f"There are {len(found)} {what} in {f'`{within}`' if within else where}: {_listed(found)}. Choose one "
                f"by its folder (--folder)"
            )
    others = [(what, robots_among(names, file_name)) for file_name, what in _KINDS] if within else []
    told = [f"{what} in {_listed(found)}" for what, found in others if found]
    there_are = f"; there are {', and '.join(told)}" if told else ""
    place = f"`{within}` of {where}" if within else where
    raise invalid(f"There is no {FILE_NAME} in {place}, and no {PROJECT_FILE}{there_are}")


def folder_of_robot(listed: str, within: str) -> str:
    """The folder of the only robot in a repository, of which all names are listed with NULs between them."""
    return choose_robot(listed.split("\0"), within, where="the repository").rpartition("/")[0]


def shallowest_robot(names: Iterable[str]) -> str | None:
    """The least deep robot.yaml, the first by name among equals: what packages that were taken before meant by it."""
    found = [name for name in names if PurePosixPath(name).name == FILE_NAME]
    return min(found, key=lambda name: (name.count("/"), name), default=None)


def inner_folder(folder: str) -> str:
    """The normal form of a folder that somebody chose, empty for the top. Raises Invalid if it leads out."""
    text = folder.strip().replace("\\", "/")
    path = PurePosixPath(text)
    if text.startswith("/") or re.match(r"[A-Za-z]:", text) or ".." in path.parts or not text.isprintable():
        raise invalid(f"A robot's folder is named as it lies in what holds it, which {folder[:200]!r} is not")
    return "" if str(path) == "." else str(path)


def _listed(robots: list[str]) -> str:
    folders = [f"`{PurePosixPath(name).parent}`" for name in robots]
    more = f" and {len(folders) - _SHOWN} more" if len(folders) > _SHOWN else ""
    return ", ".join(folders[:_SHOWN]) + more
