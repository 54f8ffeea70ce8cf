"""What the document says about the grammar is so."""

from contract import operations
from contract.dbt_cloud import coverage
from contract.dbt_cloud.grammar import SECTIONS


def test_what_the_document_calls_served_is_served():
    """Nothing is promised that is not there; `make coverage-table` writes what is."""
    served = coverage.mounted()
    told = coverage.DOCUMENT.read_text(encoding="utf-8").splitlines()

    promised = {line.split("`")[1] for line in told if line.startswith("| `") and "| served |" in line}
    there = {
        f"{row.method} {row.path}"
        for section in SECTIONS
        for row in section.rows
        if operations.state(row, served) == "served"
    }

    assert promised <= there
