"""Which environment runs a project: lists of exact packages with their hashes, by version of dbt, adapter and Python.

The lists of the wheel are in `requirements`; an operator adds others by a folder of the same form (`dbt_requirements`):
`1.11/snowflake.txt` for any Python, `1.11/snowflake-3.12.txt` for one. Environments of a list hold nothing of anybody's
and are shared by all workspaces. A project that brings requirements of its own gets an environment of its own.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from msgspec import Struct

from controlroom.project_plans import Tool
from controlroom.robots.environment_spec import EnvironmentSpec, Source, parse_environment
from controlroom.worker.environments.environment import EnvironmentFailed

REQUIREMENTS: Final = "requirements.txt"
"""A project's own, beside its dbt_project.yml."""

_NAME: Final = re.compile(r"(?P<adapter>[a-z][a-z0-9_]*)(?:-(?P<python>3\.\d{1,2}))?\.txt")
_VERSION: Final = re.compile(r"(\d{1,3}\.\d{1,3})(\..*)?")
_OF_DBT: Final = re.compile(r"dbt[-_.]", re.IGNORECASE)


class ToolNotHad(EnvironmentFailed):
    """There is no list for the version of dbt and the adapter that a project is to run with."""

    code = "TOOL_NOT_HAD"


class Recipe(Struct, frozen=True):
    """What to install for a project."""

    spec: EnvironmentSpec
    is_own: bool = False
    """It holds what the project asks for: nobody else's, and nothing is started ahead for it."""


class _List(Struct, frozen=True):
    version: str
    adapter: str
    python: str
    text: Traversable


def recipe(
    tool: Tool,
    own: str | None = None,
    *,
    added: Path | None = None,
    python: tuple[int, int] = (sys.version_info[0], sys.version_info[1]),
) -> Recipe:
    """What to install for a tool, and for a project's own requirements, if it has any.

    Requirements that name parts of dbt replace the list; others are added to it. `added` is the operator's folder and
    `python` what is preferred, since it is there already. Raises ToolNotHad, and Invalid (PACKAGE_INVALID) for
    requirements that can't be read.
    """
    lines = () if own is None else parse_environment(REQUIREMENTS, own).pip
    if any(_OF_DBT.match(line) for line in lines):
        return Recipe(EnvironmentSpec(Source.REQUIREMENTS, python=_written(python), pip=lines), is_own=True)
    chosen = _chosen(tool, tuple(_lists(added)), _written(python))
    pinned = parse_environment(f"{tool.adapter}.txt", chosen.text.read_text(encoding="utf-8")).pip
    spec = EnvironmentSpec(Source.REQUIREMENTS, python=chosen.python or _written(python), pip=(*pinned, *lines))
    return Recipe(spec, is_own=bool(lines))


def _chosen(tool: Tool, lists: Sequence[_List], python: str) -> _List:
    version = _VERSION.fullmatch(tool.version)
    fitting = [each for each in lists if version and (each.version, each.adapter) == (version[1], tool.adapter)]
    if not fitting:
        raise ToolNotHad(_not_had(tool, lists))
    # Why this order: the worker's own Python is there, and the newest one is the likeliest to be had otherwise
    return max(fitting, key=lambda each: (each.python == python, not each.python, _numbers(each.python)))


def _not_had(tool: Tool, lists: Sequence[_List]) -> str:
    there = ", ".join(sorted({f"dbt {each.version} with {each.adapter}" for each in lists}))
    return (
        f"dbt {tool.version} with the adapter {tool.adapter} cannot be had here: this worker has {there}. "
        "Its operator may add others (dbt_requirements)."
    )


def _lists(added: Path | None) -> Iterator[_List]:
    """The operator's before the wheel's: of two alike the first is taken."""
    for root in (*([added] if added is not None else []), files(__package__) / "requirements"):
        for folder in sorted(root.iterdir(), key=lambda entry: entry.name) if root.is_dir() else ():
            if _VERSION.fullmatch(folder.name) and folder.is_dir():
                for file in folder.iterdir():
                    if match := _NAME.fullmatch(file.name):
                        yield _List(folder.name, match["adapter"], match["python"] or "", file)


def _written(python: tuple[int, int]) -> str:
    return f"{python[0]}.{python[1]}"


def _numbers(python: str) -> tuple[int, ...]:
    return tuple(map(int, python.split("."))) if python else ()
