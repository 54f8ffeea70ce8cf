"""Every error code that callers of the dialect may read, by status, found in the source itself."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

from controlroom.border.failures import STATUS
from controlroom.dialects.robocorp.codes import told

_SOURCE = Path(__file__).parents[3] / "src/controlroom"
_PLACES = (
    "engine",
    "dialects/robocorp",
    "border/asking.py",
    "border/bodies.py",
    "border/cursors.py",
    "border/envelopes.py",
    "border/failures.py",
    "border/forms.py",
    "border/git_hooks.py",
    "border/signed_bodies.py",
    "border/verbs.py",
    "objects",
    "postgres",
    "robots",
    "keys.py",
    "errors.py",
    "json_limits.py",
    "moments.py",
)
_NOT_OVER_THE_API = frozenset({"MASTER_KEY", "OBJECTS_URL_INVALID", "NOT_FOUNDED"})
"""Failures of starting a server."""
_TELLING = re.compile(r"\bcode\b *[:=]|^class \w+\((?!Struct|StrEnum)", re.MULTILINE)


def by_status() -> dict[int, list[str]]:
    """The codes that callers read of each status, sorted."""
    found: dict[int, set[str]] = {}
    for _, status, code in _all():
        if code not in _NOT_OVER_THE_API:
            found.setdefault(status, set()).add(told(code, "")[0])
    return {status: sorted(found[status]) for status in sorted(found)}


def engine_codes() -> set[str]:
    """The codes of the engine's own failures, in its words."""
    return {code for place, _, code in _all() if place == "engine"} - _NOT_OVER_THE_API


@cache
def _all() -> tuple[tuple[str, int, str], ...]:
    """Each code with its place and status."""
    return tuple(_found())


def _found() -> Iterator[tuple[str, int, str]]:
    trees = {place: [*_trees(_SOURCE / place)] for place in _PLACES}
    bases = {
        node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
        for tree in chain(*trees.values())
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    statuses = {kind.__name__: status for kind, status in STATUS.items()}
    for place, of_place in trees.items():
        for raised, code in chain.from_iterable(_codes(tree, within="") for tree in of_place):
            status = raised if isinstance(raised, int) else _status(raised, bases, statuses)
            if status is not None:
                yield place, status, code


def _trees(place: Path) -> Iterator[ast.Module]:
    """What there is to read: files with a code, or with a class that failures may be made of."""
    for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        text = file.read_text(encoding="utf-8")
        if _TELLING.search(text):
            yield ast.parse(text)


def _codes(node: ast.AST, within: str) -> Iterator[tuple[str | int, str]]:
    """What is raised, by the name of its class or by its status, and with which code."""
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.ClassDef) else within
        match child:
            case ast.Call(func=ast.Name("Failure"), keywords=keywords):
                given = {each.arg: each.value.value for each in keywords if isinstance(each.value, ast.Constant)}
                if "status" in given and "code" in given:
                    yield int(given["status"]), str(given["code"])
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
