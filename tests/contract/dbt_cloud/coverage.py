"""What `docs/dialects/dbt-cloud.md` says that the code itself knows: what is served.

`python tests/contract/dbt_cloud/coverage.py` writes it (`make coverage-table`).
"""

import dataclasses
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from litestar.handlers import HTTPRouteHandler

from controlroom.border.asking import NEEDS
from controlroom.border.origin import Origins
from controlroom.dialects import dbt_cloud
from controlroom.dialects.dbt_cloud.app import routes
from controlroom.dialects.dbt_cloud.routing import NOT_HAD
from controlroom.engine.engine import Engine
from controlroom.settings import Limits

sys.path.insert(0, str(Path(__file__).parents[2]))
from contract.dbt_cloud.grammar import SECTIONS, Row

DOCUMENT = Path(__file__).parents[3] / "docs/dialects/dbt-cloud.md"
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
        if method not in {"OPTIONS", "HEAD"} and handler.fn.__module__.startswith(dbt_cloud.__name__)
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
    lines += ["", "### Beside these", ""]
    lines += [f"- `{method} {path}`" for method, path in sorted(served.keys() - listed)]
    return "\n".join(lines)


def _line(row: Row, served: Mounted) -> str:
    handler = handler_of(row, served)
    needs = None if handler is None else handler.opt.get(NEEDS)
    named = needs if isinstance(needs, tuple) else () if needs is None else (needs,)
    permissions = ", ".join(f"`{each}`" for each in named)
    return f"| `{row.method} {row.path}` | {state(row, served)} | {permissions} | {row.note} |"


def document(text: str) -> str:
    """The document with its computed part as it is now."""
    begin, end = f"<!-- coverage: begin ({_COMMAND}) -->", "<!-- coverage: end -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{coverage_table()}\n\n{end}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
