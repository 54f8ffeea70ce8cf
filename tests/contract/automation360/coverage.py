"""What `docs/dialects/automation360.md` says that the code itself knows: what is served, and what is superseded.

`python tests/contract/automation360/coverage.py` writes it (`make coverage-table`).
"""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from litestar.handlers import HTTPRouteHandler

from controlroom.dialects import automation360
from controlroom.dialects.automation360.app import routes
from controlroom.dialects.automation360.routing import PAIR, SUPERSEDED

sys.path.insert(0, str(Path(__file__).parents[2]))
from contract.automation360.grammar import SECTIONS
from contract.operations import Mounted, mounted_by, plain, table, written

DOCUMENT = Path(__file__).parents[3] / "docs/dialects/automation360.md"
_BESIDE = "Further spellings of the same, and what is ours:"


@cache
def mounted() -> Mounted:
    """What the dialect serves."""
    return mounted_by(routes, automation360.__name__)


def _needs(handler: HTTPRouteHandler) -> str:
    pair = handler.opt.get(PAIR)
    return "" if pair is None else f"`{pair.resource}.{pair.action}`"


def superseded_table() -> str:
    """What answers with `Deprecation`, as Markdown."""
    lines = ["", "| Operation | Superseded by | Ends |", "|---|---|---|"]
    return "\n".join([*lines, *sorted(_superseded())])


def _superseded() -> Iterator[str]:
    for (method, path), handler in mounted().items():
        if (by := handler.opt.get(SUPERSEDED)) is not None:
            ends = "no date is published" if by.sunset is None else f"{by.sunset:%d %B %Y}"
            yield f"| `{method} {path}` | `{plain(by.by)}` | {ends} |"


def document(text: str) -> str:
    """The document with its computed parts as they are now."""
    return written(text, superseded=superseded_table(), coverage=table(SECTIONS, mounted(), _needs, _BESIDE))


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
