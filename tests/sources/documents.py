"""What the pages of the sources say that their declarations know: which tables there are, and what their columns hold.

`python tests/sources/documents.py` writes it (`make coverage-table`).
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from controlroom.sources.automation360 import tables as automation360
from controlroom.sources.columns import REMOVED, Child, Table
from controlroom.sources.dbt_cloud import tables as dbt_cloud
from controlroom.sources.dbt_cloud.artifact_tables import PARTS
from controlroom.sources.robocorp import tables as robocorp

sys.path.insert(0, str(Path(__file__).parents[1]))
from contract.operations import written

DOCUMENTS = Path(__file__).parents[2] / "docs" / "sources"
SOURCES: dict[str, Sequence[Table]] = {
    "robocorp": robocorp.TABLES,
    "automation360": automation360.TABLES,
    "dbt-cloud": (*dbt_cloud.TABLES, *PARTS),
}
"""The tables of each source, by its page."""


def document(source: str, text: str) -> str:
    """A source's page with its computed part as it is now."""
    return written(text, tables="\n\n".join(_told(SOURCES[source])))


def _told(tables: Sequence[Table]) -> Iterator[str]:
    for table in tables:
        yield _table(table, "###")
        for child in table.children:
            yield from _below(table, child)


def _below(parent: Table, child: Child) -> Iterator[str]:
    yield _table(child.table, "####", f" Of `{parent.name}`.")
    for further in child.table.children:
        yield from _below(child.table, further)


def _table(table: Table, mark: str, more: str = "") -> str:
    columns = [column for column in table.columns if column.name != REMOVED]
    rows = [
        f"| {'**' if column.name in table.key else ''}`{column.name}`{'**' if column.name in table.key else ''} "
        f"| {column.kind.name.lower()} | {column.description} |"
        for column in columns
    ]
    return "\n".join(
        [f"{mark} {table.name}", "", f"{table.description}{more}", "", "| Column | Type | |", "|---|---|---|", *rows]
    )


if __name__ == "__main__":
    for name in SOURCES:
        page = DOCUMENTS / f"{name}.md"
        page.write_text(document(name, page.read_text(encoding="utf-8")), encoding="utf-8")
