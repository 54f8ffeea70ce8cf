"""What the document says about the grammar is so."""

from contract.robocorp import coverage
from contract.robocorp.grammar import SECTIONS, Row


def test_the_tables_are_what_the_code_is():
    """`make coverage-table` would change nothing."""
    text = coverage.DOCUMENT.read_text(encoding="utf-8")

    assert coverage.document(text) == text


def test_every_route_of_the_grammar_is_served():
    """No client of the grammar finds an address missing."""
    served = coverage.mounted()

    missing = [
        f"{row.method} {row.path}"
        for section in SECTIONS
        for row in section.rows
        if isinstance(row, Row) and coverage.state(row, served) == "not served"
    ]

    assert missing == []
