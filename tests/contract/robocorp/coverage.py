"""What `docs/dialects/robocorp.md` says that the code itself knows: how much of the grammar is served, and error codes.

`python tests/contract/robocorp/coverage.py` writes it (`make coverage-table`); a test tells when it is out of date.
"""

import dataclasses
import importlib
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from controlroom.border.origin import Origins
from controlroom.dialects.robocorp import runtime_work_items
from controlroom.dialects.robocorp.app import routes
from controlroom.engine.engine import Engine
from controlroom.settings import Limits

sys.path.insert(0, str(Path(__file__).parents[2]))
from contract.robocorp.codes import by_status
from contract.robocorp.grammar import SECTIONS, Deed, Row

DOCUMENT = Path(__file__).parents[3] / "docs/dialects/robocorp.md"
_COMMAND = "make coverage-table"

_VALUE = re.compile(r"\{[^}]*\}")


@cache
def mounted() -> frozenset[tuple[str, str]]:
    """Every method and path of the dialect, with `{}` for each value in it."""
    parts = dict.fromkeys(field.name for field in dataclasses.fields(Engine)) | {"limits": Limits()}
    found = routes(Engine(**parts), Origins(None, ()), mail_domain="localhost").routes
    of_framework = {
        (method, _plain(route.path))
        for route in found
        for method in getattr(route, "methods", ())
        if method not in {"OPTIONS", "HEAD"}
    }
    return frozenset(of_framework | {(verb.method, _plain(verb.path)) for verb in runtime_work_items.VERBS})


def state(row: Row | Deed, served: frozenset[tuple[str, str]]) -> str:
    """`served`, `alias` or `not served`."""
    match row:
        case Deed():
            return "served" if _exists(row.by) else "not served"
        case Row() if (row.method, _plain(row.path)) not in served:
            return "not served"
        case Row():
            return "alias" if row.is_alias else "served"


def coverage_table() -> str:
    """All sections as Markdown."""
    served = mounted()
    return "\n".join(line for section in SECTIONS for line in _section(section.title, section.rows, served))


def codes_table() -> str:
    """All error codes as Markdown."""
    rows = [f"| {status} | {' '.join(f'`{code}`' for code in codes)} |" for status, codes in by_status().items()]
    return "\n".join(["", "| Status | Codes |", "|---|---|", *rows])


def document(text: str) -> str:
    """The document with its computed parts as they are now."""
    for name, part in (("codes", codes_table()), ("coverage", coverage_table())):
        begin, end = f"<!-- {name}: begin ({_COMMAND}) -->", f"<!-- {name}: end -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{part}\n\n{end}{after}"
    return text


def _section(title: str, rows: tuple[Row | Deed, ...], served: frozenset[tuple[str, str]]) -> Iterator[str]:
    yield from ("", f"### {title}", "", "| What | State | Permission | Note |", "|---|---|---|---|")
    for row in rows:
        what = f"`{row.method} {row.path}`" if isinstance(row, Row) else row.what
        permission = f"`{row.permission}`" if isinstance(row, Row) and row.permission else ""
        yield f"| {what} | {state(row, served)} | {permission} | {row.note} |"


def _plain(path: str) -> str:
    path = _VALUE.sub("{}", path)
    return f"/api{path}" if path.startswith("/v1/") else path  # the dialect serves the robots' host by the same routes


def _exists(name: str) -> bool:
    """Whether Python finds what the dotted name says."""
    module, parts = name, []
    while module:
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError:
            module, _, part = module.rpartition(".")
            parts.insert(0, part)
            continue
        for part in parts:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
