"""Operations of a grammar and what a dialect serves of them: what the documents of several dialects have in common."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from controlroom.border.origin import Origins
from controlroom.engine.engine import Engine
from controlroom.settings import Limits

COMMAND = "make coverage-table"
_VALUE = re.compile(r"\{[^}]*\}")

Mounted = Mapping[tuple[str, str], HTTPRouteHandler]


class Row(NamedTuple):
    """An operation that the grammar's clients call."""

    method: str
    path: str
    """Whole, without the host; what is in braces is any value."""
    note: str = ""


class Section(NamedTuple):
    """Operations that belong together."""

    title: str
    rows: tuple[Row, ...]


def mounted_by(routes: Callable[[Engine, Origins], Litestar], package: str) -> Mounted:
    """Every method and path that a dialect's own modules answer, with `{}` for each value in it."""
    parts = dict.fromkeys(field.name for field in dataclasses.fields(Engine)) | {"limits": Limits()}
    return {
        (method, plain(route.path)): handler
        for route in routes(Engine(**parts), Origins(None, ())).routes
        for handler in getattr(route, "route_handlers", ())
        for method in handler.http_methods
        if method not in {"OPTIONS", "HEAD"} and handler.fn.__module__.startswith(package)
    }


def plain(path: str) -> str:
    """A path with `{}` for each value."""
    return _VALUE.sub("{}", path)


def handler_of(row: Row, served: Mounted) -> HTTPRouteHandler | None:
    """What answers a row."""
    return served.get((row.method, plain(row.path)))


def state(row: Row, served: Mounted) -> str:
    """`served`, `not served`, or why it is answered that we do not have it."""
    handler = handler_of(row, served)
    if handler is None:
        return "not served"
    return f"501: {handler.opt['not_had']}" if "not_had" in handler.opt else "served"


def table(
    sections: Iterable[Section], served: Mounted, needs: Callable[[HTTPRouteHandler], str], beside: str = ""
) -> str:
    """All sections as Markdown; `needs` tells what a route asks of its caller, `beside` of what is served besides."""
    lines: list[str] = []
    listed: set[tuple[str, str]] = set()
    for section in sections:
        lines += ["", f"### {section.title}", "", "| Operation | State | Permission | Note |", "|---|---|---|---|"]
        for row in section.rows:
            handler = handler_of(row, served)
            asked = "" if handler is None else needs(handler)
            lines.append(f"| `{row.method} {row.path}` | {state(row, served)} | {asked} | {row.note} |")
            listed.add((row.method, plain(row.path)))
    lines += ["", "### Beside these", "", *([beside, ""] if beside else [])]
    return "\n".join([*lines, *(f"- `{method} {path}`" for method, path in sorted(served.keys() - listed))])


def written(text: str, **parts: str) -> str:
    """A document with its computed parts as they are now."""
    for name, part in parts.items():
        begin, end = f"<!-- {name}: begin ({COMMAND}) -->", f"<!-- {name}: end -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{part}\n\n{end}{after}"
    return text
