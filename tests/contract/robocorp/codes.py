"""Every error code that callers of the dialect may read, by status, found in the source itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

from controlroom.border.failures import STATUS
from controlroom.dialects.robocorp.errors import CODES

_SOURCE = Path(__file__).parents[3] / "src/controlroom"
_PLACES = (
    "engine",
    "dialects/robocorp",
    "border/bodies.py",
    "border/failures.py",
    "border/forms.py",
    "objects",
    "postgres",
    "robots",
    "keys.py",
    "errors.py",
    "json_limits.py",
    "moments.py",
)
_NOT_OVER_THE_API = frozenset({"MASTER_KEY", "OBJECTS_URL_INVALID", "NOT_FOUNDED", "INTERNAL"})
"""Failures of starting a server, and the code of what has none."""


def by_status() -> dict[int, list[str]]:
    """The codes of each status, sorted."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for place in _PLACES for file in _files(_SOURCE / place)]
    bases = {
        node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    statuses = {kind.__name__: status for kind, status in STATUS.items()}
    found: dict[int, set[str]] = {}
    for tree in trees:
        for raised, code in _codes(tree, within=""):
            status = raised if isinstance(raised, int) else _status(raised, bases, statuses)
            if status is not None and code not in _NOT_OVER_THE_API:
                found.setdefault(status, set()).add(code)
    return {status: sorted(found[status]) for status in sorted(found)}


def _files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


def _codes(node: ast.AST, within: str) -> Iterator[tuple[str | int, str]]:
    """What is raised, by the name of its class or by its status, and with which code."""
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.ClassDef) else within
        match child:
            case ast.Call(func=ast.Name("Failure"), keywords=keywords):
                told = {each.arg: each.value.value for each in keywords if isinstance(each.value, ast.Constant)}
                if "status" in told and "code" in told:
                    yield int(told["status"]), CODES.get(str(told["code"]), str(told["code"]))
            case ast.Call(func=function, keywords=keywords):
                for keyword in keywords:
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                        name = function.id if isinstance(function, ast.Name) else within
                        yield name, str(keyword.value.value)
            case (
                ast.Assign(targets=[ast.Name("code")], value=ast.Constant(str(code)))
                | ast.AnnAssign(target=ast.Name("code"), value=ast.Constant(str(code)))
            ):
                yield within, code
        yield from _codes(child, inside)


def _status(name: str, bases: dict[str, list[str]], statuses: dict[str, int]) -> int | None:
    """The status of a class, by the nearest kind above it; None if it is no failure of ours."""
    if name in statuses:
        return statuses[name]
    return next((found for base in bases.get(name, ()) if (found := _status(base, bases, statuses)) is not None), None)
