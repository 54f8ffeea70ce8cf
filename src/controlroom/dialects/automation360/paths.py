r"""Paths of this grammar's repository: `Automation Anywhere\\Bots\\<workspace>\\<folder>\\<package>\\<task>`."""

from typing import Final

from controlroom.dialects.automation360.asking import Asking
from controlroom.engine.access.scope import Scope
from controlroom.engine.lists.words import Paths
from controlroom.engine.packages import store as packages
from controlroom.engine.packages.errors import TaskNotFound
from controlroom.engine.packages.store import Named

ROOT: Final = "Automation Anywhere\\Bots"
PATHS: Final = Paths(root=ROOT, separator="\\")
_LONGEST: Final = 18


def path_read(value: object) -> str:
    """A path that is asked for, as it is told: slashes of either kind part it."""
    return str(value).replace("/", "\\").rstrip("\\")


def path_of(*names: str | None) -> str:
    """The path of what lies below the root in folders of these names."""
    return "\\".join([ROOT, *filter(None, names)])


def parts_of(path: str) -> list[str]:
    """The names below the root; slashes of either kind part them, and the root may be left out."""
    parts = [part for part in path.replace("/", "\\").split("\\") if part.strip()]
    folded = [part.casefold() for part in parts]
    for root in (ROOT.casefold().split("\\"), ["bots"]):
        if folded[: len(root)] == root:
            return parts[len(root) :]
    return parts


async def task_at(request: Asking, path: str, seen: Scope | None = None) -> Named:
    """The task of a path, of what the caller sees by the route's permission, or `seen`. Raises TaskNotFound.

    Folders may be left out, all of them; those that are named are those in which its package lies.
    """
    scope = request.seen if seen is None else seen
    match parts_of(path):
        case [workspace, *folders, package, task]:
            found = await packages.task_named(
                request.db, scope, workspace=workspace, folders=folders, package=package, task=task
            )
        case _:
            found = None
    if found is None:
        raise TaskNotFound(path)
    return found


async def task_numbered(request: Asking, number: str | int, seen: Scope | None = None) -> Named:
    """The task with a number, likewise."""
    text = str(number).strip()
    found = None
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST:
        found = await packages.task_numbered(request.db, request.seen if seen is None else seen, int(text))
    if found is None:
        raise TaskNotFound(text)
    return found


async def task_called(request: Asking, seen: Scope, named: str) -> Named:
    """The task that a text names, by its number or its path."""
    return await (task_numbered if named.strip().isdigit() else task_at)(request, named, seen)
