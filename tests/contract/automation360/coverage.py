"""What `docs/dialects/automation360.md` says that the code itself knows: what is served, and what is superseded.

`python tests/contract/automation360/coverage.py` writes it (`make coverage-table`).
"""

import dataclasses
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from litestar.handlers import HTTPRouteHandler

from controlroom.border.origin import Origins
from controlroom.dialects.automation360.app import routes
from controlroom.dialects.automation360.routing import NOT_HAD, PAIR, SUPERSEDED
from controlroom.engine.engine import Engine
from controlroom.settings import Limits

sys.path.insert(0, str(Path(__file__).parents[2]))
from contract.automation360.grammar import SECTIONS, Row

DOCUMENT = Path(__file__).parents[3] / "docs/dialects/automation360.md"
_COMMAND = "make coverage-table"
_VALUE = re.compile(r"\{[^}]*\}")

Mounted = Mapping[tuple[str, str], HTTPRouteHandler]


def mounted() -> Mounted:
    """Every method and path of the dialect, with `{}` for each value in it."""
    parts = dict.fromkeys(field.name for field in dataclasses.fields(Engine)) | {"limits": Limits()}
    found = routes(Engine(**parts), Origins(None, ())).routes
    return {
        (method, plain(route.path)): handler
        for route in found
        for handler in getattr(route, "route_handlers", ())
        for method in handler.http_methods
        if method not in {"OPTIONS", "HEAD"}
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
    return f"501: {handler.opt[NOT_HAD]}" if NOT_HAD in handler.opt else "served"


def coverage_table() -> str:
    """All sections as Markdown."""
    served = mounted()
    lines: list[str] = []
    for section in SECTIONS:
        lines += ["", f"### {section.title}", "", "| Operation | State | Permission | Note |", "|---|---|---|---|"]
        lines += [_line(row, served) for row in section.rows]
    listed = {(row.method, plain(row.path)) for section in SECTIONS for row in section.rows}
    lines += ["", "### Beside these", "", "Further spellings of the same, and what is ours:", ""]
    lines += [f"- `{method} {path}`" for method, path in sorted(served.keys() - listed) if "/swagger" not in path]
    return "\n".join(lines)


def superseded_table() -> str:
    """What answers with `Deprecation`, as Markdown."""
    lines = ["", "| Operation | Superseded by | Ends |", "|---|---|---|"]
    return "\n".join([*lines, *sorted(_superseded())])


def _superseded() -> Iterator[str]:
    for (method, path), handler in mounted().items():
        if (by := handler.opt.get(SUPERSEDED)) is not None:
            ends = "no date is published" if by.sunset is None else f"{by.sunset:%d %B %Y}"
            yield f"| `{method} {path}` | `{plain(by.by)}` | {ends} |"


def _line(row: Row, served: Mounted) -> str:
    handler = handler_of(row, served)
    pair = None if handler is None else handler.opt.get(PAIR)
    needs = "" if pair is None else f"`{pair.resource}.{pair.action}`"
    return f"| `{row.method} {row.path}` | {state(row, served)} | {needs} | {row.note} |"


def document(text: str) -> str:
    """The document with its computed parts as they are now."""
    for name, part in (("superseded", superseded_table()), ("coverage", coverage_table())):
        begin, end = f"<!-- {name}: begin ({_COMMAND}) -->", f"<!-- {name}: end -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{part}\n\n{end}{after}"
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
