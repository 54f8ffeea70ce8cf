"""What `docs/dialects/dbt-cloud.md` says that the code itself knows: what is served.

`python tests/contract/dbt_cloud/coverage.py` writes it (`make coverage-table`).
"""

import sys
from functools import cache
from pathlib import Path

from litestar.handlers import HTTPRouteHandler

from controlroom.dialects import dbt_cloud
from controlroom.dialects.dbt_cloud.app import routes
from controlroom.dialects.dbt_cloud.openapi import permissions_of

sys.path.insert(0, str(Path(__file__).parents[2]))
from contract.dbt_cloud.grammar import SECTIONS
from contract.operations import Mounted, mounted_by, table, written

DOCUMENT = Path(__file__).parents[3] / "docs/dialects/dbt-cloud.md"


@cache
def mounted() -> Mounted:
    """What the dialect serves."""
    return mounted_by(routes, dbt_cloud.__name__)


def _needs(handler: HTTPRouteHandler) -> str:
    return ", ".join(permissions_of(handler))


def document(text: str) -> str:
    """The document with its computed part as it is now."""
    return written(text, coverage=table(SECTIONS, mounted(), _needs))


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
